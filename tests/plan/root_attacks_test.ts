/** Attacks by a root's own files: links to mount points, a fake /dev/null, a fake /proc. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import {
  bind,
  chroot,
  mapRoot,
  maskPaths,
  mkdir,
  pivotRoot,
  propagation,
  type Recipe,
  type RecipeInput,
  remount,
  sysctl,
  tmpfs,
  unmount,
  unshare,
  writeFile,
} from "../../mod.ts";
import { parentOf } from "../../recipe/path.ts";
import { assertFails, failing, inDirectory, inside, type StepIssue, testOn } from "../support.ts";
import { exists, SECRET, treeOf, USR } from "./hostile_root.ts";

/** A container in a root with these files, and steps before and after pivotRoot. */
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

/** An absolute link, as Debian has it, to a path that is a mount point on the host. */
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

/** The files of /proc that a container writes. */
const PROC_FILES = ["sys/kernel/msgmax", "self/setgroups", "self/uid_map", "self/gid_map"];

/** Makes fake files of /proc in a directory. */
function makeFeigned(directory: string, make: (path: string) => void): void {
  for (const name of PROC_FILES) {
    Deno.mkdirSync(parentOf(`${directory}/${name}`), { recursive: true });
    make(`${directory}/${name}`);
  }
}

const NOT_PROCFS: StepIssue = { code: "EINVAL", says: "/proc is not procfs" };

/** The /proc of a hostile root, and the error. */
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
