/** `join`, and what containers offer for it: `enter`, `namespaces`, `identity`. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  bind,
  capabilities,
  chdir,
  chroot,
  type Container,
  devices,
  domainname,
  hostname,
  init,
  join,
  type JoinOptions,
  linux,
  loopback,
  mapIds,
  mapRoot,
  mkdir,
  type NamespaceKind,
  newSession,
  noNewPrivileges,
  pivotRoot,
  proc,
  programs,
  type Recipe,
  recipe,
  rlimit,
  setEnv,
  setUser,
  type Step,
  symlink,
  sysfs,
  timeOffset,
  tmpfs,
  umask,
  unshare,
  writeFile,
} from "../../mod.ts";
import { missing } from "../ffi/support.ts";
import { decode, runScript, until } from "../other_scripts.ts";
import {
  assertFails,
  assertRefused,
  grounds,
  inDirectory,
  inside,
  NAMESPACE_FILES,
  NAMESPACE_KINDS,
  notOrdinary,
  notRoot,
  root,
  test,
  testOn,
} from "../support.ts";

const ALL = NAMESPACE_KINDS.filter((kind) => kind !== "user") as Exclude<NamespaceKind, "user">[];

// The shell itself reads the links, because it is the process that has joined.
const READ_IDS = `for kind in ${NAMESPACE_KINDS.map((kind) => NAMESPACE_FILES[kind]).join(" ")}; do
  readlink /proc/$$/ns/$kind
done`;

/** The ids that a shell script has read, by kind. */
function ids(lines: string): Record<string, number> {
  const numbers = lines.split("\n").map((line) => Number(/\[(\d+)\]/.exec(line)?.[1]));
  return Object.fromEntries(NAMESPACE_KINDS.map((kind, index) => [kind, numbers[index]!]));
}

function ownIds(): Record<string, number> {
  const own = linux.namespaces();
  return Object.fromEntries(
    NAMESPACE_KINDS.map((kind) => [kind, own[kind]!]),
  );
}

/** A container that sleeps until the end of the scope. */
function sleeper(mounts: Recipe, ...steps: Step[]): Container {
  return mounts.with(...steps).command("sleep", { args: ["600"] }).spawn();
}

const noNsenter = missing("nsenter");

for (const kind of ALL) {
  testOn([kind], `join(container, "${kind}") joins that namespace`, async (mounts, privileged) => {
    await using target = sleeper(mounts);
    const kinds: NamespaceKind[] = privileged ? [kind] : ["user", kind];
    const joined = ids(inside(recipe(join(target, ...kinds)), readIdsFor(kind)));
    const expected = { ...ownIds() };
    for (const kind of kinds) expected[kind] = target.namespaces[kind]!;
    assertEquals(joined, expected);
  });
}

/** In a pid namespace with the host's /proc, the shell has another pid there. */
function readIdsFor(kind: NamespaceKind): string {
  return kind === "pid" ? READ_IDS.replace("/$$/", "/self/") : READ_IDS;
}

test('join(container, "user") joins that namespace, as its root', async () => {
  await using target = sleeper(recipe(unshare("user"), mapRoot()));
  const script = `id -u; id -g; ${READ_IDS}`;
  const [uid, gid, ...links] = inside(recipe(join(target, "user")), script).split("\n");
  assertEquals([uid, gid], ["0", "0"]);
  assertEquals(ids(links.join("\n")), { ...ownIds(), user: target.namespaces.user! });
});

testOn(ALL, "without kinds all are joined that differ", async (mounts) => {
  await using target = sleeper(mounts, proc());
  assertEquals(ids(inside(recipe(join(target)), READ_IDS)), { ...target.namespaces });
});

test("joining a process that shares all namespaces with the script does nothing", async () => {
  await using target = sleeper(recipe());
  assertEquals(ids(inside(recipe(join(target)), READ_IDS)), ownIds());
});

// nsenter(1) fails if setgroups(2) is denied, as it is for an unprivileged user.
const KEEP = root ? [] : ["--preserve-credentials"];
const FLAGS = ["-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w"];

for (const { name, mounts } of grounds("mount", "pid", "uts", "ipc", "net", "cgroup")) {
  test(`enter() and nsenter(1) see the same container, ${name}`, async () => {
    await using target = sleeper(
      mounts,
      proc(),
      tmpfs("/tmp"),
      writeFile("/tmp/here", "one"),
      hostname("a-cooler-hostname"),
      chdir("/tmp"),
    );
    const script = `id; hostname; pwd; cat here; ls /; cat /proc/1/comm; cat /proc/self/cgroup
      grep -E 'Cap|Groups|NoNewPrivs' /proc/self/status; umask; ${READ_IDS}`;
    const ours = await target.enter("sh", { args: ["-euc", script] }).output();
    const user = target.namespaces.user === ownIds().user ? [] : ["-U", ...KEEP];
    const nsenter = await new Deno.Command("nsenter", {
      args: ["-t", String(target.pid), ...user, ...FLAGS, "sh", "-euc", script],
    }).output();
    assert(nsenter.success, decode(nsenter.stderr));
    assertEquals(decode(ours.stdout), decode(nsenter.stdout));
  }, noNsenter);
}

testOn(["pid"], "who joins a pid namespace is seen in it, but is not its first", async (mounts) => {
  await using target = sleeper(mounts);
  await using joined = recipe(join(target)).command("sleep", { args: ["600"] }).spawn();
  const numbers = /^NSpid:\s+(.*)$/m.exec(Deno.readTextFileSync(`/proc/${joined.pid}/status`))![1]!;
  const [outside, within] = numbers.split(/\s+/).map(Number);
  assertEquals(outside, joined.pid);
  assert(within! > 1, numbers);
});

testOn(["pid"], "who has joined a pid namespace ends with its first process", async (mounts) => {
  await using target = sleeper(mounts);
  await using joined = recipe(join(target)).command("sleep", { args: ["600"] }).spawn();
  target.kill("SIGKILL");
  assertEquals((await joined.status).signal, "SIGKILL");
});

testOn(
  ["pid", "mount"],
  "other steps may follow: a mount namespace, and a new /proc",
  async (mounts) => {
    await using target = sleeper(mounts, proc());
    const box = recipe(
      join(target, ...(target.namespaces.user === ownIds().user ? [] : ["user" as const]), "pid"),
      unshare("mount"),
      tmpfs("/tmp"),
      proc(),
    );
    const [first, mount, files] = inside(
      box,
      "cat /proc/1/comm; readlink /proc/self/ns/mnt; ls /tmp | wc -l",
    )
      .split("\n");
    assertEquals(first, "sleep");
    assert(!mount!.includes(String(target.namespaces.mount)), mount);
    assertEquals(files, "0");
  },
);

testOn(
  ["mount", "pid", "uts", "ipc", "net"],
  "all kinds of steps work behind a join, though nobody may look into the process",
  async (mounts) => {
    await using target = sleeper(mounts, proc());
    const groups: Record<string, Step[]> = {
      mounts: [tmpfs("/tmp"), proc(), sysfs(), bind("/usr", "/mnt", { readOnly: true })],
      devices: [devices()],
      names: [hostname("another"), domainname("example.org")],
      files: [tmpfs("/mnt"), mkdir("/mnt/a/b"), writeFile("/mnt/a/c", "x"), symlink("a", "/mnt/d")],
      root: [tmpfs("/mnt"), programs("/bin/sh", { root: "/mnt" }), pivotRoot("/mnt")],
      process: [umask(0o77), rlimit("nofile", 64), newSession(), noNewPrivileges()],
      identity: [setUser({ uid: 0, gid: 0 }), capabilities({ effective: [], permitted: [] })],
      network: [loopback()],
    };
    for (const [name, steps] of Object.entries(groups)) {
      const box = recipe(join(target), unshare("mount"), ...steps);
      assertEquals(inside(box, "echo ran"), "ran", name);
    }
  },
);

testOn(["pid"], "a pid namespace within the one that is joined is refused", async (mounts) => {
  await using target = sleeper(mounts);
  const says = "run a second recipe in the container";
  assertRefused(() => recipe(join(target), unshare("pid")), { step: "unshare", at: 1, says });
  assertRefused(() => recipe(join(target), join(target, "pid")), { step: "join", at: 1, says });
});

testOn(
  ["mount"],
  "a mount in a mount namespace that is joined is there for all",
  async (mounts) => {
    await using target = sleeper(mounts);
    inside(recipe(join(target), tmpfs("/mnt")), "touch /mnt/left");
    const { stdout } = await target.enter("ls", { args: ["/mnt"] }).output();
    assertEquals(decode(stdout), "left\n");
  },
);

testOn(
  ["uts"],
  "a pid, a pidfd, the data of a container and a file are joined alike",
  async (mounts) => {
    await using target = sleeper(mounts, hostname("a-cooler-hostname"));
    const kinds: NamespaceKind[] = target.namespaces.user === ownIds().user
      ? ["uts"]
      : ["user", "uts"];
    using pidfd = linux.pidfd_open(target.pid);
    const data = JSON.parse(JSON.stringify(join(target, ...kinds)));
    for (
      const steps of [
        [join(target.pid)],
        [join(target.pid, ...kinds)],
        [join(pidfd, ...kinds)],
        [data],
        kinds.map((kind) => join(`/proc/${target.pid}/ns/${NAMESPACE_FILES[kind]}`)),
        kinds.map((kind) => join(`/proc/${target.pid}/ns/${NAMESPACE_FILES[kind]}`, kind)),
      ]
    ) {
      assertEquals(inside(recipe(...steps), "hostname"), "a-cooler-hostname");
    }
  },
);

test("the credentials can be kept, as with nsenter --preserve-credentials", async () => {
  const groups = root ? "0,7,8" : "65534";
  const shell = root
    ? ["setpriv", "--groups", groups, "unshare", "--user", "sleep", "600"]
    : ["unshare", "--user", "sleep", "600"];
  await using target = new Deno.Command(shell[0]!, { args: shell.slice(1), stdin: "null" }).spawn();
  try {
    await until(() =>
      Deno.readLinkSync(`/proc/${target.pid}/ns/user`) !==
        Deno.readLinkSync("/proc/self/ns/user") &&
      Deno.readTextFileSync(`/proc/${target.pid}/comm`) === "sleep\n"
    );
    const uid = root ? 0 : Deno.uid()!;
    // No id is mapped, so all ids stay as they are.
    for (const credentials of ["keep", "root"] as const) {
      const output = inside(
        recipe(join(target.pid, "user", { credentials })),
        "id -u; grep ^Uid: /proc/self/status; cat /proc/self/uid_map",
      );
      assertEquals(output, "65534\nUid:\t65534\t65534\t65534\t65534");
    }
    Deno.writeTextFileSync(`/proc/${target.pid}/uid_map`, `5 ${uid} 1`);
    assertEquals(inside(recipe(join(target.pid, "user", { credentials: "keep" })), "id -u"), "5");
    assertEquals(inside(recipe(join(target.pid, "user")), "id -u"), "5");
  } finally {
    target.kill("SIGKILL");
    await target.status;
  }
});

test("root of the user namespace has all its capabilities, and no groups of the host's", async () => {
  await using target = sleeper(recipe(unshare("user"), mapRoot()));
  const [capabilities, groups] = inside(
    recipe(join(target)),
    "grep CapEff /proc/self/status; id -G",
  ).split("\n");
  const all = /^CapBnd:\s+(\w+)$/m.exec(Deno.readTextFileSync(`/proc/${target.pid}/status`))![1];
  assertEquals(capabilities, `CapEff:\t${all}`);
  // If setgroups(2) is denied, the groups stay and are shown as unmapped.
  assert(/^0( 65534)*$/.test(groups!), groups);
});

testOn(["mount"], "the root and the working directory of the process", async (mounts) => {
  await using target = sleeper(
    mounts,
    bind("/", "/mnt"),
    tmpfs("/mnt/tmp"),
    writeFile("/mnt/tmp/inside", ""),
    chroot("/mnt"),
    chdir("/usr"),
  );
  const seen = (options: JoinOptions) =>
    inside(recipe(join(target, options)), "pwd; [ -e /tmp/inside ] && echo inside || echo outside");
  assertEquals(seen({}), "/\noutside");
  assertEquals(seen({ root: true }), "/\ninside");
  assertEquals(seen({ root: true, cwd: true }), "/usr\ninside");
});

testOn([], "the environment of the process, in place of the script's", async (mounts) => {
  await using target = mounts.with(setEnv({ KITCHEN: "cold", PATH: "/usr/bin:/bin" }))
    .command("sleep", { args: ["600"], clearEnv: true }).spawn();
  const { stdout } = await recipe(join(target, { environment: true }), setEnv({ MENU: "soup" }))
    .command("env", { env: { COOK: "me" } }).output();
  assertEquals(decode(stdout).trim().split("\n").sort(), [
    "COOK=me",
    "KITCHEN=cold",
    "MENU=soup",
    "PATH=/usr/bin:/bin",
  ]);
});

const PIDS_GROUPS = "/sys/fs/cgroup/pids";

test("the cgroups of the process", async () => {
  const group = `${PIDS_GROUPS}/ramekin-join-test-${Deno.pid}`;
  await using target = sleeper(recipe(unshare("cgroup")));
  Deno.mkdirSync(group);
  try {
    Deno.writeTextFileSync(`${group}/cgroup.procs`, String(target.pid));
    const groups = (step: Step) => inside(recipe(step), "cat /proc/self/cgroup");
    const own = Deno.readTextFileSync(`/proc/${target.pid}/cgroup`).trimEnd();
    assertEquals(groups(join(target, "uts", { cgroup: true })), own);
    assert(groups(join(target, "uts")) !== own);
    const { stdout } = await target.enter("cat", { args: ["/proc/self/cgroup"] }).output();
    assert(
      decode(stdout).includes(`:pids:/../ramekin-join-test-`) || decode(stdout).includes(":pids:/"),
    );
  } finally {
    target.kill("SIGKILL");
    await target.status;
    await until(() => Deno.readTextFileSync(`${group}/cgroup.procs`) === "");
    Deno.removeSync(group);
  }
}, notRoot ?? (exists(PIDS_GROUPS) ? undefined : "needs the v1 hierarchy of pids"));

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

testOn(
  ["time"],
  "a time namespace is joined, by a process with memory of its own",
  async (mounts) => {
    await using target = sleeper(mounts, timeOffset({ boottime: 86400 * 1000 }));
    const uptime = inside(recipe(join(target)), "cut -d. -f1 /proc/uptime");
    assert(Number(uptime) > 86400 * 1000, uptime);
    const plan = recipe(join(target)).plan().toString();
    assert(!/clone\([^)]*CLONE_VM/.test(plan), plan);
    // A call that fails in a process with memory of its own is reported too.
    assertFails(recipe(join(target), chdir("/nowhere")), {
      step: "chdir",
      at: 1,
      code: "ENOENT",
      says: "/nowhere",
    });
  },
);

test("a process with memory of its own has sync points too", async () => {
  await using target = sleeper(recipe(unshare("time")));
  const ids = [{ inside: 0, outside: 100000, count: 10 }];
  const box = recipe(join(target), unshare("user"), mapIds({ uids: ids, gids: ids }));
  const [map, time] = inside(box, "cat /proc/self/uid_map; readlink /proc/self/ns/time").split(
    "\n",
  );
  assertEquals(map!.trim().split(/\s+/), ["0", "100000", "10"]);
  assert(time!.includes(String(target.namespaces.time)), time);
}, notRoot);

test("two time namespaces are joined one after the other", async () => {
  await using first = sleeper(recipe(unshare("time"), timeOffset({ boottime: 1e6 })));
  const own = recipe(unshare("user", "mount", "time"), mapRoot(), timeOffset({ boottime: 1e7 }));
  await using second = sleeper(own);
  const box = recipe(join(first, "time"), join(second, { root: true }));
  const [time, uptime] = inside(box, "readlink /proc/$$/ns/time; cut -d. -f1 /proc/uptime")
    .split("\n");
  assertEquals(time, `time:[${second.namespaces.time}]`);
  assert(Number(uptime) >= 1e7, uptime);
}, notRoot);

test("a command in a container has piped streams", async () => {
  await using target = sleeper(recipe(unshare("user", "pid"), mapRoot()));
  await using cat = target.enter("cat", { stdin: "piped", stdout: "piped" }).spawn();
  const writer = cat.stdin.getWriter();
  await writer.write(new TextEncoder().encode("soup"));
  await writer.close();
  assertEquals(await cat.stdout.text(), "soup");
  assertEquals((await cat.status).code, 0);
});

test("containers have the ids of their namespaces, and their pid", async () => {
  await using target = sleeper(recipe(unshare("user", "net"), mapRoot()));
  const { user, net, ...same } = target.namespaces;
  const own = ownIds();
  assert(user !== own["user"] && net !== own["net"]);
  for (const [kind, id] of Object.entries(same)) assertEquals(id, own[kind], kind);
  assertEquals(target.hostPid, target.pid);
  assertEquals(target.identity.pid, target.pid);
});

test("methods of a container that has ended throw", async () => {
  const target = sleeper(recipe(unshare("user"), mapRoot()));
  const [command, step] = [target.enter("true"), join(target)];
  await target[Symbol.asyncDispose]();
  for (const ask of [() => target.enter("true"), () => target.namespaces, () => join(target)]) {
    assertThrows(ask, TypeError, "has ended");
  }
  await assertRejects(() => command.output(), TypeError, "has ended");
  assertFails(recipe(step), { step: "join", at: 0, code: "ESRCH", says: "no such process" });
});

test("a later process with the same pid is not joined", () => {
  const { pid, started } = linux.processIdentity(Deno.pid);
  assertFails(
    recipe(setEnv({ MENU: "soup" }), { step: "join", target: { pid, started: started - 1 } }),
    {
      step: "join",
      at: 1,
      code: "ESRCH",
      says: "another process has its pid",
    },
  );
});

test("a missing process, a missing file, and a file that is not a namespace are reported", () => {
  assertFails(recipe(join(2 ** 22)), {
    step: "join",
    at: 0,
    code: "ESRCH",
    says: "no such process",
  });
  assertFails(recipe(join("/nowhere")), { step: "join", code: "ENOENT", says: "/nowhere" });
  assertFails(recipe(join("/nowhere", "net")), { step: "join", code: "ENOENT", says: "/nowhere" });
  assertRefused(() => recipe(join("/etc/passwd")), {
    step: "join",
    at: 0,
    says: "not a namespace file",
  });
  assertFails(recipe(join("/etc/passwd", "net")), {
    step: "join",
    code: "EINVAL",
    says: "not a namespace of this kind",
  });
});

test(
  "a pipe is not a namespace, and does not block",
  inDirectory((directory) => {
    new Deno.Command("mkfifo", { args: [`${directory}/pipe`] }).outputSync();
    assertRefused(() => recipe(join(`${directory}/pipe`)), { says: "not a namespace file" });
    assertFails(recipe(join(`${directory}/pipe`, "net")), { code: "EINVAL", says: "of this kind" });
  }),
);

test("a namespace file of another kind is reported", () => {
  assertFails(recipe(join("/proc/self/ns/net", "uts")), {
    step: "join",
    at: 0,
    code: "EINVAL",
    says: "not a namespace of this kind",
  });
});

test("the own user namespace cannot be joined", () => {
  assertFails(recipe(join("/proc/self/ns/user")), {
    step: "join",
    at: 0,
    code: "EINVAL",
    says: "the container is in this user namespace already",
  });
});

test("a process of another user is reported", () => {
  // PID 1 of the machine or of the container around the tests.
  assertFails(recipe(join(1, "net")), { at: 0, code: "EACCES", says: "another user's" });
  assertFails(recipe(join(1, "net", { root: true })), {
    step: "join",
    at: 0,
    code: "EACCES",
    says: "another user's",
  });
  assertFails(recipe(join(1)), { step: "join", at: 0, code: "EACCES", says: "another user's" });
}, notOrdinary);

test("an unprivileged user has to join the user namespace too", async () => {
  await using target = sleeper(recipe(unshare("user", "net"), mapRoot()));
  assertFails(recipe(join(target, "net")), {
    step: "join",
    at: 0,
    code: "EPERM",
    says: 'join(target, "user", ...)',
  });
}, notOrdinary);

test("an unprivileged user cannot map ids after a join, and the error says so", async () => {
  await using target = sleeper(recipe(unshare("user"), mapRoot()));
  assertFails(recipe(join(target), unshare("user"), mapRoot()), {
    step: "mapRoot",
    at: 2,
    code: "EACCES",
    says: "second recipe",
  });
}, notOrdinary);

test("invalid steps are refused", () => {
  assertRefused(() => recipe(join("/proc/self/ns/net", "net", "uts")), {
    step: "join",
    says: "one kind",
  });
  assertRefused(() => recipe(join("/proc/self/ns/net", { root: true })), {
    step: "join",
    says: '"root" needs a process',
  });
  assertRefused(() => recipe(join("/proc/self/ns/net", { credentials: "process" })), {
    step: "join",
    says: '"credentials" of "process" need a process',
  });
  assertRefused(() => recipe(join(0)), { step: "join", says: "target" });
  assertRefused(() => recipe(join(Deno.pid, "nets" as "net")), { says: 'did you mean "net"?' });
});

test("the user of a process is taken in its user namespace only", async () => {
  await using target = sleeper(recipe(unshare("user", "uts"), mapRoot()));
  assertRefused(() => recipe(join(target, "uts", { credentials: "process" })), {
    step: "join",
    at: 0,
    says: 'add "user" to the kinds',
  });
});

test("a joined pid namespace has its init already", async () => {
  await using target = sleeper(recipe(unshare("user", "pid"), mapRoot()));
  assertRefused(() => recipe(join(target), init()), { step: "init", at: 1, says: "PID 1 already" });
});

test("the plan shows the descriptors of the script, and that its memory is undumpable", async () => {
  await using target = sleeper(recipe(unshare("user", "pid"), mapRoot()));
  const calls = recipe(join(target, { root: true })).plan().entries.map(({ by, call }) =>
    `${by} ${call}`
  );
  const at = (text: string) => calls.findIndex((call) => call.startsWith(text));
  const [opened, closed, cloned, joined] = [
    at(`script pidfd_open(${target.pid}, 0)`),
    at("script prctl(PR_SET_DUMPABLE, 0,"),
    calls.findIndex((call) => /^script clone3?\(/.test(call)),
    at("container setns(pidfd, CLONE_NEWUSER|CLONE_NEWPID)"),
  ];
  assert(
    0 <= opened! && opened! < closed! && closed! < cloned! && cloned! < joined!,
    calls.join("\n"),
  );
  // A change of credentials makes the memory dumpable again if sysctl fs.suid_dumpable is 1.
  for (const change of ["container setns(", "container setresgid("]) {
    assert(calls[at(change) + 1]!.startsWith("container prctl(PR_SET_DUMPABLE, 0,"), change);
  }
});

/** A program of the container that tries to trace every process that joins. */
const HOSTILE = `
mkfifo /tmp/gate
attack() {
  for name in mem environ maps; do
    (exec 3< /proc/$1/$name) 2> /tmp/why && echo "$2 $name open" || echo "$2 $name closed"
  done
  echo "$2 exe $(readlink /proc/$1/exe || echo closed)"
  echo "$2 fd $(readlink /proc/$1/fd/* | wc -l)"
}
echo ready
while :; do
  for process in /proc/[0-9]*; do
    newcomer=\${process#/proc/}
    [ $newcomer = 1 ] && continue
    # It waits at the gate, in the middle of its table.
    attack $newcomer before
    : < /tmp/gate
    until [ "$(cat /proc/$newcomer/comm)" = sleep ]; do :; done
    attack $newcomer after
    exit
  done
done 2> /dev/null
`;

test("a program of the container cannot access the memory or the program of a script that joins", async () => {
  const mounts = recipe(unshare("user", "mount", "pid"), mapRoot(), proc(), tmpfs("/tmp"));
  await using hostile = mounts.command("sh", { args: ["-c", HOSTILE], stdout: "piped" }).spawn();
  const output = hostile.stdout.values({ preventCancel: true });
  assertEquals(decode((await output.next()).value!), "ready\n");
  const box = recipe(join(hostile), writeFile("/tmp/gate", "", { host: true }));
  await using newcomer = box.command("sleep", { args: ["600"] }).spawn();
  let seen = "";
  for await (const bytes of output) seen += decode(bytes);
  assertEquals(seen.trim().split("\n"), [
    "before mem closed",
    "before environ closed",
    "before maps closed",
    "before exe closed",
    "before fd 0",
    // The program has tried.
    "after mem open",
    "after environ open",
    "after maps open",
    `after exe ${Deno.realPathSync("/usr/bin/sleep")}`,
    "after fd 3",
  ]);
  await hostile.status;
  assertEquals((await newcomer.status).signal, "SIGKILL");
  assertEquals(linux.prctl(linux.PR_GET_DUMPABLE), 1);
});

test("the script is dumpable again after a launch, also after one that has failed", async () => {
  await using target = sleeper(recipe(unshare("user"), mapRoot()));
  const failing = [
    recipe(join(target), chdir("/nowhere")),
    recipe(
      join(target, "user"),
      chroot("/nowhere"),
    ),
  ];
  for (const box of failing) {
    try {
      box.command("true").outputSync();
    } catch {
      // Other tests check the error.
    }
    assertEquals(linux.prctl(linux.PR_GET_DUMPABLE), 1);
  }
});

test("a script is dumpable again after concurrent launches of several Workers", async () => {
  // This runs in its own script, because a Worker's descriptors stay open until the process ends.
  const { stdout, stderr } = await runScript(
    `
    const { linux, mapRoot, recipe, unshare } = ramekin;
    const target = recipe(unshare("user"), mapRoot()).command("sleep", { args: ["600"] }).spawn();
    const source = \`
      import { join, recipe } from "\${import.meta.resolve(Deno.args[0])}";
      onmessage = () => {
        for (let i = 0; i < 20; i++) recipe(join(\${target.pid})).command("true").outputSync();
        postMessage("done");
      };
      recipe().command("true").outputSync();
      postMessage("ready");\`;
    const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    const workers = [1, 2, 3].map(() => new Worker(url, { type: "module" }));
    const all = () => Promise.all(workers.map((worker) => new Promise((resolve, reject) => {
      worker.onmessage = resolve;
      worker.onerror = reject;
    })));
    await all();
    const done = all();
    workers.forEach((worker) => worker.postMessage("go"));
    await done;
    workers.forEach((worker) => worker.terminate());
    console.log(linux.prctl(linux.PR_GET_DUMPABLE));
    await target[Symbol.asyncDispose]();`,
    ["-A"],
    [import.meta.resolve("../../mod.ts")],
  );
  assertEquals(stdout, "1\n", stderr);
});
