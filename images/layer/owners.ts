/**
 * Who owns the files that are unpacked.
 *
 * @module
 */

import type { IdRange } from "../../recipe/steps/id_range.ts";
import type { Attributes } from "./tar/entry.ts";

/** Ids that a user namespace has: as many from `inside` on. */
export type MappedIds = Pick<IdRange, "inside" | "count">;

/**
 * Who owns the files: those whom the archive names (`"real"`, for root), the same in a user namespace
 * (`"mapped"`), or the caller alone (`"one"`).
 */
export type Owners =
  | { readonly kind: "real" }
  | { readonly kind: "one" }
  | {
    readonly kind: "mapped";
    /** The descriptor of the user namespace, in which the caller is root. */
    readonly namespace: number;
    readonly uids: readonly MappedIds[];
    readonly gids: readonly MappedIds[];
  };

/** The attributes that a file gets. */
export interface PlacedAttributes extends Attributes {
  /** Whether its owner is set. */
  readonly owned: boolean;
  /** What could not be kept, and why. */
  readonly changes: readonly { readonly what: string; readonly why: string }[];
}

/** (uid_t) -1 says that an owner stays as it is: no file can belong to it. */
const NO_ID = 2 ** 32 - 1;
const [SETUID, SETGID] = [0o4000, 0o2000];

/** The attributes as they can be set here. */
export function placeOwners(attributes: Attributes, owners: Owners): PlacedAttributes {
  const { uid, gid } = attributes;
  const hasUid = has(owners, "uids", uid), hasGid = has(owners, "gids", gid);
  const owned = owners.kind !== "one";
  if (hasUid && hasGid) return { ...attributes, owned, changes: [] };
  // A program must not run as another user than the archive says.
  const lost = (hasUid ? 0 : SETUID) | (hasGid ? 0 : SETGID);
  const mode = attributes.mode & ~lost;
  const changes = owned
    ? [{ what: `owner ${uid}:${gid}`, why: `${whyNot(owners)}; root has it` }]
    : [];
  if (mode !== attributes.mode) {
    const what = `mode ${octal(attributes.mode)}`;
    changes.push({ what, why: `its owner is another one; it is ${octal(mode)}` });
  }
  return { ...attributes, uid: hasUid ? uid : 0, gid: hasGid ? gid : 0, mode, owned, changes };
}

function has(owners: Owners, kind: "uids" | "gids", id: number): boolean {
  if (owners.kind === "one") return id === 0;
  if (owners.kind === "real") return id >= 0 && id < NO_ID;
  return owners[kind].some(({ inside, count }) => id >= inside && id < inside + count);
}

function whyNot({ kind }: Owners): string {
  return kind === "real" ? "no file can belong to it" : "the user namespace has no such id";
}

function octal(mode: number): string {
  return `0${mode.toString(8)}`;
}
