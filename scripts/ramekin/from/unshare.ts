/**
 * A recipe from a command line of unshare(1).
 *
 * @module
 */

import {
  capabilities,
  type CapabilityName,
  chdir,
  chroot,
  linux,
  mapCurrentUser,
  mapIds,
  mapRoot,
  type NamespaceKind,
  proc,
  setUser,
  type Step,
  timeOffset,
} from "../../../mod.ts";
import { UsageError } from "../usage.ts";
import { applied, type Translation } from "./translation.ts";
import { UNSHARE_FLAGS, type UnshareFlag, type UnshareState } from "./unshare_flags.ts";

/** The order of namespaces in a recipe. */
const KINDS: readonly NamespaceKind[] = [
  ...["user", "mount", "pid", "uts", "ipc", "net", "cgroup", "time"] as const,
];

/**
 * Translates the words behind `unshare`.
 *
 * @throws {UsageError} for a flag that unshare(1) does not have, or one without its value
 */
export function fromUnshare(words: readonly string[]): Translation {
  const state: UnshareState = { kinds: new Set(), ranges: { uids: [], gids: [] } };
  const lost: string[] = [];
  const rest = [...words];
  while (rest[0]?.startsWith("-") === true && rest[0] !== "-") {
    const word = rest.shift()!;
    if (word === "--") break;
    for (const { name, known, value } of flagsIn(word, rest)) {
      lost.push(...applied(known, state, value === undefined ? [name] : [name, value]));
    }
  }
  if (state.kinds.has("pid") && state.forks !== true) {
    lost.push("--pid without --fork: the program itself stays outside there; here it is PID 1");
  }
  return { steps: stepsOf(state, lost), program: rest, lost };
}

interface GivenFlag {
  readonly name: string;
  readonly known: UnshareFlag;
  readonly value: string | undefined;
}

/** Returns the flags in a word, which may be letters joined; takes a value from the words after it. */
function flagsIn(word: string, rest: string[]): readonly GivenFlag[] {
  if (word.startsWith("--")) {
    const [, name, , value] = /^(--[^=]+)(=(.*))?$/s.exec(word) ?? [];
    const known = UNSHARE_FLAGS[name!];
    if (known === undefined) throw new UsageError(`unshare has no flag ${name}`);
    const given = value ?? (known.values > 0 ? valueFrom(rest, name!) : undefined);
    return [{ name: name!, known, value: given }];
  }
  const given: GivenFlag[] = [];
  for (let at = 1; at < word.length; at++) {
    const [name, known] = Object.entries(UNSHARE_FLAGS).find(([, { letter }]) =>
      letter === word[at]
    ) ?? [];
    if (name === undefined || known === undefined) {
      throw new UsageError(`unshare has no flag -${word[at]}`);
    }
    if (known.values === 0) {
      given.push({ name, known, value: undefined });
      continue;
    }
    given.push({ name, known, value: word.slice(at + 1) || valueFrom(rest, name) });
    break;
  }
  return given;
}

function valueFrom(rest: string[], name: string): string {
  const value = rest.shift();
  if (value === undefined) throw new UsageError(`${name} of unshare is without its value`);
  return value;
}

function stepsOf(state: UnshareState, lost: string[]): readonly Step[] {
  const { kinds, monotonic, boottime, uid, gid, propagation } = state;
  const all = KINDS.filter((kind) => kinds.has(kind));
  const options = propagation !== undefined && kinds.has("mount") ? { propagation } : {};
  const offsets = {
    ...(monotonic !== undefined && { monotonic }),
    ...(boottime !== undefined && { boottime }),
  };
  return [
    ...(all.length === 0 ? [] : [{ step: "unshare" as const, kinds: all, ...options }]),
    ...mapsOf(state, lost),
    ...(Object.keys(offsets).length === 0 ? [] : [timeOffset(offsets)]),
    ...(state.root === undefined ? [] : [chroot(state.root)]),
    ...(state.directory === undefined ? [] : [chdir(state.directory)]),
    ...(state.proc === undefined ? [] : [proc(state.proc)]),
    ...(uid === undefined && gid === undefined ? [] : userOf(state, lost)),
    ...(state.keepsCapabilities === true
      ? [capabilities({ keep: Object.keys(linux.CAPABILITIES) as CapabilityName[] })]
      : []),
  ];
}

function mapsOf({ map, ranges, deniesGroups }: UnshareState, lost: string[]): readonly Step[] {
  const own = { uid: linux.geteuid(), gid: linux.getegid() };
  const { uids, gids } = ranges;
  const hasRanges = uids.length + gids.length > 0;
  if (deniesGroups === false && !hasRanges) {
    lost.push('--setgroups allow: mapIds() takes it, with the ranges: { setgroups: "allow" }');
  }
  if (!hasRanges) {
    return map === "root" ? [mapRoot()] : map === "current" ? [mapCurrentUser()] : [];
  }
  // The caller is mapped beside the ranges.
  const mapped = (ids: typeof uids, outside: number) => {
    if (map === undefined) return ids.length > 0 ? ids : [{ inside: outside, outside, count: 1 }];
    return [{ inside: map === "root" ? 0 : outside, outside, count: 1 }, ...ids];
  };
  const single = [uids, gids].every((ids) => ids.every(({ count }) => count === 1));
  return [mapIds({
    uids: mapped(uids, own.uid),
    gids: mapped(gids, own.gid),
    // As the kernel wants it of an ordinary user.
    ...(single && deniesGroups !== false && { setgroups: "deny" as const }),
  })];
}

function userOf({ uid, gid, map }: UnshareState, lost: string[]): readonly Step[] {
  if (uid !== undefined && gid !== undefined) return [setUser({ uid, gid })];
  if (uid === undefined) {
    lost.push(`--setgid ${gid}: setUser() sets the user too; give --setuid with it`);
    return [];
  }
  // The group stays that of the map.
  const group = map === "root" ? 0 : linux.getegid();
  return [setUser({ uid, gid: group, keepGroups: true })];
}
