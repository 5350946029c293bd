/** A recipe for each step, whose launch makes the calls of the step. */

import { hierarchies } from "../../host.ts";
import {
  address,
  bind,
  bounds,
  bridge,
  capabilities,
  chdir,
  chroot,
  clearEnv,
  type Container,
  denyFiles,
  devices,
  dieWithParent,
  disableUserNamespaces,
  domainname,
  dummy,
  hostname,
  init,
  join,
  joinCgroup,
  landlock,
  limits,
  loopback,
  macvlan,
  mapCurrentUser,
  mapIds,
  mapRoot,
  maskPaths,
  masquerade,
  mkdir,
  mknod,
  mount,
  moveInterface,
  mqueue,
  type NamespaceKind,
  newSession,
  noNewPrivileges,
  oomScoreAdj,
  overlay,
  pivotRoot,
  proc,
  programs,
  propagation,
  protect,
  proxy,
  publish,
  readonlyPaths,
  type Recipe,
  recipe,
  remount,
  rlimit,
  root as rootDirectory,
  route,
  seccomp,
  setEnv,
  setUser,
  type Step,
  symlink,
  sysctl,
  sysfs,
  timeOffset,
  tmpfs,
  umask,
  unmount,
  unshare,
  userNetwork,
  veth,
  writeFile,
} from "../../mod.ts";
import { root } from "../support.ts";

/** A network with a bridge `lan`, which other containers connect to. */
export const HUB: Recipe = recipe(unshare("user", "net"), mapRoot(), bridge("lan"));

const own = (...kinds: NamespaceKind[]) => recipe(unshare("user", ...kinds), mapRoot());
const mounts = own("mount");
const net = own("net");
/** A nested network that a veth pair connects with its parent. */
const wired = net.with(unshare("net"), veth("eth0"));
const room = mounts.with(tmpfs("/mnt"));
const range = [{ inside: 0, outside: 0, count: 1 }, { inside: 1, outside: 100000, count: 10 }];
const self = [{ inside: 0, outside: Deno.uid()!, count: 1 }];
const selfGroup = [{ inside: 0, outside: Deno.gid()!, count: 1 }];

function plugged(hub: Container, ...steps: Step[]): Recipe {
  return recipe(join(hub, "user", "net"), unshare("net"), ...steps);
}

/** The recipes, by the names of the steps; a container of {@linkcode HUB} runs with them. */
export const STEP_RECIPES: Readonly<Record<Step["step"], (hub: Container) => Recipe>> = {
  address: () => net.with(bridge("br0"), address("br0", "10.0.0.1/24")),
  bind: () => room.with(bind("/usr", "/mnt/usr", { readOnly: true })),
  bounds: () => recipe(unshare("user", "pid"), mapRoot(), bounds({ pids: 500, degrade: true })),
  bridge: () => net.with(bridge("br0")),
  capabilities: () => own().with(capabilities({ bounding: [], permitted: ["CAP_CHOWN"] })),
  chdir: () => mounts.with(chdir("/etc")),
  chroot: () => room.with(programs("/bin/true"), chroot("/mnt")),
  clearEnv: () => recipe(clearEnv()),
  denyFiles: () => mounts.with(denyFiles({ read: ["/etc/passwd"], write: ["/etc/group"] })),
  devices: () => room.with(devices("/mnt/dev")),
  dieWithParent: () => recipe(dieWithParent("SIGTERM")),
  disableUserNamespaces: () => own("mount", "pid").with(proc(), disableUserNamespaces()),
  domainname: () => own("uts").with(domainname("kitchen")),
  dummy: () => net.with(dummy("wire")),
  hostname: () => own("uts").with(hostname("box")),
  init: () => own("pid").with(init()),
  join: (hub) => recipe(join(hub)),
  joinCgroup: () => recipe(joinCgroup(hierarchies()[0]!.own)),
  landlock: () => recipe(landlock({ read: ["/"], execute: ["/"] })),
  limits: () => recipe(limits({ pids: 50 })),
  loopback: () => net.with(loopback()),
  macvlan: () => wired.with(unshare("net"), macvlan("eth1", { parent: "eth0" })),
  mapCurrentUser: () => recipe(unshare("user"), mapCurrentUser()),
  mapIds: () =>
    recipe(
      unshare("user"),
      root ? mapIds({ uids: range, gids: range }) : mapIds({ uids: self, gids: selfGroup }),
    ),
  mapRoot: () => own(),
  maskPaths: () => own("mount", "pid").with(proc(), maskPaths("/proc/keys", "/proc/fs")),
  masquerade: (hub) => plugged(hub, masquerade("10.1.0.0/24", { inside: true })),
  mkdir: () => room.with(mkdir("/mnt/a/b", { mode: 0o700 })),
  mknod: () => room.with(mknod("/mnt/pipe", { type: "p" })),
  mount: () => room.with(mount("none", "/mnt", { type: "tmpfs", options: "nosuid" })),
  moveInterface: () => wired.with(unshare("net"), moveInterface("eth0")),
  mqueue: () =>
    own("mount", "ipc").with(tmpfs("/mnt"), mkdir("/mnt/mqueue"), mqueue("/mnt/mqueue")),
  newSession: () => recipe(newSession()),
  noNewPrivileges: () => recipe(noNewPrivileges()),
  oomScoreAdj: () => recipe(oomScoreAdj(1000)),
  overlay: () => room.with(overlay("/mnt/over", { lower: ["/etc"], discard: true })),
  pivotRoot: () => room.with(programs("/bin/true"), pivotRoot("/mnt")),
  proc: () => own("mount", "pid").with(proc()),
  programs: () => room.with(programs("/bin/true", { root: "/mnt" })),
  propagation: () => mounts.with(propagation("/", "slave")),
  protect: () => mounts.with(protect("/etc", "/etc", { names: ["passwd"] })),
  proxy: () => net.with(proxy(["example.org:443"])),
  publish: (hub) => plugged(hub, publish(8080, { address: "10.1.0.2", inside: true })),
  readonlyPaths: () => own("mount", "pid").with(proc(), readonlyPaths("/proc/sys", "/proc/fs")),
  remount: () => room.with(remount("/mnt", "ro,nosuid,nodev")),
  rlimit: () => recipe(rlimit("nofile", 64)),
  root: () =>
    own("mount", "pid").with(rootDirectory("/", { volumes: { "/srv": { source: "/etc" } } })),
  route: (hub) =>
    plugged(
      hub,
      veth("eth0", { bridge: "lan" }),
      address("eth0", "10.0.0.1/24"),
      route("default", { via: "10.0.0.2" }),
    ),
  seccomp: () => recipe(seccomp()),
  setEnv: () => recipe(setEnv({ KITCHEN: "open" })),
  setUser: () => own().with(setUser({ uid: 0 })),
  symlink: () => room.with(symlink("usr/bin", "/mnt/bin")),
  sysctl: () => own("mount", "pid", "net").with(proc(), sysctl({ "net.ipv4.ip_forward": 1 })),
  sysfs: () => own("mount", "net").with(sysfs()),
  timeOffset: () => own("time").with(timeOffset({ boottime: 1000 })),
  tmpfs: () => room,
  umask: () => recipe(umask(0o077)),
  unmount: () => room.with(unmount("/mnt")),
  unshare: () => own("mount", "pid", "uts", "ipc", "net", "cgroup", "time"),
  userNetwork: () => own("mount", "net").with(loopback(), userNetwork("slirp4netns")),
  veth: (hub) => plugged(hub, veth("eth0", { bridge: "lan" })),
  writeFile: () => room.with(writeFile("/mnt/motd", "Welcome.\n")),
};
