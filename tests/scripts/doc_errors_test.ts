/**
 * What the steps say of their errors is so: each errno that a comment names is seen, or is told to
 * need another machine.
 */

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { landlockVersion } from "../../ffi/linux/landlock.ts";
import {
  address,
  bind,
  bridge,
  capabilities,
  chdir,
  chroot,
  cpuAffinity,
  devices,
  disableUserNamespaces,
  domainname,
  hostname,
  ioPriority,
  join,
  joinCgroup,
  landlock,
  loopback,
  macvlan,
  mapRoot,
  memoryPolicy,
  mkdir,
  mknod,
  mount,
  moveInterface,
  mqueue,
  type NamespaceKind,
  newSession,
  overlay,
  pivotRoot,
  proc,
  programs,
  propagation,
  protect,
  readonlyPaths,
  recipe,
  remount,
  rlimit,
  root as rootDirectory,
  route,
  scheduler,
  seccomp,
  setEnv,
  setUser,
  type Step,
  symlink,
  SyscallError,
  sysctl,
  sysfs,
  timeOffset,
  tmpfs,
  umask,
  unmount,
  unshare,
  veth,
  writeFile,
} from "../../mod.ts";
import { root, test } from "../support.ts";
import { steps, tags } from "./documentation.ts";

/** A recipe whose last step fails, or the program behind it. */
interface Failing {
  readonly step: Step["step"];
  readonly code: string;
  readonly steps: readonly Step[];
}

const failing = (code: string, ...steps: Step[]): Failing => ({
  step: steps.at(-1)!.step,
  code,
  steps,
});

/** What an ordinary user has of its own, with rights over it. */
const own = (...kinds: NamespaceKind[]) => [unshare("user", ...kinds), mapRoot()];
/** Behind this, there are no rights over what was made before. */
const further = () => [unshare("user"), mapRoot()];

/** Behind this, there are no rights on the host. */
const ordinary = () => root ? [capabilities({ keep: [] })] : [];

const files = () => [...own("mount"), tmpfs("/mnt")];
const linkOut = () => [...files(), symlink("/etc", "/mnt/out")];
const full = () => [...own("mount"), tmpfs("/mnt", { options: "nr_inodes=1" })];
const readOnly = () => [...own("mount"), tmpfs("/mnt", { options: "ro" })];
const noProc = (...kinds: NamespaceKind[]) => [
  ...own("mount", ...kinds),
  tmpfs("/mnt"),
  pivotRoot("/mnt"),
];
/** What lies at /proc is an ordinary directory. */
const falseProc = (...kinds: NamespaceKind[]) => [
  ...own("mount", ...kinds),
  tmpfs("/mnt"),
  mkdir("/mnt/proc"),
  pivotRoot("/mnt"),
];
const readOnlyProc = (...kinds: NamespaceKind[]) => [
  ...own("mount", "pid", ...kinds),
  proc("/proc", { options: "ro" }),
];
const coveredSettings = (...kinds: NamespaceKind[]) => [
  ...own("mount", ...kinds),
  readonlyPaths("/proc/sys"),
];

/** In this network, which has a bridge, and then in one that comes out of it. */
const lan = () => [...own("net"), bridge("lan"), unshare("net")];

const FILES: readonly Failing[] = [
  failing("ENOENT", ...own("mount"), bind("/nonesuch")),
  failing("EINVAL", ...own("mount"), bind("/etc/passwd", "/mnt")),
  failing("ENOENT", ...own("mount"), devices("/nonesuch")),
  failing("ENOTDIR", ...own("mount"), devices("/etc/passwd")),
  failing("ENOTDIR", ...files(), writeFile("/mnt/a", ""), mkdir("/mnt/a/b")),
  failing("EXDEV", ...linkOut(), mkdir("/mnt/out/b")),
  failing("ENOSPC", ...full(), mkdir("/mnt/a")),
  failing("EROFS", ...readOnly(), mkdir("/mnt/a")),
  failing("EEXIST", ...files(), mkdir("/mnt/a"), symlink("b", "/mnt/a")),
  failing("ENOENT", ...files(), symlink("b", "/mnt/c/a")),
  failing("EXDEV", ...linkOut(), symlink("b", "/mnt/out/a")),
  failing("ENOSPC", ...full(), symlink("b", "/mnt/a")),
  failing("EROFS", ...readOnly(), symlink("b", "/mnt/a")),
  failing("ENOENT", ...files(), writeFile("/mnt/c/a", "")),
  failing("EISDIR", ...files(), mkdir("/mnt/a"), writeFile("/mnt/a", "")),
  failing("EXDEV", ...linkOut(), writeFile("/mnt/out/a", "")),
  failing("ENOSPC", ...own("mount"), tmpfs("/mnt", { size: "4k" }), tooLarge("/mnt/a")),
  failing("EROFS", ...readOnly(), writeFile("/mnt/a", "")),
  failing("EPERM", ...files(), mknod("/mnt/a", { type: "c", major: 1, minor: 3 })),
  failing("EEXIST", ...files(), mkdir("/mnt/a"), mknod("/mnt/a", { type: "p" })),
  failing("ENOENT", ...files(), mknod("/mnt/c/a", { type: "p" })),
  failing("EXDEV", ...linkOut(), mknod("/mnt/out/a", { type: "p" })),
  failing("ENOSPC", ...full(), mknod("/mnt/a", { type: "p" })),
  failing("EROFS", ...readOnly(), mknod("/mnt/a", { type: "p" })),
  failing("ENOSPC", ...tooSmall(), programs("/bin/sh", { root: "/mnt", copy: true })),
];

function tooLarge(path: string): Step {
  return writeFile(path, "x".repeat(10_000));
}

/** The directory for the kernel's own use lies in the one that takes the changes. */
function nested(): Step {
  return overlay("/mnt/c", { lower: ["/usr"], upper: "/mnt/a", work: "/mnt/a/b" });
}

function tooSmall(): Step[] {
  return [...own("mount"), tmpfs("/mnt", { size: "4k" })];
}

const MOUNTS: readonly Failing[] = [
  failing("ENODEV", ...own("mount"), mount("a", "/mnt", { type: "nonesuch" })),
  failing("EPERM", ...own("mount"), mount("a", "/mnt", { type: "devtmpfs" })),
  failing("EINVAL", ...own("mount"), mount("a", "/mnt", { type: "tmpfs", options: "soup=1" })),
  failing("ENOENT", ...own("mount"), mount("a", "/nonesuch", { type: "tmpfs" })),
  failing("ENOTDIR", ...own("mount"), mount("a", "/etc/passwd", { type: "tmpfs" })),
  failing("ENOENT", ...own("mount"), tmpfs("/nonesuch")),
  failing("ENOTDIR", ...own("mount"), tmpfs("/etc/passwd")),
  failing("EINVAL", ...own("mount"), tmpfs("/mnt", { options: "soup=1" })),
  failing("EPERM", ...own("mount"), proc()),
  failing("ENOENT", ...own("mount", "pid"), proc("/nonesuch")),
  failing("ENOTDIR", ...own("mount", "pid"), proc("/etc/passwd")),
  failing("EPERM", ...own("mount"), sysfs()),
  failing("ENOENT", ...own("mount", "net"), sysfs("/nonesuch")),
  failing("ENOTDIR", ...own("mount", "net"), sysfs("/etc/passwd")),
  failing("EPERM", ...own("mount"), mqueue("/mnt")),
  failing("ENOENT", ...own("mount", "ipc"), mqueue("/nonesuch")),
  failing("ENOTDIR", ...own("mount", "ipc"), mqueue("/etc/passwd")),
  failing("EINVAL", ...own("mount"), propagation("/etc", "private")),
  failing("ENOENT", ...own("mount"), propagation("/nonesuch", "private")),
  failing("EINVAL", ...own("mount"), remount("/etc", "ro")),
  failing("ENOENT", ...own("mount"), remount("/nonesuch", "ro")),
  failing("EPERM", ...files(), unshare("user", "mount"), mapRoot(), remount("/mnt", "rw")),
  failing("EINVAL", ...own("mount"), unmount("/etc")),
  failing("EBUSY", ...files(), chdir("/mnt"), unmount("/mnt")),
  failing("ENOENT", ...own("mount"), unmount("/nonesuch")),
  failing("ENOENT", ...own("mount"), overlay("/mnt", { lower: ["/nonesuch"], discard: true })),
  failing("ENOTDIR", ...own("mount"), overlay("/mnt", { lower: ["/etc/passwd"], discard: true })),
  failing("EINVAL", ...files(), mkdir("/mnt/a/b"), mkdir("/mnt/c"), nested()),
  failing("ENOENT", ...own("mount"), pivotRoot("/nonesuch")),
  failing("ENOTDIR", ...own("mount"), pivotRoot("/etc/passwd")),
  failing(
    "EINVAL",
    ...own("mount"),
    propagation("/", "shared", { recursive: true }),
    pivotRoot("/mnt"),
  ),
  failing("ENOENT", ...own(), chroot("/nonesuch")),
  failing("ENOTDIR", ...own(), chroot("/etc/passwd")),
  failing("ENOENT", ...own("mount", "pid"), rootDirectory("/nonesuch")),
  failing("ENOTDIR", ...own("mount", "pid"), rootDirectory("/etc/passwd", { discard: true })),
  failing("EINVAL", ...own("mount", "pid"), rootDirectory("/", { discard: true })),
  failing("EPERM", ...own("mount"), rootDirectory("/")),
  failing("ENOENT", chdir("/nonesuch")),
  failing("ENOTDIR", chdir("/etc/passwd")),
  failing("ELOOP", chdir("/proc/self/root/")),
  failing("ENOENT", ...own("mount"), protect("/etc", "/usr", { names: ["passwd"] })),
];

const NAMESPACES: readonly Failing[] = [
  failing("ENOSPC", ...Array.from({ length: 40 }, further).flat().slice(0, -1)),
  failing("EINVAL", ...own(), setUser({ uid: 7 })),
  failing("EPERM", ...own(), capabilities({ keep: [] }), capabilities({ keep: ["CAP_KILL"] })),
  failing("ESRCH", join(2 ** 31 - 1)),
  failing("ENOENT", join("/nonesuch")),
  failing("EINVAL", join("/proc/self/ns/uts", "net")),
  failing("EPERM", ...own("uts"), capabilities({ keep: [] }), hostname("soup")),
  failing("EPERM", ...own("uts"), capabilities({ keep: [] }), domainname("soup")),
  failing("E2BIG", setEnv({ SOUP: "x".repeat(2 ** 17) })),
  failing("EPERM", rlimit("nofile", "unlimited")),
  failing("EPERM", ...ordinary(), scheduler("fifo", { priority: 1 })),
  failing("EPERM", ...ordinary(), ioPriority("realtime")),
  failing("EINVAL", cpuAffinity("8191")),
  failing("EINVAL", memoryPolicy("bind", { nodes: "1023" })),
  failing("EPERM", newSession(), newSession()),
  failing("EPERM", withoutSeccomp(), seccomp()),
  failing("ENOENT", ...own("net"), sysctl({ "net.ipv4.soup": 1 })),
  failing("EINVAL", ...own("net"), sysctl({ "net.ipv4.ip_forward": "soup" })),
  failing("EROFS", ...readOnlyProc("net"), forwarding()),
  failing("EXDEV", ...coveredSettings("net"), forwarding()),
  failing("EINVAL", ...falseProc("net"), forwarding()),
  failing("ENOENT", ...noProc(), unshare("user"), mapRoot()),
  failing("EINVAL", ...falseProc(), unshare("user"), mapRoot()),
  failing("EROFS", ...readOnlyProc(), unshare("user"), mapRoot()),
  failing("ERANGE", ...own("time"), timeOffset({ boottime: -4_000_000_000 })),
  failing("EPERM", ...own("time"), ...further(), timeOffset({ boottime: 1 })),
  failing("ENOENT", ...noProc("time"), timeOffset({ boottime: 1 })),
  failing("EINVAL", ...falseProc("time"), timeOffset({ boottime: 1 })),
  failing("ENOENT", ...noProc(), disableUserNamespaces()),
  failing("EINVAL", ...falseProc(), disableUserNamespaces()),
  failing("EROFS", ...readOnlyProc(), disableUserNamespaces()),
  failing("EXDEV", ...coveredSettings(), disableUserNamespaces()),
  failing("ENOSPC", ...own(), disableUserNamespaces(), disableUserNamespaces()),
];

function withoutSeccomp(): Step {
  return seccomp({
    defaultAction: "SCMP_ACT_ALLOW",
    syscalls: [{ names: ["seccomp"], action: "SCMP_ACT_ERRNO" }],
  });
}

function forwarding(): Step {
  return sysctl({ "net.ipv4.ip_forward": 1 });
}

const NETWORKS: readonly Failing[] = [
  failing("EPERM", ...own("net"), ...further(), loopback()),
  failing("EEXIST", ...own("net"), bridge("lo")),
  failing("ENODEV", ...own("net"), bridge("lan", { ports: ["eth7"] })),
  failing("EINVAL", ...own("net"), bridge("lan", { ports: ["lo"] })),
  failing("EPERM", ...own("net"), ...further(), bridge("lan")),
  failing("ENODEV", ...own("net"), address("eth7", "10.0.0.1/24")),
  failing("EEXIST", ...own("net"), soup("10.0.0.1/24"), soup("10.0.0.1/24")),
  failing("EACCES", ...own("net"), withoutIpv6(), soup("fd00::1/64")),
  failing("EPERM", ...own("net"), ...further(), soup("10.0.0.1/24")),
  failing("ENETUNREACH", ...own("net"), loopback(), route("default", { via: "10.0.0.1" })),
  failing("EHOSTUNREACH", ...own("net"), loopback(), route("default", { via: "fd00::1" })),
  failing("ENODEV", ...own("net"), route("10.0.0.0/8", { device: "eth7" })),
  failing("ENETDOWN", ...own("net"), toLoopback()),
  failing("EEXIST", ...own("net"), loopback(), toLoopback(), toLoopback()),
  failing("EPERM", ...own("net"), loopback(), ...further(), toLoopback()),
  failing("EEXIST", ...lan(), veth("lo")),
  failing("ENODEV", ...lan(), veth("eth0", { bridge: "eth7" })),
  failing("EOPNOTSUPP", ...lan(), veth("eth0", { bridge: "lo" })),
  failing("ENODEV", ...lan(), macvlan("eth0", { parent: "eth7" })),
  failing("EINVAL", ...lan(), macvlan("eth0", { parent: "lo" })),
  failing("EEXIST", ...lan(), macvlan("lo", { parent: "lan" })),
  failing("ENODEV", ...lan(), moveInterface("eth7")),
  failing("EINVAL", ...lan(), moveInterface("lo", { as: "soup" })),
];

function soup(ip: string): Step {
  return address("lo", ip);
}

function toLoopback(): Step {
  return route("10.0.0.0/8", { device: "lo" });
}

function withoutIpv6(): Step {
  return sysctl({ "net.ipv6.conf.all.disable_ipv6": 1 });
}

/** Those that only an ordinary user sees: root may do it. */
const ORDINARY: readonly Failing[] = root ? [] : [
  failing("EPERM", unshare("uts")),
  { ...failing("EACCES", ...own(), join(Deno.pid, "uts")), step: "mapRoot" },
  failing("EPERM", setUser({ uid: 7 })),
  failing("EPERM", join(Deno.pid, "uts")),
  failing("EACCES", mkdir("/nonesuch", { host: true })),
  failing("EACCES", symlink("a", "/nonesuch", { host: true })),
  failing("EACCES", writeFile("/nonesuch", "", { host: true })),
  failing("EACCES", mknod("/nonesuch", { type: "p", host: true })),
  failing("EPERM", chroot("/")),
  failing("EACCES", ...own("uts"), sysctl({ "kernel.hostname": "soup" })),
];

const ruleset = () => landlock({ execute: ["/"], write: ["/"] });

/** Those that take a kernel with Landlock. */
const LANDLOCK: readonly Failing[] = landlockVersion() === 0 ? [] : [
  failing("ENOENT", landlock({ read: ["/nonesuch"], degrade: true })),
  failing("E2BIG", umask(0o22), ...Array.from({ length: 17 }, ruleset)),
  failing("EACCES", landlock({ read: ["/"], degrade: true })),
];

/** What only another machine, another kernel or another script would show. */
const ELSEWHERE: readonly string[] = [
  "bind EACCES",
  "bind ELOOP",
  "bridge EOPNOTSUPP",
  "denyFiles ELOOP",
  "denyFiles ENOENT",
  "denyFiles ENOSYS",
  "dummy EEXIST",
  "dummy EOPNOTSUPP",
  "dummy EPERM",
  "join EACCES",
  "join EBUSY",
  "joinCgroup EACCES",
  "joinCgroup EBUSY",
  "limits ENOMEM",
  "memoryPolicy ENOSYS",
  "oomScoreAdj EACCES",
  "personality EINVAL",
  "scheduler EBUSY",
  "scheduler EOPNOTSUPP",
  "macvlan EOPNOTSUPP",
  "mapIds EPERM",
  "mapRoot EPERM",
  "masquerade ENOENT",
  "masquerade EOPNOTSUPP",
  "masquerade EPROTONOSUPPORT",
  "maskPaths EACCES",
  "maskPaths ELOOP",
  "maskPaths ENOSYS",
  "overlay ENODEV",
  "pivotRoot EACCES",
  "root EACCES",
  "chdir EACCES",
  "protect ELOOP",
  "protect ENOSYS",
  "publish EADDRINUSE",
  "publish EADDRNOTAVAIL",
  "publish ENOENT",
  "publish EOPNOTSUPP",
  "publish EPROTONOSUPPORT",
  "readonlyPaths EACCES",
  "readonlyPaths ELOOP",
  "readonlyPaths ENOSYS",
  "seccomp EINVAL",
  "unshare EINVAL",
];

const GROUPS = [failing("ENOENT", joinCgroup("/nonesuch"))];

const HERE = [...FILES, ...GROUPS, ...MOUNTS, ...NAMESPACES, ...NETWORKS, ...ORDINARY, ...LANDLOCK];

for (const { step, code, steps } of HERE) {
  test(`${step}() as step ${steps.length} fails with ${code}, as its comment says`, () => {
    let error: unknown;
    try {
      recipe(...steps).command("true").outputSync();
    } catch (thrown) {
      error = thrown;
    }
    assertInstanceOf(error, SyscallError);
    assertEquals(error.code, code as SyscallError["code"], error.message);
    // What is seen only when the program begins is of no step.
    assert(error.step === step || error.syscall === "execve", error.message);
  });
}

/** The errnos that a comment names, by the step. */
const said = steps.flatMap(({ name, jsDoc }) =>
  tags(jsDoc, "throws").flatMap(({ doc = "" }) => [...doc.matchAll(/`(E[A-Z0-9]+)`/g)])
    .map(([, code]) => `${name} ${code}`)
);

test("each errno that a step names is tried here, or needs another machine", () => {
  const tried = new Set([...HERE.map(({ step, code }) => `${step} ${code}`), ...ELSEWHERE]);
  const others = [
    ...(root ? ["EPERM", "EACCES"] : []),
    ...(LANDLOCK.length === 0 ? ["ENOENT", "E2BIG", "EACCES"] : []),
  ];
  const untried = [...new Set(said)].filter((one) =>
    !tried.has(one) && !others.includes(one.split(" ")[1]!)
  );
  assertEquals(untried, []);
});

test("each errno that is tried is one that the step names", () => {
  const named = new Set(said);
  const unnamed = [...HERE.map(({ step, code }) => `${step} ${code}`), ...ELSEWHERE]
    .filter((one) => !named.has(one));
  // What a step says of another one, it does not repeat.
  assertEquals(unnamed.filter((one) => !one.startsWith("mapCurrentUser")), []);
});
