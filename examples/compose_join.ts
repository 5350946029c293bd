/**
 * A second program enters the pid namespace of a container that runs, as another service of a
 * composition does, with mounts of its own and a fresh /proc in them: it sees the first program as
 * PID 1. See setns(2) and nsenter(1).
 *
 * Prints:
 *
 *     I am PID ..., and PID 1 is: sleep infinity
 *     The pid namespace is the same:  true
 *     The mount namespace is another: true
 */
// deno-lint-ignore-file no-console

import { join, linux, mapRoot, proc, recipe, unshare } from "../mod.ts";

const first = recipe(unshare("user", "mount", "pid"), mapRoot(), proc());
await using server = first.command("sleep", { args: ["infinity"] }).spawn();

const second = recipe(join(server, "user", "pid"), unshare("mount"), proc());
const script = "echo I am PID $$, and PID 1 is: $(tr '\\0' ' ' < /proc/1/cmdline)";
await second.command("sh", { args: ["-c", script] }).spawn().status;

await using client = second.command("sleep", { args: ["infinity"] }).spawn();
const [one, two] = [linux.namespaces(server.pid), linux.namespaces(client.pid)];
console.log(`The pid namespace is the same:  ${one.pid === two.pid}`);
console.log(`The mount namespace is another: ${one.mount !== two.mount}`);
