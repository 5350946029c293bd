/** The plan of each step, as data: which calls it makes, with their arguments by name. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import * as steps from "../../mod.ts";
import { recipe, type RecipeInput, type Step } from "../../mod.ts";
import { test } from "../support.ts";

/** Namespaces for steps that need them; their own calls are not compared. */
const box = recipe(
  steps.unshare("user", "mount", "pid", "uts", "ipc", "net", "time"),
  steps.mapRoot(),
);

/** The calls of the container for the last of the steps. */
function callsOf(...ingredients: RecipeInput[]): string[] {
  const whole = recipe(...ingredients);
  const last = whole.steps.length - 1;
  return whole.plan().entries
    .filter(({ stepIndex, by }) => stepIndex === last && by === "container")
    .map(({ call }) => call);
}

/** A path of the host is opened as resolved at the time of the plan, without following links. */
const onHost = (path: string, flags: string) =>
  `openat2(AT_FDCWD, "${path}", {${flags}, 00, RESOLVE_NO_SYMLINKS}, 24)`;

/** The working directory, or the root instead, is opened, to be restored later. */
const HERE = [
  'openat(AT_FDCWD, ".", O_CLOEXEC|O_PATH|O_DIRECTORY, 00)',
  'chdir("/")',
];

/** mount(2) takes no descriptor, so it is called in the directory. */
const mountedOn = (target: string, call: string, after = ["fchdir(<working directory>)"]) => [
  onHost(target, "O_CLOEXEC|O_PATH|O_DIRECTORY"),
  ...HERE,
  `fchdir(<${target}>)`,
  call,
  ...after,
];

const PIVOT = [
  "fchdir(</mnt>)",
  'pivot_root(".", ".")',
  'umount2(".", MNT_DETACH)',
  'chdir("/")',
];

/** Each step with its calls after those namespaces, and the steps before it. */
const CALLS: readonly (readonly [step: Step, calls: readonly string[], ...before: Step[]])[] = [
  [steps.hostname("soup"), ['sethostname("soup", 4)']],
  [steps.domainname("soup"), ['setdomainname("soup", 4)']],
  [steps.unshare("uts", "ipc"), ["unshare(CLONE_NEWUTS|CLONE_NEWIPC)"]],
  [steps.unshare("mount"), [
    "unshare(CLONE_NEWNS)",
    'mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, {propagation=MS_PRIVATE}, 32)',
  ]],
  [steps.unshare("mount", { propagation: "slave" }), [
    "unshare(CLONE_NEWNS)",
    'mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, {propagation=MS_SLAVE}, 32)',
  ]],
  [
    steps.tmpfs("/mnt"),
    mountedOn("/mnt", 'mount("tmpfs", ".", "tmpfs", MS_NOSUID|MS_NODEV, NULL)'),
  ],
  [
    steps.tmpfs("/mnt", { size: "10m", mode: 0o755, options: "ro,nr_inodes=9" }),
    mountedOn(
      "/mnt",
      'mount("tmpfs", ".", "tmpfs", MS_RDONLY|MS_NOSUID|MS_NODEV, ' +
        '"size=10m,mode=0755,nr_inodes=9")',
    ),
  ],
  [
    steps.mount("a", "/mnt", { type: "ext4", options: "ro,noatime,errors=continue" }),
    mountedOn("/mnt", 'mount("a", ".", "ext4", MS_RDONLY|MS_NOATIME, "errors=continue")'),
  ],
  [
    steps.proc(),
    mountedOn("/proc", 'mount("proc", ".", "proc", MS_NOSUID|MS_NODEV|MS_NOEXEC, NULL)'),
  ],
  [
    steps.sysfs("/sys", { options: "ro" }),
    mountedOn("/sys", 'mount("sysfs", ".", "sysfs", MS_RDONLY|MS_NOSUID|MS_NODEV|MS_NOEXEC, NULL)'),
  ],
  [
    steps.mqueue(),
    mountedOn("/dev/mqueue", 'mount("mqueue", ".", "mqueue", MS_NOSUID|MS_NODEV|MS_NOEXEC, NULL)'),
  ],
  [
    steps.proc("/mnt/proc"),
    [
      onHost("/mnt", "O_CLOEXEC|O_PATH|O_DIRECTORY"),
      'mkdirat(</mnt>, "proc", 0755)',
      'openat2(</mnt>, "proc", {O_CLOEXEC|O_PATH|O_DIRECTORY, 00, RESOLVE_IN_ROOT}, 24)',
      "fchdir(</mnt/proc>)",
      'mount("proc", ".", "proc", MS_NOSUID|MS_NODEV|MS_NOEXEC, NULL)',
    ],
    steps.tmpfs("/mnt"),
  ],
  [steps.propagation("/", "shared", { recursive: true }), [
    onHost("/", "O_CLOEXEC|O_PATH"),
    'mount_setattr(</>, "", AT_EMPTY_PATH|AT_RECURSIVE, {propagation=MS_SHARED}, 32)',
  ]],
  [steps.remount("/usr", "ro,nosuid"), [
    onHost("/usr", "O_CLOEXEC|O_PATH"),
    'mount_setattr(</usr>, "", AT_EMPTY_PATH, ' +
    "{attr_set=MOUNT_ATTR_RDONLY|MOUNT_ATTR_NOSUID, attr_clr=MOUNT_ATTR_NODEV|MOUNT_ATTR_NOEXEC|" +
    "MOUNT_ATTR_NODIRATIME|MOUNT_ATTR_NOSYMFOLLOW}, 32)",
  ]],
  [
    steps.remount("/mnt", "ro,size=1m", { bind: false }),
    [
      onHost("/mnt", "O_CLOEXEC|O_PATH|O_DIRECTORY"),
      "fchdir(</mnt>)",
      'mount(NULL, ".", NULL, MS_RDONLY|MS_REMOUNT, "size=1m")',
      "fchdir(<working directory>)",
    ],
    steps.tmpfs("/mnt"),
  ],
  // The mount point may be a directory or a file; one of the two calls unmounts it.
  [steps.unmount("/mnt"), [
    ...HERE,
    "close(</proc>)",
    onHost("/mnt", "O_CLOEXEC|O_PATH|O_DIRECTORY"),
    "fchdir(</mnt>)",
    "getcwd(&path, 4096)",
    'chdir("/")',
    "close(</mnt>)",
    "umount2(&path, UMOUNT_NOFOLLOW)",
    onHost("/", "O_CLOEXEC|O_PATH|O_DIRECTORY"),
    "fchdir(</>)",
    'umount2("mnt", UMOUNT_NOFOLLOW)',
    "close(</>)",
    "fchdir(<working directory>)",
  ]],
  [steps.unmount("/mnt", { detach: true }), [
    ...HERE,
    "close(</proc>)",
    onHost("/mnt", "O_CLOEXEC|O_PATH|O_DIRECTORY"),
    "fchdir(</mnt>)",
    'umount2(".", MNT_DETACH)',
    "close(</mnt>)",
    onHost("/", "O_CLOEXEC|O_PATH|O_DIRECTORY"),
    "fchdir(</>)",
    'umount2("mnt", MNT_DETACH|UMOUNT_NOFOLLOW)',
    "close(</>)",
    "fchdir(<working directory>)",
  ]],
  [steps.bind("/usr", "/mnt", { readOnly: true, restrict: ["noexec"] }), [
    onHost("/usr", "O_CLOEXEC|O_PATH"),
    'open_tree(</usr>, "", OPEN_TREE_CLONE|AT_EMPTY_PATH|AT_RECURSIVE|OPEN_TREE_CLOEXEC)',
    'mount_setattr(</usr>, "", AT_EMPTY_PATH|AT_RECURSIVE, ' +
    "{attr_set=MOUNT_ATTR_RDONLY|MOUNT_ATTR_NOEXEC}, 32)",
    onHost("/mnt", "O_CLOEXEC|O_PATH"),
    'move_mount(</usr>, "", </mnt>, "", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH)',
  ]],
  [steps.bind("/usr", "/mnt", { recursive: false }), [
    onHost("/usr", "O_CLOEXEC|O_PATH"),
    'open_tree(</usr>, "", OPEN_TREE_CLONE|AT_EMPTY_PATH|OPEN_TREE_CLOEXEC)',
    'mount_setattr(</usr>, "", AT_EMPTY_PATH, {attr_set=MOUNT_ATTR_NODEV}, 32)',
    onHost("/mnt", "O_CLOEXEC|O_PATH"),
    'move_mount(</usr>, "", </mnt>, "", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH)',
  ]],
  // The kernel follows links in the options, so the directories are opened and attached first.
  [steps.overlay("/mnt", { lower: ["/a,b", "/c:d"], upper: "/u", work: "/w,x" }), [
    ...["/a,b", "/c:d"].flatMap((lower) => [
      onHost(lower, "O_CLOEXEC|O_PATH|O_DIRECTORY"),
      `open_tree(<${lower}>, "", OPEN_TREE_CLONE|AT_EMPTY_PATH|OPEN_TREE_CLOEXEC)`,
    ]),
    ...["/u", "/w,x", "/"].map((path) => onHost(path, "O_CLOEXEC|O_PATH|O_DIRECTORY")),
    'open_tree(</>, "", OPEN_TREE_CLONE|AT_EMPTY_PATH|AT_RECURSIVE|OPEN_TREE_CLOEXEC)',
    'mount_setattr(</>, "", AT_EMPTY_PATH|AT_RECURSIVE, {attr_set=MOUNT_ATTR_NOSYMFOLLOW}, 32)',
    ...mountedOn("/mnt", 'mount("tmpfs", ".", "tmpfs", MS_NOSUID|MS_NODEV, "mode=0755")', []),
    onHost("/mnt", "O_CLOEXEC|O_PATH|O_DIRECTORY"),
    "fchdir(</mnt>)",
    ...[["/a,b", "0"], ["/c:d", "1"], ["/", "changes"]].flatMap(([tree, name]) => [
      `mkdirat(AT_FDCWD, "${name}", 0755)`,
      `move_mount(<${tree}>, "", AT_FDCWD, "${name}", MOVE_MOUNT_F_EMPTY_PATH)`,
    ]),
    'mount("overlay", ".", "overlay", 0, ' +
    '"lowerdir=0:1,upperdir=changes/u,workdir=changes/w\\\\,x,userxattr")',
    'umount2("0", MNT_DETACH)',
    'umount2("1", MNT_DETACH)',
    'umount2("changes", MNT_DETACH)',
    "fchdir(<working directory>)",
  ]],
  [
    steps.mkdir("/mnt/a", { mode: 0o700 }),
    [
      onHost("/mnt", "O_CLOEXEC|O_PATH|O_DIRECTORY"),
      'mkdirat(</mnt>, "a", 0755)',
      'openat2(</mnt>, "a", {O_CLOEXEC|O_DIRECTORY, 00, RESOLVE_BENEATH}, 24)',
      "fchmod(</mnt/a>, 0700)",
      // The step before has left the process in its mount as the working directory.
      "fchdir(<working directory>)",
    ],
    steps.tmpfs("/mnt"),
  ],
  [steps.symlink("a", "/b", { host: true }), [
    onHost("/", "O_CLOEXEC|O_PATH|O_DIRECTORY"),
    'symlinkat("a", </>, "b")',
  ]],
  // No file that is open for writing can be executed (ETXTBSY), so this one is closed at once.
  [steps.writeFile("/a", "soup", { host: true, mode: 0o600 }), [
    "umask(umask)",
    'openat2(AT_FDCWD, "/a", {O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC, 0600, RESOLVE_NO_SYMLINKS}, 24)',
    "umask(00)",
    'write(</a>, "soup", 4)',
    'pwrite64(</a>, "p", 1, 3)',
    "fchmod(</a>, 0600)",
    "close(</a>)",
  ]],
  [steps.mknod("/a", { type: "c", major: 1, minor: 3, mode: 0o600, host: true }), [
    // A call by the name could be about a link that somebody has put there meanwhile.
    onHost("/", "O_CLOEXEC|O_PATH|O_DIRECTORY"),
    'mknodat(</>, "a", 020600, 259)',
  ]],
  [steps.chroot("/mnt"), [
    onHost("/mnt", "O_CLOEXEC|O_PATH|O_DIRECTORY"),
    "fchdir(</mnt>)",
    'chroot(".")',
    'chdir("/")',
  ]],
  [steps.pivotRoot("/mnt"), [
    onHost("/mnt", "O_CLOEXEC|O_PATH|O_DIRECTORY"),
    'open_tree(</mnt>, "", OPEN_TREE_CLONE|AT_EMPTY_PATH|AT_RECURSIVE|OPEN_TREE_CLOEXEC)',
    'mount_setattr(</mnt>, "", AT_EMPTY_PATH, {attr_set=MOUNT_ATTR_NODEV}, 32)',
    'move_mount(</mnt>, "", </mnt>, "", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH)',
    ...PIVOT,
  ]],
  [
    steps.pivotRoot("/mnt"),
    [onHost("/mnt", "O_CLOEXEC|O_PATH|O_DIRECTORY"), ...PIVOT],
    steps.tmpfs("/mnt"),
  ],
  [steps.chdir("usr"), [
    'openat2(AT_FDCWD, "usr", {O_CLOEXEC|O_PATH|O_DIRECTORY, 00, RESOLVE_NO_MAGICLINKS}, 24)',
    "fchdir(<usr>)",
  ]],
  [steps.setUser({ uid: 0 }), ["setresgid(0, 0, 0)", "setresuid(0, 0, 0)"]],
  [steps.setEnv({ A: "1" }), []],
  [steps.umask(0o77), ["umask(077)"]],
  [steps.rlimit("nofile", 64, "unlimited"), [
    "prlimit64(0, RLIMIT_NOFILE, {64, RLIM_INFINITY}, NULL)",
  ]],
  [steps.noNewPrivileges(), ["prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)"]],
  [steps.capabilities({ ambient: ["CAP_KILL"], permitted: ["CAP_KILL", "CAP_CHOWN"] }), [
    "prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)",
    "capset({_LINUX_CAPABILITY_VERSION_3, 0}, {effective=[CAP_KILL, CAP_CHOWN], " +
    "permitted=[CAP_KILL, CAP_CHOWN], inheritable=[CAP_KILL]})",
    "prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0)",
  ]],
  [steps.timeOffset({ monotonic: -1.5, boottime: 60 }), [
    'openat2(</proc>, "self/timens_offsets", ' +
    "{O_WRONLY|O_CLOEXEC, 00, RESOLVE_NO_XDEV|RESOLVE_BENEATH}, 24)",
    'write(</proc/self/timens_offsets>, "monotonic -2 500000000\\nboottime 60 0\\n", 37)',
  ]],
  [steps.newSession(), ["setsid()"]],
  [steps.dieWithParent("SIGTERM"), []],
];

for (const [step, calls, ...before] of CALLS) {
  const where = before.length === 0 ? "" : ` behind ${before.map(({ step }) => step).join(", ")}`;
  test(`${step.step}${where} makes the expected calls: ${JSON.stringify(step)}`, () => {
    const behind = step.step === "proc" && before.length > 0 ? [steps.pivotRoot("/mnt")] : [];
    if (behind.length === 0) return assertEquals(callsOf(box, ...before, step), [...calls]);
    const whole = box.with(...before, step, ...behind);
    const index = whole.steps.length - 2;
    const made = whole.plan().entries.filter(({ stepIndex }) => stepIndex === index);
    assertEquals(made.map(({ call }) => call), [...calls]);
  });
}

test("the first unshare needs no call of its own, and the container writes the map", () => {
  const plan = recipe(steps.unshare("user", "uts"), steps.mapRoot()).plan();
  const [first, ...others] = plan.entries.filter(({ stepIndex }) => stepIndex === 0);
  assertMatch(first!.call, /^clone3?\(/);
  assertEquals(first!.by, "script");
  assert(first!.call.includes("CLONE_NEWUTS") && first!.call.includes("CLONE_NEWUSER"));
  assertEquals(others, []);
  const uid = Deno.uid(), gid = Deno.gid();
  assertEquals(
    plan.entries.filter(({ stepIndex }) => stepIndex === 1).map(({ call }) => call).filter((call) =>
      call.startsWith("write")
    ),
    [
      'write(</proc/self/setgroups>, "deny", 4)',
      `write(</proc/self/uid_map>, "0 ${uid} 1\\n", ${`0 ${uid} 1\n`.length})`,
      `write(</proc/self/gid_map>, "0 ${gid} 1\\n", ${`0 ${gid} 1\n`.length})`,
    ],
  );
});

test("the script maps several ranges while the container waits", () => {
  const ranges = [{ inside: 0, outside: 0, count: 1 }, { inside: 1, outside: 100000, count: 9 }];
  const plan = recipe(steps.unshare("user"), steps.mapIds({ uids: ranges, gids: ranges })).plan();
  const made = plan.entries.filter(({ stepIndex }) => stepIndex === 1);
  const script = made.filter(({ by }) => by === "script").map(({ call }) => call);
  assertEquals(
    script,
    Deno.uid() === 0
      ? ["uid_map", "gid_map"].flatMap((file) => [
        `openat(AT_FDCWD, "/proc/PID/${file}", O_WRONLY|O_CLOEXEC, 00)`,
        'write(fd, "0 0 1\\n1 100000 9\\n", 17)',
        "close(fd)",
      ])
      : ["newuidmap", "newgidmap"].map((tool) => `${tool} PID 0 0 1 1 100000 9`),
  );
  // An ordinary user, whose own ids are not among the ranges, becomes their root.
  const container = made.filter(({ by }) => by === "container").map(({ call }) => call);
  const becomes = ["setgroups(0, NULL)", "setresgid(0, 0, 0)", "setresuid(0, 0, 0)"];
  assertEquals(container.slice(2), Deno.uid() === 0 ? [] : becomes);
});

test("a bounding set drops all other capabilities, one by one", () => {
  const calls = callsOf(box, steps.capabilities({ bounding: ["CAP_KILL"] }));
  assertEquals(calls.length, Object.keys(steps.CAPABILITIES).length - 1);
  assert(calls.every((call) => call.startsWith("prctl(PR_CAPBSET_DROP, CAP_")), calls[0]);
  assert(!calls.some((call) => call.includes("CAP_KILL,")));
});

test("devices makes binds, mounts and links", () => {
  const calls = callsOf(box, steps.devices());
  const count = (start: string) => calls.filter((call) => call.startsWith(start)).length;
  assertEquals(
    ["open_tree(", "move_mount(", "mount(", "symlinkat("].map(count),
    [6, 6, 3, 5],
  );
});

/** Calls that open a descriptor. */
const OPENS = /^(openat2?|open_tree|fsopen|fsmount)\(/;

const count = (calls: readonly string[], pattern: RegExp) =>
  calls.filter((call) => pattern.test(call)).length;

/** The number of descriptors that execve(2) closes. */
const leftOpen = (calls: readonly string[]) => count(calls, OPENS) - count(calls, /^close\(/);

/** The calls of the container for all of the steps. */
const allCallsOf = (...ingredients: RecipeInput[]) =>
  recipe(...ingredients).plan().entries
    .filter(({ by, stepIndex }) => by === "container" && stepIndex !== undefined)
    .map(({ call }) => call);

test("execve(2) closes descriptors up to a limit; further ones are closed at once", () => {
  const binds = (number: number) =>
    Array.from({ length: number }, (_, index) => steps.bind("/usr", `/mnt/${index}`));
  const few = allCallsOf(box, steps.tmpfs("/mnt"), ...binds(5));
  assertEquals(count(few, /^close\(/), 0);
  const open = [200, 300, 400].map((number) =>
    leftOpen(allCallsOf(box, steps.tmpfs("/mnt"), ...binds(number)))
  );
  assert(open[0]! < 200, `${open[0]} are open`);
  assertEquals(open, [open[0]!, open[0]!, open[0]!]);
});

test("all descriptors are closed at once if a step unmounts, because they keep a mount busy", () => {
  const lists: Step[][] = [
    [steps.bind("/usr", "/mnt/usr", { readOnly: true })],
    [steps.bind("/usr", "/mnt/usr", { optional: true })],
    [steps.devices("/mnt/dev")],
    [steps.overlay("/mnt/a", { lower: ["/etc"], discard: true })],
    [steps.mkdir("/mnt/a/b/c", { mode: 0o700 })],
    [steps.symlink("x", "/mnt/a"), steps.mknod("/mnt/b", { type: "p" })],
    [steps.writeFile("/mnt/a", "soup"), steps.maskPaths("/mnt/a"), steps.readonlyPaths("/mnt/a")],
    [steps.programs("/bin/true", { root: "/mnt" })],
    [steps.remount("/mnt", "ro"), steps.propagation("/mnt", "private")],
    [steps.bind("/usr", "/mnt/usr"), steps.chdir("/mnt/usr"), steps.chdir("/")],
  ];
  for (const list of lists) {
    const whole = recipe(box, steps.tmpfs("/mnt"), ...list, steps.unmount("/mnt"));
    const unmounting = whole.plan().entries.findIndex(({ call }) => call.startsWith("umount2(&"));
    const made = whole.plan().entries.slice(0, unmounting)
      .filter(({ by, stepIndex }) => by === "container" && stepIndex !== undefined)
      .map(({ call }) => call);
    const stays = made.filter((call) => call === HERE[0]).length;
    assertEquals(leftOpen(made), stays, made.join("\n"));
  }
});

test("a written file is closed at once, because a file open for writing cannot be executed", () => {
  const calls = allCallsOf(
    box,
    steps.tmpfs("/mnt"),
    steps.writeFile("/mnt/a", "soup"),
    steps.programs("/bin/true", { root: "/mnt", copy: true }),
  );
  const written =
    calls.filter((call) => call.startsWith("openat2(") && /O_WRONLY.*_CREAT/.test(call))
      .length;
  assert(written > 1);
  assertEquals(count(calls, /^close\(/), written);
});
