/**
 * The kind of a namespace file.
 *
 * @module
 */

import { ResultOf } from "../ffi/call.ts";
import { at_fdcwd, close, O_CLOEXEC, O_PATH, O_RDONLY, openat } from "../ffi/calls/files.ts";
import { namespaceIoctl, NS_GET_NSTYPE } from "../ffi/calls/namespaces.ts";
import { fstatfs, readStatfs, statfsOutput } from "../ffi/calls/statfs.ts";
import { Label } from "../ffi/engine/program.ts";
import { syscall, syscalls } from "../ffi/syscalls.ts";
import { CLONE_FLAG, NAMESPACE_KINDS, type NamespaceKind } from "../recipe/namespaces.ts";
import { unexpanded } from "../recipe/unexpanded.ts";

/** NSFS_MAGIC (linux/magic.h): the filesystem of namespace files. */
const NSFS_MAGIC = 0x6e736673;

/**
 * Returns the kind of namespace that a file refers to; `undefined` if it refers to none. Only the
 * file of a namespace is opened: to open a pipe or a device has effects.
 *
 * @throws {SyscallError} if the file cannot be found or opened
 */
export function namespaceKindOf(file: string): NamespaceKind | undefined {
  const fixes = { ENOENT: `the file ${file} does not exist${unexpanded(file)}` };
  const found = syscall(openat(at_fdcwd, file, O_PATH | O_CLOEXEC), fixes);
  try {
    const state = statfsOutput();
    const { type } = readStatfs(syscalls([{ call: fstatfs(found, state) }]).output(state));
    return type === NSFS_MAGIC ? kindOf(`/proc/self/fd/${found}`) : undefined;
  } finally {
    syscall(close(found));
  }
}

function kindOf(file: string): NamespaceKind | undefined {
  const opened = openat(at_fdcwd, file, O_RDONLY | O_CLOEXEC);
  const fd = new ResultOf(opened, "namespace");
  const type = namespaceIoctl(fd, NS_GET_NSTYPE);
  const closing = new Label("closing");
  const result = syscalls([
    { call: opened },
    // pidfds are on this filesystem too.
    { call: type, accept: ["ENOTTY", "EINVAL"], onFailure: closing },
    closing,
    { call: close(fd) },
  ]);
  const flag = Number(result.result(type));
  return NAMESPACE_KINDS.find((kind) => CLONE_FLAG[kind] === flag);
}
