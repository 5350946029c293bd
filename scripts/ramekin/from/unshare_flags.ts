/**
 * The flags of unshare(1), and what each is here.
 *
 * @module
 */

import { type IdRange, linux, type NamespaceKind } from "../../../mod.ts";
import { flag, type ForeignFlag, GIVEN, lost, wholeNumber } from "./translation.ts";

/** What the flags say so far. */
export interface UnshareState {
  readonly kinds: Set<NamespaceKind>;
  readonly ranges: { uids: IdRange[]; gids: IdRange[] };
  /** Who the caller is in the user namespace. */
  map?: "root" | "current";
  forks?: true;
  keepsCapabilities?: true;
  deniesGroups?: boolean;
  propagation?: "slave";
  proc?: string;
  root?: string;
  directory?: string;
  uid?: number;
  gid?: number;
  monotonic?: number;
  boottime?: number;
}

/** A flag with its one letter; the value of one without `values` is optional. */
export type UnshareFlag = ForeignFlag<UnshareState> & { readonly letter?: string };

const PINNED = "it is kept by a mount: container.pin() does that";

function unshares(letter: string, kind: NamespaceKind): UnshareFlag {
  const make = flag<UnshareState>(0, ({ kinds }, file) => {
    kinds.add(kind);
    return file === undefined ? undefined : PINNED;
  });
  return { ...make, letter };
}

/** One id inside for the caller's own. */
function maps(which: "uids" | "gids", own: (outside: OwnIds) => number): UnshareFlag {
  return flag(1, ({ kinds, ranges }, text) => {
    const inside = wholeNumber(text!);
    if (inside === undefined) return "names are those of this machine; give the id";
    kinds.add("user");
    ranges[which].push({ inside, outside: own(ownIds()), count: 1 });
    return undefined;
  });
}

interface OwnIds {
  readonly uid: number;
  readonly gid: number;
}

function ownIds(): OwnIds {
  return { uid: linux.geteuid(), gid: linux.getegid() };
}

/** A range: `outer,inner,count`, or `inner:outer:count` since util-linux 2.39. */
function mapsRange(which: "uids" | "gids"): UnshareFlag {
  return flag(1, ({ kinds, ranges }, text) => {
    const isNew = text!.includes(":");
    const numbers = text!.split(isNew ? ":" : ",").map((word) => wholeNumber(word));
    const [one, other, count] = numbers;
    if (numbers.length !== 3 || one === undefined || other === undefined || count === undefined) {
      return "it is found in /etc/subuid and /etc/subgid; mapIds() takes the numbers";
    }
    kinds.add("user");
    const [inside, outside] = isNew ? [one, other] : [other, one];
    ranges[which].push({ inside, outside, count });
    return undefined;
  });
}

function seconds(name: "monotonic" | "boottime"): UnshareFlag {
  return flag(1, (state, text) => {
    const offset = Number(text);
    if (!/^-?\d+$/.test(text!)) return "this is no number of seconds";
    state[name] = offset;
    return undefined;
  });
}

/** Every flag of unshare(1) of util-linux 2.41 and before. */
export const UNSHARE_FLAGS: Readonly<Record<string, UnshareFlag>> = {
  "--mount": unshares("m", "mount"),
  "--uts": unshares("u", "uts"),
  "--ipc": unshares("i", "ipc"),
  "--net": unshares("n", "net"),
  "--pid": unshares("p", "pid"),
  "--user": unshares("U", "user"),
  "--cgroup": unshares("C", "cgroup"),
  "--time": unshares("T", "time"),
  "--fork": { ...flag<UnshareState>(0, (state) => void (state.forks = true)), letter: "f" },
  "--forward-signals": lost(0, "signals reach the program by container.kill()"),
  "--map-user": maps("uids", ({ uid }) => uid),
  "--map-group": maps("gids", ({ gid }) => gid),
  "--map-root-user": {
    ...flag<UnshareState>(0, (state) => {
      state.kinds.add("user");
      state.map = "root";
    }),
    letter: "r",
  },
  "--map-current-user": {
    ...flag<UnshareState>(0, (state) => {
      state.kinds.add("user");
      state.map = "current";
    }),
    letter: "c",
  },
  "--map-auto": lost(0, "it is found in /etc/subuid and /etc/subgid; mapIds() takes the numbers"),
  "--map-subids": lost(0, "it is found in /etc/subuid and /etc/subgid; mapIds() takes the numbers"),
  "--map-users": mapsRange("uids"),
  "--map-groups": mapsRange("gids"),
  "--owner": lost(1, "the user namespace is the caller's; mapIds() maps other ids into it"),
  "--kill-child": flag(0, (state, signal) => {
    state.forks = true;
    if (signal === undefined || /^(SIG)?KILL$/.test(signal)) return undefined;
    return 'dieWithParent() takes the signal: dieWithParent("SIGTERM")';
  }),
  "--mount-proc": flag(0, (state, path = "/proc") => {
    state.kinds.add("mount");
    state.proc = path;
  }),
  "--mount-binfmt": lost(0, 'mount("binfmt_misc", DIR, { type: "binfmt_misc" }) mounts one'),
  "--propagation": flag(1, (state, type) => {
    if (type === "private") return undefined;
    if (type !== "slave") return "mounts of a recipe never reach the host; they are private";
    state.propagation = type;
    return undefined;
  }),
  "--setgroups": flag(1, (state, word) => void (state.deniesGroups = word === "deny")),
  "--keep-caps": flag(0, (state) => void (state.keepsCapabilities = true)),
  "--root": { ...flag<UnshareState>(1, (state, path) => void (state.root = path!)), letter: "R" },
  "--wd": {
    ...flag<UnshareState>(1, (state, path) => void (state.directory = path!)),
    letter: "w",
  },
  "--setuid": {
    ...flag<UnshareState>(1, (state, text) => {
      const uid = wholeNumber(text!);
      if (uid === undefined) return "names are those of this machine; give the id";
      state.uid = uid;
      return undefined;
    }),
    letter: "S",
  },
  "--setgid": {
    ...flag<UnshareState>(1, (state, text) => {
      const gid = wholeNumber(text!);
      if (gid === undefined) return "names are those of this machine; give the id";
      state.gid = gid;
      return undefined;
    }),
    letter: "G",
  },
  "--load-interp": { ...lost(1, "interpreters are registered in binfmt_misc"), letter: "l" },
  "--monotonic": seconds("monotonic"),
  "--boottime": seconds("boottime"),
  "--help": { ...GIVEN, letter: "h" },
  "--version": { ...GIVEN, letter: "V" },
};
