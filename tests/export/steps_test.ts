/** Every step, in a config.json: it is said, or refused with the reason. */

import { exportOci } from "../../export/mod.ts";
import * as steps from "../../mod.ts";
import { test } from "../support.ts";
import { type Cases, holdEveryStep } from "./every_step.ts";

const NETWORK = /the engine's/;
const FOUND = /found/;

const CASES: Cases = {
  address: { after: steps.address("lo", "10.0.0.1/8"), refused: NETWORK },
  bind: {
    before: steps.bind("/srv/a", "/new/a", { readOnly: true }),
    said:
      /"destination":"\/a","type":"bind","source":"\/srv\/a","options":\["rbind","rro","rnodev"\]/,
  },
  bounds: { after: steps.bounds({ pids: 5 }), said: /"pids":\{"limit":5\}/ },
  bridge: { after: steps.bridge("br0"), refused: NETWORK },
  capabilities: { after: steps.capabilities({ keep: [] }), said: /"bounding":\[\]/ },
  chdir: { after: steps.chdir("/srv"), said: /"cwd":"\/srv"/ },
  chroot: { after: steps.chroot("/srv"), refused: /pivotRoot/ },
  clearEnv: { after: steps.clearEnv({ keep: ["TERM"] }), refused: /setEnv/ },
  cpuAffinity: { after: steps.cpuAffinity("0-3"), refused: /cpuset/ },
  denyFiles: { after: steps.denyFiles({ read: ["/a"] }), refused: FOUND },
  devices: { before: steps.devices("/new/dev", { extra: ["/dev/fuse"] }), refused: /mknod/ },
  dieWithParent: { after: steps.dieWithParent(), refused: /outlives/ },
  disableUserNamespaces: { after: steps.disableUserNamespaces(), refused: /seccomp/ },
  domainname: { after: steps.domainname("d"), said: /"domainname":"d"/ },
  dummy: { after: steps.dummy("d0"), refused: NETWORK },
  hostname: { after: steps.hostname("h"), said: /"hostname":"h"/ },
  init: { after: steps.init(), refused: /--init/ },
  ioPriority: {
    after: steps.ioPriority("best-effort", 3),
    said: /"ioPriority":\{"class":"IOPRIO_CLASS_BE","priority":3\}/,
  },
  join: { before: steps.join("/run/netns/x", "time"), said: /"time","path":"\/run\/netns\/x"/ },
  joinCgroup: { after: steps.joinCgroup("/sys/fs/cgroup/x"), refused: /engine's/ },
  landlock: { after: steps.landlock({ read: ["/"] }), refused: /Landlock/ },
  limits: { after: steps.limits({ memory: 5 }), said: /"memory":\{"limit":5\}/ },
  loopback: { after: steps.loopback(), said: /"network"/ },
  macvlan: { after: steps.macvlan("m0", { parent: "eth0" }), refused: NETWORK },
  mapCurrentUser: { after: steps.mapCurrentUser(), refused: /already/ },
  mapIds: {
    after: steps.mapIds({
      uids: [{ inside: 0, outside: 0, count: 1 }],
      gids: [{ inside: 0, outside: 0, count: 1 }],
    }),
    refused: /already/,
  },
  mapRoot: { after: steps.mapRoot(), refused: /already/ },
  maskPaths: { after: steps.maskPaths("/proc/kcore"), said: /"maskedPaths":\["\/proc\/kcore"\]/ },
  masquerade: { after: steps.masquerade("10.0.0.0/8"), refused: /--publish/ },
  memoryPolicy: {
    after: steps.memoryPolicy("bind", { nodes: "0-1", flags: ["static-nodes"] }),
    said: /"mode":"MPOL_BIND","nodes":"0-1","flags":\["MPOL_F_STATIC_NODES"\]/,
  },
  mkdir: {
    before: steps.mkdir("/new/m", { host: true }),
    refused: /makes directories to mount on/,
  },
  mknod: {
    before: steps.mknod("/new/dev/fuse", { type: "c", major: 10, minor: 229 }),
    said: /"path":"\/dev\/fuse","type":"c","major":10,"minor":229,"fileMode":420/,
  },
  mount: {
    before: steps.mount("x", "/new/m", { type: "ext4", options: "ro,data=journal" }),
    said: /"type":"ext4","source":"x","options":\["ro","data=journal"\]/,
  },
  moveInterface: { after: steps.moveInterface("eth0"), refused: NETWORK },
  mqueue: { before: steps.mqueue("/new/dev/mqueue"), said: /"type":"mqueue"/ },
  newSession: { after: steps.newSession(), said: /"terminal":false/ },
  noNewPrivileges: { after: steps.noNewPrivileges(), said: /"noNewPrivileges":true/ },
  oomScoreAdj: { after: steps.oomScoreAdj(5), said: /"oomScoreAdj":5/ },
  overlay: {
    before: steps.overlay("/new/o", { lower: ["/a", "/b"] }),
    said: /"type":"overlay","source":"overlay","options":\["lowerdir=\/a:\/b"\]/,
  },
  personality: {
    after: steps.personality("linux32"),
    said: /"personality":\{"domain":"LINUX32"\}/,
  },
  pivotRoot: { after: steps.pivotRoot("/mnt"), refused: /one root/ },
  proc: { before: steps.proc("/new/proc", { outer: true }), refused: /outside/ },
  programs: { before: steps.programs("/bin/sh", { root: "/new" }), refused: FOUND },
  propagation: {
    after: steps.propagation("/", "slave", { recursive: true }),
    said: /"rootfsPropagation":"rslave"/,
  },
  protect: { before: steps.protect("/a", "/new/a"), refused: FOUND },
  proxy: { after: steps.proxy(["example.org"]), refused: /the script is the proxy/ },
  publish: { after: steps.publish(80, { address: "10.0.0.2" }), refused: /--publish/ },
  readonlyPaths: {
    after: steps.readonlyPaths("/proc/sys"),
    said: /"readonlyPaths":\["\/proc\/sys"\]/,
  },
  remount: { after: steps.remount("/", "ro"), said: /"readonly":true/ },
  rlimit: { after: steps.rlimit("core", 1), said: /"RLIMIT_CORE","soft":1,"hard":1/ },
  root: { after: steps.root("/srv"), refused: /one root/ },
  route: { after: steps.route("default", { device: "lo" }), refused: NETWORK },
  scheduler: {
    after: steps.scheduler("rr", { priority: 5, flags: ["reset-on-fork"] }),
    said: /"SCHED_RR","flags":\["SCHED_FLAG_RESET_ON_FORK"\],"priority":5/,
  },
  seccomp: {
    after: steps.seccomp(),
    said: /"seccomp":\{.*"noNewPrivileges":true|"noNewPrivileges":true.*"seccomp":\{/,
  },
  setEnv: { after: steps.setEnv({ A: "b=c" }), said: /"env":\["A=b=c"\]/ },
  setUser: {
    after: steps.setUser({ uid: 5, groups: [6] }),
    said: /"uid":5,"gid":5,.*"additionalGids":\[6\]/,
  },
  symlink: {
    before: steps.symlink("a", "/new/b", { host: true }),
    refused: /directory of the root/,
  },
  sysctl: {
    after: steps.sysctl({ "net.ipv4.conf.eth0/1.forwarding": 1 }),
    said: /eth0\/1\.forwarding":"1"/,
  },
  sysfs: { before: steps.sysfs("/new/sys"), said: /"type":"sysfs"/ },
  timeOffset: { after: steps.timeOffset({ monotonic: 1 }), refused: /unshare\("time"\)/ },
  tmpfs: {
    before: steps.tmpfs("/new/t", { size: "1m", mode: 0o700, options: "exec,nodev" }),
    said: /"options":\["nosuid","exec","nodev","size=1m","mode=0700"\]/,
  },
  umask: { after: steps.umask(0), said: /"umask":0/ },
  unmount: { after: steps.unmount("/proc"), refused: /unmounts nothing/ },
  unshare: { after: steps.unshare("user"), refused: /capabilities\(\)/ },
  userNetwork: { after: steps.userNetwork(), refused: /--network=pasta/ },
  veth: { after: steps.veth("eth0"), refused: NETWORK },
  writeFile: {
    before: steps.writeFile("/new/f", "x", { host: true }),
    refused: /directory of the root/,
  },
};

test("every step is said in config.json, or refused with its number and the reason", () => {
  holdEveryStep(
    CASES,
    (made) => JSON.stringify(exportOci(made, { program: ["/bin/id"] }).config),
  );
});
