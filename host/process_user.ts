/**
 * The user, the groups and the capabilities of a process, as its own user namespace has them. See
 * user_namespaces(7) and capabilities(7).
 *
 * @module
 */

import { at_fdcwd } from "../ffi/calls/files.ts";
import { CAPABILITIES, type CapabilityName } from "../ffi/calls/users.ts";
import { readWholeText } from "../ffi/files/read_file.ts";
import { processDirectory } from "../ffi/proc/proc_dir.ts";
import { type IdRange, imageOf } from "../recipe/steps/id_range.ts";

/** The user and the groups of a process; an id that has no number in there is `undefined`. */
export interface ProcessUser {
  /** Its user id as the script sees it. */
  readonly outside: number;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  /** The supplementary groups that have a number. */
  readonly groups: readonly number[];
  /** Whether it has none, also none without a number. */
  readonly hasNoGroups: boolean;
  /** Whether root has a user id and a group id. */
  readonly root: { readonly uid: boolean; readonly gid: boolean };
  readonly capabilities: ProcessCapabilities;
}

/** The capabilities of a process. */
export interface ProcessCapabilities {
  /** Those that its programs can never gain, and who joins its user namespace could. */
  readonly lost: readonly CapabilityName[];
  readonly permitted: readonly CapabilityName[];
  readonly ambient: readonly CapabilityName[];
  /** Whether it has all that its programs can gain. */
  readonly areAll: boolean;
}

/**
 * Returns the user of a process by its real ids, as those of a set-user-ID program are its caller's.
 *
 * @param isOutside whether it is in another user namespace than the script
 */
export function processUser(pid: number, isOutside: boolean): ProcessUser {
  const status = read(pid, "status");
  const [uid] = numbersAfter("Uid", status);
  const [gid] = numbersAfter("Gid", status);
  // The map of the script's own namespace is about the ids of the one above.
  const [uids, gids] = isOutside
    ? [mapOf(pid, "uid_map"), mapOf(pid, "gid_map")] as const
    : [SAME, SAME] as const;
  const groups = numbersAfter("Groups", status);
  return {
    outside: uid!,
    uid: imageOf(uid!, uids),
    gid: imageOf(gid!, gids),
    groups: groups.flatMap((group) => imageOf(group, gids) ?? []),
    hasNoGroups: groups.length === 0,
    root: { uid: hasRoot(uids), gid: hasRoot(gids) },
    capabilities: capabilitiesIn(status, isOutside),
  };
}

function capabilitiesIn(status: string, isOutside: boolean): ProcessCapabilities {
  const [bounding, permitted] = [setIn(status, "CapBnd"), setIn(status, "CapPrm")];
  // In a user namespace that is joined, the bounding set is full (user_namespaces(7)).
  const own = isOutside ? ALL : setIn(read("thread-self", "status"), "CapBnd");
  return {
    lost: own.filter((name) => !bounding.includes(name)),
    permitted,
    ambient: setIn(status, "CapAmb"),
    areAll: bounding.every((name) => permitted.includes(name)),
  };
}

const ALL = Object.keys(CAPABILITIES) as CapabilityName[];

function setIn(status: string, name: string): CapabilityName[] {
  const [, digits = "0"] = new RegExp(`^${name}:\\s*(\\w+)$`, "m").exec(status) ?? [];
  const bits = BigInt(`0x${digits}`);
  return ALL.filter((name) => (bits >> BigInt(CAPABILITIES[name]) & 1n) === 1n);
}

const SAME: readonly IdRange[] = [{ inside: 0, outside: 0, count: 0xffff_ffff }];

function hasRoot(ranges: readonly IdRange[]): boolean {
  return ranges.some(({ inside }) => inside === 0);
}

function numbersAfter(name: string, status: string): number[] {
  const [, words = ""] = new RegExp(`^${name}:(.*)$`, "m").exec(status) ?? [];
  return words.split(/\s+/).filter((word) => word !== "").map(Number);
}

function mapOf(pid: number, file: string): readonly IdRange[] {
  return read(pid, file).split("\n").filter((line) => line !== "").map((line) => {
    const [inside, outside, count] = line.trim().split(/\s+/).map(Number);
    return { inside: inside!, outside: outside!, count: count! };
  });
}

function read(pid: number | "thread-self", file: string): string {
  return readWholeText(at_fdcwd, `${processDirectory(pid)}/${file}`);
}
