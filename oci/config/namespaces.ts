/**
 * `linux.namespaces` and what belongs to it, id maps and clocks, as steps.
 *
 * @module
 */

import type { NamespaceKind } from "../../recipe/namespaces.ts";
import type { IdRange } from "../../recipe/steps/id_range.ts";
import { mapIds } from "../../recipe/steps/id_maps.ts";
import { join } from "../../recipe/steps/join.ts";
import { joinCgroup } from "../../recipe/steps/join_cgroup.ts";
import { loopback } from "../../recipe/steps/network/links.ts";
import { timeOffset } from "../../recipe/steps/time.ts";
import { unshare } from "../../recipe/steps/unshare.ts";
import type { Step } from "../../recipe/steps.ts";
import { unsupported } from "../errors.ts";
import type { Config, ConfigIdMapping, ConfigLinux } from "../spec.ts";

const KINDS: Readonly<Record<string, NamespaceKind>> = {
  cgroup: "cgroup",
  ipc: "ipc",
  mount: "mount",
  network: "net",
  pid: "pid",
  time: "time",
  user: "user",
  uts: "uts",
};

/** The namespaces of a container: those that it gets, and those that it joins by files. */
export interface ConfigNamespaces {
  readonly fresh: ReadonlySet<NamespaceKind>;
  readonly joined: ReadonlyMap<NamespaceKind, string>;
}

/** Reads `linux.namespaces`. */
export function namespacesOf({ namespaces = [] }: ConfigLinux): ConfigNamespaces {
  const fresh = new Set<NamespaceKind>();
  const joined = new Map<NamespaceKind, string>();
  namespaces.forEach(({ type, path }, index) => {
    const kind = KINDS[type] ??
      unsupported(`linux.namespaces[${index}].type`, `there is no namespace "${type}"`);
    if (fresh.has(kind) || joined.has(kind)) {
      unsupported(`linux.namespaces[${index}].type`, `"${type}" is given twice`);
    }
    if (path === undefined || path === "") fresh.add(kind);
    else joined.set(kind, path);
  });
  if (!fresh.has("mount")) {
    unsupported("linux.namespaces", 'a container needs a mount namespace of its own, "mount"');
  }
  return { fresh, joined };
}

/**
 * Returns the steps that enter the namespaces and the control groups. What is joined comes before a
 * new user namespace, in which that would be denied.
 *
 * @param groups the directories of the container's control groups
 * @param mayChangeGroups whether this process may change its groups
 */
export function namespaceSteps(
  linux: ConfigLinux,
  { fresh, joined }: ConfigNamespaces,
  groups: readonly string[],
  mayChangeGroups: boolean,
): Step[] {
  const { uidMappings, gidMappings } = linux;
  const files = [...joined].toSorted(([one], [other]) => orderOf(one) - orderOf(other));
  const early = files.filter(([kind]) => kind !== "pid");
  const pid = files.filter(([kind]) => kind === "pid");
  const joins = (list: typeof files) =>
    list.map(([kind, path]) => join(path, kind, { credentials: "keep" }));
  const first = [...fresh].filter((kind) => kind !== "cgroup");
  const own = fresh.has("cgroup") ? [unshare("cgroup")] : [];
  const groupSteps = [...(groups.length > 0 ? [joinCgroup(...groups)] : []), ...own];
  return [
    ...joins(early),
    ...joins(pid),
    unshare(...first, { propagation: "slave" }),
    ...(fresh.has("user") ? mapSteps(uidMappings, gidMappings, mayChangeGroups) : []),
    // As other runtimes do: programs talk to themselves by 127.0.0.1.
    ...(fresh.has("net") ? [loopback()] : []),
    ...groupSteps,
    ...clockSteps(linux.timeOffsets, fresh.has("time")),
  ];
}

/**
 * Returns the configuration with id maps, if it has a user namespace without any: as other runtimes
 * do, the program's user is then the caller, and nobody else is in there.
 */
export function withIdMaps(
  config: Config,
  caller: { readonly uid: number; readonly gid: number },
): Config {
  const { linux = {}, process = {} } = config;
  const { uidMappings, gidMappings } = linux;
  if (!namespacesOf(linux).fresh.has("user") || uidMappings?.length || gidMappings?.length) {
    return config;
  }
  const map = (containerID: number, hostID: number) => [{ containerID, hostID, size: 1 }];
  const { uid = 0, gid = 0 } = process.user ?? {};
  return {
    ...config,
    linux: {
      ...linux,
      uidMappings: map(uid, caller.uid),
      gidMappings: map(gid, caller.gid),
    },
  };
}

/** The user namespace is joined first, as the others may belong to it. */
function orderOf(kind: NamespaceKind): number {
  return kind === "user" ? 0 : 1;
}

function mapSteps(
  uids: readonly ConfigIdMapping[] | null | undefined,
  gids: readonly ConfigIdMapping[] | null | undefined,
  mayChangeGroups: boolean,
): Step[] {
  if (!uids?.length || !gids?.length) {
    unsupported("linux.uidMappings", "a user namespace needs uidMappings and gidMappings");
  }
  const deny = deniesGroups({ uidMappings: uids, gidMappings: gids }, mayChangeGroups);
  const setgroups = deny ? "deny" : "allow";
  return [mapIds({ uids: uids.map(rangeOf), gids: gids.map(rangeOf), setgroups })];
}

/**
 * Whether programs may not set groups under the id maps: an ordinary user who maps only the own ids
 * has to deny it (user_namespaces(7)).
 */
export function deniesGroups(
  { uidMappings, gidMappings }: ConfigLinux,
  mayChangeGroups: boolean,
): boolean {
  const single = [uidMappings, gidMappings].every((map) => map?.length === 1 && map[0]!.size === 1);
  return single && !mayChangeGroups;
}

/** Returns a range of ids as steps have it. */
export function rangeOf({ containerID, hostID, size }: ConfigIdMapping): IdRange {
  return { inside: containerID, outside: hostID, count: size };
}

function clockSteps(offsets: ConfigLinux["timeOffsets"], isOwn: boolean): Step[] {
  const entries = Object.entries(offsets ?? {});
  if (entries.length === 0) return [];
  if (!isOwn) unsupported("linux.timeOffsets", 'they need a time namespace, "time"');
  const clocks: { monotonic?: number; boottime?: number } = {};
  for (const [clock, { secs = 0, nanosecs = 0 }] of entries) {
    if (clock !== "monotonic" && clock !== "boottime") {
      return unsupported(`linux.timeOffsets.${clock}`, "there is no such clock");
    }
    clocks[clock] = secs + nanosecs / 1e9;
  }
  return [timeOffset(clocks)];
}
