/** What a program finds in a container that config.json describes. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { CapabilitySet } from "../../oci/spec.ts";
import { notRoot, root, test } from "../support.ts";
import { Kitchen, type Mutable, noBusybox, until } from "./support.ts";

/** Runs a script in a container and returns its lines. */
async function linesOf(
  kitchen: Kitchen,
  script: string,
  change: (config: Mutable) => void = () => {},
): Promise<string[]> {
  kitchen.configure(script, change);
  const { code, stdout, stderr } = await kitchen.run();
  assertEquals([code, stderr], [0, ""]);
  return stdout.trimEnd().split("\n");
}

test("the process is as config.json says", async () => {
  using kitchen = new Kitchen();
  const script =
    `id -u; umask; pwd; echo "$A $HOME"; ulimit -n; grep -E '^(CapBnd|CapEff|NoNewPrivs|Seccomp):' \
    /proc/self/status; cat /proc/self/oom_score_adj; hostname; ls /proc/self/fd | wc -w; stat -c %a .`;
  const applets = ["grep", "wc"];
  for (const name of applets) Deno.symlinkSync("busybox", kitchen.file(`/bin/${name}`));
  const lines = await linesOf(kitchen, script, ({ process, linux }) => {
    process.cwd = "/made/here";
    process.env = ["PATH=/bin", "A=b=c"];
    process.user = { uid: 0, gid: 0, umask: 0o27 };
    process.rlimits = [{ type: "RLIMIT_NOFILE", soft: 99, hard: 100 }];
    process.oomScoreAdj = 900;
    const sets: CapabilitySet[] = ["bounding", "permitted", "effective"];
    process.capabilities = Object.fromEntries(
      sets.map((set) => [set, ["CAP_KILL", "CAP_UNKNOWN"]]),
    );
    linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW" };
  });
  assertEquals(lines, [
    "0",
    "0027",
    "/made/here",
    "b=c /root",
    "99",
    "CapEff:\t0000000000000020",
    "CapBnd:\t0000000000000020",
    "NoNewPrivs:\t1",
    "Seccomp:\t2",
    "900",
    "ramekin",
    // The three streams, and the directory that ls reads.
    "4",
    "755",
  ]);
}, noBusybox);

/** Prints the nice value and the policy (proc_pid_stat(5)). */
const SCHEDULED = "cut -d ' ' -f 19,41 /proc/self/stat";

test("the process has the machine as config.json says", async () => {
  using kitchen = new Kitchen();
  for (const name of ["cut", "head", "ionice", "uname"]) {
    Deno.symlinkSync("busybox", kitchen.file(`/bin/${name}`));
  }
  const script = `${SCHEDULED}; ionice; head -n 1 /proc/self/numa_maps; uname -m`;
  const lines = await linesOf(kitchen, script, ({ process, linux }) => {
    process.scheduler = { policy: "SCHED_BATCH", nice: 7, priority: 0, flags: [] };
    process.ioPriority = { class: "IOPRIO_CLASS_BE", priority: 6 };
    // Of exec alone.
    process.execCPUAffinity = { initial: "8000" };
    linux.memoryPolicy = { mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_STATIC_NODES"] };
    linux.personality = { domain: "LINUX32", flags: ["ADDR_NO_RANDOMIZE"] };
  });
  assertEquals(lines.slice(0, 2), ["7 3", "best-effort: prio 6"]);
  assertMatch(lines[2]!, / bind=static:0 /);
  assertEquals(lines[3], { x86_64: "i686", aarch64: "armv8l" }[Deno.build.arch]);
}, noBusybox);

test("mounts are made where config.json says, and protected", async () => {
  using kitchen = new Kitchen();
  Deno.mkdirSync(`${kitchen.directory}/shown`);
  Deno.writeTextFileSync(`${kitchen.directory}/shown/file`, "shown\n");
  // A link in the root leads nowhere else than in the root.
  Deno.symlinkSync("/../../over/there", kitchen.file("/link"));
  const script = `cat /link/data/file /one; touch /link/data/x 2>&1; touch /new 2>&1;
    cat /proc/keys; mount | grep -c ' /proc/sys .*ro,'; touch /scratch/x && echo written; cat /etc/kept;
    [ -c /dev/null ] && [ -L /dev/fd ] && echo devices; touch /tmp/sub/y 2>&1; true`;
  for (const name of ["touch", "grep"]) Deno.symlinkSync("busybox", kitchen.file(`/bin/${name}`));
  Deno.writeTextFileSync(kitchen.file("/etc/kept"), "kept\n");
  const lines = await linesOf(kitchen, script, ({ root, mounts }) => {
    root!.readonly = true;
    const source = `${kitchen.directory}/shown`;
    mounts!.push(
      { destination: "/link/data", type: "bind", source, options: ["rbind", "rro", "nosuid"] },
      { destination: "/one", type: "bind", source: `${source}/file`, options: ["bind", "ro", ""] },
      { destination: "/scratch", type: "tmpfs", source: "tmpfs", options: ["size=1m", "rprivate"] },
      { destination: "/etc", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"] },
    );
  });
  assertEquals(lines, [
    "shown",
    "shown",
    "touch: /link/data/x: Read-only file system",
    "touch: /new: Read-only file system",
    "1",
    "written",
    "kept",
    "devices",
    "touch: /tmp/sub/y: No such file or directory",
  ]);
  assertEquals(Deno.statSync(kitchen.file("/over/there/data")).isDirectory, true);
}, noBusybox);

test(
  "another user has what config.json gives, under a filter that needs no no_new_privs",
  async () => {
    using kitchen = new Kitchen();
    for (const name of ["grep", "mkdir"]) Deno.symlinkSync("busybox", kitchen.file(`/bin/${name}`));
    const script =
      "id; grep -E '^(CapInh|CapEff|CapAmb|NoNewPrivs)' /proc/self/status; mkdir /tmp/a 2>&1; true";
    const lines = await linesOf(kitchen, script, ({ process, linux }) => {
      process.noNewPrivileges = false;
      process.user = { uid: 1000, gid: 100, additionalGids: [5, 6] };
      const sets: CapabilitySet[] = [
        "bounding",
        "permitted",
        "effective",
        "inheritable",
        "ambient",
      ];
      process.capabilities = Object.fromEntries(sets.map((set) => [set, ["CAP_KILL"]]));
      linux.seccomp = {
        defaultAction: "SCMP_ACT_ALLOW",
        syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 38 }],
      };
    });
    assertEquals(lines, [
      "uid=1000 gid=100 groups=5,6",
      "CapInh:\t0000000000000020",
      "CapEff:\t0000000000000020",
      "CapAmb:\t0000000000000020",
      "NoNewPrivs:\t0",
      "mkdir: can't create directory '/tmp/a': Function not implemented",
    ]);
  },
  notRoot ?? noBusybox,
);

test("a network of its own has a loopback interface that is up", async () => {
  using kitchen = new Kitchen();
  Deno.symlinkSync("busybox", kitchen.file("/bin/ping"));
  const script = "ping -c 1 127.0.0.1 | grep -c '1 packets received'";
  Deno.symlinkSync("busybox", kitchen.file("/bin/grep"));
  assertEquals(
    await linesOf(kitchen, script, ({ process, linux }) => {
      const needed = ["CAP_NET_RAW"];
      process.capabilities = { bounding: needed, effective: needed, permitted: needed };
      assert(linux.namespaces!.some(({ type }) => type === "network"));
    }),
    ["1"],
  );
}, noBusybox);

test("without id maps a user namespace has the caller alone, as the program's user", async () => {
  using kitchen = new Kitchen();
  const lines = await linesOf(kitchen, "id -u; id -g; cat /proc/self/uid_map", (config) => {
    const { linux, mounts, process } = config;
    process.user = { uid: 5, gid: 6 };
    for (const mount of mounts!) {
      mount.options = mount.options?.filter((word) => word !== "gid=5") ?? [];
    }
    linux.namespaces = [...linux.namespaces!.filter(({ type }) => type !== "user"), {
      type: "user",
    }];
    delete linux.uidMappings;
    delete linux.gidMappings;
  });
  assertEquals(lines.slice(0, 2), ["5", "6"]);
  assertMatch(lines[2]!, new RegExp(`^\\s+5\\s+${Deno.uid()}\\s+1$`));
}, noBusybox);

test("root runs a container whose user namespace maps a single user", async () => {
  using kitchen = new Kitchen();
  const lines = await linesOf(kitchen, "id -u; id -G", ({ linux, mounts }) => {
    // The group of terminals is not mapped.
    for (const mount of mounts!) {
      mount.options = mount.options?.filter((word) => word !== "gid=5") ?? [];
    }
    linux.namespaces = [...linux.namespaces!.filter(({ type }) => type !== "user"), {
      type: "user",
    }];
    linux.uidMappings = [{ containerID: 0, hostID: Deno.uid()!, size: 1 }];
    linux.gidMappings = [{ containerID: 0, hostID: Deno.gid()!, size: 1 }];
  });
  assertEquals(lines[0], "0");
}, noBusybox);

test("root makes the devices of a container with a user namespace, for its users", async () => {
  using kitchen = new Kitchen();
  const change = ({ linux, mounts, process }: Mutable) => {
    for (const mount of mounts!) {
      mount.options = mount.options?.filter((word) => word !== "gid=5") ?? [];
    }
    linux.namespaces = [...linux.namespaces!, { type: "user" }];
    linux.uidMappings = [{ containerID: 0, hostID: 100_000, size: 2000 }];
    linux.gidMappings = [{ containerID: 0, hostID: 100_000, size: 2000 }];
    linux.devices = [
      { path: "/dev/own", type: "c", major: 1, minor: 3, uid: 1000, gid: 5, fileMode: 0o600 },
    ];
    process.user = { uid: 1000, gid: 5 };
  };
  // Its root has to reach the files.
  Deno.chmodSync(kitchen.bundle, 0o755);
  const script =
    "stat -c '%t:%T %u:%g %a' /dev/own; echo lost > /dev/own; ls -a /dev/own /dev/null";
  assertEquals(await linesOf(kitchen, script, change), [
    "1:3 1000:5 600",
    "/dev/null",
    "/dev/own",
  ]);
}, notRoot ?? noBusybox);

test("namespaces are joined by their files", async () => {
  using kitchen = new Kitchen();
  const own = (kind: string) => Deno.readLinkSync(`/proc/self/ns/${kind}`);
  const lines = await linesOf(kitchen, "for n in net uts; do readlink /proc/self/ns/$n; done", ({
    linux,
    ...config
  }) => {
    Deno.symlinkSync("busybox", kitchen.file("/bin/readlink"));
    const network = linux.namespaces!.find(({ type }) => type === "network")!;
    network.path = "/proc/self/ns/net";
    config.mounts = config.mounts!.filter(({ type }) => type !== "sysfs");
  });
  assertEquals([lines[0] === own("net"), lines[1] === own("uts")], [true, false]);
}, notRoot ?? noBusybox);

test("a terminal's other side is sent to the console socket", async () => {
  using kitchen = new Kitchen();
  const socket = `${kitchen.directory}/console`;
  using listener = Deno.listen({ transport: "unix", path: socket });
  kitchen.configure("[ -t 0 ] && [ -t 1 ]", ({ process }) => {
    process.terminal = true;
    process.consoleSize = { height: 24, width: 80 };
  });
  const accepted = listener.accept();
  const id = kitchen.id();
  const answer = await kitchen.bare("create", "--console-socket", socket, id);
  assertEquals(answer, { code: 0, stdout: "", stderr: "" });
  using connection = await accepted;
  // Deno drops the descriptor, and reads the byte that it comes with.
  assertEquals(await connection.read(new Uint8Array(8)), 1);
}, noBusybox);

test("a terminal is /dev/console too, of the program's user", async () => {
  using kitchen = new Kitchen();
  for (const name of ["tty", "test"]) Deno.symlinkSync("busybox", kitchen.file(`/bin/${name}`));
  const script = `tty; stat -c '%t:%T %U' /dev/console; stat -Lc '%t:%T %U' /proc/self/fd/0;
    echo through > /dev/console`;
  const lines = await linesOf(kitchen, script, ({ process }) => {
    process.terminal = true;
    process.user = { uid: root ? 1000 : 0, gid: 0 };
  });
  const [name, one, other, said] = lines.map((line) => line.trim());
  assertEquals([name, one, said], ["/dev/pts/0", other, "through"]);
  assertMatch(one!, root ? /^88:0 UNKNOWN$/ : /^88:0 root$/);
}, noBusybox);

test("exec takes a process from a file, and leaves it running", async () => {
  using kitchen = new Kitchen();
  kitchen.configure("exec sleep 1000");
  const id = kitchen.id();
  assertEquals((await kitchen.start("--cgroup-manager=disabled", "create", id).status).code, 0);
  await kitchen.call("start", id);
  const [file, pidFile] = [`${kitchen.directory}/process.json`, `${kitchen.directory}/pid`];
  const process = {
    args: ["sleep", "999"],
    env: ["PATH=/bin"],
    cwd: "/tmp",
    user: { uid: 0, gid: 0 },
    capabilities: {},
    noNewPrivileges: true,
  };
  Deno.writeTextFileSync(file, JSON.stringify(process));
  const words = ["exec", "--process", file, "--detach", "--pid-file", pidFile, id];
  assertEquals((await kitchen.start(...words).status).code, 0);
  const pid = Deno.readTextFileSync(pidFile);
  // For a moment it is the sealed executable.
  const program = ["sleep", "999", ""].join("\0");
  await until(() => Deno.readTextFileSync(`/proc/${pid}/cmdline`) === program);
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  assertMatch(status, /^CapEff:\t0000000000000000$/m);
  assertMatch(status, /^NoNewPrivs:\t1$/m);
  assertEquals(
    Deno.readLinkSync(`/proc/${pid}/ns/pid`),
    Deno.readLinkSync(`/proc/${JSON.parse((await kitchen.call("state", id)).stdout).pid}/ns/pid`),
  );
  const rest = {
    scheduler: { policy: "SCHED_IDLE" },
    ioPriority: { class: "IOPRIO_CLASS_IDLE" },
    execCPUAffinity: { initial: "0,", final: "0-0, 0" },
  };
  for (const name of ["cut", "ionice", "grep"]) {
    Deno.symlinkSync("busybox", kitchen.file(`/bin/${name}`));
  }
  const script = SCHEDULED + "; ionice; grep Cpus_allowed_list /proc/self/status";
  const args = ["sh", "-c", script];
  Deno.writeTextFileSync(file, JSON.stringify({ ...process, ...rest, args }));
  const { stdout } = await kitchen.call("exec", "--process", file, id);
  assertMatch(stdout, /^0 5\nidle(: prio 0)?\nCpus_allowed_list:\t0\n$/);
  const missing = await kitchen.call("exec", id, "nonesuch");
  assertEquals([missing.code, missing.stdout], [255, ""]);
  assertStringIncludes(missing.stderr, 'exec: "nonesuch": executable file not found in $PATH');
}, noBusybox);

test("descriptors are passed on by number, and no others", async () => {
  using kitchen = new Kitchen();
  kitchen.configure("cat <&3; ls /proc/self/fd");
  const runtime = [`${kitchen.directory}/ramekin-oci`, "--root", kitchen.state];
  const words = [...runtime, "--cgroup-manager=disabled", "run", "--preserve-fds=1", kitchen.id()];
  const { stdout } = await new Deno.Command("/bin/sh", {
    args: ["-c", 'exec 3</etc/hostname 4</etc/passwd; exec "$@"', "sh", ...words],
    cwd: kitchen.bundle,
    clearEnv: true,
  }).output();
  const expected = Deno.readTextFileSync("/etc/hostname") + "0\n1\n2\n3\n4\n";
  // 4 is the directory that ls reads.
  assertEquals(new TextDecoder().decode(stdout), expected);
}, noBusybox);

test("the ids of a user namespace are mapped, and sources are opened before it", async () => {
  using kitchen = new Kitchen();
  const hidden = `${kitchen.directory}/hidden`;
  Deno.mkdirSync(`${hidden}/shown`, { recursive: true });
  Deno.writeTextFileSync(`${hidden}/shown/file`, "found\n");
  Deno.chmodSync(hidden, 0o700);
  const lines = await linesOf(kitchen, "cat /mnt/file /proc/self/uid_map", ({ linux, mounts }) => {
    const map = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
    [linux.uidMappings, linux.gidMappings] = [map, map];
    linux.namespaces!.push({ type: "user" });
    mounts!.push({ destination: "/mnt", source: `${hidden}/shown`, options: ["rbind"] });
    for (const path of ["", "/bin", "/dev", "/etc", "/proc", "/sys", "/tmp"]) {
      Deno.chownSync(kitchen.file(path), 100_000, 100_000);
    }
  });
  assertEquals(lines[0], "found");
  assertMatch(lines[1]!, /^\s+0\s+100000\s+65536$/);
}, root ? noBusybox : notRoot);

test(
  "pipes are the program's, to be opened by name, and the caller's devices stay the caller's",
  async () => {
    using kitchen = new Kitchen();
    const script = "echo out > /dev/stdout; echo error > /dev/stderr; stat -Lc %u /dev/stdout";
    // The standard input of the runtime.
    const before = Deno.statSync("/dev/null").uid;
    const places: ((config: Mutable) => void)[] = [() => {}, ({ linux }) => {
      linux.namespaces!.push({ type: "user" });
      const map = [{ containerID: 0, hostID: 100_000, size: 2000 }];
      Object.assign(linux, { uidMappings: map, gidMappings: map });
    }];
    for (const place of places) {
      kitchen.configure(script, (config) => {
        config.process.user = { uid: 1234, gid: 1234 };
        place(config);
      });
      const answer = await kitchen.run();
      assertEquals(answer, { code: 0, stdout: "out\n1234\n", stderr: "error\n" });
      assertEquals(Deno.statSync("/dev/null").uid, before);
    }
  },
  noBusybox ?? notRoot,
);
