/** Every step, in a pod: it is said, or refused with the reason. */

import { exportKubernetes } from "../../export/mod.ts";
import * as steps from "../../mod.ts";
import { test } from "../support.ts";
import { type Cases, holdEveryStep } from "./every_step.ts";

const NETWORK = /network of its cluster/;
const FOUND = /found/;
const IMAGE = /put it into the image/;

const CASES: Cases = {
  address: { after: steps.address("lo", "10.0.0.1/8"), refused: NETWORK },
  bind: {
    before: steps.bind("/srv/a", "/new/a", { readOnly: true }),
    said:
      /"volumeMounts":\[\{"name":"a","mountPath":"\/a","readOnly":true,"recursiveReadOnly":"Enabled"\}\].*"hostPath":\{"path":"\/srv\/a"\}/,
  },
  bounds: { after: steps.bounds({ timeout: 5000 }), said: /"activeDeadlineSeconds":5,/ },
  bridge: { after: steps.bridge("br0"), refused: NETWORK },
  capabilities: {
    after: steps.capabilities({ keep: ["CAP_CHOWN"] }),
    said: /"capabilities":\{"drop":\["ALL"\],"add":\["CHOWN"\]\}/,
  },
  chdir: { after: steps.chdir("/srv"), said: /"workingDir":"\/srv"/ },
  chroot: { after: steps.chroot("/srv"), refused: /pivotRoot/ },
  clearEnv: { after: steps.clearEnv({ keep: ["TERM"] }), refused: /setEnv/ },
  cpuAffinity: { after: steps.cpuAffinity("0-3"), refused: /kubelet decides/ },
  denyFiles: { after: steps.denyFiles({ read: ["/a"] }), refused: FOUND },
  devices: {
    after: steps.devices("/dev", { shm: "1m" }),
    said: /"mountPath":"\/dev\/shm".*"emptyDir":\{"medium":"Memory","sizeLimit":"1Mi"\}/,
  },
  dieWithParent: { after: steps.dieWithParent(), refused: /outlives/ },
  disableUserNamespaces: { after: steps.disableUserNamespaces(), refused: /seccomp/ },
  domainname: { after: steps.domainname("d"), refused: /NIS/ },
  dummy: { after: steps.dummy("d0"), refused: NETWORK },
  hostname: { after: steps.hostname("h"), said: /"hostname":"h"/ },
  init: { after: steps.init(), said: /"shareProcessNamespace":true/ },
  ioPriority: { after: steps.ioPriority("best-effort", 3), refused: /priority/ },
  join: { before: steps.join("/run/netns/x", "time"), refused: /joins no namespace/ },
  joinCgroup: { after: steps.joinCgroup("/sys/fs/cgroup/x"), refused: /kubelet's/ },
  landlock: { after: steps.landlock({ read: ["/"] }), refused: /Landlock/ },
  limits: {
    after: steps.limits({ memory: "3m", cpus: 1.5 }),
    said: /"limits":\{"memory":"3Mi","cpu":"1500m"\}/,
  },
  loopback: { after: steps.loopback(), said: /"Pod"/ },
  macvlan: { after: steps.macvlan("m0", { parent: "eth0" }), refused: NETWORK },
  mapCurrentUser: { after: steps.mapCurrentUser(), refused: /no current user/ },
  mapIds: {
    after: steps.mapIds({
      uids: [{ inside: 0, outside: 0, count: 1 }],
      gids: [{ inside: 0, outside: 0, count: 1 }],
    }),
    refused: /kubelet chooses/,
  },
  mapRoot: { after: steps.mapRoot(), said: /"hostUsers":false/ },
  maskPaths: { after: steps.maskPaths("/proc/kcore", "/etc"), refused: /and not \/etc/ },
  masquerade: { after: steps.masquerade("10.0.0.0/8"), refused: NETWORK },
  memoryPolicy: { after: steps.memoryPolicy("bind", { nodes: "0" }), refused: /memory nodes/ },
  mkdir: { before: steps.mkdir("/new/m", { host: true }), refused: IMAGE },
  mknod: {
    before: steps.mknod("/new/dev/fuse", { type: "c", major: 10, minor: 229 }),
    refused: /device plugin/,
  },
  mount: { before: steps.mount("x", "/new/m", { type: "ext4" }), refused: /PersistentVolume/ },
  moveInterface: { after: steps.moveInterface("eth0"), refused: NETWORK },
  mqueue: { before: steps.mqueue("/new/dev/mqueue"), said: /"Pod"/ },
  newSession: { after: steps.newSession(), said: /"Pod"/ },
  noNewPrivileges: {
    after: steps.noNewPrivileges(),
    said: /"allowPrivilegeEscalation":false/,
  },
  oomScoreAdj: { after: steps.oomScoreAdj(5), refused: /kubelet gives/ },
  overlay: { before: steps.overlay("/new/o", { lower: ["/a", "/b"] }), refused: /merges/ },
  personality: { after: steps.personality("linux32"), refused: /personality/ },
  pivotRoot: { after: steps.pivotRoot("/mnt"), refused: /one root/ },
  proc: { before: steps.proc("/new/proc", { outer: true }), refused: /outside/ },
  programs: { before: steps.programs("/bin/sh", { root: "/new" }), refused: FOUND },
  propagation: { after: steps.propagation("/", "slave"), refused: /private/ },
  protect: { before: steps.protect("/a", "/new/a"), refused: FOUND },
  proxy: { after: steps.proxy(["example.org"]), refused: /the script is the proxy/ },
  publish: { after: steps.publish(80, { address: "10.0.0.2" }), refused: /Service/ },
  readonlyPaths: { after: steps.readonlyPaths("/proc/sys"), said: /"Pod"/ },
  remount: { after: steps.remount("/", "ro"), said: /"readOnlyRootFilesystem":true/ },
  rlimit: { after: steps.rlimit("core", 1), refused: /runtime's/ },
  root: { after: steps.root("/srv"), refused: /one root/ },
  route: { after: steps.route("default", { device: "lo" }), refused: NETWORK },
  scheduler: { after: steps.scheduler("batch"), refused: /scheduling/ },
  seccomp: {
    after: steps.seccomp(),
    said: /"allowPrivilegeEscalation":false.*"seccompProfile":\{"type":"RuntimeDefault"\}/,
  },
  setEnv: {
    after: steps.setEnv({ A: "$(B) $$C $D" }),
    said: /"env":\[\{"name":"A","value":"\$\$\(B\) \$\$\$C \$D"\}\]/,
  },
  setUser: {
    after: steps.setUser({ uid: 5, groups: [6] }),
    said: /"supplementalGroups":\[6\].*"runAsUser":5,"runAsGroup":5,/,
  },
  symlink: { before: steps.symlink("a", "/new/b", { host: true }), refused: IMAGE },
  sysctl: {
    after: steps.sysctl({ "net.ipv4.conf.eth0/1.forwarding": 1 }),
    said: /"sysctls":\[\{"name":"net\.ipv4\.conf\.eth0\/1\.forwarding","value":"1"\}\]/,
  },
  sysfs: { before: steps.sysfs("/new/sys"), said: /"Pod"/ },
  timeOffset: { after: steps.timeOffset({ monotonic: 1 }), refused: /clocks/ },
  tmpfs: {
    before: steps.tmpfs("/new/t", { size: "1m", options: "nodev" }),
    said: /"mountPath":"\/t".*"emptyDir":\{"medium":"Memory","sizeLimit":"1Mi"\}/,
  },
  umask: { after: steps.umask(0), refused: /022/ },
  unmount: { after: steps.unmount("/proc"), refused: /unmounts nothing/ },
  unshare: { after: steps.unshare("user"), refused: /capabilities\(\)/ },
  userNetwork: { after: steps.userNetwork(), said: /"egress":\[\{\}\]/ },
  veth: { after: steps.veth("eth0"), refused: NETWORK },
  writeFile: { before: steps.writeFile("/new/f", "x", { host: true }), refused: /ConfigMap/ },
};

test("every step is said in a pod, or refused with its number and the reason", () => {
  holdEveryStep(
    CASES,
    (made) =>
      JSON.stringify(
        exportKubernetes(made, { program: ["/bin/id"], image: "kitchen", name: "kitchen" }),
      ),
    steps.bind("/srv/root", "/new", { readOnly: true }),
  );
});
