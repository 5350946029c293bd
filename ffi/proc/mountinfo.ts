/**
 * The mounts in the mount namespace of a process. See proc_pid_mountinfo(5).
 *
 * @module
 */

import { at_fdcwd } from "../calls/files.ts";
import { processDirectory } from "./proc_dir.ts";
import { decodeNames } from "../file_name.ts";
import { readWhole } from "../files/read_file.ts";

/** A mount: a line of /proc/PID/mountinfo. */
export interface MountEntry {
  /** Its number, which may be reused after it is unmounted. */
  readonly id: number;
  /** The number of its parent mount; for the root its own number, or one that is not listed. */
  readonly parent: number;
  /** The number of its filesystem's device. */
  readonly device: { readonly major: number; readonly minor: number };
  /** The directory of its filesystem that is its root. */
  readonly root: string;
  /** The mount point, from the root of the process. */
  readonly target: string;
  /** The options of the mount: `["rw", "nosuid"]`. */
  readonly options: readonly string[];
  /** How mount events propagate to it and from it. */
  readonly propagation: MountPropagation;
  /** The type of its filesystem, with a subtype if it has one: `"tmpfs"`, `"fuse.sshfs"`. */
  readonly type: string;
  /** Its source, in the format of the filesystem; often just a name. */
  readonly source: string;
  /** The options of its filesystem, as one text: `"rw,size=10240k"`. */
  readonly data: string;
}

/** The numbers of a mount's peer groups; a private mount has none. */
export interface MountPropagation {
  /** It shares mount events with this group. */
  readonly shared?: number;
  /** It receives mount events of this group. */
  readonly master?: number;
  /** The nearest group that it receives from and that is visible to the process. */
  readonly propagateFrom?: number;
  /** It cannot be bind-mounted. */
  readonly unbindable?: true;
}

/**
 * Returns the mounts that a process sees, by default the calling thread. Each byte of a path that is
 * not UTF-8 becomes a lone surrogate, U+DC80 to U+DCFF.
 *
 * @throws {SyscallError} `ENOENT` if there is no such process, `EACCES` if it is another user's
 * @throws {UnsupportedError} if /proc is of another pid namespace
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { mountsOf } from "@ramekin/ramekin";
 * import { assertEquals } from "@std/assert";
 *
 * const proc = mountsOf(Deno.pid).findLast((mount) => mount.target === "/proc");
 * assertEquals(proc?.type, "proc");
 * ```
 */
export function mountsOf(process?: number | { readonly pid: number }): MountEntry[] {
  return parseMountinfo(mountinfoOf(typeof process === "object" ? process.pid : process));
}

/** Returns the text of /proc/PID/mountinfo, by default the calling thread's. */
export function mountinfoOf(pid: number | "thread-self" = "thread-self"): string {
  return decodeNames(readWhole(at_fdcwd, `${processDirectory(pid)}/mountinfo`));
}

/** Parses the text of /proc/PID/mountinfo. */
export function parseMountinfo(text: string): MountEntry[] {
  return text.split("\n").filter((line) => line !== "").map(parseLine);
}

function parseLine(line: string): MountEntry {
  // The source may be empty: two blanks in a row are two separators.
  const fields = line.split(" ");
  // After the sixth field there are optional fields, up to a dash.
  const end = fields.indexOf("-", 6);
  const [major, minor] = fields[2]!.split(":").map(Number);
  return {
    id: Number(fields[0]),
    parent: Number(fields[1]),
    device: { major: major!, minor: minor! },
    root: unescape(fields[3]!),
    target: unescape(fields[4]!),
    options: fields[5]!.split(","),
    propagation: parsePropagation(fields.slice(6, end)),
    type: unescape(fields[end + 1]!),
    source: unescape(fields[end + 2]!),
    data: unescape(fields[end + 3] ?? ""),
  };
}

function parsePropagation(fields: readonly string[]): MountPropagation {
  const propagation: { -readonly [K in keyof MountPropagation]: MountPropagation[K] } = {};
  for (const field of fields) {
    const [name, group] = field.split(":");
    if (name === "shared") propagation.shared = Number(group);
    else if (name === "master") propagation.master = Number(group);
    else if (name === "propagate_from") propagation.propagateFrom = Number(group);
    else if (name === "unbindable") propagation.unbindable = true;
  }
  return propagation;
}

/** The kernel writes blanks, tabs, line ends, `#` and `\` as a backslash and three octal digits. */
function unescape(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, digits) => String.fromCharCode(parseInt(digits, 8)));
}
