/**
 * What a copy has of a file of this machine: nothing that would mean something else on another one, or
 * that only some users see.
 *
 * @module
 */

import type { Statx } from "../../ffi/calls/statx.ts";
import { isOverlayNote, type Xattr } from "../../ffi/files/overlay_notes.ts";
import type { BaseAttributes } from "./base.ts";

const [SETUID, SETGID] = [0o4000, 0o2000];
/** The size of a capability that is not bound to a user namespace (VFS_CAP_REVISION_2). */
const CAPABILITY_SIZE = 20;

/** The attributes of a copy, and what it has not. */
export interface CopiedAttributes {
  readonly attributes: BaseAttributes;
  readonly lost: readonly { readonly what: string; readonly why: string }[];
}

/** Returns the attributes of a copy, which belongs to root unless it keeps its owner. */
export function copiedAttributes(
  { mode, uid, gid }: Statx,
  xattrs: readonly Xattr[],
  keepsOwner: boolean,
): CopiedAttributes {
  // A program must not run as another user than on this machine.
  const dropped = (keepsOwner || uid === 0 ? 0 : mode & SETUID) |
    (keepsOwner || gid === 0 ? 0 : mode & SETGID);
  const lost = xattrs.flatMap(({ name }) =>
    name.startsWith("system.")
      ? [{ what: `attribute ${name}`, why: "its users are this machine's" }]
      : []
  );
  if (dropped !== 0) {
    const what = `mode 0${(mode & 0o7777).toString(8)}`;
    lost.push({ what, why: "its copy belongs to root" });
  }
  return {
    attributes: {
      mode: mode & 0o7777 & ~dropped,
      ...(keepsOwner ? { uid, gid } : { uid: 0, gid: 0 }),
      xattrs: xattrs.filter(isKept).toSorted((a, b) => a.name < b.name ? -1 : 1),
    },
    lost,
  };
}

function isKept({ name, value }: Xattr): boolean {
  if (name === "security.capability") return value.length === CAPABILITY_SIZE;
  return name.startsWith("user.") && !isOverlayNote(name);
}
