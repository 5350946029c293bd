/** The plan of each step, as data: which calls it makes, with their arguments by name. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import * as steps from "../../mod.ts";
import { recipe, type RecipeInput, type Step } from "../../mod.ts";
import { test } from "../support.ts";

/** Namespaces for steps that need them; their own calls are not looked at. */
const box = recipe(
  steps.unshare("user", "mount", "pid", "uts", "ipc", "net", "time"),
  steps.mapRoot(),
);

/** What the container does for the last of the steps. */
function callsOf(...ingredients: RecipeInput[]): string[] {
  const whole = recipe(...ingredients);
  const last = whole.steps.length - 1;
  return whole.plan().entries
    .filter(({ stepIndex, by }) => stepIndex === last && by === "container")
    .map(({ call }) => call);
}

/** Each step with the calls that it makes behind those namespaces, and the steps before it. */
const CALLS: readonly (readonly [step: Step, calls: readonly string[], ...before: Step[]])[] = [
  [steps.hostname("soup"), ['sethostname("soup", 4)']],
  [steps.domainname("soup"), ['setdomainname("soup", 4)']],
  [steps.unshare("uts", "ipc"), ["unshare(CLONE_NEWUTS|CLONE_NEWIPC)"]],
  [steps.unshare("mount"), [
    "unshare(CLONE_NEWNS)",
    'mount(NULL, "/", NULL, MS_REC|MS_PRIVATE, NULL)',
  ]],
  [steps.unshare("mount", { propagation: "slave" }), [
    "unshare(CLONE_NEWNS)",
    'mount(NULL, "/", NULL, MS_REC|MS_SLAVE, NULL)',
  ]],
  [steps.tmpfs("/tmp"), ['mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID|MS_NODEV, NULL)']],
  [steps.tmpfs("/tmp", { size: "10m", mode: 0o755, options: "ro,nr_inodes=9" }), [
    'mount("tmpfs", "/tmp", "tmpfs", MS_RDONLY|MS_NOSUID|MS_NODEV, "size=10m,mode=0755,nr_inodes=9")',
  ]],
  [steps.mount("a", "/mnt", { type: "ext4", options: "ro,noatime,errors=continue" }), [
    'mount("a", "/mnt", "ext4", MS_RDONLY|MS_NOATIME, "errors=continue")',
  ]],
  [steps.proc(), ['mount("proc", "/proc", "proc", MS_NOSUID|MS_NODEV|MS_NOEXEC, NULL)']],
  [steps.sysfs("/sys", { options: "ro" }), [
    'mount("sysfs", "/sys", "sysfs", MS_RDONLY|MS_NOSUID|MS_NODEV|MS_NOEXEC, NULL)',
  ]],
  [steps.mqueue(), [
    'mount("mqueue", "/dev/mqueue", "mqueue", MS_NOSUID|MS_NODEV|MS_NOEXEC, NULL)',
  ]],
  [
    steps.proc("/mnt/proc"),
    [
      'openat(AT_FDCWD, "/mnt", O_CLOEXEC|O_PATH|O_DIRECTORY, 00)',
      'mkdirat(root, "proc", 0755)',
      "close(root)",
      'openat(AT_FDCWD, "/mnt", O_CLOEXEC|O_PATH|O_DIRECTORY, 00)',
      'openat2(root, "proc", {O_CLOEXEC|O_PATH|O_DIRECTORY, 00, RESOLVE_IN_ROOT}, 24)',
      "close(root)",
      'openat(AT_FDCWD, ".", O_CLOEXEC|O_PATH|O_DIRECTORY, 00)',
      "fchdir(fd)",
      'mount("proc", ".", "proc", MS_NOSUID|MS_NODEV|MS_NOEXEC, NULL)',
      "fchdir(here)",
      "close(here)",
      "close(fd)",
    ],
    steps.tmpfs("/mnt"),
  ],
  [steps.propagation("/", "shared", { recursive: true }), [
    'mount(NULL, "/", NULL, MS_REC|MS_SHARED, NULL)',
  ]],
  [steps.remount("/usr", "ro,nosuid"), [
    'mount(NULL, "/usr", NULL, MS_RDONLY|MS_NOSUID|MS_REMOUNT|MS_BIND, NULL)',
  ]],
  [
    steps.remount("/tmp", "ro,size=1m", { bind: false }),
    ['mount(NULL, "/tmp", NULL, MS_RDONLY|MS_REMOUNT, "size=1m")'],
    steps.tmpfs("/tmp"),
  ],
  [steps.unmount("/mnt"), ['umount2("/mnt", 0)']],
  [steps.unmount("/mnt", { detach: true }), ['umount2("/mnt", MNT_DETACH)']],
  [steps.bind("/usr", "/mnt", { readOnly: true, restrict: ["noexec"] }), [
    'openat(AT_FDCWD, "/usr", O_CLOEXEC|O_PATH, 00)',
    'open_tree(fd, "", OPEN_TREE_CLONE|AT_EMPTY_PATH|AT_RECURSIVE|OPEN_TREE_CLOEXEC)',
    'mount_setattr(tree, "", AT_EMPTY_PATH|AT_RECURSIVE, {attr_set=MOUNT_ATTR_RDONLY|MOUNT_ATTR_NOEXEC}, 32)',
    'move_mount(tree, "", AT_FDCWD, "/mnt", MOVE_MOUNT_F_EMPTY_PATH)',
    "close(tree)",
    "close(fd)",
  ]],
  [steps.bind("/usr", "/mnt", { recursive: false }), [
    'openat(AT_FDCWD, "/usr", O_CLOEXEC|O_PATH, 00)',
    'open_tree(fd, "", OPEN_TREE_CLONE|AT_EMPTY_PATH|OPEN_TREE_CLOEXEC)',
    'move_mount(tree, "", AT_FDCWD, "/mnt", MOVE_MOUNT_F_EMPTY_PATH)',
    "close(tree)",
    "close(fd)",
  ]],
  [steps.overlay("/mnt", { lower: ["/a,b", "/c:d"], upper: "/u", work: "/w" }), [
    'mount("overlay", "/mnt", "overlay", 0, ' +
    '"lowerdir=/a\\\\,b:/c\\\\:d,upperdir=/u,workdir=/w,userxattr")',
  ]],
  [
    steps.mkdir("/tmp/a", { mode: 0o700 }),
    [
      'openat(AT_FDCWD, "/tmp", O_CLOEXEC|O_PATH|O_DIRECTORY, 00)',
      'mkdirat(base, "a", 0755)',
      "close(base)",
      'openat(AT_FDCWD, "/tmp", O_CLOEXEC|O_PATH|O_DIRECTORY, 00)',
      'openat2(base, "a", {O_CLOEXEC|O_DIRECTORY, 00, RESOLVE_BENEATH}, 24)',
      "close(base)",
      "fchmod(fd, 0700)",
      "close(fd)",
    ],
    steps.tmpfs("/tmp"),
  ],
  [steps.symlink("a", "/b", { host: true }), ['symlinkat("a", AT_FDCWD, "/b")']],
  [steps.writeFile("/a", "soup", { host: true, mode: 0o600 }), [
    'openat(AT_FDCWD, "/a", O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC, 0600)',
    'write(fd, "soup", 4)',
    'pwrite64(fd, "p", 1, 3)',
    "fchmod(fd, 0600)",
    "close(fd)",
  ]],
  [steps.mknod("/a", { type: "c", major: 1, minor: 3, mode: 0o600, host: true }), [
    'mknodat(AT_FDCWD, "/a", 020600, 259)',
    'fchmodat(AT_FDCWD, "/a", 0600)',
  ]],
  [steps.chroot("/mnt"), ['chroot("/mnt")', 'chdir("/")']],
  [steps.pivotRoot("/mnt"), [
    'mount("/mnt", "/mnt", NULL, MS_BIND|MS_REC, NULL)',
    'chdir("/mnt")',
    'pivot_root(".", ".")',
    'umount2(".", MNT_DETACH)',
    'chdir("/")',
  ]],
  [
    steps.pivotRoot("/mnt"),
    ['chdir("/mnt")', 'pivot_root(".", ".")', 'umount2(".", MNT_DETACH)', 'chdir("/")'],
    steps.tmpfs("/mnt"),
  ],
  [steps.chdir("usr"), [
    'openat2(AT_FDCWD, "usr", {O_CLOEXEC|O_PATH|O_DIRECTORY, 00, RESOLVE_NO_MAGICLINKS}, 24)',
    "fchdir(directory)",
    "close(directory)",
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
    'openat(AT_FDCWD, "/proc/self/timens_offsets", O_WRONLY|O_CLOEXEC, 00)',
    'write(fd, "monotonic -2 500000000\\nboottime 60 0\\n", 37)',
    "close(fd)",
  ]],
  [steps.newSession(), ["setsid()"]],
  [steps.dieWithParent("SIGTERM"), []],
];

for (const [step, calls, ...before] of CALLS) {
  const where = before.length === 0 ? "" : ` behind ${before.map(({ step }) => step).join(", ")}`;
  test(`${step.step}${where} makes the calls that it should: ${JSON.stringify(step)}`, () => {
    const behind = step.step === "proc" && before.length > 0 ? [steps.pivotRoot("/mnt")] : [];
    if (behind.length === 0) return assertEquals(callsOf(box, ...before, step), [...calls]);
    const whole = box.with(...before, step, ...behind);
    const index = whole.steps.length - 2;
    const made = whole.plan().entries.filter(({ stepIndex }) => stepIndex === index);
    assertEquals(made.map(({ call }) => call), [...calls]);
  });
}

test("the first unshare costs no call of its own, and the map is written by the container", () => {
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
      'write(fd, "deny", 4)',
      `write(fd, "0 ${uid} 1\\n", ${`0 ${uid} 1\n`.length})`,
      `write(fd, "0 ${gid} 1\\n", ${`0 ${gid} 1\n`.length})`,
    ],
  );
});

test("several ranges are mapped by the script, while the container waits", () => {
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
  assertEquals(made.filter(({ by }) => by === "container").length, 2);
});

test("a bounding set drops all others, one by one", () => {
  const calls = callsOf(box, steps.capabilities({ bounding: ["CAP_KILL"] }));
  assertEquals(calls.length, Object.keys(steps.CAPABILITIES).length - 1);
  assert(calls.every((call) => call.startsWith("prctl(PR_CAPBSET_DROP, CAP_")), calls[0]);
  assert(!calls.some((call) => call.includes("CAP_KILL,")));
});

test("devices binds, mounts and links", () => {
  const calls = callsOf(box, steps.devices());
  const count = (start: string) => calls.filter((call) => call.startsWith(start)).length;
  assertEquals(
    ["open_tree(", "move_mount(", "mount(", "symlinkat("].map(count),
    [6, 6, 3, 5],
  );
});

/** Calls that open a descriptor. */
const OPENS = /^(openat2?|open_tree|fsopen|fsmount)\(/;

test("steps close what they have opened", () => {
  const lists: RecipeInput[][] = [
    ...CALLS.map(([step, , ...before]) => [...before, step]),
    [steps.devices()],
    [steps.tmpfs("/mnt"), steps.devices("/mnt/dev")],
    [steps.overlay("/usr", { lower: ["/usr"], discard: true })],
    [steps.tmpfs("/mnt"), steps.overlay("/mnt/a", { lower: ["/usr"], discard: true })],
    [steps.tmpfs("/mnt"), steps.mkdir("/mnt/a/b/c", { mode: 0o700 })],
    [steps.tmpfs("/mnt"), steps.symlink("x", "/mnt/a"), steps.mknod("/mnt/b", { type: "p" })],
  ];
  for (const list of lists) {
    const calls = callsOf(box, ...list);
    const opened = calls.filter((call) => OPENS.test(call)).length;
    const closed = calls.filter((call) => call.startsWith("close(")).length;
    assertEquals(closed, opened, calls.join("\n"));
  }
});
