/**
 * The kind of a namespace file.
 *
 * @module
 */

import { ResultOf } from "../ffi/call.ts";
import { at_fdcwd, close, O_CLOEXEC, O_NONBLOCK, O_RDONLY, openat } from "../ffi/calls/files.ts";
import { namespaceIoctl, NS_GET_NSTYPE } from "../ffi/calls/namespaces.ts";
import { Label } from "../ffi/engine/program.ts";
import { syscalls } from "../ffi/syscalls.ts";
import { CLONE_FLAG, NAMESPACE_KINDS, type NamespaceKind } from "../recipe/namespaces.ts";

/**
 * Returns the kind of namespace that a file refers to; `undefined` if it refers to none.
 *
 * @throws {SyscallError} if the file cannot be opened
 */
export function namespaceKindOf(file: string): NamespaceKind | undefined {
  // O_NONBLOCK: the file may be a pipe, whose open would block.
  const opened = openat(at_fdcwd, file, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  const fd = new ResultOf(opened, "namespace");
  const type = namespaceIoctl(fd, NS_GET_NSTYPE);
  const closing = new Label("closing");
  const result = syscalls([
    { call: opened },
    { call: type, accept: ["ENOTTY", "EINVAL"], onFailure: closing },
    closing,
    { call: close(fd) },
  ]);
  const flag = Number(result.result(type));
  return NAMESPACE_KINDS.find((kind) => CLONE_FLAG[kind] === flag);
}
