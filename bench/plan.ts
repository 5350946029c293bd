/**
 * Planning, TypeScript alone: a sandbox, and a recipe of many binds; nothing is launched.
 *
 * @module
 */

import { planRecipe } from "../plan/plan_recipe.ts";
import { alone } from "./alone.ts";
import { type Build, NOW, THEN, withBuilds } from "./builds.ts";
import { type Report, roundsTable, type Table } from "./report.ts";
import { type Contender, interleave, median, ratios, type Rounds, timed } from "./rounds.ts";

const ROUNDS = 51;
const PLANS = 20;
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
      "equal recipe serves; by planRecipe() the steps alone are planned, which are made ahead",
      `many binds: a tmpfs, and /usr bound into it under as many names; the build before once, and ` +
      `up to ${MOST_BEFORE}, as its time grows with the cube of them`,
      ...notes,
    ],
    tables: [await sandboxTable(builds), await bindsTable(builds)],
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
  const format = (milliseconds: number) => (milliseconds * 1000).toFixed(0);
  return roundsTable("A sandbox", rounds, base, "µs a plan", format, wanted);
}

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

/** Plans a recipe of so many binds that no recipe before was equal to. */
function plan({ bind, mapRoot, recipe, tmpfs, unshare }: Build["module"], count: number): void {
  const root = `/mnt/${plans++}`;
  const binds = Array.from({ length: count }, (_, index) => bind("/usr", `${root}/${index}`));
  recipe(unshare("user", "mount"), mapRoot(), tmpfs("/mnt"), ...binds).command(PROGRAM);
}

if (import.meta.main) await alone(planning);
