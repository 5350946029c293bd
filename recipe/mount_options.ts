/**
 * The option words of mount(8), translated to the flags of mount(2).
 *
 * @module
 */

import * as mounts from "../ffi/calls/constants/mounts.ts";
import { type Schema, text } from "./schema.ts";

/** A string of options, as mount(2) takes them. */
export interface MountOptions {
  readonly flags: number;
  /** The options that the filesystem itself reads. */
  readonly data: string | null;
}

/** The flags that a word sets and clears: mount(8), "FILESYSTEM-INDEPENDENT MOUNT OPTIONS". */
const WORDS: Readonly<Record<string, { readonly set?: number; readonly clear?: number }>> = {
  ro: { set: mounts.MS_RDONLY },
  rw: { clear: mounts.MS_RDONLY },
  nosuid: { set: mounts.MS_NOSUID },
  suid: { clear: mounts.MS_NOSUID },
  nodev: { set: mounts.MS_NODEV },
  dev: { clear: mounts.MS_NODEV },
  noexec: { set: mounts.MS_NOEXEC },
  exec: { clear: mounts.MS_NOEXEC },
  sync: { set: mounts.MS_SYNCHRONOUS },
  async: { clear: mounts.MS_SYNCHRONOUS },
  dirsync: { set: mounts.MS_DIRSYNC },
  mand: { set: mounts.MS_MANDLOCK },
  nomand: { clear: mounts.MS_MANDLOCK },
  noatime: { set: mounts.MS_NOATIME },
  atime: { clear: mounts.MS_NOATIME },
  nodiratime: { set: mounts.MS_NODIRATIME },
  diratime: { clear: mounts.MS_NODIRATIME },
  relatime: { set: mounts.MS_RELATIME },
  norelatime: { clear: mounts.MS_RELATIME },
  strictatime: { set: mounts.MS_STRICTATIME },
  nostrictatime: { clear: mounts.MS_STRICTATIME },
  lazytime: { set: mounts.MS_LAZYTIME },
  nolazytime: { clear: mounts.MS_LAZYTIME },
  nosymfollow: { set: mounts.MS_NOSYMFOLLOW },
  symfollow: { clear: mounts.MS_NOSYMFOLLOW },
  silent: { set: mounts.MS_SILENT },
  loud: { clear: mounts.MS_SILENT },
  iversion: { set: mounts.MS_I_VERSION },
  noiversion: { clear: mounts.MS_I_VERSION },
  defaults: {
    clear: mounts.MS_RDONLY | mounts.MS_NOSUID | mounts.MS_NODEV | mounts.MS_NOEXEC |
      mounts.MS_SYNCHRONOUS,
  },
  // Words for /etc/fstab and for mount(8) itself, which the kernel does not see.
  auto: {},
  noauto: {},
  _netdev: {},
  nofail: {},
  noowner: {},
  nogroup: {},
  nouser: {},
  nousers: {},
  // Words that let users mount, and what they imply.
  owner: { set: mounts.MS_NOSUID | mounts.MS_NODEV },
  group: { set: mounts.MS_NOSUID | mounts.MS_NODEV },
  user: { set: mounts.MS_NOSUID | mounts.MS_NODEV | mounts.MS_NOEXEC },
  users: { set: mounts.MS_NOSUID | mounts.MS_NODEV | mounts.MS_NOEXEC },
};

/** Words of mount(8) that do not make a new mount, and the step for each. */
const OTHER_STEPS: Readonly<Record<string, string>> = {
  bind: "bind",
  rbind: "bind",
  remount: "remount",
  move: "bind",
  shared: "propagation",
  rshared: "propagation",
  slave: "propagation",
  rslave: "propagation",
  private: "propagation",
  rprivate: "propagation",
  unbindable: "propagation",
  runbindable: "propagation",
};

/** Words with which mount(8) makes a loop device. */
const LOOP: ReadonlySet<string> = new Set(["loop", "offset", "sizelimit"]);

/** What mount(8) does before or after it mounts; mount points are made in any case. */
const DONE_BY_MOUNT = /^[xX]-mount\.(idmap|subdir|owner|group|mode)$/;

/** Words that neither the kernel nor this module reads: comments, and names of other programs. */
const IGNORED = /^(x-|X-|comment=|u?helper=)/;

/** The kernel takes a page of options, with the NUL at the end. */
const OPTIONS_BYTES = 4095;

/** Options as mount(8) takes them. */
export function mountOptions(): Schema {
  return text({ max: OPTIONS_BYTES, issue: wordOfAnotherStep });
}

function wordOfAnotherStep(options: string): string | undefined {
  for (const word of splitOptions(options)) {
    const [name] = word.split("=") as [string];
    if (LOOP.has(name)) return `"${name}" needs a loop device, which mount(2) does not make`;
    if (name.startsWith("verity.")) {
      return `"${name}" needs dm-verity, which mount(2) does not set up`;
    }
    if (DONE_BY_MOUNT.test(name)) {
      return `"${name}" is done by mount(8), and mount(2) has no such option`;
    }
    if (Object.hasOwn(OTHER_STEPS, word)) return `"${word}" is the step ${OTHER_STEPS[word]}()`;
  }
  return undefined;
}

/** Translates a string of options, of which later ones win, starting from the `initial` flags. */
export function parseMountOptions(options: string | undefined, initial = 0): MountOptions {
  let flags = initial;
  const data: string[] = [];
  for (const option of splitOptions(options ?? "")) {
    const word = Object.hasOwn(WORDS, option) ? WORDS[option] : undefined;
    if (word !== undefined) flags = flags & ~(word.clear ?? 0) | (word.set ?? 0);
    else if (!IGNORED.test(option)) data.push(option);
  }
  return { flags: flags >>> 0, data: data.length === 0 ? null : data.join(",") };
}

/** Splits at commas, but not within double quotes, as SELinux contexts need (mount(8)). */
function splitOptions(options: string): readonly string[] {
  return options.match(/(?:"[^"]*"|[^,"])+/g) ?? [];
}
