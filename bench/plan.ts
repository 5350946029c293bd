/**
 * Planning, TypeScript alone: a sandbox, and a recipe of many binds; nothing is launched.
 *
 * @module
 */

import {
  landlock,
  mapRoot,
  maskPaths,
  mkdir,
  readonlyPaths,
  recipe,
  tmpfs,
  unshare,
} from "../mod.ts";
import { planRecipe } from "../plan/plan_recipe.ts";
import { alone } from "./alone.ts";
import { type Build, NOW, THEN, withBuilds } from "./builds.ts";
import { type Report, roundsTable, type Table } from "./report.ts";
import { type Contender, interleave, median, ratios, type Rounds, timed } from "./rounds.ts";

const ROUNDS = 51;
const PLANS = 20;
/** More directories than plans are kept. */
const DIRECTORIES = 64;
/** How many binds; the build before takes half a minute for the last, and is spared that. */
const BINDS = [110, 330, 990] as const;
const MOST_BEFORE = 330;
const BIND_ROUNDS = 5;
const PROGRAM = "/bin/true";

/** Counted up for every plan, so that each is one that has not been made before. */
let plans = 0;

/** Measures. */
export function planning(): Promise<Report> {
  return withBuilds(async ({ builds, notes }) => ({
    title: "Planning",
    about: [
      '`sandbox({ env: ["N1"] }).command()`, each with another variable, so that no plan of an ' +
      "equal recipe serves, but that of the steps before; by planRecipe() all steps are planned, and " +
      "are made ahead",
      "a sandbox with another directory to write each: these differ in the middle, and the names in " +
      "the directory are looked at, which the build before did not",
      `many binds: a tmpfs, and /usr bound into it under as many names; the build before once, and ` +
      `up to ${MOST_BEFORE}, as its time grows with the cube of them`,
      ...notes,
    ],
    tables: [
      await sandboxTable(builds),
      await writingTable(builds),
      await bindsTable(builds),
      await othersTable(),
    ],
    plots: [],
  }));
}

async function sandboxTable(builds: readonly Build[]): Promise<Table> {
  const contenders = builds.map(({ name, module }): Contender => ({
    name,
    measure: () => timed(PLANS, () => module.sandbox(options()).command(PROGRAM)),
  }));
  const [now] = builds;
  contenders.push({
    name: `${NOW}, by planRecipe()`,
    measure() {
      const recipes = Array.from({ length: PLANS }, () => now!.module.sandbox(options()).steps);
      return timed(PLANS, (index) => planRecipe(recipes[index]!));
    },
  });
  const rounds = await interleave(contenders, ROUNDS);
  const base = rounds.has(THEN) ? THEN : NOW;
  const wanted = base === THEN
    ? [{
      what: "a sandbox, to the build before",
      is: median(ratios(rounds, NOW, THEN)),
      bound: "at most" as const,
      limit: 0.12,
    }]
    : [];
  return roundsTable("A sandbox", rounds, base, "µs a plan", microseconds, wanted);
}

async function writingTable(builds: readonly Build[]): Promise<Table> {
  const root = Deno.makeTempDirSync({ prefix: "ramekin-bench-" });
  try {
    const directories = Array.from({ length: DIRECTORIES }, (_, index) => `${root}/${index}`);
    for (const directory of directories) Deno.mkdirSync(directory);
    const contenders = builds.map(({ name, module }): Contender => ({
      name,
      measure: () =>
        timed(PLANS, () => {
          const write = [directories[plans++ % DIRECTORIES]!];
          return module.sandbox({ write }).command(PROGRAM);
        }),
    }));
    const rounds = await interleave(contenders, ROUNDS);
    const base = rounds.has(THEN) ? THEN : NOW;
    const title = "A sandbox with another directory to write";
    return roundsTable(title, rounds, base, "µs a plan", microseconds, []);
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
}

const microseconds = (milliseconds: number) => (milliseconds * 1000).toFixed(0);

function options() {
  return { env: [`N${plans++}`] };
}

async function bindsTable(builds: readonly Build[]): Promise<Table> {
  const measured = new Map<string, Rounds>();
  for (const { name, module } of builds) {
    const counts = name === NOW ? BINDS : BINDS.filter((count) => count <= MOST_BEFORE);
    const contenders = counts.map((count): Contender => ({
      name: String(count),
      measure: () => timed(1, () => plan(module, count)),
    }));
    measured.set(name, await interleave(contenders, name === NOW ? BIND_ROUNDS : 1));
  }
  const milliseconds = (build: Build, count: number) => {
    const times = measured.get(build.name)!.get(String(count));
    return times === undefined ? undefined : median(times);
  };
  const most = BINDS.at(-1)!;
  return {
    title: "Many binds",
    heading: ["binds", ...builds.map(({ name }) => `${name}, ms`)],
    rows: BINDS.map((count) => [
      String(count),
      ...builds.map((build) => milliseconds(build, count)?.toFixed(1) ?? ""),
    ]),
    wanted: [{
      what: `milliseconds for ${most} binds`,
      is: milliseconds(builds[0]!, most)!,
      bound: "at most",
      limit: 150,
    }],
  };
}

/** Other steps of which a recipe may have many, or one with many paths. */
async function othersTable(): Promise<Table> {
  const most = BINDS.at(-1)!;
  const box = recipe(unshare("user", "mount"), mapRoot(), tmpfs("/mnt"));
  const paths = () => {
    const root = `/mnt/${plans++}`;
    return Array.from({ length: most }, (_, index) => `${root}/${index}`);
  };
  const recipes = {
    "masked paths": () => box.with(maskPaths(...paths())),
    "read-only paths": () => box.with(readonlyPaths(...paths())),
    "directories": () => box.with(...paths().map((path) => mkdir(path))),
    "deep mount points": () =>
      box.with(...paths().map((path, index) => tmpfs(path + "/a".repeat(index % 20)))),
    "paths of Landlock": () => box.with(landlock({ read: paths() })),
  };
  const contenders = Object.entries(recipes).map(([name, make]): Contender => ({
    name,
    measure: () => timed(1, () => make().command(PROGRAM)),
  }));
  const rounds = await interleave(contenders, BIND_ROUNDS);
  return {
    title: "Many of other steps",
    heading: [`${most} of them`, `${NOW}, ms`],
    rows: contenders.map(({ name }) => [name, median(rounds.get(name)!).toFixed(1)]),
    wanted: contenders.slice(0, 3).map(({ name }) => ({
      what: `milliseconds for ${most} ${name}`,
      is: median(rounds.get(name)!),
      bound: "at most",
      limit: 150,
    })),
  };
}

/** Plans a recipe of so many binds that no recipe before was equal to. */
function plan({ bind, mapRoot, recipe, tmpfs, unshare }: Build["module"], count: number): void {
  const root = `/mnt/${plans++}`;
  const binds = Array.from({ length: count }, (_, index) => bind("/usr", `${root}/${index}`));
  recipe(unshare("user", "mount"), mapRoot(), tmpfs("/mnt"), ...binds).command(PROGRAM);
}

if (import.meta.main) await alone(planning);
