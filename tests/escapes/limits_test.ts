/** Exhausting the machine's resources, and the script's memory. */

import { planCgroup } from "../../ffi/cgroups/plan.ts";
import type { GroupLimits } from "../../ffi/cgroups/limits.ts";
import { assert, assertRejects, assertThrows } from "@std/assert";
import { atLeast } from "../../host/host.ts";
import { liveHost } from "../../host/live_host.ts";
import { limits, OutputLimitError, sandbox, UnsupportedError } from "../../mod.ts";
import { inside, root, test } from "../support.ts";
import { assertEscapes, assertStopped } from "./support.ts";

/** Returns why these limits cannot be set here; `undefined` if they can. */
function lacks(...names: (keyof GroupLimits)[]): string | undefined {
  try {
    planCgroup(Object.fromEntries(names.map((name) => [name, 1 << 26])));
    return undefined;
  } catch (error) {
    if (!(error instanceof UnsupportedError)) throw error;
    return `this user cannot limit ${names.join(" and ")} here`;
  }
}

/** Many processes, but not too many for a machine. */
const PROCESSES = String.raw`
  for (1 .. 100) {
    my $pid = fork;
    defined $pid or die "fork: $!\n";
    $pid or (sleep(100), exit);
  }
`;

test("processes without end", () => {
  assertEscapes(sandbox(), PROCESSES);
  const box = sandbox().with(limits({ pids: 20 }));
  assertStopped(box, PROCESSES, /fork: Resource temporarily unavailable/);
}, lacks("pids"));

/** More processes than a sandbox may have. */
const BOMB = PROCESSES.replace("100", "5000").replace("sleep(100)", "sleep(1000)");

test("processes without end, in a sandbox without limits", () => {
  assertStopped(sandbox(), BOMB, /fork: Resource temporarily unavailable/);
}, boundless());

/** Why a sandbox without a control group has no bound here. */
function boundless(): string | undefined {
  const [minor, holder] = root ? [14, "root's"] : [0, "others'"];
  return atLeast(liveHost().kernel(), { major: 6, minor })
    ? undefined
    : `${holder} are not counted`;
}

test("output without end, in a sandbox without limits", async () => {
  for (const stream of ["", ">&2"]) {
    const command = sandbox().command("sh", { args: ["-c", `yes ${stream}`] });
    await assertRejects(() => command.output(), OutputLimitError);
    assertThrows(() => command.outputSync(), OutputLimitError);
  }
});

test("files without end, in each directory in memory", () => {
  // The root is read-only.
  const shown = inside(sandbox(), "df --output=target,size,itotal -t tmpfs | tail -n +3");
  const memory = Deno.systemMemoryInfo().total / 1024;
  for (const line of shown.split("\n")) {
    const [target, size, files] = line.trim().split(/\s+/);
    assert(Number(size) <= memory / 4 + 1024, `${target} holds ${size} KiB of ${memory}`);
    assert(Number(files) <= 400 * 1024, `${target} holds ${files} files`);
  }
  const fill = (path: string) =>
    String.raw`
    open(my $file, ">", "${path}/large") or die "open: $!\n";
    for (1 .. 80) { syswrite($file, "x" x (1 << 20)) or die "write: $!\n" }
  `;
  const small = sandbox({ tmp: "4m" });
  assertEscapes(sandbox(), fill("/tmp"));
  assertStopped(small, fill("/tmp"), /No space left/);
  for (const path of ["/run", "/dev/shm"]) {
    assertStopped(sandbox(), fill(path), /No space left|Permission denied|Read-only/);
  }
});

const MEMORY = String.raw`my $bytes = "x" x (96 << 20); print STDERR "has it\n"`;
const FILE = String.raw`
  open(my $file, ">", "/tmp/large") or die "open: $!\n";
  for (1 .. 96) { syswrite($file, "x" x (1 << 20)) or die "write: $!\n" }
`;

for (const [name, attack] of Object.entries({ MEMORY, FILE })) {
  const title = name === "FILE" ? "memory without end, as files in /tmp" : "memory without end";
  test(title, () => {
    assertEscapes(sandbox(), attack);
    assertStopped(sandbox().with(limits({ memory: "48m", swap: 0 })), attack, undefined);
  }, lacks("memory", "swap"));
}
