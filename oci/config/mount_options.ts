/**
 * The options of a mount of config.json, sorted by what they are for: the table "Linux mount options"
 * of config.md.
 *
 * @module
 */

import type { IdRange } from "../../recipe/steps/id_range.ts";
import type { Propagation } from "../../recipe/steps/mounts.ts";
import { unsupported } from "../errors.ts";

/** The options of a mount, by what they are for. */
export interface MountOptions {
  readonly kind: "bind" | "rbind" | undefined;
  /** Whether a mount that is there is changed. */
  readonly remounts: boolean;
  readonly propagation: readonly { readonly type: Propagation; readonly recursive: boolean }[];
  /** What restricts or times this mount alone; of opposites the last one counts. */
  readonly attributes: readonly string[];
  /** What does so, or lifts it, for this mount and those below. */
  readonly recursive: readonly string[];
  readonly idMap: IdMapOption | undefined;
  readonly copiesUp: boolean;
  /** The words for the filesystem. */
  readonly rest: readonly string[];
  /** The words for a new mount: those that lift a restriction too, in their order. */
  readonly all: readonly string[];
}

/** A mount with mapped ids. */
export interface IdMapOption {
  readonly recursive: boolean;
  /** The ranges that are given with the word, as crun has them. */
  readonly given: string | undefined;
}

const PROPAGATIONS: Readonly<Record<string, Propagation>> = {
  private: "private",
  slave: "slave",
  shared: "shared",
  unbindable: "unbindable",
};

/** What restricts or times a mount, by what lifts that. */
const ATTRIBUTES: Readonly<Record<string, string>> = {
  rw: "ro",
  suid: "nosuid",
  dev: "nodev",
  exec: "noexec",
  atime: "noatime",
  diratime: "nodiratime",
  norelatime: "relatime",
  nostrictatime: "strictatime",
  symfollow: "nosymfollow",
};

const SETTING: ReadonlySet<string> = new Set(Object.values(ATTRIBUTES));

/** What `defaults` lifts (mount(8)). */
const DEFAULTS = ["ro", "nosuid", "nodev", "noexec"];

/** What says that a filesystem is as usual. */
const USUAL = ["async", "loud", "nolazytime", "nomand", "noiversion"];

/** Sorts the options of a mount. */
export function sortedOptions(words: readonly string[], field: string): MountOptions {
  let kind: MountOptions["kind"];
  let idMap: IdMapOption | undefined;
  let [remounts, copiesUp] = [false, false];
  const propagation: { type: Propagation; recursive: boolean }[] = [];
  const attributes = new Set<string>();
  const [recursive, rest, all]: [string[], string[], string[]] = [[], [], []];
  for (const word of words) {
    const stripped = word.startsWith("r") ? word.slice(1) : "";
    if (word === "") continue;
    if (word === "bind" || word === "rbind") kind = word;
    else if (word === "remount") remounts = true;
    else if (word === "tmpcopyup") copiesUp = true;
    else if (Object.hasOwn(PROPAGATIONS, word)) {
      propagation.push({ type: PROPAGATIONS[word]!, recursive: false });
    } else if (Object.hasOwn(PROPAGATIONS, stripped)) {
      propagation.push({ type: PROPAGATIONS[stripped]!, recursive: true });
    } else if (/^r?idmap(=|$)/.test(word)) {
      const [name, ...given] = word.split("=");
      idMap = {
        recursive: name === "ridmap",
        given: given.length > 0 ? given.join("=") : undefined,
      };
    } else if (SETTING.has(stripped) || Object.hasOwn(ATTRIBUTES, stripped)) {
      recursive.push(stripped);
    } else {
      all.push(word);
      if (SETTING.has(word)) attributes.add(word);
      else if (Object.hasOwn(ATTRIBUTES, word)) attributes.delete(ATTRIBUTES[word]!);
      else if (word === "defaults") { for (const lifted of DEFAULTS) attributes.delete(lifted); }
      else if (!USUAL.includes(word)) rest.push(word);
    }
  }
  if (copiesUp && kind !== undefined) {
    unsupported(`${field}.options`, "tmpcopyup is for a tmpfs");
  }
  return {
    kind,
    remounts,
    propagation,
    attributes: [...attributes],
    recursive,
    idMap,
    copiesUp,
    rest,
    all,
  };
}

/**
 * Reads ranges as crun has them behind `idmap=`: `uids=0-1000-10#10-2000-1;gids=0-1000-10`, each from,
 * to and how many.
 */
export function givenRanges(
  text: string,
  field: string,
): { readonly uids: readonly IdRange[]; readonly gids: readonly IdRange[] } {
  const found = new Map<string, readonly IdRange[]>();
  for (const part of text.split(";")) {
    const [, kind, ranges] = /^(uids|gids)=(\d+-\d+-\d+(?:#\d+-\d+-\d+)*)$/.exec(part) ?? [];
    if (kind === undefined || ranges === undefined) {
      unsupported(field, `${JSON.stringify(part)} is no list of ids, such as "uids=0-1000-10"`);
    }
    found.set(
      kind,
      ranges.split("#").map((range) => {
        const [inside = 0, outside = 0, count = 0] = range.split("-").map(Number);
        return { inside, outside, count };
      }),
    );
  }
  const [uids, gids] = [found.get("uids"), found.get("gids")];
  if (uids === undefined || gids === undefined) {
    unsupported(field, 'a mount with mapped ids needs both, "uids" and "gids"');
  }
  return { uids, gids };
}
