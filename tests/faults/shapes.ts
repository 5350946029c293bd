/** Launches of several kinds, for scripts that are killed. */

import {
  bridge,
  chroot,
  devices,
  hostname,
  init,
  limits,
  loopback,
  mapIds,
  mapRoot,
  type Permissions,
  proc,
  type Recipe,
  recipe,
  type StdioOptions,
  tmpfs,
  unshare,
  veth,
} from "../../mod.ts";

const range = [{ inside: 0, outside: 0, count: 1 }, { inside: 1, outside: 100000, count: 10 }];

/** A launch of some kind. */
export interface Shape {
  readonly box: Recipe;
  /** Whether it needs root. */
  readonly rootOnly?: true;
  /** Whether the program gets a terminal. */
  readonly terminal?: true;
  /** Whether the program joins a running container. */
  readonly joins?: true;
  /** Makes streams that the script hands over, in place of pipes. */
  readonly streams?: () => StdioOptions;
  /** How long the program may run, in milliseconds, by which its launch has a limit too. */
  readonly timeout?: number;
  /** Whether only `deno task proof` tries it everywhere. */
  readonly provenOnly?: true;
  /** The permissions of the recipe. */
  readonly permissions?: Permissions;
}

/** The shapes, by their names. */
export const SHAPES: Readonly<Record<string, Shape>> = {
  "no namespaces": { box: recipe() },
  "a pid namespace": { box: recipe(unshare("user", "pid"), mapRoot()) },
  "a late pid namespace": {
    box: recipe(unshare("user", "uts"), mapRoot(), hostname("box"), unshare("pid")),
  },
  "an init": {
    box: recipe(unshare("user", "mount", "pid"), mapRoot(), proc(), tmpfs("/tmp"), init()),
  },
  "several id ranges": {
    box: recipe(unshare("user", "pid"), mapIds({ uids: range, gids: range })),
    rootOnly: true,
  },
  "limits": { box: recipe(unshare("pid"), limits({ pids: 50 })), rootOnly: true },
  "limits and several id ranges": {
    box: recipe(
      unshare("user", "pid", "cgroup"),
      mapIds({ uids: range, gids: range }),
      limits({ pids: 50 }),
    ),
    rootOnly: true,
  },
  "a network": {
    box: recipe(unshare("user", "pid", "net"), mapRoot(), loopback(), bridge("br0")),
  },
  "a cable to the host": {
    box: recipe(unshare("pid", "net"), veth("eth0"), loopback()),
    rootOnly: true,
  },
  "streams that are handed over": {
    // With a root of its own, so that files are copied.
    box: recipe(unshare("user", "pid"), mapRoot(), chroot("/")),
    streams: () => ({ stdin: { path: "/etc/passwd" }, stderr: new WritableStream() }),
  },
  "a terminal": { box: recipe(unshare("user", "pid"), mapRoot()), terminal: true },
  "a terminal of its own": {
    box: recipe(unshare("user", "mount", "pid"), mapRoot(), devices()),
    terminal: true,
  },
  "hosts granted": {
    box: recipe(unshare("user", "mount", "pid", "net"), mapRoot(), proc()),
    permissions: {
      read: true,
      write: true,
      run: true,
      sys: true,
      net: ["192.0.2.1:80"],
      env: ["PATH"],
    },
  },
  "a time limit": {
    box: recipe(unshare("user", "pid"), mapRoot()),
    timeout: 3_600_000,
    provenOnly: true,
  },
  "another container joined": {
    box: recipe(unshare("user", "mount", "pid"), mapRoot(), proc(), init()),
    joins: true,
  },
};
