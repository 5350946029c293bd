/**
 * A recipe: the steps that make a container, in the order in which they happen.
 *
 * @module
 */

import { callerSignature } from "./caller.ts";
import { Command } from "./command.ts";
import type { CommandOptions } from "./command_options.ts";
import { Launcher } from "../launch/launcher.ts";
import { planRecipe } from "../plan/plan_recipe.ts";
import type { HostAccess } from "../plan/access/access.ts";
import { requiredAccess } from "../plan/access/required.ts";
import type { Plan } from "../launch/listing.ts";
import { checkStep } from "../recipe/check.ts";
import { type Step, STEP_DEFINITIONS } from "../recipe/steps.ts";

/** What {@linkcode recipe} takes: steps, and recipes whose steps are taken in their place. */
export type RecipeInput = Step | Recipe;

/**
 * Makes a recipe of steps and other recipes. The fields of each step are checked at once; whether
 * the steps are in a possible order, when it is planned or run.
 *
 * @example
 * ```ts
 * import { hostname, mapRoot, proc, recipe, tmpfs, unshare } from "@ramekin/ramekin";
 *
 * const box = recipe(
 *   unshare("user", "mount", "pid", "uts", "ipc", "net"),
 *   mapRoot(),
 *   tmpfs("/tmp", { size: "10m" }),
 *   proc(),
 *   hostname("a-cooler-hostname"),
 * );
 * const { code, stdout } = await box.command("hostname").output();
 * console.log(code, new TextDecoder().decode(stdout)); // 0 a-cooler-hostname
 * ```
 *
 * @throws {RecipeError} where a step is none, or a field of it is wrong
 */
export function recipe(...ingredients: RecipeInput[]): Recipe {
  return new Recipe(
    ingredients.flatMap((item) => item instanceof Recipe ? item.steps : [item]),
  );
}

/**
 * The steps that make a container; made by {@linkcode recipe}. It never changes.
 *
 * @example
 * ```ts
 * import { hostname, mapRoot, recipe, unshare } from "@ramekin/ramekin";
 * import { assertEquals } from "@std/assert";
 *
 * const base = recipe(unshare("user", "uts"), mapRoot());
 * const box = base.with(hostname("a-cooler-hostname"));
 * assertEquals(box.steps.map(({ step }) => step), ["unshare", "mapRoot", "hostname"]);
 * assertEquals(base.steps.length, 2);
 * console.log(box.plan().toString()); // every system call, in order
 * ```
 */
export class Recipe {
  /** The steps, in the order in which they happen. */
  readonly steps: readonly Step[];
  /** What the commands of this recipe have in common, and who ran the script when it was planned. */
  #shared: { readonly launcher: Launcher; readonly caller: string | undefined } | undefined;

  /**
   * A recipe of these steps; {@linkcode recipe} takes recipes too.
   *
   * @throws {RecipeError} where a step is none, or a field of it is wrong
   */
  constructor(steps: readonly Step[]) {
    steps.forEach((step, index) => checkStep(step, index, STEP_DEFINITIONS));
    this.steps = frozenCopy(steps);
  }

  /**
   * This recipe with more steps behind its own.
   *
   * @throws {RecipeError} where a step is none, or a field of it is wrong
   */
  with(...ingredients: RecipeInput[]): Recipe {
    return recipe(this, ...ingredients);
  }

  /**
   * A program in a container of this recipe, with the options and methods of `Deno.Command`.
   * Nothing runs yet.
   *
   * @throws {RecipeError} where the steps are in an impossible order, or would change the host; for
   * an option that is wrong
   * @throws {PermissionError} without `--allow-ffi`, where a step looks at the host to be planned
   */
  command(program: string | URL, options: CommandOptions = {}): Command {
    return new Command(
      {
        launcher: (gate) =>
          gate === undefined ? this.#sharedLauncher() : new Launcher(planRecipe(this.steps, gate)),
        launcherBehind: (join, gate) => {
          const limits = this.steps.filter(({ step }) => LIMITS.has(step));
          return new Launcher(planRecipe([join, ...limits], gate));
        },
      },
      program,
      options,
    );
  }

  /** The plan of the commands without permissions, which is made once as far as the host allows. */
  #sharedLauncher(): Launcher {
    const shared = this.#shared;
    if (shared !== undefined) {
      const isSame = shared.caller === undefined || shared.caller === callerSignature();
      if (isSame) return shared.launcher;
    }
    const launcher = new Launcher(planRecipe(this.steps));
    const lasts = !this.steps.some(({ step }) => LOOKS_AT_HOST.has(step));
    this.#shared = lasts ? { launcher, caller: callerSignature() } : undefined;
    return launcher;
  }

  /**
   * Every system call that the recipe makes, without making any.
   *
   * @throws {RecipeError} where the steps are in an impossible order, or would change the host
   * @throws {PermissionError} without `--allow-ffi`
   */
  plan(): Plan {
    return this.command("PROGRAM").plan();
  }

  /**
   * What the recipe, and any program that is run in it, reaches of the host: plain data, with the
   * step that each is for. Nothing runs; but the host is looked at, as paths are told without
   * symbolic links.
   *
   * @example
   * ```ts
   * import { sandbox } from "@ramekin/ramekin";
   *
   * const needs = sandbox({ read: ["/etc/os-release"] }).needs();
   * console.log(needs.filter(({ kind }) => kind === "write")); // []
   * ```
   *
   * @throws {RecipeError} where the steps are in an impossible order, or would change the host
   * @throws {PermissionError} without `--allow-ffi`
   */
  needs(): readonly HostAccess[] {
    return requiredAccess(planRecipe(this.steps, {}).access!);
  }

  /**
   * The steps, as JSON has them.
   *
   * @example A recipe that is kept as a text
   * ```ts
   * import { recipe, setEnv } from "@ramekin/ramekin";
   * import { assertEquals } from "@std/assert";
   *
   * const box = recipe(setEnv({ LANG: "C" }));
   * const text = JSON.stringify(box);
   * assertEquals(text, '{"steps":[{"step":"setEnv","variables":{"LANG":"C"}}]}');
   * assertEquals(recipe(...JSON.parse(text).steps).toJSON(), box.toJSON());
   * ```
   */
  toJSON(): { readonly steps: readonly Step[] } {
    return { steps: this.steps };
  }
}

/** The steps that hold for every program of a container, also for those that enter it later. */
const LIMITS: ReadonlySet<Step["step"]> = new Set<Step["step"]>([
  "capabilities",
  "clearEnv",
  "landlock",
  "noNewPrivileges",
  "rlimit",
  "seccomp",
  "setEnv",
]);

/** The steps whose plans depend on processes and files of the host, which come and go. */
const LOOKS_AT_HOST: ReadonlySet<Step["step"]> = new Set<Step["step"]>(["join", "programs"]);

/** A copy of plain data that nobody can change. */
function frozenCopy<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  const copy = Array.isArray(value)
    ? value.map(frozenCopy)
    : Object.fromEntries(Object.entries(value).map(([key, item]) => [key, frozenCopy(item)]));
  return Object.freeze(copy) as T;
}
