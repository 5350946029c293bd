/**
 * A change of a file, as it is told.
 *
 * @module
 */

import {
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
} from "../ffi/calls/constants/files.ts";

import { escapeControls } from "../ffi/control_characters.ts";

/** What a file is. A device can neither be made nor replaced. */
export type FileKind = "file" | "directory" | "symlink" | "fifo" | "socket" | "device";

/** A file before or after a change. */
export interface FileState {
  /** What it is. */
  readonly kind: FileKind;
  /** Its permissions, with the set-user-ID, set-group-ID and sticky bits. */
  readonly mode: number;
  /** Its owner. */
  readonly uid: number;
  /** Its group. */
  readonly gid: number;
  /** The bytes of a file; 0 for all others. */
  readonly size: number;
  /** Where a symbolic link leads. */
  readonly target?: string;
}

/** A change of a file. */
export interface Change {
  /** The path on the host. */
  readonly path: string;
  /** What has happened to it. A directory that was removed stands for all that was in it. */
  readonly change: "added" | "changed" | "removed";
  /** The file as it is on the host; left out for one that was added. */
  readonly before?: FileState;
  /** The file as the program has left it; left out for one that was removed. */
  readonly after?: FileState;
  /** What was done to the file on the host meanwhile, if anything. */
  readonly conflict?: string;
  /** Why the change is not made unless that is asked for: the name that is protected, or the denied path. */
  readonly protectedBy?: string;
}

const KINDS: Readonly<Record<number, FileKind>> = {
  [S_IFREG]: "file",
  [S_IFDIR]: "directory",
  [S_IFLNK]: "symlink",
  [S_IFIFO]: "fifo",
  [S_IFSOCK]: "socket",
};

/** What a file with this mode is. */
export function kindOf(mode: number): FileKind {
  return KINDS[mode & S_IFMT] ?? "device";
}

const SIGNS = { added: "+", changed: "~", removed: "-" } as const;

/**
 * Describes a change in a line: `+ /srv/menu/soup.txt (12 bytes)`. Control characters of names are
 * escaped.
 *
 * @example
 * ```ts
 * import { describeChange } from "@ramekin/ramekin/changes";
 *
 * const before = { kind: "directory", mode: 0o755, uid: 0, gid: 0, size: 0 } as const;
 * console.log(describeChange({ path: "/srv/menu", change: "removed", before })); // - /srv/menu/
 * ```
 */
export function describeChange(change: Change): string {
  const { path, before, after } = change;
  const slash = (after ?? before)?.kind === "directory" ? "/" : "";
  const words = [...wordsOf(change)];
  const more = words.length === 0 ? "" : ` (${words.join(", ")})`;
  // The program has chosen the names.
  return escapeControls(`${SIGNS[change.change]} ${path}${slash}${more}`);
}

function* wordsOf({ before, after, conflict, protectedBy }: Change): Generator<string> {
  if (after !== undefined) {
    const { kind, size, mode, uid, gid, target } = after;
    if (before !== undefined && before.kind !== kind) yield `was a ${before.kind}`;
    if (kind === "file") yield sizes(before, size);
    else if (kind === "symlink") yield `leads to ${target}`;
    else if (kind !== "directory") yield kind;
    if (
      before !== undefined && before.kind === kind && kind !== "symlink" && before.mode !== mode
    ) {
      yield `mode ${octal(before.mode)}, now ${octal(mode)}`;
    } else if ((mode & 0o6000) !== 0) yield `mode ${octal(mode)}`;
    if (before !== undefined && (before.uid !== uid || before.gid !== gid)) {
      yield `owner ${before.uid}:${before.gid}, now ${uid}:${gid}`;
    }
  }
  if (protectedBy !== undefined) yield `protected: ${protectedBy}`;
  if (conflict !== undefined) yield `conflict: ${conflict}`;
}

function sizes(before: FileState | undefined, size: number): string {
  return before?.kind === "file" && before.size !== size
    ? `${before.size} bytes, now ${size}`
    : `${size} bytes`;
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}
