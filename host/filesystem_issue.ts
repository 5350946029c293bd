/**
 * The kernel's own words about the options of a filesystem. mount(2) returns an errno alone; a
 * descriptor of fsopen(2) has messages to read, without privilege in a user namespace.
 *
 * @module
 */

import { type Call, Output, ResultOf } from "../ffi/call.ts";
import { at_fdcwd, read } from "../ffi/calls/files.ts";
import {
  fsconfig,
  FSCONFIG_SET_FLAG,
  FSCONFIG_SET_STRING,
  fsopen,
  FSOPEN_CLOEXEC,
} from "../ffi/calls/mounts.ts";
import {
  clone,
  CLONE_NEWNS,
  CLONE_NEWUSER,
  CLONE_VFORK,
  CLONE_VM,
} from "../ffi/calls/namespaces.ts";
import { exit_group, P_PID, rt_sigprocmask, waitid, WEXITED } from "../ffi/calls/processes.ts";
import { writeText } from "../ffi/calls/write_text.ts";
import { engine, type RunResult } from "../ffi/engine/engine.ts";
import { assemble, END, Label, type ProgramRecord } from "../ffi/engine/program.ts";
import { syscall } from "../ffi/syscalls.ts";

/** The type and the options of a filesystem, as mount(2) takes them. */
export interface FilesystemOptions {
  readonly type: string;
  /** The options that the filesystem itself reads, separated by commas. */
  readonly data: string;
  /** The ids that are mapped in the user namespace of the mount, if that is not the script's. */
  readonly ids: MappedIds | undefined;
}

/** The user and the group in a user namespace, and the same in the script's. */
export interface MappedIds {
  readonly uid: { readonly inside: number; readonly outside: number };
  readonly gid: { readonly inside: number; readonly outside: number };
}

/** The longest message that is read. */
const MESSAGE_SIZE = 256;

/**
 * Sets the options one by one, in a process with namespaces of its own which ends at once, and
 * returns what the kernel says against them: `tmpfs: Unknown parameter 'nr_inode'`.
 */
export function filesystemIssue({ type, data, ids }: FilesystemOptions): string | undefined {
  const [pid, mask, message] = [
    new Output(4, "&pid"),
    new Output(8, "&mask"),
    new Output(MESSAGE_SIZE, "&message"),
  ];
  const [restore, child, refused, ended] = [
    new Label("the mask is restored"),
    new Label("the child"),
    new Label("an option is refused"),
    new Label("the child ends"),
  ];
  const flags = CLONE_VM | CLONE_VFORK | CLONE_NEWNS | (ids === undefined ? 0 : CLONE_NEWUSER);
  const opened = fsopen(type, FSOPEN_CLOEXEC);
  const fd = new ResultOf(opened, "filesystem");
  const reading = read(fd, message, MESSAGE_SIZE);
  const program = assemble([
    // A signal handler of the script must not run in the child, which shares the memory.
    { call: rt_sigprocmask("all", mask) },
    { call: clone(flags, pid), onZero: child, onFailure: restore },
    restore,
    { call: rt_sigprocmask(mask, null), onZero: END },
    child,
    ...mapping(ids).map((call): ProgramRecord => ({ call, onFailure: ended })),
    { call: opened, onFailure: ended },
    ...data.split(",").map((word): ProgramRecord => {
      const [key, ...value] = word.split("=") as [string, ...string[]];
      const call = value.length === 0
        ? fsconfig(fd, FSCONFIG_SET_FLAG, key, null, 0)
        : fsconfig(fd, FSCONFIG_SET_STRING, key, value.join("="), 0);
      return { call, onFailure: refused };
    }),
    { call: exit_group(0) },
    refused,
    { call: reading, onFailure: ended },
    ended,
    { call: exit_group(0) },
  ], engine().architecture);
  const result = engine().run(program);
  const started = result.output(pid).getInt32(0, true);
  if (started > 0) syscall(waitid(P_PID, started, null, WEXITED));
  return textOf(result, reading, message);
}

/** The calls by which a process maps its ids, as user_namespaces(7) lets an ordinary user. */
function mapping(ids: MappedIds | undefined): readonly Call[] {
  if (ids === undefined) return [];
  const line = ({ inside, outside }: MappedIds["uid"]) => `${inside} ${outside} 1`;
  return [
    ...writeText(at_fdcwd, "/proc/self/setgroups", "deny"),
    ...writeText(at_fdcwd, "/proc/self/uid_map", line(ids.uid)),
    ...writeText(at_fdcwd, "/proc/self/gid_map", line(ids.gid)),
  ];
}

/** Returns the message, without the letter before it that says what it is: `e ` of an error. */
function textOf(result: RunResult, reading: Call, message: Output): string | undefined {
  const length = Number(result.result(reading));
  if (length <= 0) return undefined;
  const { buffer, byteOffset } = result.output(message);
  return new TextDecoder().decode(new Uint8Array(buffer, byteOffset, length)).trim()
    .replace(/^[ewi] /, "");
}
