/** Plans for other machines, made from recordings without a system call. */

import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { type Call, describeCall } from "../../ffi/call.ts";
import { Engine } from "../../ffi/engine/engine.ts";
import { knownPid } from "../../plan/parent_work.ts";
import { fixFor } from "../../ffi/fix.ts";
import type { MountEntry } from "../../ffi/proc/mountinfo.ts";
import { liveHost } from "../../host/live_host.ts";
import { type HostRecording, RecordedHost, recordHost } from "../../host/recorded_host.ts";
import type { ResolvedPath } from "../../host/resolve_path.ts";
import {
  bind,
  hostname,
  landlock,
  mapCurrentUser,
  mapIds,
  mapRoot,
  maskPaths,
  mkdir,
  pivotRoot,
  type Recipe,
  recipe,
  RecipeError,
  type RecipeInput,
  seccomp,
  timeOffset,
  tmpfs,
  unmount,
  unshare,
  UnsupportedError,
  veth,
} from "../../mod.ts";
import type { PlanBuilder } from "../../plan/builder.ts";
import { namespaceFixes } from "../../plan/namespace_fixes.ts";
import { requiredAccess } from "../../plan/access/required.ts";
import { planRecipe } from "../../plan/plan_recipe.ts";
import { HUB, STEP_RECIPES } from "../faults/step_recipes.ts";
import { test } from "../support.ts";

/** Returns a path without symbolic links. */
function resolved(path: string, to: Partial<ResolvedPath> = {}): Record<string, unknown> {
  const answer = { asked: path, path, type: "directory", id: `1:${path}`, ...to };
  return { [`resolve(${JSON.stringify(path)})`]: answer };
}

/** Debian, as root. */
const DEBIAN: HostRecording = {
  architecture: "x86_64",
  credentials: {
    euid: 0,
    egid: 0,
    groups: "own",
    inheritable: [],
    mayMapIds: true,
    mayChangeGroups: true,
    mayChangeNetwork: true,
    mayOpenMany: true,
  },
  kernel: { major: 6, minor: 18 },
  landlockVersion: 7,
  workingDirectory: "/root",
  answers: {
    ...["/", "/mnt", "/proc", "/usr", "/run"].map((path) => resolved(path))
      .reduce((all, one) => ({ ...all, ...one })),
    ...resolved("/etc/passwd", { type: "file" }),
    ...resolved("/var/run", { path: "/run", id: "1:/run" }),
    ...resolved("/var"),
    // What the recipe mounts on /run covers this link.
    ...resolved("/var/run/a", { path: "/usr", id: "1:/usr" }),
    ...resolved("/opt", { type: undefined, id: undefined }),
  },
};

const NOBODY = {
  euid: 65534,
  egid: 65534,
  groups: "none",
  inheritable: [],
  mayMapIds: false,
  mayChangeGroups: false,
  mayChangeNetwork: false,
  mayOpenMany: true,
} as const;

/** Calls a function while the engine can make no call. */
function withoutCalls<T>(make: () => T): T {
  const own = Object.getOwnPropertyDescriptors(Engine.prototype);
  const running = Object.keys(own).filter((name) => name.startsWith("run"));
  assert(running.includes("run"));
  for (const name of running) {
    Object.defineProperty(Engine.prototype, name, {
      ...own[name],
      value: () => {
        throw new Error("a call is made");
      },
    });
  }
  try {
    return make();
  } finally {
    Object.defineProperties(Engine.prototype, own);
  }
}

function planOn(changes: Partial<HostRecording>, ...steps: RecipeInput[]): PlanBuilder {
  const host = new RecordedHost({ ...DEBIAN, ...changes });
  return withoutCalls(() => planRecipe(recipe(...steps).steps, {}, host));
}

/** Returns a call as C writes it; slots are shown by their names. */
function textOf(call: Call): string {
  return describeCall(call, (slot) => slot.text);
}

/** Returns the calls of all processes of the container. */
function callsOf(plan: PlanBuilder): string[] {
  const made = plan.processes.flatMap(({ parts }) => parts)
    .flatMap((part) => "call" in part ? [part.call] : []);
  return [...made, ...plan.beforeProgram.map(({ call }) => call)].map(textOf);
}

const callsOn = (changes: Partial<HostRecording>, ...steps: RecipeInput[]) =>
  callsOf(planOn(changes, ...steps));

/** Returns the script's actions at the sync points of a container. */
function scriptOf({ syncPoints }: PlanBuilder): string[] {
  return syncPoints.flatMap(({ parentActions }) => parentActions(knownPid(77))).flatMap((action) =>
    "calls" in action
      ? action.calls.map(({ call }) => textOf(call))
      : "program" in action
      ? [[action.program, ...action.args].join(" ")]
      : [JSON.stringify(action)]
  );
}

const box = recipe(unshare("user", "mount"), mapRoot());

test("a plan from a recording is the same as that of the machine", async () => {
  await using hub = HUB.command("sleep", { args: ["infinity"] }).spawn();
  for (const [name, make] of Object.entries(STEP_RECIPES)) {
    if (name === "userNetwork") continue;
    const { steps } = make(hub);
    const { host, recording } = recordHost(liveHost());
    const live = planRecipe(steps, {}, host);
    const kept = structuredClone(recording());
    const again = withoutCalls(() => planRecipe(steps, {}, new RecordedHost(kept)));
    assertEquals(callsOf(again), callsOf(live), name);
    assertEquals(scriptOf(again), scriptOf(live), name);
    assertEquals(
      [again.cloneFlags, again.isMomentary],
      [live.cloneFlags, live.isMomentary],
    );
    assertEquals(again.access.recorded, live.access.recorded);
  }
});

test("a plan from a recording covers and refuses what that of the machine does", () => {
  const mount = (id: number, target: string, type: string) => ({ id, parent: 1, target, type });
  const root = { id: 1, parent: 0, target: "/", type: "ext4" };
  const answers = {
    ...DEBIAN.answers,
    "mounts()": [root, mount(2, "/usr/proc", "proc"), mount(3, "/usr/mnt", "tmpfs")].map((one) => ({
      ...one,
      root: "/",
      device: { major: 0, minor: one.id },
    })),
    'followLinks("/var/run")': { path: "/run", links: ["/var/run"] },
  };
  const untrusted = bind("/usr", "/mnt", { untrusted: true });
  const calls = callsOn({ answers }, box, untrusted);
  assertEquals(calls.filter((call) => call.includes('"proc"')).length, 1);
  assertEquals(calls.filter((call) => call.includes('"mnt"')).length, 0);
  const kernel = (step: RecipeInput) =>
    requiredAccess(planOn({ answers }, box, step).access)
      .filter((need) => need.kind === "device" && need.path === "/usr/proc")
      .map(({ stepIndex }) => stepIndex);
  assertEquals(kernel(bind("/usr", "/mnt", { readOnly: true })), [2]);
  assertEquals(kernel(bind("/usr", "/mnt", { readOnly: true, recursive: false })), []);
  assertEquals(kernel(untrusted), []);
  const uncovered = planOn({ answers }, box, untrusted, unmount("/mnt/proc")).access;
  assertEquals(
    requiredAccess(uncovered).some((need) => "path" in need && need.path === "/usr/proc"),
    true,
  );
  const within = bind("/var", "/mnt", { untrusted: true });
  const linked = bind("/var/run", "/proc", { readOnly: true });
  assertThrows(
    () => callsOn({ answers }, box, within, linked),
    RecipeError,
    "/var/run is followed",
  );
});

test("an error names what is not recorded", () => {
  const { message } = assertThrows(
    () => planOn({}, box, bind("/srv/data", "/mnt")),
    UnsupportedError,
  );
  assertStringIncludes(message, 'resolve("/srv/data"), which is not recorded');
});

test("the container maps the caller's ids, whatever the user", () => {
  const maps = (credentials: HostRecording["credentials"], step = mapRoot()) =>
    callsOn({ credentials }, unshare("user"), step).filter((call) => /^write\(.*_map/.test(call));
  assertEquals(maps(DEBIAN.credentials), [
    'write(</proc/self/uid_map>, "0 0 1\\n", 6)',
    'write(</proc/self/gid_map>, "0 0 1\\n", 6)',
  ]);
  assertEquals(maps(NOBODY), [
    'write(</proc/self/uid_map>, "0 65534 1\\n", 10)',
    'write(</proc/self/gid_map>, "0 65534 1\\n", 10)',
  ]);
  const current = callsOn({ credentials: NOBODY }, unshare("user"), mapCurrentUser());
  assert(current.includes('write(</proc/self/uid_map>, "65534 65534 1\\n", 14)'));
});

test("the script maps several ids as root, and newuidmap for an unprivileged user", () => {
  const ranges = [{ inside: 0, outside: 0, count: 1 }, { inside: 1, outside: 100000, count: 9 }];
  const steps = [unshare("user"), mapIds({ uids: ranges, gids: ranges })];
  assertEquals(
    scriptOf(planOn({}, ...steps)),
    ["uid_map", "gid_map"].flatMap((file) => [
      `openat(AT_FDCWD, "/proc/77/${file}", O_WRONLY|O_CLOEXEC, 00)`,
      'write(fd, "0 0 1\\n1 100000 9\\n", 17)',
      "close(fd)",
    ]),
  );
  assertEquals(
    scriptOf(planOn({ credentials: NOBODY }, ...steps)),
    ["newuidmap", "newgidmap"].map((tool) => `${tool} 77 0 0 1 1 100000 9`),
  );
});

test("root may change the host's network, and an unprivileged user may not", () => {
  const steps = [unshare("net"), veth("eth0", { bridge: "lan" })];
  const { message } = assertThrows(() => planOn({ credentials: NOBODY }, ...steps), RecipeError);
  assertStringIncludes(message, "an ordinary user may not change the host's network");
  assertEquals(planOn({}, ...steps).syncPoints.length, 1);
});

const KERNELS = [
  { major: 5, minor: 12 },
  { major: 6, minor: 1 },
  { major: 6, minor: 2 },
  { major: 6, minor: 3 },
  { major: 6, minor: 14 },
  { major: 6, minor: 15 },
  { major: 7, minor: 0 },
];

/** Returns the kernels on which a recipe makes a call. */
const kernelsWith = (pattern: RegExp, ...steps: RecipeInput[]) =>
  KERNELS.filter((kernel) => callsOn({ kernel }, ...steps).some((call) => pattern.test(call)))
    .map(({ major, minor }) => `${major}.${minor}`);

test("before Linux 6.3 setns enters a time namespace, after the last offset", () => {
  const old = ["5.12", "6.1", "6.2"];
  assertEquals(kernelsWith(/^setns\(time, CLONE_NEWTIME/, box, unshare("time")), old);
  assertEquals(
    kernelsWith(/^setns\(time/, unshare("user", "time"), timeOffset({ boottime: 1 })),
    old,
  );
  const [written, entered] = ["write(</proc/self/timens_offsets>", "setns(time"].map((start) =>
    callsOn({ kernel: KERNELS[0]! }, unshare("user", "time"), timeOffset({ boottime: 1 }))
      .findIndex((call) => call.startsWith(start))
  );
  assert(written! < entered!, "no offset can be set once it is entered");
  // setns(2) refuses a process that shares its memory (EUSERS).
  const ownMemory = (kernel: HostRecording["kernel"]) =>
    planOn({ kernel }, unshare("user", "time")).processes.some((process) => process.ownMemory);
  assertEquals([ownMemory(KERNELS[0]!), ownMemory(KERNELS[3]!)], [true, false]);
});

test("masks are copies of one filesystem, which is attached before Linux 6.15", () => {
  const made = [
    'fsopen("tmpfs", FSOPEN_CLOEXEC)',
    'fsconfig(<tmpfs>, FSCONFIG_SET_STRING, "mode", "0555", 0)',
    'fsconfig(<tmpfs>, FSCONFIG_SET_STRING, "nr_blocks", "1", 0)',
    'fsconfig(<tmpfs>, FSCONFIG_SET_STRING, "nr_inodes", "3", 0)',
    "fsconfig(<tmpfs>, FSCONFIG_CMD_CREATE, NULL, NULL, 0)",
    "fsmount(<tmpfs>, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID|MOUNT_ATTR_NODEV|MOUNT_ATTR_NOEXEC)",
    'mkdirat(<empty>, "directory", 0555)',
    'mknodat(<empty>, "file", 0100444, 0)',
    'mount_setattr(<empty>, "", AT_EMPTY_PATH, {attr_set=MOUNT_ATTR_RDONLY}, 32)',
  ];
  const laid = [
    'openat(AT_FDCWD, ".", O_CLOEXEC|O_PATH|O_DIRECTORY, 00)',
    // Where the working directory cannot be opened.
    'chdir("/")',
    // The directory that it is in is mounted on itself, so that it cannot be moved away.
    'openat2(AT_FDCWD, "/", {O_CLOEXEC|O_PATH|O_DIRECTORY, 00, RESOLVE_NO_SYMLINKS}, 24)',
    'openat2(</>, "etc", {O_CLOEXEC|O_PATH|O_DIRECTORY, 00, RESOLVE_NO_SYMLINKS|RESOLVE_BENEATH}, 24)',
    'open_tree(<etc>, "", OPEN_TREE_CLONE|AT_EMPTY_PATH|AT_RECURSIVE|OPEN_TREE_CLOEXEC)',
    'move_mount(<etc>, "", <etc>, "", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH)',
    'openat2(AT_FDCWD, "/etc/passwd", {O_CLOEXEC|O_PATH, 00, RESOLVE_NO_SYMLINKS}, 24)',
    ...["file", "directory"].flatMap((name) => [
      `open_tree(<empty>, "${name}", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC)`,
      `move_mount(<empty ${name}>, "", </etc/passwd>, "", ` +
      "MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH)",
    ]),
  ];
  const calls = (minor: number) => {
    const all = callsOn({ kernel: { major: 6, minor } }, box, maskPaths("/etc/passwd"));
    return all.slice(all.indexOf(made[0]!));
  };
  assertEquals(calls(15), [...made, ...laid]);
  assertEquals(calls(14), [
    ...made,
    'move_mount(<empty>, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH)',
    ...laid,
    "fchdir(<empty>)",
    'umount2(".", MNT_DETACH)',
    "fchdir(<working directory>)",
  ]);
  assertEquals(kernelsWith(/AT_FDCWD, "\/", MOVE_MOUNT/, box, maskPaths("/etc/passwd")), [
    "5.12",
    "6.1",
    "6.2",
    "6.3",
    "6.14",
  ]);
});

test("landlock is refused if it is missing or too old, or leaves rules out", () => {
  const files = { read: ["/usr"] };
  const all = { ...files, connectTcp: [443], isolate: ["signals"] } as const;
  const refused = (landlockVersion: number, step = landlock(files)) =>
    assertThrows(() => planOn({ landlockVersion }, step), UnsupportedError).message;
  assertStringIncludes(refused(0), "it has no Landlock");
  assertStringIncludes(refused(2), "cannot limit files (Linux 6.2): its Landlock has version 2");
  assertStringIncludes(refused(3, landlock({ connectTcp: [443] })), "limit ports (Linux 6.7)");
  assertStringIncludes(refused(5, landlock({ isolate: ["signals"] })), "(Linux 6.12)");
  const made = (landlockVersion: number) =>
    callsOn({ landlockVersion }, landlock({ ...all, degrade: true }))
      .filter((call) => call.startsWith("landlock_"));
  assertEquals(made(0), []);
  const counts = [3, 4, 6].map((version) => made(version).length);
  assertEquals(counts, [4, 5, 5]);
  const created = [3, 4, 6].map((version) => made(version)[0]!);
  assertEquals(new Set(created).size, 3, created.join("\n"));
});

test("filesystems of the kernel are left out of what an untrusted program may use", () => {
  const mount = (id: number, target: string, type: string): MountEntry => ({
    id,
    parent: id === 1 ? 0 : 1,
    device: { major: 0, minor: id },
    root: "/",
    target,
    options: ["rw"],
    propagation: {},
    type,
    source: type,
    data: "rw",
  });
  const answers = {
    ...DEBIAN.answers,
    ...["/srv", "/srv/proc", "/srv/usr", "/sys"].map((path) => resolved(path))
      .reduce((all, one) => ({ ...all, ...one })),
    "mounts()": [mount(1, "/", "ext4"), mount(2, "/srv/proc", "proc"), mount(3, "/sys", "sysfs")],
    'namesIn("/srv")': ["proc", "usr"],
  };
  const opened = callsOn({ answers }, landlock({ write: ["/srv"], untrusted: true }))
    .filter((call) => call.startsWith("openat2") && call.includes("/srv"));
  assertEquals(opened.length, 1);
  assertStringIncludes(opened[0]!, '"/srv/usr"');
  const refused = assertThrows(
    () => planOn({ answers }, landlock({ write: ["/sys"], untrusted: true })),
    RecipeError,
  );
  assertStringIncludes(refused.message, "/sys is a filesystem of the kernel (sysfs)");
});

test("what landlock leaves out is left out by its other names too", () => {
  const mount = (id: number, target: string, root: string): MountEntry => ({
    id,
    parent: id === 1 ? 0 : 1,
    device: { major: 8, minor: 1 },
    root,
    target,
    options: ["rw"],
    propagation: {},
    type: "ext4",
    source: "/dev/sda1",
    data: "rw",
  });
  const answers = {
    ...DEBIAN.answers,
    ...["/srv", "/srv/secret", "/srv/other", "/mnt"].map((path) => resolved(path))
      .reduce((all, one) => ({ ...all, ...one })),
    "mounts()": [mount(1, "/", "/"), mount(2, "/mnt", "/srv/secret")],
    'namesIn("/")': ["mnt", "srv", "usr"],
    'namesIn("/srv")': ["other", "secret"],
  };
  const opened = callsOn({ answers }, landlock({ read: ["/"], except: ["/srv/secret"] }))
    .flatMap((call) => /^openat2\(AT_FDCWD, "(.*?)"/.exec(call)?.[1] ?? []);
  assertEquals(opened, ["/srv/other", "/usr"]);
  const writes = callsOn({ answers }, landlock({ write: ["/"], exceptWrite: ["/srv/secret"] }))
    .filter((call) => call.startsWith("openat2"));
  assertEquals(writes.length, 2);
});

test("without user namespaces the plan is the same, and the error says why", () => {
  const settings = (values: Record<string, number | undefined>) =>
    new RecordedHost({
      ...DEBIAN,
      credentials: NOBODY,
      answers: Object.fromEntries(
        Object.entries(values).map(([path, value]) => [`setting("/proc/sys/${path}")`, value]),
      ),
    });
  const kinds = new Set(["user"] as const);
  const denied = (
    values: Record<string, number | undefined>,
    errno: "EPERM" | "ENOSPC" | "EINVAL",
  ) => withoutCalls(() => fixFor(namespaceFixes(kinds, settings(values), false), errno)) ?? "";
  const clone = "kernel/unprivileged_userns_clone";
  const restricted = "kernel/apparmor_restrict_unprivileged_userns";
  assertStringIncludes(
    denied({ [clone]: 0 }, "EPERM"),
    "sysctl -w kernel.unprivileged_userns_clone=1",
  );
  assertStringIncludes(denied({ [clone]: 1, [restricted]: 1 }, "EPERM"), "AppArmor");
  assertMatch(denied({ [clone]: undefined, [restricted]: undefined }, "EPERM"), /chroot.*docker/s);
  const limit = "user/max_user_namespaces";
  assertStringIncludes(
    denied({ [limit]: 0 }, "ENOSPC"),
    "only 0 user namespaces are allowed here",
  );
  assertStringIncludes(denied({ [limit]: 1000 }, "ENOSPC"), "nested too deep");
  assertEquals(denied({ [limit]: undefined }, "EINVAL"), "this kernel has no user namespaces");
  const plan = (answers: HostRecording["answers"]) =>
    callsOn({ answers: { ...DEBIAN.answers, ...answers } }, box, hostnameBox);
  assertEquals(plan({ 'setting("/proc/sys/user/max_user_namespaces")': 0 }), plan({}));
});

const hostnameBox: Recipe = recipe(unshare("uts"), hostname("box"));

test("links of the recorded machine are followed, and those of this machine are not", () => {
  const calls = callsOn({}, box, tmpfs("/var/run"), mkdir("/var/run/a"));
  assert(
    calls.includes(
      'openat2(AT_FDCWD, "/run", {O_CLOEXEC|O_PATH|O_DIRECTORY, 00, RESOLVE_NO_SYMLINKS}, 24)',
    ),
    calls.join("\n"),
  );
  // The link leads to a filesystem of the recipe, so a directory may be made there.
  assert(calls.includes('mkdirat(</run>, "a", 0755)'), calls.join("\n"));
});

test("missing paths are left out of the plan, or are an error of the launch", () => {
  const optional = callsOn({}, box, bind("/opt", "/mnt", { optional: true }));
  assertEquals(optional.some((call) => call.includes("/opt")), false);
  const plan = planOn({}, box, bind("/opt", "/mnt"));
  const opening = plan.processes.flatMap(({ parts }) => parts)
    .find((part) => "call" in part && textOf(part.call).includes('"/opt"'));
  assert(opening !== undefined && "fixes" in opening);
  assertStringIncludes(fixFor(opening.fixes, "ENOENT")!, "the source /opt does not exist");
});

test("the steps of a sandbox are planned for another architecture", () => {
  const filters = (["x86_64", "aarch64"] as const).map((architecture) =>
    planOn({ architecture }, seccomp()).beforeProgram
  );
  assertEquals(filters.map((calls) => calls.length), [2, 2]);
  const root = [tmpfs("/mnt"), bind("/usr", "/mnt/usr"), pivotRoot("/mnt")];
  assertEquals(
    callsOn({ architecture: "aarch64" }, box, ...root),
    callsOn({ architecture: "x86_64" }, box, ...root),
  );
});
