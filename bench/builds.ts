/**
 * The builds of the module that are measured side by side: this one, and an earlier one from git.
 * Both can be loaded into one process, where they take turns.
 *
 * @module
 */

import * as thisModule from "../mod.ts";

/** The last commit before a recipe was compiled; `RAMEKIN_BENCH_BEFORE` names another one. */
const BEFORE = "05e85a1";

/** The names of the builds, in the tables. */
export const NOW = "this build", THEN = "the build before";

/** A build of the module. */
export interface Build {
  readonly name: typeof NOW | typeof THEN;
  /** The path of its `mod.ts`. */
  readonly path: string;
  /** What is measured of it, which scripts use alike in both. */
  readonly module: Pick<
    typeof thisModule,
    "bind" | "hostname" | "mapRoot" | "proc" | "recipe" | "sandbox" | "tmpfs" | "unshare"
  >;
}

/** What there is to be measured. */
export interface Builds {
  /** This build, and behind it the build before, where the history has it. */
  readonly builds: readonly Build[];
  /** What a reader has to know of them. */
  readonly notes: readonly string[];
}

/**
 * Measures with both builds. The build before is a directory while it is used; where the history
 * lacks it, as that of a shallow clone does, there is this build alone.
 */
export async function withBuilds<T>(use: (builds: Builds) => Promise<T>): Promise<T> {
  const directory = Deno.makeTempDirSync({ prefix: "ramekin-bench-" });
  const path = new URL("../mod.ts", import.meta.url).pathname;
  const now: Build = { name: NOW, path, module: thisModule };
  try {
    const revision = Deno.env.get("RAMEKIN_BENCH_BEFORE") ?? BEFORE;
    const issue = checkOut(revision, directory);
    if (issue !== undefined) {
      return await use({ builds: [now], notes: [`without ${THEN}, ${revision}: ${issue}`] });
    }
    const earlier = `${directory}/mod.ts`;
    const then: Build = { name: THEN, path: earlier, module: await import(`file://${earlier}`) };
    return await use({ builds: [now, then], notes: [`${THEN}: ${revision}`] });
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

/** Writes the files of a revision into a directory; returns why that is not possible. */
function checkOut(revision: string, directory: string): string | undefined {
  const archive = `${directory}/archive.tar`;
  return issueOf("git", ["archive", `--output=${archive}`, revision]) ??
    issueOf("tar", ["--extract", `--file=${archive}`, `--directory=${directory}`]);
}

/** Runs a program in the directory of the project; returns what it complains of. */
function issueOf(program: string, args: string[]): string | undefined {
  try {
    const cwd = new URL("..", import.meta.url).pathname;
    const { success, stderr } = new Deno.Command(program, { args, cwd }).outputSync();
    return success ? undefined : new TextDecoder().decode(stderr).trim().split("\n")[0]!;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return `${program} is not installed`;
    throw error;
  }
}
