/**
 * Limits that bite: a program that eats more memory than its control group may have, one that
 * starts more processes, and one that is paused. The group is gone with the container. See
 * cgroups(7).
 *
 * An ordinary user needs a group that was given to them: start it as the message says then.
 *
 * Prints:
 *
 *     100 MB of memory where 64 MB are allowed: killed by SIGKILL, out of memory: true
 *     It had 64 MB at most.
 *     100 processes where 10 are allowed: ...ork...
 *     In the container, its group is the root: true
 *     Paused: it has used no more time on processors: true
 *     Resumed with room for 20 processes, it counts 1.
 */
// deno-lint-ignore-file no-console

import { limits, mapRoot, recipe, unshare } from "../mod.ts";

const place = recipe(unshare("user", "pid", "cgroup"), mapRoot());
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();

const small = place.with(limits({ memory: "64m", swap: 0 }));
const eater = small.command("sh", {
  args: ["-c", "x=$(head -c 100000000 /dev/zero | tr '\\0' x)"],
  stderr: "null",
}).spawn();
const { signal, outOfMemory } = await eater.status;
console.log(
  `100 MB of memory where 64 MB are allowed: killed by ${signal}, out of memory: ${outOfMemory}`,
);
console.log(`It had ${Math.round(eater.usage().memoryPeak! / 2 ** 20)} MB at most.`);

const few = place.with(limits({ pids: 10 }));
const bomb = await few.command("sh", {
  args: ["-c", "for i in $(seq 100); do sleep 100 & done"],
}).output();
console.log(`100 processes where 10 are allowed: ${text(bomb.stderr).split("\n")[0]}`);

const { stdout } = await few.command("cat", { args: ["/proc/self/cgroup"] }).output();
const groups = text(stdout).split("\n");
console.log(
  `In the container, its group is the root: ${groups.every((line) => line.endsWith(":/"))}`,
);

await using busy = few.command("sh", { args: ["-c", "while :; do :; done"] }).spawn();
await busy.pause();
const wait = () => new Promise((resolve) => setTimeout(resolve, 20));
await wait();
const used = busy.usage().cpu;
await wait();
console.log(`Paused: it has used no more time on processors: ${busy.usage().cpu === used}`);
busy.resume();
busy.update({ pids: 20 });
console.log(`Resumed with room for 20 processes, it counts ${busy.usage().pids}.`);
