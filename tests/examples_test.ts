/** Every example prints what its head says; see examples/README.md. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { planCgroup } from "../ffi/cgroups/plan.ts";
import { readElf } from "../ffi/elf.ts";
import { UnsupportedError } from "../ffi/errors.ts";
import { test } from "./support.ts";
import { patience } from "./rounds.ts";

const directory = new URL("../examples/", import.meta.url).pathname;

/** What an example needs that a machine may lack. */
const NEEDS: Readonly<Record<string, string>> = {
  build_job: "cc",
  network: "busybox",
  shell: "tmux",
};

/** Why an example cannot run here, where that is no missing program. */
const LACKS: Readonly<Record<string, () => string | undefined>> = {
  cgroup_limits: noControlGroups,
  rootfs: noStaticBusybox,
};

/** What the tour says of what these need. */
const TOLD: Readonly<Record<string, readonly string[]>> = {
  build_job: ["`cc`"],
  cgroup_limits: ["root", "a control group", "Delegate=yes"],
  network: ["`busybox`"],
  rootfs: ["directory"],
  shell: ["a terminal"],
};

/** Examples that are not just run. */
const OTHERS: Readonly<Record<string, (printed: RegExp) => Promise<void>>> = {
  rootfs: runInRootDirectory,
  shell: runInTerminal,
};

for (const { name } of [...Deno.readDirSync(directory)].sort((a, b) => a.name < b.name ? -1 : 1)) {
  if (!name.endsWith(".ts")) continue;
  const example = name.slice(0, -".ts".length);
  test(`the example ${example} prints what its head says`, async () => {
    const printed = expected(Deno.readTextFileSync(`${directory}${name}`));
    await (OTHERS[example] ?? ((printed) => run(example, [], printed)))(printed);
  }, missing(NEEDS[example]) ?? LACKS[example]?.());
}

test("the tour leads to every example", () => {
  const tour = Deno.readTextFileSync(`${directory}README.md`);
  for (const { name } of Deno.readDirSync(directory)) {
    if (name.endsWith(".ts")) assert(tour.includes(`](${name})`), name);
  }
});

test("the tour says which examples need more than Deno, and what", () => {
  const tour = Deno.readTextFileSync(`${directory}README.md`);
  const needs = tour.split(/\n(?=\*\*\[|\d+\. \*\*\[)/).flatMap((entry) => {
    const [, example] = /^(?:\d+\. )?\*\*\[(\w+)\.ts\]/.exec(entry) ?? [];
    const [, what] = /_Needs_\s+([^]*)/.exec(entry) ?? [];
    return example === undefined || what === undefined ? [] : [[example, what] as const];
  });
  const found = new Map(needs);
  assertEquals([...found.keys()].sort(), Object.keys({ ...NEEDS, ...LACKS }).sort());
  for (const [example, words] of Object.entries(TOLD)) {
    for (const word of words) assert(found.get(example)!.includes(word), `${example}: ${word}`);
  }
});

/**
 * What the comment at an example's head says that it prints, as a pattern: `...` stands for a part
 * that changes, and alone on a line for any lines.
 */
function expected(source: string): RegExp {
  const head = /^\/\*\*\n(?: \*.*\n)*/.exec(source)?.[0] ?? "";
  const lines = head.split("\n").map((line) => line.slice(3));
  const from = lines.findIndex((line) => /^Prints\b.*:$/.test(line));
  assert(from !== -1, 'there is no "Prints:" in a comment at the head');
  const printed = lines.slice(from + 2).filter((line) => line.startsWith("    "));
  const patterns = printed.map((line) =>
    line.trim() === "..." ? "(?:.*\\n)*?" : `${pattern(line.slice(4))}\\n`
  );
  return new RegExp(`^${patterns.join("")}$`);
}

function pattern(line: string): string {
  return line.split("...").map((text) => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")).join(".*");
}

async function run(example: string, args: readonly string[], printed: RegExp): Promise<void> {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-ffi", `${directory}${example}.ts`, ...args],
    stdin: "null",
  }).output();
  const [output, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assertEquals(errors, "");
  assertMatch(output!, printed);
}

/** In a root directory with nothing but busybox. */
async function runInRootDirectory(printed: RegExp): Promise<void> {
  const root = Deno.makeTempDirSync();
  try {
    for (const name of ["bin", "dev", "proc", "sys", "tmp"]) Deno.mkdirSync(`${root}/${name}`);
    Deno.copyFileSync(busybox()!, `${root}/bin/busybox`);
    for (const name of ["sh", "hostname"]) Deno.symlinkSync("busybox", `${root}/bin/${name}`);
    await run("rootfs", [root, "sh", "-c", 'echo "PID $$ on $(hostname):" /*'], printed);
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
}

/** In a real terminal, with somebody who types. */
async function runInTerminal(printed: RegExp): Promise<void> {
  const sockets = Deno.makeTempDirSync();
  const tmux = async (...args: string[]) => {
    // Where nothing says which shell, it takes the user's own: nobody's is nologin.
    const env = { TMUX_TMPDIR: sockets, SHELL: "/bin/sh" };
    const { stdout } = await new Deno.Command("tmux", { args: ["-f/dev/null", ...args], env })
      .output();
    return new TextDecoder().decode(stdout);
  };
  /** What is on the screen, once it is complete, or at last. */
  const screen = async (complete: RegExp) => {
    let text = "";
    for (let attempt = 0; attempt < patience(1200) && !complete.test(text); attempt++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      text = `${(await tmux("capture-pane", "-p", "-J")).trimEnd()}\n`;
    }
    return text;
  };
  try {
    const command = `'${Deno.execPath()}' run --quiet --allow-ffi '${directory}shell.ts'; cat`;
    await tmux("new-session", "-d", "-x", "80", "-y", "24", command);
    await screen(/^#$/m);
    await tmux("send-keys", "tty; uname -n; exit 3", "Enter");
    assertMatch(await screen(/ended/), printed);
  } finally {
    await tmux("kill-server");
    Deno.removeSync(sockets, { recursive: true });
  }
}

/** Why an example is left out that needs a program, if it is. */
function noControlGroups(): string | undefined {
  try {
    planCgroup({ memory: 1, swap: 1, pids: 1 });
    return undefined;
  } catch (error) {
    if (error instanceof UnsupportedError) return "needs the right to make control groups";
    throw error;
  }
}

function missing(program: string | undefined): string | undefined {
  return program === undefined || path(program) !== undefined ? undefined : `needs ${program}`;
}

function noStaticBusybox(): string | undefined {
  const needed = "needs Debian's busybox-static";
  const file = busybox();
  if (file === undefined) return needed;
  const bytes = Deno.readFileSync(file);
  const elf = readElf((offset, length) => bytes.subarray(offset, offset + length));
  return elf !== undefined && elf.interpreter === undefined ? undefined : needed;
}

function busybox(): string | undefined {
  return path("busybox");
}

function path(program: string): string | undefined {
  for (const directory of (Deno.env.get("PATH") ?? "").split(":")) {
    try {
      if (Deno.statSync(`${directory}/${program}`).isFile) return `${directory}/${program}`;
    } catch {
      continue;
    }
  }
  return undefined;
}
