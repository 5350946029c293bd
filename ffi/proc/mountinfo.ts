/**
 * The mounts that a process sees. See proc_pid_mountinfo(5).
 *
 * @module
 */

import { at_fdcwd } from "../calls/files.ts";
import { processDirectory } from "./proc_dir.ts";
import { readWholeText } from "../files/read_file.ts";

/** A mount, as a line of /proc/PID/mountinfo tells it. */
export interface MountEntry {
  /** Its number, which may be used again once it is gone. */
  readonly id: number;
  /** The mount that it lies on; its own number, or one that is not seen, for the root. */
  readonly parent: number;
  /** The number of the device that its files are on. */
  readonly device: { readonly major: number; readonly minor: number };
  /** The directory of its filesystem that is mounted. */
  readonly root: string;
  /** Where it is mounted, from the root of the process. */
  readonly target: string;
  /** Its own options: `["rw", "nosuid"]`. */
  readonly options: readonly string[];
  /** What mounts and unmounts elsewhere mean to it, and the other way about. */
  readonly propagation: MountPropagation;
  /** The type of its filesystem, with a subtype where it has one: `"tmpfs"`, `"fuse.sshfs"`. */
  readonly type: string;
  /** What is mounted, by the filesystem's own words; often just a name. */
  readonly source: string;
  /** The options of its filesystem, as one text: `"rw,size=10240k"`. */
  readonly data: string;
}

/** The peer groups of a mount, by their numbers; none for a private one. */
export interface MountPropagation {
  /** It shares mounts and unmounts with this group. */
  readonly shared?: number;
  /** It receives those of this group. */
  readonly master?: number;
  /** The nearest group that it receives from and that the process can see. */
  readonly propagateFrom?: number;
  /** It cannot be bound elsewhere. */
  readonly unbindable?: true;
}

/**
 * Returns the mounts that a process sees; without one, those of the calling thread. Bytes of a path
 * that are no UTF-8 become U+FFFD.
 *
 * @throws {SyscallError} `ENOENT` where there is no such process, `EACCES` where it is another
 * user's
 * @throws {UnsupportedError} where /proc is of another pid namespace
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
  const pid = typeof process === "object" ? process.pid : process ?? "thread-self";
  return parseMountinfo(readWholeText(at_fdcwd, `${processDirectory(pid)}/mountinfo`));
}

/** Reads the text of /proc/PID/mountinfo. */
export function parseMountinfo(text: string): MountEntry[] {
  return text.split("\n").filter((line) => line !== "").map(parseLine);
}

function parseLine(line: string): MountEntry {
  // The source may be empty, so every blank counts.
  const fields = line.split(" ");
  // After the sixth there are any number of optional fields, up to a dash.
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

/** The kernel writes blanks, tabs, line ends, `#` and `\` as three octal digits. */
function unescape(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, digits) => String.fromCharCode(parseInt(digits, 8)));
}
