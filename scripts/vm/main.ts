/**
 * `deno task test:vm [x86_64|aarch64] [--as=root|nobody] [--bound=SECONDS] [--brief]
 * [--shell] [...]`: the suite on hosts that this one is not, in emulated machines with Debian's
 * kernel. Needs Debian's packages qemu-system-x86 and qemu-system-arm.
 *
 * `--brief` runs what differs from host to host, and leaves out a machine that this host cannot
 * make, with the reason. Other arguments are handed on to `deno test`:
 * `deno task test:vm aarch64 tests/recipe --filter hostname`.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- a program, whose output is the console's

import { emulate } from "./emulator.ts";
import { addProject, base, cacheDirectory } from "./initramfs.ts";
import { type Machine, MACHINES } from "./machine.ts";
import { HostError, run } from "./run.ts";

/** Tests that say nothing about a host, and check types or much else that takes an emulator long. */
const ANYWHERE = ["tests/import_test.ts", "tests/scripts"];

/** How long a machine may run, in seconds: with `--brief`, and without. */
const BOUNDS = { brief: 150, full: 900 };

const args = Deno.args.slice();
const take = (word: string): boolean => {
  const index = args.indexOf(word);
  if (index >= 0) args.splice(index, 1);
  return index >= 0;
};

const shell = take("--shell");
const brief = take("--brief");
const asked = (["root", "nobody"] as const).filter((user) => take(`--as=${user}`));
const users = asked.length > 0 ? asked : ["root", "nobody"] as const;
const named = MACHINES.filter(({ name }) => take(name));
const machines = named.length > 0 ? named : MACHINES;
const boundAsked = args.map((word) => /^--bound=(\d+)$/.exec(word)?.[1]).find((word) => word);
if (boundAsked !== undefined) take(`--bound=${boundAsked}`);
const bound = Number(boundAsked ?? (brief ? BOUNDS.brief : BOUNDS.full));
const all = !brief && !args.some((word) => word.startsWith("tests"));
if (all) args.push(`--ignore=${ANYWHERE}`, "tests/");

let worst = 0;
for (const machine of machines) {
  try {
    worst = Math.max(worst, await runMachine(machine));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (brief && error instanceof HostError) {
      console.log(`skipped: the ${machine.name} machine: ${reason.split("\n", 1)}`);
      continue;
    }
    console.error(`error: ${reason}`);
    worst = Math.max(worst, 1);
  }
}
Deno.exit(worst);

async function runMachine(machine: Machine): Promise<number> {
  const started = performance.now();
  const initramfs = `${cacheDirectory()}/${Deno.pid}.cpio`;
  try {
    await run(machine.emulator[0]!, ["--version"]);
    const parts = await base(machine);
    const errand = {
      args: brief ? [...args, ...machine.brief] : args,
      users: shell ? [] : users,
      shell,
    };
    await addProject(parts, initramfs, errand);
    const megabytes = Math.round(Deno.statSync(initramfs).size / 2 ** 20);
    console.log(`\n${machine.name}: Debian, Deno and the project are ${megabytes} MiB`);
    return await emulate(machine, parts.kernel, initramfs, shell ? undefined : bound);
  } finally {
    await Deno.remove(initramfs).catch(() => {});
    console.log(`${machine.name}: ${Math.round((performance.now() - started) / 1000)} seconds`);
  }
}
