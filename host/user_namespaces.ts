/**
 * Whether the kernel lets this user make containers: user namespaces, and in them mounts.
 *
 * @module
 */

import { Output } from "../ffi/call.ts";
import { mount, MS_PRIVATE, MS_REC } from "../ffi/calls/mounts.ts";
import {
  clone,
  CLONE_NEWNS,
  CLONE_NEWUSER,
  CLONE_VFORK,
  CLONE_VM,
} from "../ffi/calls/namespaces.ts";
import { exit_group, P_PID, rt_sigprocmask, waitid, WEXITED } from "../ffi/calls/processes.ts";
import { engine } from "../ffi/engine/engine.ts";
import { assemble, END, Label } from "../ffi/engine/program.ts";
import { type ErrnoName, errnoName } from "../ffi/errno.ts";
import { syscall } from "../ffi/syscalls.ts";
import { readSetting } from "./settings.ts";

/** The call that is refused, and its errno. */
export interface UserNamespaceRefusal {
  readonly syscall: string;
  readonly code: ErrnoName;
}

/**
 * Tries it in a process that ends at once; `undefined` where nothing refuses it. AppArmor lets the
 * namespace be made, and then denies every capability in it, so that a mount is tried as well.
 */
export function userNamespaceRefusal(): UserNamespaceRefusal | undefined {
  const [pid, mask] = [new Output(4, "&pid"), new Output(8, "&mask")];
  const [restore, child, ended] = [
    new Label("the mask is restored"),
    new Label("the child"),
    new Label("the child ends"),
  ];
  const program = assemble([
    // A signal handler of the script must not run in the child, which shares the memory.
    { call: rt_sigprocmask("all", mask) },
    {
      call: clone(CLONE_VM | CLONE_VFORK | CLONE_NEWUSER | CLONE_NEWNS, pid),
      onZero: child,
      onFailure: restore,
    },
    restore,
    { call: rt_sigprocmask(mask, null), onZero: END },
    child,
    { call: mount(null, "/", null, MS_REC | MS_PRIVATE, null), onFailure: ended },
    { call: mount("none", "/proc", "tmpfs", 0, null), onFailure: ended },
    ended,
    { call: exit_group(0) },
  ], engine().architecture);
  const result = engine().run(program);
  const started = result.output(pid).getInt32(0, true);
  if (started > 0) syscall(waitid(P_PID, started, null, WEXITED));
  const { failed } = result;
  const code = failed && errnoName(failed.errno);
  return code && isRefusal(code) ? { syscall: failed.call.name, code } : undefined;
}

/** Whether it is no passing want: of memory, of processes, of namespaces that others use up. */
function isRefusal(code: ErrnoName): boolean {
  return code === "EPERM" || code === "EACCES" || code === "EINVAL" || code === "ENOSYS" ||
    (code === "ENOSPC" || code === "EUSERS") &&
      readSetting("/proc/sys/user/max_user_namespaces") === 0;
}
