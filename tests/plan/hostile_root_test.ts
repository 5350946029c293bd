/**
 * Steps on an untrusted root, whose links lead out of it in every way. A step acts
 * within the root, or is an error; the files outside stay as they are.
 */

import { assert, assertEquals } from "@std/assert";
import {
  bind,
  pivotRoot,
  type Recipe,
  RecipeError,
  type RecipeInput,
  SyscallError,
  tmpfs,
} from "../../mod.ts";
import { grounds, test } from "../support.ts";
import {
  directoriesOf,
  exists,
  hostState,
  kindOf,
  onHostileRoot,
  type Places,
  restoreRoot,
  rootSteps,
  SECRET,
  treeOf,
} from "./hostile_root.ts";
import { type Attempt, ATTEMPTS, type StepPosition } from "./root_attempts.ts";

/** A script that prints the mounts, the working directory and the files of its container. */
const LOOK = "cat /proc/self/mountinfo; pwd; cat target/file";

/** The same with the files of a root that is not visible from outside. */
const LOOK_AROUND = `${LOOK}; ` +
  "find / -path /usr -prune -o -path /proc -prune -o -printf '%p %y %m %s %l\\n'";

/** The output of the container, or its error. */
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

/** Makes the work directory of an overlay removable, which its owner may not enter. */
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

/** Whether the root is a directory of the host or a filesystem of the recipe. */
type RootKind = "directory" | "filesystem";

/** The position of a step. */
type Position = "before pivotRoot" | "behind pivotRoot";

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
    // A mount outside would accept the change without an error.
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

/** Makes each attempt on each link, and returns those that are an error on every link. */
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

/** The attempts that are an error on every link, because the path exists or is the host's. */
function alwaysErrors(kind: RootKind, position: Position, privileged: boolean): string[] {
  const behind = position === "behind pivotRoot";
  return [
    "symlink",
    "mknod",
    ...(kind === "directory"
      ? ["bind within", "tmpfs within", "remount anew", "programs", "programs, copied"]
      : []),
    // The kernel refuses mounts of an unprivileged user that would reveal covered files.
    ...(privileged ? [] : ["proc"]),
    ...(privileged || !behind ? [] : ["sysfs"]),
    // There are no devices to bind any longer.
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
