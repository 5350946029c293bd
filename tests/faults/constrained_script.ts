// deno-lint-ignore-file no-console -- the test reads the output
/**
 * A script that tries recipes of every kind with something forbidden or used up, and prints the
 * result of each as JSON, and what all of them have left.
 */

import {
  bind,
  hostname,
  init,
  join,
  limits,
  mapRoot,
  mkdir,
  pivotRoot,
  proc,
  type Recipe,
  recipe,
  SyscallError,
  timeOffset,
  tmpfs,
  unshare,
  writeFile,
} from "../../mod.ts";
import { takeInventory } from "../leftovers.ts";
import { leftSince } from "./support.ts";

/** The result of a recipe. */
export interface Ended {
  readonly code?: number;
  readonly error?: string;
  readonly call?: string;
  readonly errno?: string;
  readonly says?: string;
}

const user = recipe(unshare("user"), mapRoot());
const own = recipe(unshare("user", "mount", "pid", "uts", "ipc", "net"), mapRoot());

const BOXES: Readonly<Record<string, () => Recipe>> = {
  plain: () => recipe(),
  user: () => user,
  names: () => recipe(unshare("user", "uts"), mapRoot(), hostname("box")),
  late: () => user.with(unshare("uts"), hostname("box")),
  cgroup: () => recipe(unshare("user", "cgroup"), mapRoot()),
  time: () => recipe(unshare("user", "time"), mapRoot(), timeOffset({ boottime: 1000 })),
  init: () => own.with(init()),
  proc: () => own.with(proc()),
  bind: () => own.with(tmpfs("/mnt"), bind("/usr", "/mnt/usr")),
  readonly: () => own.with(tmpfs("/mnt"), bind("/usr", "/mnt/usr", { readOnly: true })),
  root: () =>
    own.with(
      tmpfs("/mnt"),
      mkdir("/mnt/etc"),
      writeFile("/mnt/etc/motd", "x"),
      bind("/usr", "/mnt/usr"),
      bind("/bin", "/mnt/bin"),
      bind("/lib", "/mnt/lib"),
      bind("/lib64", "/mnt/lib64", { optional: true }),
      pivotRoot("/mnt"),
    ),
  limits: () => recipe(limits({})),
};

function describe(error: unknown): Ended {
  const { name, message } = error as Error;
  if (!(error instanceof SyscallError)) return { error: name, says: message };
  return { error: name, call: error.syscall, errno: error.code, says: error.hint ?? "" };
}

function run(box: () => Recipe): Ended {
  try {
    return { code: box().command("true").outputSync().code };
  } catch (error) {
    return describe(error);
  }
}

/** The descriptors that a script uses for all launches, and those that Deno opens at any time. */
const KEPT =
  /socket:|node_analysis|eventpoll|eventfd|pidfd|memfd:ramekin-(init|names)|^cgroup|^mapping/;

if (import.meta.main) {
  const before = takeInventory();
  const ended = Object.fromEntries(Object.entries(BOXES).map(([name, box]) => [name, run(box)]));
  try {
    await using container = user.command("sleep", { args: ["100"], stdin: "null" }).spawn();
    ended.join = run(() => recipe(join(container)));
  } catch (error) {
    ended.join = describe(error);
  }
  console.log(JSON.stringify({ ended, left: await leftSince(before, KEPT) }));
}
