/**
 * Mounts. See mount(2), umount2(2), and for the calls that take descriptors open_tree(2),
 * move_mount(2), mount_setattr(2), fsopen(2).
 *
 * @module
 */

import { type Call, call, constant, type Fd, flags, type Output, Struct } from "../call.ts";
import { at } from "./at.ts";
import {
  AT_EMPTY_PATH,
  AT_NO_AUTOMOUNT,
  AT_RECURSIVE,
  AT_SYMLINK_NOFOLLOW,
} from "./constants/at.ts";
import {
  FSMOUNT_CLOEXEC,
  FSOPEN_CLOEXEC,
  OPEN_TREE_CLOEXEC,
  OPEN_TREE_CLONE,
} from "./constants/mount_descriptors.ts";
import { FSCONFIG_COMMANDS, FSPICK_FLAGS, MOVE_MOUNT_FLAGS } from "./names/mount_descriptors.ts";
import { MOUNT_ATTRIBUTES, MOUNT_FLAGS, UMOUNT_FLAGS } from "./names/mounts.ts";
import { words } from "./words.ts";

export * from "./constants/at.ts";
export * from "./constants/mounts.ts";
export * from "./constants/mount_descriptors.ts";

/** The flags of open_tree(2) and mount_setattr(2), by name. */
const TREE_FLAGS = {
  OPEN_TREE_CLONE,
  AT_SYMLINK_NOFOLLOW,
  AT_NO_AUTOMOUNT,
  AT_EMPTY_PATH,
  AT_RECURSIVE,
  OPEN_TREE_CLOEXEC,
} as const;

/** Mounts a filesystem, or changes a mount. See mount(2). */
export function mount(
  source: string | null,
  target: string,
  type: string | null,
  flagBits: number,
  data: string | null,
): Call {
  return call("mount", source, target, type, flags(flagBits, MOUNT_FLAGS), data);
}

/** Unmounts a filesystem. See umount2(2). */
export function umount2(target: string | Output, flagBits: number): Call {
  return call("umount2", target, flags(flagBits, UMOUNT_FLAGS));
}

/** Opens a mount, or with `OPEN_TREE_CLONE` a detached copy of it. See open_tree(2). */
export function open_tree(directory: Fd, path: string, flagBits: number): Call {
  return call("open_tree", at(directory), path, flags(flagBits, TREE_FLAGS));
}

/** The same, with attributes as mount_setattr(2) sets them. See open_tree_attr(2), of Linux 6.15. */
export function open_tree_attr(
  directory: Fd,
  path: string,
  flagBits: number,
  attributes: null,
  size: number,
): Call {
  return call(
    "open_tree_attr",
    at(directory),
    path,
    flags(flagBits, TREE_FLAGS),
    attributes,
    size,
  );
}

/** Attaches or moves a mount. See move_mount(2). */
export function move_mount(
  fromDirectory: Fd,
  fromPath: string,
  toDirectory: Fd,
  toPath: string,
  flagBits: number,
): Call {
  const named = flags(flagBits, MOVE_MOUNT_FLAGS);
  return call("move_mount", at(fromDirectory), fromPath, at(toDirectory), toPath, named);
}

/** The changes of mount_setattr(2): struct mount_attr. */
export interface MountAttributes {
  /** Attributes to set: `MOUNT_ATTR_RDONLY` ... */
  readonly attr_set?: number;
  /** Attributes to clear. */
  readonly attr_clr?: number;
  /** A new propagation: `MS_PRIVATE`, `MS_SHARED`, `MS_SLAVE`, `MS_UNBINDABLE`. */
  readonly propagation?: number;
  /** The user namespace of an idmapped mount, with `MOUNT_ATTR_IDMAP`. */
  readonly userns_fd?: number;
}

const MOUNT_ATTR_SIZE = 32;

/** Changes the attributes of a mount. See mount_setattr(2). */
export function mount_setattr(
  directory: Fd,
  path: string,
  flagBits: number,
  attributes: MountAttributes,
): Call {
  const { attr_set = 0, attr_clr = 0, propagation = 0, userns_fd = 0 } = attributes;
  const text = () =>
    `{${
      Object.entries(attributes).map(([name, value]) => `${name}=${word(name, value)}`).join(", ")
    }}`;
  const struct = new Struct(words(attr_set, attr_clr, propagation, userns_fd), text);
  const named = flags(flagBits, TREE_FLAGS);
  return call("mount_setattr", at(directory), path, named, struct, MOUNT_ATTR_SIZE);
}

function word(name: string, value: number): string {
  if (name === "userns_fd") return String(value);
  return flags(value, name === "propagation" ? MOUNT_FLAGS : MOUNT_ATTRIBUTES).text;
}

/** Opens a filesystem to configure it. See fsopen(2). */
export function fsopen(type: string, flagBits: number): Call {
  return call("fsopen", type, flags(flagBits, { FSOPEN_CLOEXEC }));
}

/** Configures a filesystem. See fsconfig(2). */
export function fsconfig(
  fd: Fd,
  command: number,
  key: string | null,
  value: string | Uint8Array<ArrayBuffer> | null,
  aux: Fd,
): Call {
  return call("fsconfig", fd, constant(command, FSCONFIG_COMMANDS), key, value, at(aux));
}

/** Creates a detached mount of a configured filesystem. See fsmount(2). */
export function fsmount(fd: Fd, flagBits: number, attributes: number): Call {
  const named = flags(flagBits, { FSMOUNT_CLOEXEC });
  return call("fsmount", fd, named, flags(attributes, MOUNT_ATTRIBUTES));
}

/** Opens the filesystem of a mount to reconfigure it. See fspick(2). */
export function fspick(directory: Fd, path: string, flagBits: number): Call {
  return call("fspick", at(directory), path, flags(flagBits, FSPICK_FLAGS));
}
