/** The access to the host that each kind of step needs, as data. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import * as steps from "../../mod.ts";
import {
  describeAccess,
  type HostAccessKind,
  type Recipe,
  recipe,
  RecipeError,
  type Step,
} from "../../mod.ts";
import { STEP_SCHEMAS } from "../../recipe/steps.ts";
import { inDirectory, root, test } from "../support.ts";

const { bind, capabilities, mapRoot, noNewPrivileges, pivotRoot, tmpfs, unshare } = steps;

const ALL = ["user", "mount", "pid", "uts", "ipc", "net", "cgroup", "time"] as const;
/** All namespaces and a root of the container's own. */
const own = recipe(unshare(...ALL), mapRoot(), tmpfs("/mnt"));
/** A root of its own, and a program that cannot change mounts. */
const closed: readonly Step[] = [pivotRoot("/mnt"), capabilities({ keep: [] }), noNewPrivileges()];

/** What no namespace holds; a recipe has to do without it by other steps. */
const UNHELD: ReadonlySet<HostAccessKind["kind"]> = new Set(["terminal", "kernel", "lifetime"]);

/** Returns the other needs, one line each. */
function needs(box: Recipe): string[] {
  return box.needs().filter(({ kind }) => !UNHELD.has(kind)).map(describeAccess);
}

/** Returns the kinds of the needs that no namespace holds. */
function unheld(box: Recipe): string[] {
  return box.needs().map(({ kind }) => kind).filter((kind) => UNHELD.has(kind));
}

/** Returns the needs of the last step, in a recipe that needs nothing else. */
function requiredAccess(
  step: Step,
  before: Recipe = own,
  after: readonly Step[] = closed,
): HostAccessKind[] {
  const index = before.steps.length;
  return before.with(step, ...after).needs()
    .filter(({ stepIndex }) => stepIndex === index)
    .map(({ step: _, stepIndex: __, ...need }) => need);
}

/** Steps that leave a program nothing of what no namespace holds. */
const HELD: readonly Step[] = [
  steps.newSession(),
  steps.init(),
  unshare("user"),
  mapRoot(),
  steps.seccomp(),
];

const NONE: readonly HostAccessKind[] = [];
const WHOLE_HOST: readonly HostAccessKind[] = [
  { kind: "read", path: "/" },
  { kind: "write", path: "/" },
];

/** What comes before other programs of the host. */
const FIRST: readonly HostAccessKind[] = [{ kind: "privilege", privilege: "CAP_SYS_NICE" }];

/** Each kind of step that needs nothing or always the same. */
const NEEDS: readonly (readonly [step: Step, needs: readonly HostAccessKind[]])[] = [
  [steps.address("lo", "10.0.0.1/8"), NONE],
  [steps.bounds({ pids: 500, timeout: 1000, output: "1m", degrade: true }), NONE],
  [steps.bridge("lan"), NONE],
  [steps.capabilities({ keep: [] }), NONE],
  [steps.chdir("/mnt"), NONE],
  [steps.clearEnv(), NONE],
  [steps.denyFiles({ read: ["/usr/a"], write: ["/usr/b"] }), NONE],
  [steps.devices("/mnt/dev"), NONE],
  [steps.dieWithParent(null), [{ kind: "lifetime" }]],
  [steps.dieWithParent("SIGTERM"), [{ kind: "lifetime" }]],
  [steps.dieWithParent(), NONE],
  [steps.domainname("soup"), NONE],
  [steps.dummy("holder"), NONE],
  [steps.hostname("soup"), NONE],
  [steps.init(), NONE],
  [steps.landlock({ read: ["/"], degrade: true }), NONE],
  [steps.loopback(), NONE],
  [steps.maskPaths("/proc"), NONE],
  [steps.masquerade("10.7.0.0/24", { inside: true }), NONE],
  [steps.mkdir("/mnt/a"), NONE],
  [steps.mkdir("/usr/a", { host: true }), [{ kind: "write", path: "/usr/a" }]],
  [steps.mknod("/mnt/a", { type: "p" }), NONE],
  [steps.mknod("/mnt/a", { type: "b", major: 8, minor: 0 }), [{ kind: "device", path: "b 8:0" }]],
  [steps.mount("a", "/mnt", { type: "tmpfs" }), NONE],
  [steps.mount("/dev/sda", "/mnt", { type: "ext4" }), [{ kind: "device", path: "/dev/sda" }]],
  [steps.mount("o", "/mnt", { type: "overlay", options: "lowerdir=/etc:/usr" }), WHOLE_HOST],
  [steps.mount("c", "/mnt", { type: "cgroup2" }), [{ kind: "namespace", namespace: "cgroup" }]],
  [steps.mount("c", "/mnt", { type: "cgroup2", options: "ro" }), NONE],
  [steps.mqueue("/mnt/mqueue"), NONE],
  [steps.newSession(), NONE],
  [steps.noNewPrivileges(), NONE],
  [steps.joinCgroup("/sys/fs/cgroup/jobs"), [
    { kind: "write", path: "/sys/fs/cgroup/jobs" },
  ]],
  [steps.oomScoreAdj(500), NONE],
  [steps.cpuAffinity("0"), NONE],
  [steps.ioPriority("idle"), NONE],
  [steps.ioPriority("realtime"), FIRST],
  [steps.memoryPolicy("local"), NONE],
  [steps.personality("linux32"), NONE],
  [steps.scheduler("batch", { nice: 5 }), NONE],
  [steps.scheduler("other", { nice: -5 }), FIRST],
  [steps.scheduler("rr", { priority: 1 }), FIRST],
  [steps.overlay("/mnt/o", { lower: ["/usr"], discard: true }), [{ kind: "read", path: "/usr" }]],
  [steps.overlay("/mnt/o", { lower: ["/usr", "/mnt"] }), [{ kind: "read", path: "/usr" }]],
  [steps.overlay("/mnt/o", { lower: ["/usr"], upper: "/var/u", work: "/var/w" }), [
    { kind: "read", path: "/usr" },
    { kind: "read", path: "/var/u" },
    { kind: "write", path: "/var/u" },
    { kind: "write", path: "/var/w" },
  ]],
  [steps.propagation("/", "private"), NONE],
  [steps.protect("/mnt"), [{ kind: "write", path: "/mnt" }]],
  [steps.proxy(["example.org:443"]), [{ kind: "net", host: "*" }]],
  [steps.publish(80, { address: "10.7.0.2", inside: true }), NONE],
  [steps.readonlyPaths("/usr"), NONE],
  [steps.remount("/mnt", "ro"), NONE],
  [steps.rlimit("nofile", 64), NONE],
  [steps.route("10.0.0.0/8", { device: "lo" }), NONE],
  [steps.seccomp(), NONE],
  [steps.setEnv({ A: "1" }), NONE],
  [steps.setUser({ uid: 0 }), NONE],
  [steps.symlink("a", "/mnt/a"), NONE],
  [steps.symlink("a", "/usr/a", { host: true }), [{ kind: "write", path: "/usr/a" }]],
  [steps.sysctl({ "net.ipv4.ip_forward": 1 }), NONE],
  [steps.timeOffset({ boottime: 1 }), NONE],
  [steps.tmpfs("/mnt/tmp"), NONE],
  [steps.umask(0), NONE],
  [steps.unmount("/mnt"), WHOLE_HOST],
  [steps.unshare("uts"), NONE],
  [steps.userNetwork(), [{ kind: "net", host: "*" }]],
  [steps.writeFile("/mnt/a", ""), NONE],
  [steps.writeFile("/usr/a", "", { host: true }), [{ kind: "write", path: "/usr/a" }]],
];

for (const [step, expected] of NEEDS) {
  test(`${step.step} needs what it should: ${JSON.stringify(step)}`, () => {
    // Unmounting /mnt would remove the new root.
    const after = step.step === "unmount" ? [tmpfs("/mnt"), ...closed] : closed;
    const inside = recipe(own, steps.devices("/mnt/dev"));
    assertEquals(requiredAccess(step, step.step === "devices" ? own : inside, after), [
      ...expected,
    ]);
  });
}

/** The steps with a test of their own below. */
const APART = [
  "bind",
  "chroot",
  "disableUserNamespaces",
  "join",
  "limits",
  "macvlan",
  "mapCurrentUser",
  "mapIds",
  "mapRoot",
  "moveInterface",
  "pivotRoot",
  "proc",
  "programs",
  "root",
  "sysfs",
  "veth",
];

test("no kind of step is left out here", () => {
  const seen = new Set([...NEEDS.map(([step]) => step.step as string), ...APART]);
  assertEquals([...STEP_SCHEMAS.keys()].filter((name) => !seen.has(name)), []);
});

test("a recipe without steps needs all of the host", () => {
  assertEquals(needs(recipe()), [
    "read /",
    "write /",
    "the device /dev",
    "the host's network",
    "the host's pid namespace",
    "the host's uts namespace",
    "the host's ipc namespace",
    "all capabilities of the host's root",
  ]);
});

test("a recipe with namespaces and a root of its own needs nothing that a namespace holds", () => {
  assertEquals(needs(own.with(pivotRoot("/mnt"))), []);
  assertEquals(own.with(pivotRoot("/mnt"), ...HELD).needs(), []);
});

test("the terminal is a need without a session of its own", () => {
  const has = (...steps: Step[]) => unheld(own.with(...steps)).includes("terminal");
  const user = [unshare("user"), mapRoot()];
  assertEquals(has(), true);
  assertEquals(has(steps.newSession()), false);
  assertEquals(has(steps.newSession(), steps.init()), false);
  // Whoever can trace the init can have it open /dev/tty.
  assertEquals(has(steps.init(), steps.newSession()), true);
  assertEquals(has(steps.init(), ...user, steps.newSession()), false);
  const kinds = (box: Recipe) =>
    box.command("ls", { terminal: true }).needs().map(({ kind }) => kind as string);
  assertEquals(kinds(own).includes("terminal"), false);
  assertEquals(kinds(own.with(steps.init())).includes("terminal"), true);
});

test("a program runs on after the script unless an init that it cannot trace is tied to that", () => {
  const has = (...steps: Step[]) => unheld(own.with(...steps)).includes("lifetime");
  const user = [unshare("user"), mapRoot()];
  assertEquals(has(), true, "a program can reset its own parent-death signal");
  assertEquals(has(steps.init()), true);
  assertEquals(has(steps.init(), ...user), false);
  assertEquals(has(steps.init(), ...user, steps.dieWithParent("SIGTERM")), true);
  assertEquals(has(steps.dieWithParent(null), steps.dieWithParent(), steps.init(), ...user), false);
});

test("what no namespace holds is a need unless a filter denies the calls for it", () => {
  const has = (...steps: Step[]) => unheld(own.with(...steps)).includes("kernel");
  const { seccomp } = steps;
  assertEquals(has(), true);
  assertEquals(has(seccomp()), false);
  assertEquals(has(seccomp({ allow: ["clock_settime"] })), false);
  assertEquals(has(seccomp({ allow: ["@mounts"] }), seccomp()), false, "both filters apply");
  assertEquals(has(seccomp(), steps.init()), true, "the init has no filter");
  assertEquals(has(steps.init(), unshare("user"), mapRoot(), seccomp()), false);
  const architectures = ["SCMP_ARCH_X86"] as const;
  assertEquals(has(seccomp({ architectures })), false);
  assertEquals(
    has(seccomp({ architectures, allow: ["socketcall"] })),
    Deno.build.arch === "x86_64",
    "no filter sees the family",
  );
  for (
    const call of [
      "keyctl",
      "add_key",
      "request_key",
      "io_uring_setup",
      "syslog",
      "socket",
      "mount",
    ]
  ) {
    assertEquals(has(seccomp({ allow: [call] })), true, call);
  }
  const listed = { defaultAction: "SCMP_ACT_ERRNO" } as const;
  const names = ["execve", "exit_group"];
  const start = { names, action: "SCMP_ACT_ALLOW" } as const;
  const socket = (op: steps.SeccompComparison, value: number, valueTwo?: number) =>
    has(seccomp({
      ...listed,
      syscalls: [start, {
        names: ["socket"],
        action: "SCMP_ACT_ALLOW",
        args: [{ index: 0, value, op, ...(valueTwo !== undefined && { valueTwo }) }],
      }],
    }));
  assertEquals(has(seccomp({ ...listed, syscalls: [start] })), false);
  assertEquals(has(seccomp({ defaultAction: "SCMP_ACT_LOG" })), true);
  assertEquals(has(seccomp({ defaultAction: "SCMP_ACT_ALLOW" })), true);
  assertEquals(socket("SCMP_CMP_EQ", 1), false);
  assertEquals(socket("SCMP_CMP_EQ", 40), true);
  // The kernel reads 32 bits of the family, and these compare all 64.
  assertEquals(socket("SCMP_CMP_NE", 40), true);
  assertEquals(socket("SCMP_CMP_MASKED_EQ", 0xffff_ffff, 16), false);
  assertEquals(socket("SCMP_CMP_MASKED_EQ", 0xf, 8), true, "40 ends with these bits too");
  assertEquals(socket("SCMP_CMP_LE", 17), true);
});

test("a program that can mount can make a read-only mount of control groups writable", () => {
  const mount = steps.mount("c", "/mnt/c", { type: "cgroup2", options: "ro" });
  const group: HostAccessKind[] = [{ kind: "namespace", namespace: "cgroup" }];
  assertEquals(requiredAccess(mount), []);
  assertEquals(requiredAccess(mount, own, [pivotRoot("/mnt")]), group);
  const shared = recipe(unshare("user", "mount", "pid", "net", "ipc"), mapRoot(), tmpfs("/mnt"));
  assertEquals(requiredAccess(mount, shared), group);
});

test("root's rlimit() before a user namespace may raise a limit", () => {
  const raised: HostAccessKind[] = [{ kind: "privilege", privilege: "CAP_SYS_RESOURCE" }];
  const limit = steps.rlimit("rtprio", 99);
  assertEquals(requiredAccess(limit, recipe(), [...own.steps, ...closed]), root ? raised : []);
  assertEquals(requiredAccess(limit), []);
});

test("shared namespaces by which programs can be reached are needs", () => {
  assertEquals(needs(recipe(unshare("user", "mount"), mapRoot(), tmpfs("/mnt"), ...closed)), [
    "the host's network",
    "the host's pid namespace",
    "the host's ipc namespace",
  ]);
});

test("a bound directory is read, and written unless nothing can make it writable", () => {
  const shown = bind("/usr", "/mnt/usr", { readOnly: true, restrict: ["nodev"] });
  const read: HostAccessKind[] = [{ kind: "read", path: "/usr" }];
  const written: HostAccessKind[] = [...read, { kind: "write", path: "/usr" }];
  const both: HostAccessKind[] = [...written, { kind: "device", path: "/usr" }];
  const pivot = pivotRoot("/mnt");
  assertEquals(requiredAccess(shown), read);
  assertEquals(requiredAccess({ ...shown, readOnly: false }), written);
  assertEquals(requiredAccess(shown, own, [pivot]), both, "root of the namespace can mount");
  const bounded = capabilities({ bounding: ["CAP_CHOWN"] });
  assertEquals(requiredAccess(shown, own, [pivot, bounded]), read);
  const ambient = capabilities({ ambient: ["CAP_SYS_ADMIN"] });
  assertEquals(requiredAccess(shown, own, [pivot, ambient, bounded]), both, "it is passed on");
  const again = [pivot, capabilities({ keep: [] }), unshare("user"), mapRoot()];
  assertEquals(
    requiredAccess(shown, own, again),
    read,
    "a namespace below has no rights over the mounts",
  );
  const belowThen = recipe(own, unshare("user"), mapRoot(), unshare("mount"));
  assertEquals(requiredAccess(shown, belowThen, [pivot]), both);
  const user = recipe(unshare(...ALL), steps.mapCurrentUser(), tmpfs("/mnt"));
  assertEquals(requiredAccess(shown, user, [pivot]), both, "a setuid program may help");
  assertEquals(requiredAccess(shown, user, [pivot, noNewPrivileges()]), root ? both : read);
  const writable = [pivot, steps.remount("/usr", "nosuid"), ...closed.slice(1)];
  assertEquals(requiredAccess(shown, own, writable), both, "a step makes it writable");
});

test("covering or leaving a bound directory does not remove the need", () => {
  const all = [
    bind("/usr", "/mnt/usr", { readOnly: true }),
    tmpfs("/mnt/usr"),
    bind("/etc", "/elsewhere", { readOnly: true }),
    ...closed,
  ];
  assertEquals(needs(own.with(...all)), [
    "read /usr, for step 4 (bind)",
    "read /etc, for step 6 (bind)",
  ]);
});

test("binds of a bind and of files of the recipe need nothing more", () => {
  const first = recipe(own, bind("/usr", "/mnt/usr", { readOnly: true }));
  assertEquals(requiredAccess(bind("/mnt/usr/bin", "/mnt/b"), first), []);
  assertEquals(requiredAccess(bind("/mnt", "/mnt/b"), first), []);
  const maybe = recipe(own, bind("/no/such", "/srv", { optional: true }));
  assertEquals(requiredAccess(bind("/srv", "/mnt/b", { readOnly: true }), maybe), [
    { kind: "read", path: "/srv" },
  ]);
});

test("a missing optional source needs nothing", () => {
  assertEquals(requiredAccess(bind("/no/such", "/mnt/a", { optional: true })), []);
  assertEquals(requiredAccess(bind("/no/such", "/mnt/a", { readOnly: true })), [
    { kind: "read", path: "/no/such" },
  ]);
});

test("a mount that arrives later in a read-only directory can be written to", () => {
  const slave = { ...unshare("mount"), propagation: "slave" } as const;
  const rest = ALL.filter((kind) => kind !== "mount");
  const before = recipe(unshare(...rest), mapRoot(), slave, tmpfs("/mnt"));
  const shown = bind("/usr", "/mnt/x", { readOnly: true, restrict: ["nodev"] });
  const read: HostAccessKind = { kind: "read", path: "/usr" };
  const later: HostAccessKind[] = [{ kind: "write", path: "/usr" }, {
    kind: "device",
    path: "/usr",
  }];
  assertEquals(requiredAccess(shown, before), [read, ...later]);
  assertEquals(requiredAccess(shown, before.with(unshare("mount"))), [read], "it is private now");
});

test("devices and the host's processes are needs in addition to the files", () => {
  const readOnly = { readOnly: true };
  assertEquals(requiredAccess(bind("/dev/null", "/mnt/null", readOnly)), []);
  assertEquals(
    requiredAccess(bind("/dev/kmsg", "/mnt/kmsg", { ...readOnly, restrict: ["nodev"] })),
    [
      { kind: "read", path: "/dev/kmsg" },
    ],
  );
  assertEquals(requiredAccess(bind("/dev", "/mnt/dev", readOnly)), [
    { kind: "read", path: "/dev" },
    { kind: "device", path: "/dev" },
  ]);
  assertEquals(requiredAccess(bind("/proc", "/mnt/proc", readOnly)), [
    { kind: "read", path: "/proc" },
    { kind: "namespace", namespace: "pid" },
  ]);
});

test("a directory has no devices, unless a step says so", () => {
  const read: HostAccessKind[] = [{ kind: "read", path: "/etc" }];
  const device: HostAccessKind = { kind: "device", path: "/etc" };
  const etc = (options: steps.BindOptions) =>
    requiredAccess(bind("/etc", "/mnt/x", { readOnly: true, ...options }));
  assertEquals(etc({}), read);
  assertEquals(etc({ restrict: ["nosuid", "nodev"] }), read);
  assertEquals(etc({ restrict: [] }), [...read, device]);
  assertEquals(etc({ restrict: ["nosuid"] }), [...read, device]);
  const file = bind("/etc/passwd", "/mnt/x", { readOnly: true, restrict: [] });
  assertEquals(requiredAccess(file), [{ kind: "read", path: "/etc/passwd" }]);
  const layers = steps.overlay("/mnt/x", { lower: ["/etc"], discard: true });
  assertEquals(requiredAccess(layers), read, "an overlay of a user namespace has none");
  const asRoot = recipe(unshare("mount"), tmpfs("/mnt"));
  assert(requiredAccess(layers, asRoot).some(({ kind }) => kind === "device"));
});

test("root can change the mode of a device that is harmless otherwise", () => {
  const written = (...names: string[]): HostAccessKind[] =>
    root ? names.map((name) => ({ kind: "write", path: `/dev/${name}` })) : [];
  assertEquals(requiredAccess(bind("/dev/null", "/mnt/null")), written("null"));
  const made = steps.devices("/mnt/dev");
  assertEquals(requiredAccess(made), []);
  // Whoever can mount can make the mounts of devices() writable.
  const all = ["null", "zero", "full", "random", "urandom", "tty"];
  assertEquals(requiredAccess(made, own, [pivotRoot("/mnt")]), written(...all));
});

test("a socket on a read-only mount can be written to", () =>
  inDirectory((directory) => {
    using _socket = Deno.listen({ transport: "unix", path: `${directory}/socket` });
    assertEquals(requiredAccess(bind(`${directory}/socket`, "/mnt/a", { readOnly: true })), [
      { kind: "read", path: `${directory}/socket` },
      { kind: "write", path: `${directory}/socket` },
    ]);
  })());

test("paths are reported without links and `..`", () =>
  inDirectory((directory) => {
    Deno.mkdirSync(`${directory}/a/b`, { recursive: true });
    Deno.symlinkSync("/etc", `${directory}/a/etc`);
    Deno.symlinkSync("gone", `${directory}/dangling`);
    const path = (source: string) => requiredAccess(bind(source, "/mnt/x", { readOnly: true }))[0];
    const read = (path: string) => ({ kind: "read", path } as const);
    assertEquals(path(`${directory}/a/etc`), read("/etc"));
    assertEquals(path(`${directory}/a/etc/passwd`), read("/etc/passwd"));
    assertEquals(path(`${directory}/a/b/../../a/etc`), read("/etc"));
    assertEquals(
      path(`${directory}/a/etc/../usr`),
      read("/usr"),
      "`..` of where the link leads to",
    );
    assertEquals(path(`/proc/self/root${directory}/a`), read(`${directory}/a`));
    assertEquals(path(`/proc/self/cwd/mod.ts`), read(`${Deno.cwd()}/mod.ts`));
    assertEquals(path("mod.ts"), read(`${Deno.cwd()}/mod.ts`), "from the working directory");
    assertEquals(path(`${directory}/dangling`), read(`${directory}/gone`), "where it would be");
    assertEquals(path(`${directory}/a/etc/no/such`), read("/etc/no/such"));
    using opened = steps.linux.open(`${directory}/a`);
    assertEquals(path(`/proc/self/fd/${opened.number}`), read(`${directory}/a`));
    assertEquals(path(`/dev/fd/${opened.number}/etc`), read("/etc"));
  })());

test("a source that is not the host's by its words is refused", () => {
  const says = "leads over a mount, a root or a working directory of the recipe";
  const refused = (source: string, ...before: Step[]) =>
    assertThrows(() => own.with(...before, bind(source, "/mnt/x")).plan(), RecipeError, says);
  refused("etc", steps.chdir("/"));
  refused("etc", steps.tmpfs(Deno.cwd()));
  // The link in the recipe's /usr/lib leads elsewhere than the directory on the host.
  refused("/usr/lib/..", steps.tmpfs("/usr"), steps.mkdir("/usr/lib"));
  refused("/mnt/../etc", steps.tmpfs("/etc"));
  assertEquals(requiredAccess(bind("/usr/lib/..", "/mnt/x", { readOnly: true })), [
    { kind: "read", path: Deno.realPathSync("/usr") },
  ]);
});

test("programs() needs the programs, their loaders and their libraries", () => {
  const found = requiredAccess(steps.programs("/bin/true"));
  assertEquals(found.every(({ kind }) => kind === "read"), true);
  assertEquals(found[0], { kind: "read", path: Deno.realPathSync("/bin/true") });
  assertEquals(found.length > 1, true);
  assertEquals(requiredAccess(steps.programs("/bin/true", { copy: true })), found);
});

test("a chroot confines nothing, and a new root does", () => {
  const enter = steps.chroot("/usr");
  const base = recipe(unshare(...ALL), mapRoot());
  assertEquals(needs(base.with(enter)).slice(0, 2), ["read /", "write /"]);
  const none = capabilities({ bounding: [] });
  // It can be left: by another mount of its filesystem a directory can be moved out of it.
  assertEquals(needs(base.with(enter, none)).slice(0, 2), ["read /", "write /"]);
  const mounted = base.with(tmpfs("/mnt"), steps.chroot("/mnt"), none);
  assertEquals(needs(mounted).slice(0, 2), ["read /", "write /"]);
  const pivoted = base.with(enter, tmpfs("/mnt"), pivotRoot("/mnt"));
  assertEquals(needs(pivoted).slice(0, 2), ["read /", "write /"]);
  assertEquals(needs(base.with(pivotRoot("/usr"))), [
    "read /usr, for step 3 (pivotRoot)",
    "write /usr, for step 3 (pivotRoot)",
    "the device /usr, for step 3 (pivotRoot)",
  ]);
  assertEquals(needs(own.with(pivotRoot("/mnt"), steps.chroot("/a"))), []);
});

test("an init in the host's namespaces gives access to the host", () => {
  const { init } = steps;
  const inner = [tmpfs("/mnt"), pivotRoot("/mnt")] as const;
  const late = recipe(unshare("user", "pid"), mapRoot(), init());
  const all = late.with(unshare("mount", "net", "ipc"), ...inner);
  assertEquals(needs(all), [
    "read /",
    "write /",
    "the device /dev",
    "the host's network",
    "the host's ipc namespace",
  ]);
  assertEquals(needs(all.with(unshare("user"))), [], "a user namespace below has no way to it");
  const early = recipe(unshare(...ALL), mapRoot());
  assertEquals(needs(early.with(init(), ...inner)), [], "its root changes too");
  assertEquals(needs(early.with(...inner, init(), unshare("mount"))), []);
  const jail = [tmpfs("/mnt"), steps.chroot("/mnt")] as const;
  const none = capabilities({ keep: [] });
  assertEquals(needs(early.with(init(), ...jail, none)).slice(0, 2), ["read /", "write /"]);
  assertEquals(needs(early.with(...jail, init(), none)).slice(0, 2), ["read /", "write /"]);
});

test("ids other than the caller's own are needs", () => {
  const user = recipe(unshare(...ALL));
  const caller = { inside: 0, outside: Deno.uid()!, count: 1 };
  const group = { inside: 0, outside: Deno.gid()!, count: 1 };
  const range = { inside: 1, outside: 100000, count: 10 };
  assertEquals(requiredAccess(mapRoot(), user, [tmpfs("/mnt"), ...closed]), []);
  assertEquals(requiredAccess(steps.mapCurrentUser(), user, [tmpfs("/mnt"), ...closed]), []);
  const after = [tmpfs("/mnt"), ...closed];
  assertEquals(requiredAccess(steps.mapIds({ uids: [caller], gids: [group] }), user, after), []);
  assertEquals(
    requiredAccess(steps.mapIds({ uids: [caller, range], gids: [group, range] }), user, after),
    [
      { kind: "identity", id: "uid", from: 100000, count: 10 },
      { kind: "identity", id: "gid", from: 100000, count: 10 },
    ],
  );
  assertEquals(requiredAccess(steps.setUser({ uid: 7, groups: [8] }), recipe(), []), [
    { kind: "identity", id: "uid", from: 7, count: 1 },
    { kind: "identity", id: "gid", from: 7, count: 1 },
    { kind: "identity", id: "gid", from: 8, count: 1 },
  ]);
});

test("root without a user namespace needs its remaining capabilities", () => {
  const privileges = (...more: Step[]) =>
    needs(recipe(...more)).filter((need) => /root|CAP_/.test(need) && !need.includes("read"));
  assertEquals(privileges(), ["all capabilities of the host's root"]);
  assertEquals(privileges(capabilities({ keep: ["CAP_CHOWN"] })), ["CAP_CHOWN on the host"]);
  assertEquals(privileges(capabilities({ keep: [] })), []);
  assertEquals(privileges(capabilities({ keep: [] }), unshare("user")), []);
});

test("joining namespaces is a need", () => {
  const needsJoined = recipe(steps.join(Deno.pid, "uts")).needs();
  assertEquals(needsJoined.find(({ kind }) => kind === "join"), {
    kind: "join",
    target: Deno.pid,
    stepIndex: 0,
    step: "join",
  });
  const file = "/proc/self/ns/uts";
  assertEquals(requiredAccess(steps.join(file), recipe(), []), [{ kind: "join", target: file }]);
});

test("veth() and the like change the host's network", () => {
  const changes: HostAccessKind[] = [
    { kind: "net", host: "*" },
    { kind: "privilege", privilege: "CAP_NET_ADMIN" },
  ];
  for (
    const step of [
      steps.veth("eth0"),
      steps.macvlan("eth0", { parent: "eth0" }),
      steps.moveInterface("eth1"),
      steps.masquerade("10.0.0.0/8"),
      steps.publish(80, { address: "10.0.0.2" }),
    ]
  ) {
    if (root) assertEquals(requiredAccess(step, own), changes);
  }
});

test("the host's root can change the machine by /proc and /sys", () => {
  const machine = (path: string): HostAccessKind[] => root ? [{ kind: "write", path }] : [];
  assertEquals(requiredAccess(steps.proc("/mnt/proc")), machine("/proc"));
  assertEquals(requiredAccess(steps.sysfs("/mnt/sys")), machine("/sys"));
  const [pivot, ...rest] = closed;
  const readOnly = steps.proc("/mnt/proc", { options: "ro" });
  assertEquals(requiredAccess(readOnly), []);
  // Whoever may mount can make it writable again, and so can a step.
  assertEquals(requiredAccess(readOnly, own, [pivot!]), machine("/proc"));
  const again = steps.remount("/mnt/proc", "rw");
  assertEquals(requiredAccess(readOnly, own, [again, ...closed]), machine("/proc"));
  const names = ["sys", "sysrq-trigger", "acpi", "asound", "bus", "driver", "dynamic_debug", "fs"];
  const others = ["irq", "latency_stats", "mtrr", "pressure", "scsi"];
  const guard = steps.readonlyPaths(...[...names, ...others].map((name) => `/proc/${name}`));
  for (const name of [...names, ...others]) {
    const all = guard.paths.filter((path) => path !== `/proc/${name}`);
    const found = requiredAccess(steps.proc("/mnt/proc"), own, [
      pivot!,
      steps.readonlyPaths(...all),
      ...rest,
    ]);
    const isThere = [...Deno.readDirSync("/proc")].some((entry) => entry.name === name);
    assertEquals(found, isThere ? machine(`/proc/${name}`) : []);
  }
  assertEquals(requiredAccess(steps.proc("/mnt/proc"), own, [pivot!, guard, ...rest]), []);
  assertEquals(requiredAccess(steps.proc("/mnt/proc"), own, [pivot!, guard]), machine("/proc"));
  assertEquals(requiredAccess(steps.proc("/proc"), own), [], "it is left behind");
  // What is read-only at /proc can be changed by another path, or once it is uncovered.
  for (const lifted of [steps.unmount("/proc/sys"), steps.bind("/proc", "/tmp/other")]) {
    const guarded = [pivot!, guard, lifted, ...rest];
    assertEquals(requiredAccess(steps.proc("/mnt/proc"), own, guarded), machine("/proc"));
  }
});

test("what is mounted over a read-only path uncovers it", () => {
  const [pivot, ...rest] = closed;
  const all = ["sys", "sysrq-trigger", "acpi", "asound", "bus", "driver", "dynamic_debug", "fs"];
  const more = ["irq", "latency_stats", "mtrr", "pressure", "scsi"];
  const guard = steps.readonlyPaths(...[...all, ...more].map((name) => `/proc/${name}`));
  const before = own.with(steps.mkdir("/mnt/proc"), pivot!, guard);
  const machine: HostAccessKind[] = root ? [{ kind: "write", path: "/proc" }] : [];
  assertEquals(requiredAccess(steps.proc("/proc"), before, rest), machine);
  const after = own.with(steps.mkdir("/mnt/proc"), pivot!);
  assertEquals(requiredAccess(steps.proc("/proc"), after, [guard, ...rest]), []);
});

test("a filesystem of the kernel shows the namespace that it is mounted in", () => {
  const base = recipe(unshare("user", "mount"), mapRoot(), tmpfs("/mnt"));
  for (
    const [step, namespace] of [
      [steps.proc("/mnt/a", { options: "ro" }), "pid"],
      [steps.mqueue("/mnt/a"), "ipc"],
      [steps.sysfs("/mnt/a", { options: "ro" }), "net"],
    ] as const
  ) {
    const others = unshare("pid", "ipc", "net", "uts", "cgroup");
    const shown = (before: Recipe) => requiredAccess(step, before, [others, ...closed]);
    assertEquals(shown(base), [{ kind: "namespace", namespace }]);
    assertEquals(requiredAccess(step, base.with(others), closed), []);
  }
});

test("a filesystem of the kernel counts that may be in the new root by another path", () => {
  const machine: HostAccessKind[] = root ? [{ kind: "write", path: "/proc" }] : [];
  const proc = steps.proc("/mnt/alias/proc");
  const linked = own.with(steps.mkdir("/mnt/root"), steps.symlink("root", "/mnt/alias"));
  const [, ...rest] = closed;
  assertEquals(requiredAccess(proc, linked, [pivotRoot("/mnt/root"), ...rest]), machine);
  const shared = own.with(
    steps.tmpfs("/mnt/root"),
    steps.propagation("/mnt/root", "shared"),
    bind("/mnt/root", "/mnt/other"),
  );
  const after = [steps.propagation("/mnt/root", "private"), pivotRoot("/mnt/root"), ...rest];
  assertEquals(requiredAccess(steps.proc("/mnt/other/proc"), shared, after), machine);
  // A copy is in the new root, also of what is mounted on a file of the host.
  const copied = [bind("/proc", "/mnt/proc"), ...closed];
  assertEquals(requiredAccess(steps.proc("/proc"), own, copied), machine);
  const around = [bind("/var", "/mnt/var"), ...closed];
  assertEquals(requiredAccess(steps.proc("/var/tmp"), own, around), machine);
});

/** What has to be read-only in /proc. */
const GUARDS = [
  ...["sys", "sysrq-trigger", "acpi", "asound", "bus", "driver", "dynamic_debug", "fs", "irq"],
  ...["latency_stats", "mtrr", "pressure", "scsi"],
];

test("paths that are read-only count where they certainly are those of the mount", () => {
  const machine: HostAccessKind[] = root ? [{ kind: "write", path: "/proc" }] : [];
  const [, ...rest] = closed;
  const guarded = (directory: string) =>
    steps.readonlyPaths(...GUARDS.map((name) => `${directory}/${name}`));
  const found = (proc: string, before: readonly Step[], after: readonly Step[]) =>
    requiredAccess(steps.proc(proc), own.with(...before), [...after, ...rest]);
  const place = [steps.mkdir("/mnt/s/proc"), steps.mkdir("/mnt/dir")];
  assertEquals(found("/mnt/s/proc", place, [pivotRoot("/mnt"), guarded("/s/proc")]), []);
  // Over a link of the recipe's; what is read-only are directories of the same names.
  const feigned = [tmpfs("/mnt/s"), ...GUARDS.map((name) => steps.mkdir(`/mnt/s/p/${name}`))];
  const link = [...place, steps.symlink("proc", "/mnt/s/p")];
  const over = [...feigned, pivotRoot("/mnt"), guarded("/s/p")];
  assertEquals(found("/mnt/s/p", link, over), machine);
  // What is mounted on the link alone does not make its words a place.
  for (const hidden of [steps.readonlyPaths("/mnt/s/p"), steps.maskPaths("/mnt/s/p")]) {
    assertEquals(found("/mnt/s/p", [...link, hidden], over), machine);
  }
  // A layer of an overlay may have links that steps have made.
  const layers = [
    ...place,
    steps.mkdir("/mnt/lay/proc"),
    steps.mkdir("/mnt/lay/dev"),
    steps.devices("/mnt/lay/dev"),
    steps.mkdir("/mnt/over"),
    steps.overlay("/mnt/over", { lower: ["/mnt/lay"], discard: true }),
  ];
  const inLayer = [pivotRoot("/mnt"), guarded("/over/proc")];
  assertEquals(found("/mnt/over/proc", layers, inLayer), machine);
  // The same by a link in a directory that is mounted over another one by another link.
  const hidden = [
    ...place,
    steps.symlink("dir", "/mnt/other"),
    tmpfs("/mnt/other"),
    steps.symlink("../s/proc", "/mnt/other/p"),
  ];
  assertEquals(found("/mnt/dir/p", hidden, [tmpfs("/mnt/dir"), pivotRoot("/mnt")]), machine);
  assertEquals(found("/mnt/s/proc", hidden, [pivotRoot("/mnt"), guarded("/s/proc")]), machine);
});

test(
  "a filesystem of the kernel is in the new root by whichever link it is named",
  inDirectory((directory) => {
    const machine: HostAccessKind[] = root ? [{ kind: "write", path: "/proc" }] : [];
    Deno.mkdirSync(`${directory}/real/proc`, { recursive: true });
    Deno.symlinkSync("real", `${directory}/link`);
    const [, ...rest] = closed;
    for (
      const [proc, entered] of [
        ["real/proc", "real"],
        ["real/proc", "link"],
        ["link/proc", "real"],
        ["link/proc", "link"],
      ]
    ) {
      const after = [pivotRoot(`${directory}/${entered}`), ...rest];
      const box = recipe(unshare(...ALL), mapRoot());
      for (const before of ["", "/proc/self/root"]) {
        const found = requiredAccess(steps.proc(`${before}${directory}/${proc}`), box, after);
        assertEquals(found, machine, `${before} ${proc} ${entered}`);
      }
    }
  }),
);

test("a mount has devices again where a step leaves out nodev", () => {
  const shown = bind("/usr", "/mnt/usr", { readOnly: true });
  const read: HostAccessKind[] = [{ kind: "read", path: "/usr" }];
  const found = (options: string) =>
    requiredAccess(shown, own, [steps.remount("/mnt/usr", options), ...closed]);
  assertEquals(found("ro,nodev"), read);
  assertEquals(found("ro"), [...read, { kind: "device", path: "/usr" }]);
});

test("limits() and disableUserNamespaces() need nothing", () => {
  assertEquals(requiredAccess(steps.disableUserNamespaces(), own), []);
  assertEquals(requiredAccess(steps.limits({ pids: 10 }), own), []);
});

test("sandbox() needs to read the paths that it shows, and nothing more", () => {
  const kinds = new Set(steps.sandbox().needs().map(({ kind }) => kind));
  assertEquals([...kinds], ["read"]);
  const wider = needs(steps.sandbox({ write: ["/var/tmp"], net: "host" }));
  assertEquals(wider.filter((need) => !need.startsWith("read")).map((need) => need.split(",")[0]), [
    "write /var/tmp",
    "the host's network",
  ]);
});

test("a command adds its program, and the variables that it passes on", () => {
  const box = own.with(pivotRoot("/mnt"), ...HELD);
  const clear = box.command("ls", { clearEnv: true, env: { A: "1" } });
  assertEquals(clear.needs(), [{ kind: "run", program: "ls" }]);
  const given = box.command("ls", { env: { PATH: "/" } }).needs()
    .filter(({ kind }) => kind === "env");
  assertEquals(given.some((need) => need.kind === "env" && need.name === "PATH"), false);
  assertEquals(given.length, Object.keys(Deno.env.toObject()).length - 1);
  const kept = box.with(steps.clearEnv({ keep: ["PATH"] })).command("ls").needs();
  assertEquals(kept.map(describeAccess), ["the variable PATH, for step 10 (clearEnv)", "run ls"]);
  const [identity] = recipe().command("ls", { uid: 7 }).needs()
    .filter(({ kind }) => kind === "identity");
  assertEquals(identity, { kind: "identity", id: "uid", from: 7, count: 1 });
});

test("needs are JSON data", () => {
  const all = recipe().needs();
  assertEquals(JSON.parse(JSON.stringify(all)), all);
});

test("a root needs its directory, its files and its volumes", () => {
  const needs = (options: steps.RootDirectoryOptions) =>
    requiredAccess(steps.root("/usr", options)).flatMap((need) =>
      "path" in need && !["/proc", "/sys"].includes(need.path) ? [`${need.kind} ${need.path}`] : []
    );
  assertEquals(needs({ discard: true }), ["read /usr"]);
  assertEquals(needs({ readOnly: true }), ["read /usr"]);
  const resolved = Deno.realPathSync("/etc/resolv.conf");
  assertEquals(needs({ discard: true, resolvConf: true }), ["read /usr", `read ${resolved}`]);
  const shown = needs({ volumes: { "/a": { source: "/etc" } } });
  assertEquals(shown.slice(0, 2), ["read /usr", "write /usr"]);
  for (const need of ["read /etc", "write /etc"]) assert(shown.includes(need), need);
});
