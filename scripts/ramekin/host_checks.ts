/**
 * What this machine has of what recipes use. Most of it is tried, and nothing is left of that.
 *
 * @module
 */

import { environment, hierarchies, landlockVersion, NAMESPACE_KINDS } from "../../host.ts";
import {
  landlock,
  limits,
  linux,
  mapRoot,
  masquerade,
  mkdir,
  type NamespaceKind,
  overlay,
  proc,
  recipe,
  sandbox,
  seccomp,
  tmpfs,
  unshare,
  userNetwork,
} from "../../mod.ts";
import { failed, type Finding, tried } from "./check_result.ts";
import { ifThere, readText } from "./files.ts";
import { idRanges } from "./id_ranges.ts";

/** All findings, the ones that others need first, each tried when it is asked for. */
export function* hostChecks(): Generator<Finding> {
  const isRoot = linux.geteuid() === 0;
  const inOwn = (...kinds: NamespaceKind[]) =>
    userNamespaces.works || !isRoot
      ? recipe(unshare("user", ...kinds), mapRoot())
      : recipe(unshare(...kinds));
  const userNamespaces = userNamespacesFinding();
  yield userNamespaces;
  if (isRoot) yield ordinaryUsers();
  for (const kind of NAMESPACE_KINDS.filter((kind) => kind !== "user")) {
    yield tried(`${kind} namespaces`, limitOf(kind), inOwn(kind));
  }
  yield idRanges();
  yield tried("a /proc of its own", "", inOwn("mount", "pid").with(proc()));
  const discarded = overlay("/tmp/a", { lower: ["/tmp/a"], discard: true });
  yield tried("overlay", "", inOwn("mount").with(tmpfs("/tmp"), mkdir("/tmp/a"), discarded));
  yield cgroups();
  // 2^30 bytes are as good as any.
  yield tried("limits of memory", "", recipe(limits({ memory: 2 ** 30 })));
  yield tried("limits of processors", "", recipe(limits({ cpus: 1 })));
  yield tried("limits of processes", "", recipe(limits({ pids: 1000 })));
  yield tried("seccomp filters", "", recipe(seccomp()));
  yield landlockFinding();
  yield outsideNetwork();
  const translating = inOwn("net").with(masquerade("10.0.0.0/8", { inside: true }));
  yield tried("address translation", "", translating);
  yield degradedSandbox();
  yield tried("ramekin sandbox", "", sandbox());
}

/** What `--degrade` makes here: the whole sandbox, unless user namespaces are refused. */
function degradedSandbox(): Finding {
  const name = "ramekin sandbox --degrade";
  try {
    const box = sandbox({ degrade: true });
    const lacks = box.degraded?.lacks.join("; ");
    return tried(name, lacks === undefined ? "not needed here" : `a weaker one: ${lacks}`, box);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return failed(name, error);
  }
}

function userNamespacesFinding(): Finding {
  return tried("user namespaces", limitOf("user"), recipe(unshare("user"), mapRoot()));
}

/** A number of /proc/sys, where this kernel has it. */
function setting(path: string): number | undefined {
  const text = ifThere(() => readText(`/proc/sys/${path}`));
  return text === undefined ? undefined : Number(text);
}

/** How many namespaces of a kind one user may have. */
function limitOf(kind: NamespaceKind): string {
  const limit = setting(`user/max_${kind === "mount" ? "mnt" : kind}_namespaces`);
  return limit === undefined ? "" : `at most ${limit} of a user`;
}

/** Whether a sysctl keeps all but root from user namespaces; root cannot try that. */
function ordinaryUsers(): Finding {
  const name = "user namespaces of ordinary users";
  const no = (sysctl: string, value: number, fix: string): Finding => ({
    name,
    works: false,
    says: `the sysctl ${sysctl} is ${value}`,
    fix,
  });
  if (setting("user/max_user_namespaces") === 0) {
    return no(
      "user.max_user_namespaces",
      0,
      "sysctl -w user.max_user_namespaces=10000 allows them",
    );
  }
  if (setting("kernel/unprivileged_userns_clone") === 0) {
    return no(
      "kernel.unprivileged_userns_clone",
      0,
      "sysctl -w kernel.unprivileged_userns_clone=1 allows them",
    );
  }
  if (setting("kernel/apparmor_restrict_unprivileged_userns") === 1) {
    return no(
      "kernel.apparmor_restrict_unprivileged_userns",
      1,
      'an AppArmor profile for deno with "userns," allows them, or ' +
        "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
    );
  }
  return { name, works: true, says: "no sysctl forbids them" };
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
      says: "no hierarchy is mounted",
      fix: "mount -t cgroup2 none /sys/fs/cgroup",
    };
  }
  const version = unified === undefined ? "version 1" : old.length > 0 ? "hybrid" : "version 2";
  return tried(name, `${version}, this one is ${(unified ?? old[0])!.own}`, recipe(limits({})));
}

function landlockFinding(): Finding {
  const name = "Landlock";
  const version = landlockVersion();
  if (version > 0) {
    const box = recipe(landlock({ read: ["/"] }));
    return tried(name, `version ${version} of its interface`, box);
  }
  return {
    name,
    works: false,
    says: "this kernel has none, or it is not enabled",
    fix: "Linux 5.13, and landlock among the security modules of the boot parameter lsm=",
  };
}

/** Whether containers of ordinary users can have a network: one is made. */
function outsideNetwork(): Finding {
  const name = "a network for ordinary users";
  const found = ["pasta", "slirp4netns"].filter(isInstalled);
  if (found.length === 0) {
    return {
      name,
      works: false,
      says: "neither pasta nor slirp4netns is installed",
      fix: "install one of them: Debian has passt and slirp4netns",
    };
  }
  const box = recipe(unshare("user", "net"), mapRoot(), userNetwork());
  const finding = tried(name, found.join(", "), box);
  const tunnel = ifThere(() => linux.statx(linux.AT_FDCWD, TUN).mode);
  if (tunnel === undefined) {
    return { ...finding, fix: `modprobe tun; a container must be given ${TUN}` };
  }
  // Root may open what others may not.
  const isProof = finding.works && linux.geteuid() !== 0;
  if (isProof || (tunnel & OTHERS_OPEN) === OTHERS_OPEN) return finding;
  return { name, works: false, says: `not everybody may open ${TUN}`, fix: `chmod 666 ${TUN}` };
}

/** The device by which pasta and slirp4netns make an interface. */
const TUN = "/dev/net/tun";

/** The mode bits of a file that everybody may read and write. */
const OTHERS_OPEN = 0o006;

/** Whether a directory of PATH has the program. */
export function isInstalled(program: string): boolean {
  const directories = environment()["PATH"] ?? "/usr/local/bin:/usr/bin:/bin";
  return directories.split(":").some((directory) => isThere(`${directory}/${program}`));
}

function isThere(path: string): boolean {
  return ifThere(() => linux.statx(linux.AT_FDCWD, path)) !== undefined;
}
