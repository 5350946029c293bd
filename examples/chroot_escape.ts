/**
 * Root gets out of a chroot: it makes a second one while its working directory stays where it is,
 * which is then above its root, so that `..` leads out. Where pivot_root(2) has taken the old root
 * away there is nothing to get out to. And a chroot hides no process; a pid namespace does.
 *
 * Prints:
 *
 *     chroot: /etc/passwd is not there. After the escape it is there.
 *     chroot: the process outside can be killed.
 *     pivotRoot: /etc/passwd is not there. After the escape it is not there.
 *     pivotRoot: there is no such process.
 */
// deno-lint-ignore-file no-console

import { bind, chroot, linux, mapRoot, pivotRoot, programs, recipe } from "../mod.ts";
import { type Step, tmpfs, unshare } from "../mod.ts";

/** A root with nothing but Deno, Ramekin and /proc; this file runs in it once more. */
async function runJailed(name: string, kinds: ("user" | "mount" | "pid")[], enter: Step) {
  const jail = recipe(
    unshare(...kinds),
    mapRoot(),
    tmpfs("/mnt"),
    programs(Deno.execPath()),
    bind("/proc", "/mnt/proc"),
    bind(`${import.meta.dirname}/..`, "/mnt/ramekin", { readOnly: true }),
    enter,
  );
  const self = "/ramekin/examples/chroot_escape.ts";
  const args = ["run", "--quiet", "--no-config", "--allow-ffi", self, name, String(Deno.pid)];
  await jail.command(Deno.execPath(), { args, env: { DENO_DIR: "/cache" } }).spawn().status;
}

function escape(): void {
  linux.mkdir("/deeper");
  linux.chroot("/deeper");
  for (let step = 0; step < 10; step++) linux.chdir("..");
  linux.chroot(".");
}

function passwd(): string {
  try {
    linux.open("/etc/passwd").close();
    return "is there";
  } catch {
    return "is not there";
  }
}

function mayKill(pid: number): string {
  try {
    linux.kill(pid, 0);
    return "the process outside can be killed";
  } catch {
    return "there is no such process";
  }
}

const [name, outside] = Deno.args;
if (name === undefined) {
  await runJailed("chroot", ["user", "mount"], chroot("/mnt"));
  await runJailed("pivotRoot", ["user", "mount", "pid"], pivotRoot("/mnt"));
} else {
  const before = passwd();
  escape();
  console.log(`${name}: /etc/passwd ${before}. After the escape it ${passwd()}.`);
  console.log(`${name}: ${mayKill(Number(outside))}.`);
}
