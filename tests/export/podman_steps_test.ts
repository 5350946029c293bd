/** Every step, in a container of podman: it is said, or refused with the reason. */

import { exportPodman } from "../../export/mod.ts";
import * as steps from "../../mod.ts";
import { assertEquals } from "@std/assert";
import { test } from "../support.ts";
import { type Case, type Cases, holdEveryStep } from "./every_step.ts";

const NETWORK = /is podman's/;
const FOUND = /found/;

const CASES: Cases = {
  address: { after: steps.address("lo", "10.0.0.1/8"), refused: NETWORK },
  bind: {
    before: steps.bind("/srv/a", "/new/a", { restrict: ["noexec"] }),
    said: /\nVolume=\/srv\/a:\/a:rw,dev,suid,noexec,rbind,rprivate\n/,
  },
  bounds: {
    after: steps.bounds({ pids: 5, timeout: 5000 }),
    said: /--pids-limit=5\n[^]*--timeout=5\n/,
  },
  bridge: { after: steps.bridge("br0"), refused: NETWORK },
  capabilities: {
    after: steps.capabilities({ keep: ["CAP_CHOWN"] }),
    said: /\nDropCapability=all\nAddCapability=CAP_CHOWN\n/,
  },
  chdir: { after: steps.chdir("/srv"), said: /\nPodmanArgs=--workdir=\/srv\n/ },
  chroot: { after: steps.chroot("/srv"), refused: /pivotRoot/ },
  clearEnv: { after: steps.clearEnv({ keep: ["TERM"] }), refused: /setEnv/ },
  cpuAffinity: { after: steps.cpuAffinity("0-3"), refused: /cpuset/ },
  denyFiles: { after: steps.denyFiles({ read: ["/a"] }), refused: FOUND },
  devices: {
    after: steps.devices("/dev", {
      shm: "1m",
      extra: ["/dev/fuse", ["/dev/b", "/dev/a"]],
      gpus: [1],
    }),
    said:
      /--shm-size=1m\nAddDevice=\/dev\/fuse\nAddDevice=\/dev\/b:\/dev\/a\nAddDevice=nvidia.com\/gpu=1\n/,
  },
  dieWithParent: { after: steps.dieWithParent(), refused: /outlives/ },
  disableUserNamespaces: { after: steps.disableUserNamespaces(), refused: /seccomp/ },
  domainname: { after: steps.domainname("d"), refused: /NIS/ },
  dummy: { after: steps.dummy("d0"), refused: NETWORK },
  hostname: { after: steps.hostname("h"), said: /\nHostName=h\n/ },
  init: { after: steps.init(), said: /\nRunInit=true\n/ },
  ioPriority: { after: steps.ioPriority("best-effort", 3), refused: /priority/ },
  join: {
    before: steps.join("/run/netns/x", "cgroup"),
    said: /\nPodmanArgs=--cgroupns=ns:\/run\/netns\/x\n/,
  },
  joinCgroup: { after: steps.joinCgroup("/sys/fs/cgroup/x"), refused: /Slice=/ },
  landlock: { after: steps.landlock({ read: ["/"] }), refused: /Landlock/ },
  limits: {
    after: steps.limits({ memory: "3m", cpus: 1.5 }),
    said: /\[Service\]\nMemoryMax=3145728\nCPUQuota=150%\n/,
  },
  loopback: { after: steps.loopback(), said: /\nNetwork=none\n/ },
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
  maskPaths: {
    after: steps.maskPaths("/proc/kcore", "/etc"),
    said: /--security-opt=mask=\/proc\/kcore:\/etc\n/,
  },
  masquerade: { after: steps.masquerade("10.0.0.0/8"), refused: NETWORK },
  memoryPolicy: { after: steps.memoryPolicy("bind", { nodes: "0" }), refused: /memory nodes/ },
  mkdir: { before: steps.mkdir("/new/m", { host: true }), refused: /to mount on/ },
  mknod: {
    before: steps.mknod("/new/dev/fuse", { type: "c", major: 10, minor: 229 }),
    refused: /bind\(\)/,
  },
  mount: { before: steps.mount("x", "/new/m", { type: "ext4" }), refused: /bind\(\)/ },
  moveInterface: { after: steps.moveInterface("eth0"), refused: NETWORK },
  mqueue: { before: steps.mqueue("/new/dev/mqueue"), said: /\[Container\]/ },
  newSession: { after: steps.newSession(), said: /\[Container\]/ },
  noNewPrivileges: { after: steps.noNewPrivileges(), said: /\nNoNewPrivileges=true\n/ },
  oomScoreAdj: { after: steps.oomScoreAdj(5), said: /--oom-score-adj=5\n/ },
  overlay: {
    before: steps.overlay("/new/o", { lower: ["/a"], upper: "/b", work: "/c" }),
    said: /\nVolume=\/a:\/o:O,upperdir=\/b,workdir=\/c\n/,
  },
  personality: { after: steps.personality("linux32"), refused: /personality/ },
  pivotRoot: { after: steps.pivotRoot("/mnt"), refused: /one root/ },
  proc: { before: steps.proc("/new/proc", { outer: true }), refused: /outside/ },
  programs: { before: steps.programs("/bin/sh", { root: "/new" }), refused: FOUND },
  propagation: { after: steps.propagation("/", "slave"), refused: /private/ },
  protect: { before: steps.protect("/a", "/new/a"), refused: FOUND },
  proxy: { after: steps.proxy(["example.org"]), refused: /the script is the proxy/ },
  publish: { after: steps.publish(80, { address: "10.0.0.2" }), refused: /PublishPort=/ },
  readonlyPaths: { after: steps.readonlyPaths("/proc/sys", "/etc"), refused: /and not \/etc/ },
  remount: { after: steps.remount("/", "ro"), said: /\nReadOnly=true\n/ },
  rlimit: { after: steps.rlimit("core", 1, "unlimited"), said: /--ulimit=core=1:-1\n/ },
  root: { after: steps.root("/srv"), refused: /one root/ },
  route: { after: steps.route("default", { device: "lo" }), refused: NETWORK },
  scheduler: { after: steps.scheduler("batch"), refused: /scheduling/ },
  seccomp: {
    after: steps.seccomp(),
    said: /\nNoNewPrivileges=true\n[^]*\nSeccompProfile=\/srv\/filter\.json\n/,
  },
  setEnv: {
    after: steps.setEnv({ A: '$B %n "c"' }),
    said: /\nEnvironment="A=\$\$B %%n \\"c\\""\n/,
  },
  setUser: { after: steps.setUser({ uid: 5 }), refused: /5, or the group, is not mapped/ },
  symlink: {
    before: steps.symlink("a", "/new/b", { host: true }),
    refused: /directory of the root/,
  },
  sysctl: {
    after: steps.sysctl({ "net.ipv4.conf.eth0/1.forwarding": 1 }),
    said: /\nSysctl=net\.ipv4\.conf\.eth0\/1\.forwarding=1\n/,
  },
  sysfs: { before: steps.sysfs("/new/sys"), said: /\[Container\]/ },
  timeOffset: { after: steps.timeOffset({ monotonic: 1 }), refused: /time namespace/ },
  tmpfs: {
    before: steps.tmpfs("/new/t", { size: "1m", mode: 0o700, options: "noexec" }),
    said: /\nTmpfs=\/t:rw,nosuid,nodev,noexec,size=1m,mode=0700,notmpcopyup\n/,
  },
  umask: { after: steps.umask(0), said: /--umask=0000\n/ },
  unmount: { after: steps.unmount("/proc"), refused: /unmounts nothing/ },
  unshare: { after: steps.unshare("user"), refused: /capabilities\(\)/ },
  userNetwork: { after: steps.userNetwork("slirp4netns"), said: /\nNetwork=slirp4netns\n/ },
  veth: { after: steps.veth("eth0"), refused: NETWORK },
  writeFile: {
    before: steps.writeFile("/new/f", "x", { host: true }),
    refused: /directory of the root/,
  },
};

test("every step is said in a container of podman, or refused with its number and the reason", () => {
  holdEveryStep(
    CASES,
    (made) => exportPodman(made, { program: ["/bin/id"], seccompProfile: "/srv/filter.json" }).unit,
  );
});

/** The data of a step with a line end and a line of a unit in one of its texts or names. */
function* withLine(value: unknown): Generator<unknown> {
  if (typeof value === "string") {
    yield `${value}${LINE}`;
    yield LINE + value;
  } else if (typeof value === "object" && value !== null) {
    for (const [name, field] of Object.entries(value)) {
      if (name === "step") continue;
      for (const other of withLine(field)) {
        yield Array.isArray(value) ? value.with(Number(name), other) : { ...value, [name]: other };
      }
      if (!Array.isArray(value)) {
        const { [name as keyof typeof value]: _, ...rest } = value;
        yield { ...rest, [name + LINE]: field };
      }
    }
  }
}

const LINE = "\nPodmanArgs=--privileged";

test("no text of a step becomes a line of its own", () => {
  let count = 0;
  const net: Case = { before: steps.join("/run/netns/blue", "net"), said: /./ };
  for (const { before, after, said } of [...Object.values<Case>(CASES), net]) {
    if (said === undefined || before?.step === "join" && !before.kinds?.includes("net")) continue;
    for (const step of withLine(before ?? after) as Generator<steps.Step>) {
      const isJoin = step.step === "join";
      const list = [
        ...(isJoin ? [step] : []),
        steps.unshare("user", "mount", "pid", "uts", "ipc", ...(isJoin ? [] : ["net" as const])),
        steps.mapRoot(),
        steps.bind("/srv/root", "/new"),
        steps.devices("/new/dev"),
        ...(before === undefined || isJoin ? [] : [step]),
        steps.pivotRoot("/new"),
        steps.clearEnv(),
        ...(before === undefined ? [step] : []),
      ];
      try {
        const options = { program: ["/bin/id"], seccompProfile: "/srv/filter.json" } as const;
        const { unit } = exportPodman({ steps: list }, options);
        count++;
        assertEquals(unit.includes(LINE), false, JSON.stringify(step));
      } catch (error) {
        if (!(error instanceof steps.RecipeError)) throw error;
      }
    }
  }
  assertEquals(count > 10, true);
});
