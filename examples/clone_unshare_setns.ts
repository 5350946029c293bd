/**
 * The three calls that all of this is made of, and what they do to /proc/PID/ns: clone(2) makes a
 * process in a new namespace, unshare(2) moves the caller to a new one, setns(2) to one that is
 * there. This file runs once more as root of a user namespace, so that everyone may do it.
 *
 * Prints:
 *
 *     At first, I am in  uts:[...]
 *     clone: a child in  uts:[...], called soup
 *     unshare: I am in   uts:[...], called kitchen
 *     setns: I am in     uts:[...], called soup
 *     That is the child's: true
 *     And now, I am back: true
 */
// deno-lint-ignore-file no-console

import { hostname, linux, mapRoot, recipe, unshare } from "../mod.ts";

if (Deno.args[0] !== "inside") {
  const box = recipe(unshare("user", "uts"), mapRoot());
  const args = ["run", "--allow-ffi", import.meta.filename!, "inside"];
  await box.command(Deno.execPath(), { args }).spawn().status;
  Deno.exit();
}

/** What a process, or this thread, is in. */
const uts = (pid: number | "thread-self" = "thread-self") =>
  linux.readlinkat(linux.AT_FDCWD, `/proc/${pid}/ns/uts`);

const first = uts();
using wayBack = linux.open("/proc/thread-self/ns/uts");
console.log(`At first, I am in  ${first}`);

await using child = recipe(unshare("uts"), hostname("soup")).command("sleep", { args: ["60"] })
  .spawn();
console.log(`clone: a child in  ${uts(child.pid)}, called soup`);

linux.unshare(linux.CLONE_NEWUTS);
linux.sethostname("kitchen");
console.log(`unshare: I am in   ${uts()}, called ${linux.gethostname()}`);

using childs = linux.open(`/proc/${child.pid}/ns/uts`);
linux.setns(childs, linux.CLONE_NEWUTS);
console.log(`setns: I am in     ${uts()}, called ${linux.gethostname()}`);
console.log(`That is the child's: ${uts() === uts(child.pid)}`);

linux.setns(wayBack, linux.CLONE_NEWUTS);
console.log(`And now, I am back: ${uts() === first}`);
