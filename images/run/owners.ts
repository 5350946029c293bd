/**
 * Whose the files of an image are, once they are unpacked, and the ids of the programs that use them.
 *
 * @module
 */

import { getegid, geteuid } from "../../ffi/linux/users.ts";
import { mapIds, mapRoot, setUser, unshare } from "../../recipe/steps/builders.ts";
import type { Step } from "../../recipe/steps.ts";
import type { ImageUser } from "./users.ts";

/** Whose the unpacked files are. */
export interface Owners {
  /** By which roots with other owners are told apart. */
  readonly name: string;
  /** The steps by which a program gets to where the files are its image's users'. */
  enter(user: ImageUser): readonly Step[];
  /** The steps by which it becomes its user. */
  become(user: ImageUser): readonly Step[];
}

/** Those of the image, on this machine: for root. */
const REAL: Owners = {
  name: "real",
  enter: () => [],
  become: ({ uid, gid, groups }) => [setUser({ uid, gid, groups })],
};

/** All files are the caller's, who is the user that the image wants. */
const ONE: Owners = {
  name: "one",
  enter: ({ uid, gid }) =>
    uid === 0 && gid === 0 ? [unshare("user"), mapRoot()] : [
      unshare("user"),
      mapIds({
        uids: [{ inside: uid, outside: geteuid(), count: 1 }],
        gids: [{ inside: gid, outside: getegid(), count: 1 }],
      }),
    ],
  become: () => [],
};

/** Whose files are made by this process. */
export function ownersHere(): Owners {
  return geteuid() === 0 ? REAL : ONE;
}
