/**
 * Steps on a root that is anybody's: its links lead out of it in every way there is. A step acts
 * within the root, or is an error; what lies outside stays as it is.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  bind,
  chdir,
  chroot,
  devices,
  landlock,
  linux,
  mapRoot,
  maskPaths,
  mkdir,
  mknod,
  mount,
  mqueue,
  overlay,
  pivotRoot,
  proc,
  programs,
  propagation,
  readonlyPaths,
  type Recipe,
  RecipeError,
  type RecipeInput,
  remount,
  type Step,
  symlink,
  SyscallError,
  sysctl,
  sysfs,
  tmpfs,
  unmount,
  unshare,
  writeFile,
} from "../../mod.ts";
import { landlockVersion } from "../../ffi/linux/landlock.ts";
import { parentOf } from "../../recipe/path.ts";
import {
  assertFails,
  failing,
  grounds,
  inDirectory,
  inside,
  type StepIssue,
  test,
  testOn,
} from "../support.ts";

/** What no container is to see. */
const SECRET = "the secret\n";

/** The directories of a test. */
interface Places {
  /** What the container is to have nothing to do with. */
  readonly outside: string;
  /** Its root. */
  readonly root: string;
  /** The links that are in the root, by their names. */
  readonly links: Readonly<Record<string, string>>;
  /** What the root holds before an attempt, where it is a directory of the host. */
  pristine?: string;
}

/** What a link leads to: a directory, a file, or nothing. */
type LinkKind = "directory" | "file";

/** The links of a hostile root, with a directory and a file outside that the script has open. */
function linksTo(outside: string, directory: number, file: number): Record<string, string> {
  const climbing = `${"../".repeat(20)}${outside.slice(1)}`;
  return {
    absolute: outside,
    relative: climbing,
    beside: "../outside",
    dangling: `${outside}/none`,
    dangling_relative: "../outside/none",
    looping: "looping",
    fd: `/proc/self/fd/${directory}`,
    by_root: `/proc/self/root${outside}`,
    file_absolute: `${outside}/file`,
    file_relative: `${climbing}/file`,
    file_looping: "file_looping",
    file_fd: `/proc/self/fd/${file}`,
  };
}

const kindOf = (link: string): LinkKind => link.startsWith("file") ? "file" : "directory";

/** What the root has at the places that its links lead to where it is the root. */
const directoriesOf = ({ outside }: Pick<Places, "outside">) => [outside, "/outside"];

const DIRECTORIES = ["/usr", "/proc", "/target", "/small"];
const FILES = ["/file", "/small/file"];

/** Makes the root in a directory of the host, where an attempt has changed it. */
function restoreRoot(places: Places): void {
  if (places.pristine !== undefined && places.pristine === treeOf(places.root, false)) return;
  makeRoot(places);
  places.pristine = treeOf(places.root, false);
}

function makeRoot({ outside, root, links }: Places): void {
  Deno.removeSync(root, { recursive: true });
  for (const name of ["", ...DIRECTORIES]) Deno.mkdirSync(root + name);
  for (const name of FILES) Deno.writeTextFileSync(root + name, "inside\n");
  for (const directory of directoriesOf({ outside })) {
    Deno.mkdirSync(root + directory, { recursive: true });
    Deno.writeTextFileSync(`${root}${directory}/file`, "inside\n");
  }
  for (const [name, to] of [...Object.entries(links), ...Object.entries(USR)]) {
    Deno.symlinkSync(to, `${root}/${name}`);
  }
}

/** The same root, on a filesystem of the recipe's. */
function rootSteps(places: Places): Step[] {
  const { root, links } = places;
  return [
    tmpfs(root),
    ...[...DIRECTORIES, ...directoriesOf(places)].map((name) => mkdir(root + name)),
    ...FILES.map((name) => writeFile(root + name, "inside\n")),
    ...directoriesOf(places).map((name) => writeFile(`${root}${name}/file`, "inside\n")),
    ...[...Object.entries(links), ...Object.entries(USR)].map(([name, to]) =>
      symlink(to, `${root}/${name}`)
    ),
  ];
}

const USR = { bin: "usr/bin", lib: "usr/lib", lib64: "usr/lib64" };

/** What the program writes of its container: its mounts, where it works, and what is shown. */
const LOOK = "cat /proc/self/mountinfo; pwd; cat target/file";

/** The same with the files of a root that cannot be seen from outside. */
const LOOK_AROUND = `${LOOK}; ` +
  "find / -path /usr -prune -o -path /proc -prune -o -printf '%p %y %m %s %l\\n'";

/** What was seen of the container, or why there is none. */
type Outcome = { readonly seen: string } | { readonly error: Error };

function look(box: Recipe, places: Places, kind: RootKind): Outcome {
  const script = kind === "directory" ? LOOK : LOOK_AROUND;
  try {
    const command = box.command("/usr/bin/sh", { args: ["-c", script] });
    const { stdout, stderr } = command.outputSync();
    const text = new TextDecoder().decode(stdout);
    assert(text.includes(" /usr "), new TextDecoder().decode(stderr));
    assertEquals(text.includes(SECRET), false, text);
    if (kind === "directory") openWork(places);
    const files = kind === "directory" ? treeOf(places.root, false) : "";
    return { seen: text.split("\n").map(withoutIds).join("\n") + files };
  } catch (error) {
    if (error instanceof SyscallError || error instanceof RecipeError) return { error };
    throw error;
  }
}

/** What an overlay works in is closed to its owner too, who has to take it away. */
function openWork(places: Places): void {
  for (const directory of directoriesOf(places)) {
    const work = `${places.root}${directory}/work/work`;
    if (exists(work)) Deno.chmodSync(work, 0o700);
  }
}

/** A line of mountinfo without the numbers that differ from launch to launch. */
function withoutIds(line: string): string {
  if (!/^\d+ \d+ \d+:\d+ /.test(line)) return line;
  return line.split(" ").slice(3).map((word) => word.replace(/^(shared|master):\d+$/, "$1"))
    .filter((word) => !word.startsWith("propagate_from:")).join(" ");
}

/** All that a directory holds; with what tells whether it was ever touched, if that is wanted. */
function treeOf(path: string, touched: boolean): string {
  const { mode, uid, gid, isFile, isSymlink, isDirectory, ...more } = Deno.lstatSync(path);
  const content = isFile ? Deno.readTextFileSync(path) : isSymlink ? Deno.readLinkSync(path) : "";
  const { ino, mtime, ctime } = more;
  const times = touched ? [ino, mtime?.getTime(), ctime?.getTime()] : [];
  const names = isDirectory ? [...Deno.readDirSync(path)].map(({ name }) => name).sort() : [];
  return [
    [path, mode, uid, gid, content, ...times].join(),
    ...names.map((name) => treeOf(`${path}/${name}`, touched)),
  ].join("\n");
}

/** What a container is to leave as it is. */
function hostState({ outside }: Places): string {
  return treeOf(outside, true) + Deno.readTextFileSync("/proc/self/mountinfo");
}

/** A step on a path in the root, as it is named at the step. */
interface Attempt {
  /** What the link is to lead to. */
  readonly on: LinkKind;
  readonly steps: (path: string, at: StepPosition) => RecipeInput[];
  /** Whether it may leave all as it is, where there is nothing, or as it shows nowhere. */
  readonly mayShowNothing?: true;
  /** Whether what is mounted outside would take it. */
  readonly changesMounts?: true;
  /** What it needs beside a mount namespace. */
  readonly needs?: readonly Step[];
}

interface StepPosition {
  /** The root, as its path begins at the step. */
  readonly root: string;
  /** Allows files to be made on the host, where the root is there. */
  readonly host: { readonly host?: boolean };
}

const ATTEMPTS: Readonly<Record<string, Attempt>> = {
  "mkdir": { on: "directory", steps: (path, { host }) => [mkdir(path, { mode: 0o711, ...host })] },
  "mkdir within": {
    on: "directory",
    steps: (path, { host }) => [mkdir(`${path}/a/b`, { mode: 0o711, ...host })],
  },
  "symlink": { on: "directory", steps: (path, { host }) => [symlink("x", path, host)] },
  "symlink within": {
    on: "directory",
    steps: (path, { host }) => [symlink("x", `${path}/new`, host)],
  },
  "mknod within": {
    on: "directory",
    steps: (path, { host }) => [mknod(`${path}/new`, { type: "p", mode: 0o600, ...host })],
  },
  "mknod": {
    on: "file",
    steps: (path, { host }) => [mknod(path, { type: "p", mode: 0o600, ...host })],
  },
  "writeFile": {
    on: "file",
    steps: (path, { host }) => [writeFile(path, "soup", { mode: 0o611, ...host })],
  },
  "writeFile within": {
    on: "directory",
    steps: (path, { host }) => [writeFile(`${path}/new`, "soup", host)],
  },
  "writeFile over": {
    on: "directory",
    steps: (path, { host }) => [writeFile(`${path}/file`, "soup", { mode: 0o611, ...host })],
  },
  "bind": { on: "directory", steps: (path, { root }) => [bind(`${root}/small`, path)] },
  "bind a file": { on: "file", steps: (path, { root }) => [bind(`${root}/small/file`, path)] },
  "bind within": {
    on: "directory",
    steps: (path, { root }) => [bind(`${root}/small`, `${path}/new`)],
  },
  "bind of": { on: "directory", steps: (path, { root }) => [bind(path, `${root}/target`)] },
  "bind of within": {
    on: "directory",
    steps: (path, { root }) => [bind(`${path}/file`, `${root}/file`)],
  },
  "bind on itself": {
    on: "directory",
    steps: (path) => [bind(path, path, { readOnly: true })],
    changesMounts: true,
  },
  "tmpfs": { on: "directory", steps: (path) => [tmpfs(path)] },
  "tmpfs within": { on: "directory", steps: (path) => [tmpfs(`${path}/new`)] },
  "mount": { on: "directory", steps: (path) => [mount("none", path, { type: "tmpfs" })] },
  "proc": { on: "directory", steps: (path) => [proc(path)] },
  "sysfs": { on: "directory", steps: (path) => [sysfs(path)], needs: [unshare("net")] },
  "mqueue": { on: "directory", steps: (path) => [mqueue(path)], needs: [unshare("ipc")] },
  "devices": {
    on: "directory",
    steps: (path) => [devices(path)],
  },
  "overlay": {
    on: "directory",
    steps: (path, { root }) => [overlay(path, { lower: [`${root}/small`], discard: true })],
  },
  "overlay of": {
    on: "directory",
    steps: (path, { root }) => [overlay(`${root}/target`, { lower: [path], discard: true })],
  },
  "overlay with changes in": {
    on: "directory",
    steps: (path, { root, host }) => [
      mkdir(`${root}/outside/upper`, host),
      mkdir(`${root}/outside/work`, host),
      overlay(`${root}/target`, {
        lower: [`${root}/small`],
        upper: `${path}/upper`,
        work: `${path}/work`,
      }),
    ],
  },
  "remount": {
    on: "directory",
    steps: (path) => [remount(path, "ro,nosuid")],
    changesMounts: true,
  },
  "remount anew": {
    on: "directory",
    steps: (path) => [remount(path, "ro,size=1m", { bind: false })],
    changesMounts: true,
  },
  "propagation": {
    on: "directory",
    steps: (path) => [propagation(path, "shared")],
    changesMounts: true,
  },
  "unmount": { on: "directory", steps: (path) => [unmount(path)], changesMounts: true },
  "unmount at once": {
    on: "directory",
    steps: (path) => [unmount(path, { detach: true })],
    changesMounts: true,
  },
  "maskPaths": {
    on: "directory",
    steps: (path) => [maskPaths(path)],
    mayShowNothing: true,
    changesMounts: true,
  },
  "maskPaths of a file": { on: "file", steps: (path) => [maskPaths(path)], mayShowNothing: true },
  "readonlyPaths": {
    on: "directory",
    steps: (path) => [readonlyPaths(path)],
    mayShowNothing: true,
    changesMounts: true,
  },
  "programs": { on: "directory", steps: (path) => [programs("/bin/true", { root: path })] },
  "programs, copied": {
    on: "directory",
    steps: (path) => [programs("/bin/true", { root: path, copy: true })],
  },
  "chdir": { on: "directory", steps: (path) => [chdir(path)], mayShowNothing: true },
  ...(landlockVersion() === 0 ? {} : {
    "landlock": {
      on: "directory",
      steps: (path: string, { root }: StepPosition) => {
        const all = root === "" ? "/" : root;
        return [landlock({ read: [all, path], execute: [all] })];
      },
      mayShowNothing: true,
    },
  }),
};

/** What the root is: a directory of the host, or a filesystem of the recipe. */
type RootKind = "directory" | "filesystem";

/** Where a step stands. */
type Position = "before pivotRoot" | "behind pivotRoot";

/** A test with a hostile root, and what lies outside of it. */
function onHostileRoot(body: (places: Places) => void): () => void {
  return inDirectory((directory) => {
    const [outside, root] = [`${directory}/outside`, `${directory}/root`];
    for (const path of [root, outside, `${outside}/upper`, `${outside}/work`]) Deno.mkdirSync(path);
    Deno.writeTextFileSync(`${outside}/file`, SECRET);
    using openDirectory = linux.open(outside);
    using openFile = linux.open(`${outside}/file`);
    body({ outside, root, links: linksTo(outside, openDirectory.number, openFile.number) });
  });
}

/** A container in the root, with these steps. */
function boxOf(
  mounts: Recipe,
  places: Places,
  kind: RootKind,
  position: Position,
  { changesMounts, needs = [] }: Attempt,
  steps: (at: StepPosition) => RecipeInput[],
): Recipe {
  const { root, outside } = places;
  if (kind === "directory") restoreRoot(places);
  const base = mounts.with(
    ...needs,
    ...(kind === "directory" ? [] : rootSteps(places)),
    // What is mounted outside would take a change without a word.
    ...(changesMounts === true
      ? [tmpfs(outside), ...directoriesOf(places).map((at) => tmpfs(root + at))]
      : []),
    bind("/usr", `${root}/usr`),
    bind("/proc", `${root}/proc`),
  );
  const host = kind === "directory" ? { host: true } : {};
  return position === "before pivotRoot"
    ? base.with(...steps({ root, host }), pivotRoot(root))
    : base.with(pivotRoot(root), ...steps({ root: "", host }));
}

/** Makes each attempt on each link, and returns those that have always been an error. */
function attemptAll(mounts: Recipe, places: Places, kind: RootKind, position: Position): string[] {
  const idle: string[] = [];
  const plain = new Map<string, Outcome>();
  for (const [name, attempt] of Object.entries(ATTEMPTS)) {
    const links = Object.keys(places.links).filter((link) => kindOf(link) === attempt.on);
    const boxWith = (steps: (at: StepPosition) => RecipeInput[]) =>
      look(boxOf(mounts, places, kind, position, attempt, steps), places, kind);
    const ground = `${attempt.changesMounts} ${attempt.needs?.map(({ step }) => step)}`;
    const before = plain.get(ground) ?? boxWith(() => []);
    plain.set(ground, before);
    assert("seen" in before, String("error" in before && before.error));
    const outcomes = links.map((link) => {
      const where = `${name} on ${link}`;
      const host = hostState(places);
      const after = boxWith((at) => attempt.steps(`${at.root}/${link}`, at));
      assertEquals(hostState(places), host, where);
      if ("seen" in after && attempt.mayShowNothing !== true) {
        assert(after.seen !== before.seen, `${where}: it has acted elsewhere`);
      }
      return after;
    });
    if (outcomes.every((outcome) => "error" in outcome)) idle.push(name);
  }
  return idle;
}

/** Those that are an error on each link: what is there is in the way, or the host's. */
function alwaysErrors(kind: RootKind, position: Position, privileged: boolean): string[] {
  const behind = position === "behind pivotRoot";
  return [
    "symlink",
    "mknod",
    ...(kind === "directory"
      ? ["bind within", "tmpfs within", "remount anew", "programs", "programs, copied"]
      : []),
    // What an ordinary user mounts may show no more than what can be seen already.
    ...(privileged ? [] : ["proc"]),
    ...(privileged || !behind ? [] : ["sysfs"]),
    // There are no devices to show any more.
    ...(behind ? ["devices"] : []),
  ].sort();
}

for (const { name: ground, mounts, privileged } of grounds("mount")) {
  for (const kind of ["directory", "filesystem"] as const) {
    for (const position of ["before pivotRoot", "behind pivotRoot"] as const) {
      test(
        `steps ${position} act within a hostile root, or are errors: a ${kind}, ${ground}`,
        onHostileRoot((places) => {
          const errors = attemptAll(mounts, places, kind, position).sort();
          assertEquals(errors, alwaysErrors(kind, position, privileged));
        }),
      );
    }
  }
}

/** A container in a root that has these files, with steps before and behind pivotRoot. */
function rooted(
  mounts: Recipe,
  root: string,
  before: (root: string) => RecipeInput[],
  behind: RecipeInput[] = [],
): Recipe {
  for (const name of ["usr", "proc", "run"]) Deno.mkdirSync(`${root}/${name}`, { recursive: true });
  for (const [name, to] of Object.entries(USR)) {
    if (!exists(`${root}/${name}`)) Deno.symlinkSync(to, `${root}/${name}`);
  }
  return mounts.with(bind("/usr", `${root}/usr`), ...before(root), pivotRoot(root), ...behind);
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

/** As Debian has it: an absolute link, and on the host something is mounted where it leads to. */
function linkedRun(mounts: Recipe, root: string, ...steps: RecipeInput[]): Recipe {
  Deno.mkdirSync(`${root}/var`, { recursive: true });
  if (!exists(`${root}/var/run`)) Deno.symlinkSync("/run", `${root}/var/run`);
  return rooted(mounts, root, () => [
    tmpfs("/run"),
    tmpfs(`${root}/var/run`),
    ...steps,
    bind("/proc", `${root}/proc`),
  ]);
}

const MOUNT_OF_RUN = "grep ' /run ' /proc/self/mountinfo || echo none";

testOn(
  ["mount"],
  "remount changes what a link leads to in the root, and not on the host",
  (mounts) =>
    inDirectory((root) => {
      const locked = remount(`${root}/var/run`, "ro,nosuid,nodev,noexec,relatime");
      for (const path of ["/var/run/a", "/run/a"]) {
        inside(linkedRun(mounts, root), `touch ${path}`);
        const message = failing(linkedRun(mounts, root, locked), `touch ${path}`);
        assertStringIncludes(message, "Read-only file system");
      }
      assertStringIncludes(inside(linkedRun(mounts, root, locked), MOUNT_OF_RUN), "noexec");
    })(),
);

testOn(["mount"], "propagation and unmount do so too", (mounts) =>
  inDirectory((root) => {
    const seen = (...steps: RecipeInput[]) =>
      inside(linkedRun(mounts, root, ...steps), MOUNT_OF_RUN);
    assertEquals(seen().includes("shared:"), false);
    assertStringIncludes(seen(propagation(`${root}/var/run`, "shared")), "shared:");
    assertEquals(seen(unmount(`${root}/var/run`)), "none");
    assertEquals(seen(unmount(`${root}/var/run`, { detach: true })), "none");
  })());

testOn(
  ["mount"],
  "what is masked in a root is empty, whatever its /dev/null is",
  (mounts) =>
    inDirectory((root) => {
      Deno.mkdirSync(`${root}/dev`);
      Deno.writeTextFileSync(`${root}/hidden`, SECRET);
      Deno.chmodSync(`${root}/hidden`, 0o644);
      const masked = [maskPaths("/hidden", "/run")];
      const kinds: Record<string, () => void> = {
        "a link to what is masked": () => Deno.symlinkSync("/hidden", `${root}/dev/null`),
        "a link to another": () => Deno.symlinkSync("../text", `${root}/dev/null`),
        "an ordinary file": () => Deno.writeTextFileSync(`${root}/dev/null`, "not empty\n"),
        "missing": () => {},
      };
      Deno.writeTextFileSync(`${root}/text`, "not empty\n");
      for (const [kind, make] of Object.entries(kinds)) {
        make();
        for (
          const box of [
            rooted(mounts, root, () => [], masked),
            rooted(mounts, root, (at) => [maskPaths(`${at}/hidden`, `${at}/run`)]),
          ]
        ) {
          assertEquals(inside(box, "cat /hidden; ls -A /run; echo end"), "end", kind);
        }
        if (kind !== "missing") Deno.removeSync(`${root}/dev/null`);
      }
    })(),
);

/** The files that a container writes in /proc. */
const PROC_FILES = ["sys/kernel/msgmax", "self/setgroups", "self/uid_map", "self/gid_map"];

/** Feigned files of /proc in a directory. */
function makeFeigned(directory: string, make: (path: string) => void): void {
  for (const name of PROC_FILES) {
    Deno.mkdirSync(parentOf(`${directory}/${name}`), { recursive: true });
    make(`${directory}/${name}`);
  }
}

const NOT_PROCFS: StepIssue = { code: "EINVAL", says: "what lies at /proc is not procfs" };

/** What a hostile root has at /proc, and how the error tells of it. */
const FEIGNED: Readonly<
  Record<string, (root: string) => [issue: StepIssue, ...steps: RecipeInput[]]>
> = {
  "ordinary files": (root) => {
    makeFeigned(`${root}/proc`, (path) => Deno.writeTextFileSync(path, "feigned"));
    return [NOT_PROCFS];
  },
  "links to files of procfs": (root) => {
    Deno.mkdirSync(`${root}/real`);
    makeFeigned(`${root}/proc`, (path) => {
      Deno.symlinkSync(`/real/${path.slice(`${root}/proc/`.length)}`, path);
    });
    return [NOT_PROCFS, bind("/proc", `${root}/real`)];
  },
  "a link to ordinary files": (root) => {
    makeFeigned(`${root}/feigned`, (path) => Deno.writeTextFileSync(path, "feigned"));
    Deno.removeSync(`${root}/proc`);
    Deno.symlinkSync("feigned", `${root}/proc`);
    return [NOT_PROCFS];
  },
  "a filesystem with ordinary files": (root) => [
    NOT_PROCFS,
    tmpfs(`${root}/proc`),
    ...PROC_FILES.flatMap((name) => [
      mkdir(parentOf(`${root}/proc/${name}`)),
      writeFile(`${root}/proc/${name}`, "feigned"),
    ]),
  ],
  "procfs with its directories covered": (root) => {
    makeFeigned(`${root}/feigned`, (path) => Deno.writeTextFileSync(path, "feigned"));
    return [
      { code: "EXDEV", says: "something is mounted over /proc/" },
      bind("/proc", `${root}/proc`),
      bind(`${root}/feigned/sys`, `${root}/proc/sys`),
      bind(`${root}/feigned/self`, `${root}/proc/thread-self`),
      bind(`${root}/feigned/self`, `${root}/proc/self`),
    ];
  },
  "a directory of procfs": (
    root,
  ) => [{ code: "ENOENT", says: "" }, bind("/proc/sys", `${root}/proc`)],
  "nothing": (root) => {
    Deno.removeSync(`${root}/proc`);
    return [{ code: "ENOENT", says: "there is no /proc here; proc() mounts one" }];
  },
};

for (const [kind, make] of Object.entries(FEIGNED)) {
  testOn(
    ["mount"],
    `settings and id maps are written to procfs alone, not to ${kind}`,
    (mounts) => {
      for (
        const [step, ...writing] of [
          ["sysctl", unshare("ipc"), sysctl({ "kernel.msgmax": 4321 })],
          ["mapRoot", unshare("user"), mapRoot()],
        ] as const
      ) {
        inDirectory((root) => {
          for (const name of ["usr", "proc"]) Deno.mkdirSync(`${root}/${name}`);
          const [issue, ...before] = make(root);
          const files = treeOf(root, true);
          const box = mounts.with(...before, pivotRoot(root), ...writing);
          assertFails(box, { ...issue, step });
          assertEquals(treeOf(root, true), files);
        })();
      }
    },
  );
}

testOn(
  ["mount"],
  "in a root a /proc that is bound from outside is procfs too",
  (mounts) =>
    inDirectory((root) => {
      const before = (at: string) => [unshare("ipc"), bind("/proc", `${at}/proc`)];
      const behind = [sysctl({ "kernel.msgmax": 4321 }), unshare("user"), mapRoot()];
      const host = Deno.readTextFileSync("/proc/sys/kernel/msgmax");
      const box = rooted(mounts, root, before, behind);
      assertEquals(inside(box, "cat /proc/sys/kernel/msgmax; id -u"), "4321\n0");
      assertEquals(Deno.readTextFileSync("/proc/sys/kernel/msgmax"), host);
    })(),
);

testOn(
  ["mount"],
  "a directory of a root that is entered lies in it, whatever its links",
  (mounts) =>
    inDirectory((directory) => {
      const [root, outside] = [`${directory}/root`, `${directory}/outside`];
      for (const path of [root, outside, root + outside, `${root}/outside`]) {
        Deno.mkdirSync(`${path}/usr`, { recursive: true });
        Deno.writeTextFileSync(`${path}/whose`, path === outside ? SECRET : "inside\n");
        for (const [name, to] of Object.entries(USR)) Deno.symlinkSync(to, `${path}/${name}`);
      }
      Deno.symlinkSync(outside, `${root}/absolute`);
      Deno.symlinkSync("../outside", `${root}/relative`);
      const programs = [root + outside, `${root}/outside`].map((path) =>
        bind("/usr", `${path}/usr`)
      );
      for (const enter of [chroot, pivotRoot]) {
        for (const link of ["/absolute", "/relative"]) {
          const box = mounts.with(...programs, pivotRoot(root), enter(link));
          assertEquals(inside(box, "cat /whose; pwd"), "inside\n/");
        }
      }
    })(),
);
