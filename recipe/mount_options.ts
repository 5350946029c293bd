/**
 * The option words of mount(8), translated to the flags of mount(2).
 *
 * @module
 */

import * as mounts from "../ffi/calls/mounts.ts";

/** What a string of options means to mount(2). */
export interface MountOptions {
  readonly flags: number;
  /** What is left for the filesystem itself. */
  readonly data: string | null;
}

/** Flags that a word sets, and those that it clears (mount(8), FILESYSTEM-INDEPENDENT OPTIONS). */
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
  // Words for /etc/fstab and for mount(8) itself, which mean nothing to the kernel.
  auto: {},
  noauto: {},
  _netdev: {},
  nofail: {},
};

/** The words that ask for something else than a new mount, and the step that does it. */
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
  loop: "bind",
};

/** What is wrong with the options, or `undefined` when nothing is. */
export function mountOptionsComplaint(options: string): string | undefined {
  for (const word of splitOptions(options)) {
    const step = Object.hasOwn(OTHER_STEPS, word) ? OTHER_STEPS[word] : undefined;
    if (word === "loop") return `"loop" needs a loop device, which mount(2) does not make`;
    if (step !== undefined) return `"${word}" is the step ${step}()`;
  }
  return undefined;
}

/** Translates a string of options, which later ones override, over flags that are set at first. */
export function parseMountOptions(options: string | undefined, initial = 0): MountOptions {
  let flags = initial;
  const data: string[] = [];
  for (const option of splitOptions(options ?? "")) {
    const word = Object.hasOwn(WORDS, option) ? WORDS[option] : undefined;
    if (word !== undefined) flags = flags & ~(word.clear ?? 0) | (word.set ?? 0);
    else if (!option.startsWith("x-") && !option.startsWith("X-")) data.push(option);
  }
  return { flags: flags >>> 0, data: data.length === 0 ? null : data.join(",") };
}

/** Splits at commas, but not within double quotes, as SELinux contexts need (mount(8)). */
function splitOptions(options: string): readonly string[] {
  return options.match(/(?:"[^"]*"|[^,"])+/g) ?? [];
}
