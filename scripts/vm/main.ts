/**
 * `deno task test:vm [x86_64|aarch64] [--as=root|nobody] [--bound=SECONDS] [--brief]
 * [--shell] [...]`: the suite on hosts that this one is not, in emulated machines with Debian's
 * kernel, as root and as an ordinary user. Needs Debian's packages qemu-system-x86 and
 * qemu-system-arm. The whole suite takes hours; the last line is `N passed, N failed`.
 *
 * `--brief` runs what differs from host to host, and leaves out a machine that this host cannot
 * make, with the reason. `--bound` is for each start of a machine, which runs one part of the suite.
 * `--boxes` runs boxes where there is nothing but busybox (`boxes.ts`).
 * Other arguments are passed to `deno test`, and make a single part:
 * `deno task test:vm aarch64 tests/recipe --filter hostname`.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- a program, whose output is the console's

import { runBoxes } from "./boxes.ts";
import { addTally, emptyTally, readSummary, tallyText, TESTS } from "../suite.ts";
import { emulate, MachineError } from "./emulator.ts";
import { fillDenoCache, type User, writeRoot } from "./errand.ts";
import { type Base, base, cacheDirectory } from "./initramfs.ts";
import { type Machine, MACHINES } from "./machine.ts";
import { HostError, run } from "./run.ts";
import { type Shard, shards } from "./shards.ts";

/** How many seconds a machine may run with `--brief`. */
const BRIEF = 150;

const args = Deno.args.slice();
const take = (word: string): boolean => {
  const index = args.indexOf(word);
  if (index >= 0) args.splice(index, 1);
  return index >= 0;
};

const shell = take("--shell");
const boxes = take("--boxes");
const brief = take("--brief");
const asked = (["root", "nobody"] as const).filter((user) => take(`--as=${user}`));
const users: readonly User[] = asked.length > 0 ? asked : ["root", "nobody"];
const named = MACHINES.filter(({ name }) => take(name));
const machines = named.length > 0 ? named : MACHINES;
const boundAsked = args.map((word) => /^--bound=(\d+)$/.exec(word)?.[1]).find((word) => word);
if (boundAsked !== undefined) take(`--bound=${boundAsked}`);

const total = emptyTally();
for (const machine of machines) {
  try {
    await runMachine(machine);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (brief && error instanceof HostError) {
      console.log(`skipped: the ${machine.name} machine: ${reason.split("\n", 1)}`);
      continue;
    }
    console.error(`error: ${reason}`);
    total.failed++;
  }
}
if (!shell) console.log(`\n${tallyText(total)}`);
Deno.exit(total.failed === 0 ? 0 : 1);

/** What the machine runs, one start after the other. */
function partsFor(machine: Machine): readonly Shard[] {
  if (shell) return [{ name: "a shell", args: [] }];
  if (brief) return [{ name: "in brief", args: ["-A", ...args, ...machine.brief] }];
  if (args.some((word) => word.startsWith("tests"))) {
    return [{ name: args.join(" "), args: [...TESTS, ...args] }];
  }
  return shards().map((shard) => ({ ...shard, args: [...shard.args, ...args] }));
}

async function runMachine(machine: Machine): Promise<void> {
  await run(machine.emulator[0]!, ["--version"]);
  if (boxes) {
    const { passed, failed } = await runBoxes(machine);
    total.passed += passed;
    total.failed += failed;
    return;
  }
  const parts = partsFor(machine);
  const made = await base(machine);
  await fillDenoCache();
  for (const [index, part] of parts.entries()) {
    console.log(`\n${machine.name}, part ${index + 1} of ${parts.length}: ${part.name}`);
    await runPart(machine, made, part);
  }
}

async function runPart(machine: Machine, base: Base, { name, args }: Shard): Promise<void> {
  const started = performance.now();
  const root = `${cacheDirectory()}/${Deno.pid}.cpio`;
  const bound = Number(boundAsked ?? (brief ? BRIEF : machine.bound));
  try {
    writeRoot(base, root, {
      args: ["test", "--no-check", "--cached-only", "--quiet", ...args],
      users: shell ? [] : users,
      shell,
    });
    const { code, text } = await emulate(machine, base.kernel, root, shell ? undefined : bound);
    const failed = count(machine, text);
    // A file that cannot be loaded is in no summary.
    if (code !== 0 && failed === 0) total.failed++;
  } catch (error) {
    if (!(error instanceof MachineError)) throw error;
    console.error(`error: ${name}: ${error.message}`);
    count(machine, error.text);
    total.failed++;
  } finally {
    await Deno.remove(root).catch(() => {});
    console.log(`${machine.name}: ${Math.round((performance.now() - started) / 1000)} seconds`);
  }
}

/** Counts what each user's part has come to; returns how many have failed. */
function count(machine: Machine, text: string): number {
  let failed = 0;
  for (
    const [, user, output] of text.matchAll(/^ramekin: the suite as (\w+)(.*?)(?=^ramekin: )/gms)
  ) {
    const tally = readSummary(output!);
    failed += tally.failed;
    addTally(total, tally, `${machine.name}, as ${user}`);
  }
  return failed;
}
