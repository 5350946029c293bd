/**
 * Whose the files of an image are, once they are unpacked, and the ids of the programs that use them.
 *
 * @module
 */

import { UnsupportedError } from "../ffi/errors.ts";
import { getegid, geteuid } from "../ffi/linux/users.ts";
import { mapIds, mapRoot, setUser, unshare } from "../recipe/steps/builders.ts";
import type { Step } from "../recipe/steps.ts";
import { digestOf, encodedOf } from "./digest.ts";
import { environment } from "./environment.ts";
import {
  type IdMaps,
  openOwners,
  type Owners as LayerOwners,
  subordinateIds,
} from "./layer/mod.ts";
import type { UserIds } from "../recipe/steps/identity.ts";

/** Whose the unpacked files are. */
export interface Owners {
  /** By which roots with other owners are told apart. */
  readonly name: string;
  /** The steps by which a program gets to where the files are its image's users'. */
  enter(user: UserIds): readonly Step[];
  /** The steps by which it becomes its user. */
  become(user: UserIds): readonly Step[];
  /** Does something for which the owners of files have to be there. */
  using<T>(use: (owners: LayerOwners) => Promise<T>): Promise<T>;
}

/** Those of the image, on this machine: for root. */
const REAL: Owners = {
  name: "real",
  enter: () => [],
  become,
  using: (use) => use({ kind: "real" }),
};

/** All files are the caller's, who is the user that the image wants. */
export const ONE: Owners = {
  name: "one",
  enter: ({ uid, gid = uid }) =>
    uid === 0 && gid === 0 ? [unshare("user"), mapRoot()] : [
      unshare("user"),
      mapIds({
        uids: [{ inside: uid, outside: geteuid(), count: 1 }],
        gids: [{ inside: gid, outside: getegid(), count: 1 }],
      }),
    ],
  become: () => [],
  using: (use) => use({ kind: "one" }),
};

/** Those of the image, in a user namespace with these ids. */
export function mappedOwners(ids: IdMaps): Owners {
  return {
    name: `mapped${encodedOf(digestOf(JSON.stringify(ids))).slice(0, 12)}`,
    enter: () => [unshare("user"), mapIds(ids)],
    become,
    async using(use) {
      using mapped = await openOwners(ids);
      return await use(mapped.owners);
    },
  };
}

function become({ uid, gid = uid, groups = [] }: UserIds): readonly Step[] {
  return [setUser({ uid, gid, groups })];
}

/** Whose the files are that this process unpacks: with subordinate ids, the image's users'. */
export function ownersHere(): Owners {
  if (geteuid() === 0) return REAL;
  const ids = mayMap() ? subordinateIds() : undefined;
  return ids === undefined ? ONE : mappedOwners(ids);
}

/** The steps of a user namespace in which the caller is root, and all unpacked files are mapped. */
export function unpackingIds(): readonly Step[] {
  const { enter, name } = ownersHere();
  return name === "real" ? [unshare("user"), mapRoot()] : enter({ uid: 0 });
}

/** Whether newuidmap(1) and newgidmap(1), which map further ids, are there. */
function mayMap(): boolean {
  const directories = (environment()["PATH"] ?? "").split(":");
  return ["newuidmap", "newgidmap"].every((name) =>
    directories.some((directory) => isFile(`${directory}/${name}`))
  );
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** Whether an error says that ids cannot be mapped after all. */
export function isUnmappable(error: unknown): boolean {
  return error instanceof UnsupportedError;
}
