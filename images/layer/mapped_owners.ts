/**
 * The subordinate ids of an ordinary user, under which the files of an image have the owners that it
 * names. See subuid(5).
 *
 * @module
 */

import { openUserNamespace } from "../../container/user_namespace.ts";
import { linux, mapIds, unshare } from "../../mod.ts";
import type { IdRange } from "../../mod.ts";
import { type SubordinateRange, subordinateRanges, userName } from "../../host/subordinate_ids.ts";
import { environment } from "../environment.ts";
import type { Owners } from "./owners.ts";

/** What a user namespace maps, as {@linkcode mapIds} takes it. */
export interface IdMaps {
  /** The ranges of user ids. */
  readonly uids: readonly IdRange[];
  /** The ranges of group ids. */
  readonly gids: readonly IdRange[];
}

/** An open user namespace. */
export interface MappedOwners extends Disposable {
  /** The owners of files that are unpacked or written in it. */
  readonly owners: Owners;
}

/** The programs that map them. */
const TOOLS = ["newuidmap", "newgidmap"];

/**
 * The ids that this user may map: the user's own as root, and behind it the ranges of /etc/subuid
 * and /etc/subgid. `undefined` where there are none, or the programs that map them.
 */
export function subordinateIds(): IdMaps | undefined {
  const [uid, gid] = [linux.geteuid(), linux.getegid()];
  if (!TOOLS.every(isInstalled)) return undefined;
  const user = userName(textOf("/etc/passwd"), uid);
  const uids = subordinateRanges(textOf("/etc/subuid"), user, uid);
  // Groups are given to users, not to groups.
  const gids = subordinateRanges(textOf("/etc/subgid"), user, uid);
  if (uids.length === 0 || gids.length === 0) return undefined;
  return { uids: mapsOf(uid, uids), gids: mapsOf(gid, gids) };
}

/**
 * Makes a user namespace with these ids; it is there until it is disposed of.
 *
 * @throws {UnsupportedError} if newuidmap(1) and newgidmap(1) are not installed, or refuse
 * @throws {SyscallError} if user namespaces are not allowed
 */
export async function openOwners(ids: IdMaps): Promise<MappedOwners> {
  const namespace = await openUserNamespace([unshare("user"), mapIds(ids)]);
  return {
    owners: { kind: "mapped", namespace: namespace.number, ...ids },
    [Symbol.dispose]: () => namespace.close(),
  };
}

function mapsOf(own: number, ranges: readonly SubordinateRange[]): IdRange[] {
  const maps: IdRange[] = [{ inside: 0, outside: own, count: 1 }];
  let inside = 1;
  for (const { first, count } of ranges) {
    maps.push({ inside, outside: first, count });
    inside += count;
  }
  return maps;
}

function isInstalled(program: string): boolean {
  const path = environment()["PATH"] ?? "/usr/bin:/bin";
  return path.split(":").some((directory) => isFile(`${directory}/${program}`));
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

function textOf(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
