/**
 * Shared parts of the tests of recipes. The suite runs as root and again as an unprivileged user
 * (`deno task test`); `root` says which.
 */

import { assert, assertEquals, assertInstanceOf, assertStringIncludes } from "@std/assert";
import {
  bind,
  dieWithParent,
  init,
  linux,
  mapRoot,
  type NamespaceKind,
  type Recipe,
  recipe,
  RecipeError,
  SyscallError,
  unshare,
} from "../mod.ts";
import { pointerIn } from "../host/git_directory.ts";
import { leftovers, takeInventory } from "./leftovers.ts";

/** Whether this is the suite's run as root. */
export const root: boolean = Deno.uid() === 0;

/** Why a test that needs root is skipped; `undefined` as root. */
export const notRoot: string | undefined = root ? undefined : "needs root";

/** Why a test for ordinary users is skipped; `undefined` as one. */
export const notOrdinary: string | undefined = root ? "is for ordinary users" : undefined;

/** The names of /proc/PID/ns, by kind. */
export const NAMESPACE_FILES: Readonly<Record<NamespaceKind, string>> = {
  user: "user",
  mount: "mnt",
  pid: "pid",
  uts: "uts",
  ipc: "ipc",
  net: "net",
  cgroup: "cgroup",
  time: "time",
};
/** Every kind of namespace. */
export const NAMESPACE_KINDS: readonly NamespaceKind[] = Object.keys(
  NAMESPACE_FILES,
) as NamespaceKind[];

// The first launch of a script opens descriptors for all launches, and the first file that is looked at
// and read by its path maps memory for all of them, which are no leftovers of a test.
pointerIn("/etc/passwd");
await recipe(
  unshare("user", "mount", "pid"),
  mapRoot(),
  bind("/usr", "/usr"),
  init(),
  dieWithParent(null),
).command("true").output();

/**
 * A test that may leave no process, open file, mount, interface or cgroup. One
 * that cannot run here is skipped, and its name says why.
 */
export function test(
  name: string,
  body: () => void | Promise<void>,
  skip?: string,
): void {
  const options = { ignore: skip !== undefined, sanitizeOps: true, sanitizeResources: true };
  Deno.test(skip === undefined ? name : `${name} (${skip})`, options, async () => {
    const before = takeInventory();
    await body();
    const left = await leftovers(before);
    // The next test must not inherit the leftover.
    linux.prctl(linux.PR_SET_DUMPABLE, 1);
    assert(left === undefined, `left behind:\n${left}`);
  });
}

/** The first steps of containers with these namespaces, for the user of the suite. */
export function grounds(
  ...kinds: Exclude<NamespaceKind, "user">[]
): readonly { readonly name: string; readonly mounts: Recipe; readonly privileged: boolean }[] {
  const mapped = {
    name: "in a user namespace",
    mounts: recipe(unshare("user", ...kinds), mapRoot()),
    privileged: false,
  };
  if (!root) return [mapped];
  const mounts = kinds.length === 0 ? recipe() : recipe(unshare(...kinds));
  return [{ name: "as root itself", mounts, privileged: true }, mapped];
}

/** A test on each of {@linkcode grounds}: root's own mounts, and a user namespace. */
export function testOn(
  kinds: readonly Exclude<NamespaceKind, "user">[],
  name: string,
  body: (mounts: Recipe, privileged: boolean) => void | Promise<void>,
  skip?: string,
): void {
  for (const mounts of grounds(...kinds)) {
    test(`${name}, ${mounts.name}`, () => body(mounts.mounts, mounts.privileged), skip);
  }
}

const decoder = new TextDecoder();

/** Returns the output of a shell script in the container; fails if the script fails. */
export function inside(box: Recipe, script: string): string {
  const { code, stdout, stderr } = box.command("sh", { args: ["-euc", script] }).outputSync();
  assertEquals(code, 0, `the script ends with ${code}: ${decoder.decode(stderr)}`);
  return decoder.decode(stdout).trimEnd();
}

/** Returns the error output of a shell script in the container; fails if the script succeeds. */
export function failing(box: Recipe, script: string): string {
  const { success, stdout, stderr } = box.command("sh", { args: ["-euc", script] }).outputSync();
  assert(!success, `the script succeeds: ${decoder.decode(stdout)}`);
  return decoder.decode(stderr);
}

/** The error of a failed step. */
export interface StepIssue {
  /** The name of the step. */
  readonly step?: string;
  /** Its position, counted from 0. */
  readonly at?: number;
  /** The errno, of a system call that failed. */
  readonly code?: string;
  /** Parts of the message: what is wrong, and the fix. */
  readonly says: string;
}

/** Checks that the recipe is refused before anything runs. */
export function assertRefused(make: () => Recipe, issue: Omit<StepIssue, "code">): void {
  assertIssue(errorOf(make), RecipeError, issue);
}

/** Checks that a step of the recipe fails when it runs. */
export function assertFails(box: Recipe, issue: StepIssue): void {
  const error = errorOf(() => box);
  assertIssue(error, SyscallError, issue);
  assertEquals((error as SyscallError).code, issue.code as SyscallError["code"]);
}

function errorOf(make: () => Recipe): unknown {
  try {
    make().command("true").outputSync();
  } catch (error) {
    return error;
  }
  throw new Error("the program has run");
}

function assertIssue(
  error: unknown,
  kind: typeof RecipeError | typeof SyscallError,
  { step, at, says }: StepIssue,
): void {
  assertInstanceOf<RecipeError | SyscallError>(error, kind);
  assertStringIncludes(error.message, says);
  if (step !== undefined) assertEquals(error.step, step, error.message);
  if (at !== undefined) assertEquals(error.stepIndex, at, error.message);
}

/**
 * A test with an empty directory of the host that all users may enter; it is removed afterwards.
 */
export function inDirectory(body: (directory: string) => void): () => void {
  return () => {
    const directory = Deno.makeTempDirSync();
    try {
      Deno.chmodSync(directory, 0o755);
      body(directory);
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  };
}
