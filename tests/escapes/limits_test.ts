/** Exhausting the machine's resources, from a sandbox with limits. */

import { planCgroup } from "../../ffi/cgroups/plan.ts";
import type { GroupLimits } from "../../ffi/cgroups/limits.ts";
import { limits, sandbox, UnsupportedError } from "../../mod.ts";
import { test } from "../support.ts";
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
    $pid or (sleep(10), exit);
  }
`;

test("processes without end", () => {
  assertEscapes(sandbox(), PROCESSES);
  const box = sandbox().with(limits({ pids: 20 }));
  assertStopped(box, PROCESSES, /fork: Resource temporarily unavailable/);
}, lacks("pids"));

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
