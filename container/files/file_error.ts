/**
 * Errors of files, as Deno has them: the class of the errno, and the path in the message.
 *
 * @module
 */

import { escapeControls } from "../../ffi/control_characters.ts";
import type { ErrnoName } from "../../ffi/errno.ts";
import { SyscallError } from "../../ffi/errors.ts";

/** Deno's class for an errno. */
const CLASSES: Readonly<
  Partial<Record<ErrnoName, new (text: string, options?: ErrorOptions) => Error>>
> = {
  ENOENT: Deno.errors.NotFound,
  EEXIST: Deno.errors.AlreadyExists,
  EACCES: Deno.errors.PermissionDenied,
  EPERM: Deno.errors.PermissionDenied,
  ENOTDIR: Deno.errors.NotADirectory,
  EISDIR: Deno.errors.IsADirectory,
  ELOOP: Deno.errors.FilesystemLoop,
};

/** What an errno means for a file of a container, and what to do about it. */
const FIXES: Readonly<Partial<Record<ErrnoName, string>>> = {
  EACCES: "the user of the container's program may not do this; root of the container may: " +
    'fs.as("root")',
  EPERM: "the user of the container's program may not do this",
  ELOOP: "there are too many symbolic links on the way, or one of /proc that leads out",
  ENOSPC: "the filesystem is full: that of tmpfs() has the size that its step says",
  ENXIO: "it is a named pipe or a socket that nobody reads",
  EXDEV: "it is on another filesystem",
};

/** Returns the error to throw for one of a call: of Deno's class for it, with what was done. */
export function fileError(error: unknown, doing: string): unknown {
  if (!(error instanceof SyscallError) || error.step !== undefined) return error;
  const { code, errno, syscall, call } = error;
  const hint = error.hint ?? (code === "UNKNOWN" ? undefined : FIXES[code]);
  const Known = code === "UNKNOWN" ? undefined : CLASSES[code];
  if (Known === undefined) {
    return new SyscallError({
      syscall,
      errno,
      call: call ?? syscall,
      hint: escapeControls(hint === undefined ? doing : `${doing}; ${hint}`),
      cause: error,
    });
  }
  const text = `${doing}: ${code}${hint === undefined ? "" : `\n  ${hint}`}`;
  return Object.assign(new Known(escapeControls(text), { cause: error }), { code });
}
