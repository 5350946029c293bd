/**
 * What a host can have of what recipes use. Most of it is tried; nothing is left of that.
 *
 * @module
 */

import { DEFAULT_PATH } from "../../recipe/default_path.ts";
import { type Controller, hierarchies } from "../../ffi/cgroups/hierarchies.ts";
import type { GroupLimits } from "../../ffi/cgroups/limits.ts";
import { findParents } from "../../ffi/cgroups/parents.ts";
import { UnsupportedError } from "../../ffi/errors.ts";
import { ifThere, NO_SUCH_PATH } from "../../ffi/missing.ts";
import { environmentVariable } from "../../ffi/environment.ts";
import { statx } from "../../ffi/linux/directories.ts";
import { AT_FDCWD } from "../../ffi/calls/files.ts";
import { landlockVersion } from "../../ffi/linux/landlock.ts";
import { currentCredentials } from "../../host/credentials.ts";
import { readSetting } from "../../host/settings.ts";
import { limitSetting, NAMESPACE_KINDS, type NamespaceKind } from "../../recipe/namespaces.ts";
import { recipe } from "../../container/recipe.ts";
import { sandbox } from "../../container/sandbox.ts";
import {
  mapRoot,
  masquerade,
  mkdir,
  overlay,
  proc,
  seccomp,
  tmpfs,
  unshare,
} from "../../recipe/steps/builders.ts";
import { failed, type Finding, tried } from "./check_result.ts";
import { idRanges } from "./id_ranges.ts";

/** All findings, the ones that others need first. */
export function hostChecks(): readonly Finding[] {
  const inOwn = (...kinds: NamespaceKind[]) =>
    userNamespaces.works || currentCredentials().euid !== 0
      ? recipe(unshare("user", ...kinds), mapRoot())
      : recipe(unshare(...kinds));
  const userNamespaces = userNamespacesFinding();
  const kinds = NAMESPACE_KINDS.filter((kind) => kind !== "user");
  return [
    userNamespaces,
    ...(currentCredentials().euid === 0 ? [ordinaryUsers()] : []),
    ...kinds.map((kind) => tried(`${kind} namespaces`, limitOf(kind), inOwn(kind))),
    idRanges(),
    tried("a /proc of its own", "", inOwn("mount", "pid").with(proc())),
    tried(
      "overlay",
      "",
      inOwn("mount").with(
        tmpfs("/tmp"),
        mkdir("/tmp/a"),
        overlay("/tmp/a", { lower: ["/tmp/a"], discard: true }),
      ),
    ),
    cgroups(),
    ...LIMITS.map((row) => limit(...row)),
    tried("seccomp filters", "", recipe(seccomp())),
    landlock(),
    outsideNetwork(),
    tried("address translation", "", inOwn("net").with(masquerade("10.0.0.0/8", { inside: true }))),
    tried("ramekin sandbox", "", sandbox()),
  ];
}

function userNamespacesFinding(): Finding {
  return tried("user namespaces", limitOf("user"), recipe(unshare("user"), mapRoot()));
}

/** How many there may be of one user. */
function limitOf(kind: NamespaceKind): string {
  const limit = readSetting(`/proc/sys/user/${limitSetting(kind)}`);
  return limit === undefined ? "" : `at most ${limit} of a user`;
}

/** What keeps all but root from user namespaces; root itself cannot try it. */
function ordinaryUsers(): Finding {
  const name = "user namespaces of ordinary users";
  const no = (setting: string, value: number, mend: string): Finding => ({
    name,
    works: false,
    says: `the sysctl ${setting} is ${value}`,
    mend,
  });
  if (readSetting("/proc/sys/user/max_user_namespaces") === 0) {
    return no(
      "user.max_user_namespaces",
      0,
      "sysctl -w user.max_user_namespaces=10000 allows them",
    );
  }
  if (readSetting("/proc/sys/kernel/unprivileged_userns_clone") === 0) {
    return no(
      "kernel.unprivileged_userns_clone",
      0,
      "sysctl -w kernel.unprivileged_userns_clone=1 allows them",
    );
  }
  if (readSetting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") === 1) {
    return no(
      "kernel.apparmor_restrict_unprivileged_userns",
      1,
      'an AppArmor profile for deno with "userns," allows them, or ' +
        "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
    );
  }
  return { name, works: true, says: "no sysctl is in the way" };
}

function cgroups(): Finding {
  const name = "control groups";
  const found = hierarchies();
  const unified = found.find(({ version }) => version === 2);
  const old = found.filter(({ version }) => version === 1);
  if (found.length === 0) {
    return {
      name,
      works: false,
      says: "no hierarchy is in sight",
      mend: "mount -t cgroup2 none /sys/fs/cgroup",
    };
  }
  const version = unified === undefined ? "version 1" : old.length > 0 ? "hybrid" : "version 2";
  return { name, works: true, says: `${version}, this one is ${(unified ?? old[0])!.own}` };
}

/** A limit by each of the controllers; 2^30 bytes are as good as any. */
const LIMITS: readonly (readonly [string, Controller, GroupLimits])[] = [
  ["limits of memory", "memory", { memory: 2 ** 30 }],
  ["limits of processors", "cpu", { cpus: 1 }],
  ["limits of processes", "pids", { pids: 1000 }],
];

function limit(name: string, controller: Controller, limits: GroupLimits): Finding {
  try {
    const place = findParents(limits).find(({ controllers }) => controllers.has(controller));
    return { name, works: true, says: place === undefined ? "" : `below ${place.directory}` };
  } catch (error) {
    if (error instanceof UnsupportedError) return failed(name, error);
    throw error;
  }
}

function landlock(): Finding {
  const name = "Landlock";
  const version = landlockVersion();
  if (version > 0) return { name, works: true, says: `version ${version} of its interface` };
  return {
    name,
    works: false,
    says: "this kernel has none, or has not started it",
    mend: "Linux 5.13, and landlock among the security modules of the boot parameter lsm=",
  };
}

/** A way out for the containers of ordinary users. */
function outsideNetwork(): Finding {
  const name = "a network for ordinary users";
  const found = ["pasta", "slirp4netns"].filter(isInstalled);
  if (found.length === 0) {
    return {
      name,
      works: false,
      says: "neither pasta nor slirp4netns is installed",
      mend: "install one of them: Debian has passt and slirp4netns",
    };
  }
  if (!isThere("/dev/net/tun")) {
    return {
      name,
      works: false,
      says: "there is no /dev/net/tun",
      mend: "modprobe tun; in a container, that device has to be let in",
    };
  }
  return { name, works: true, says: found.join(", ") };
}

/** Whether a directory of PATH has the program. */
export function isInstalled(program: string): boolean {
  const directories = environmentVariable("PATH") ?? DEFAULT_PATH;
  return directories.split(":").some((directory) => isThere(`${directory}/${program}`));
}

function isThere(path: string): boolean {
  // A directory of PATH may be another user's.
  return ifThere(() => statx(AT_FDCWD, path), [...NO_SUCH_PATH, "EACCES"]) !== undefined;
}
