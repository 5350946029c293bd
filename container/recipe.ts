/**
 * Recipes: the steps that make a container, in order.
 *
 * @module
 */

import { Command } from "./command.ts";
import type { CommandOptions } from "./command_options.ts";
import type { Degradation } from "./sandbox_on.ts";
import { enterSteps, visitSteps } from "./enter_steps.ts";
import { launchers } from "./launchers.ts";
import { Launcher } from "../launch/launcher.ts";
import type { PlanOptions } from "../plan/builder.ts";
import { planRecipe } from "../plan/plan_recipe.ts";
import type { HostAccess } from "../plan/access/access.ts";
import { requiredAccess } from "../plan/access/required.ts";
import type { Plan } from "../launch/listing.ts";
import { checkedSteps } from "../recipe/check.ts";
import type { Step } from "../recipe/steps.ts";

/** An argument of {@linkcode recipe}: a step, or a recipe, which is replaced by its steps. */
export type RecipeInput = Step | Recipe;

/**
 * Makes a recipe of steps and other recipes. The fields of each step are checked at once; the order
 * of the steps is checked when the recipe is planned or run.
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
 * @throws {RecipeError} for a value that is not a step, or an invalid field
 */
export function recipe(...inputs: RecipeInput[]): Recipe {
  return new Recipe(
    inputs.flatMap((input) => input instanceof Recipe ? input.steps : [input]),
    inputs.find((input): input is Recipe => input instanceof Recipe && input.degraded !== undefined)
      ?.degraded,
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
  /** The steps, in order. */
  readonly steps: readonly Step[];
  /**
   * Why it is weaker than it would be on another machine, if it is made of
   * `sandbox({ degrade: true })`, and user namespaces are refused here.
   */
  readonly degraded: Degradation | undefined;
  /** The launcher of the last command. */
  #launcher: Launcher | undefined;

  /**
   * Makes a recipe of steps; {@linkcode recipe} takes recipes too.
   *
   * @param degraded what the recipe says of itself, {@linkcode Recipe.degraded}
   *
   * @throws {RecipeError} for a value that is not a step, or an invalid field
   */
  constructor(steps: readonly Step[], degraded?: Degradation) {
    this.steps = checkedSteps(steps);
    this.degraded = degraded;
  }

  /**
   * Returns a recipe with more steps after those of this one.
   *
   * @throws {RecipeError} for a value that is not a step, or an invalid field
   */
  with(...inputs: RecipeInput[]): Recipe {
    return recipe(this, ...inputs);
  }

  /**
   * Returns a command for a program in a container of this recipe, with the options and methods of
   * `Deno.Command`. Nothing runs yet.
   *
   * @throws {TypeError} if an option is invalid
   * @throws {RecipeError} if the steps are in an impossible order, or would change the host
   * @throws {PermissionError} without `--allow-ffi`; where `permissions` do not grant what has to be
   * read of the host to make the plan, for `programs()` and `join()`
   */
  command(program: string | URL, options: CommandOptions = {}): Command {
    return new Command(
      {
        launcher: (options) => this.#launcherWith(options),
        entering: (target, user, options) =>
          new Launcher(planRecipe(enterSteps(this.steps, target, user), options)),
        visiting: (target, user) => planRecipe(visitSteps(this.steps, target, user)),
      },
      program,
      options,
    );
  }

  /** Returns the launcher of the last command, unless its plan would be another now. */
  #launcherWith(options: PlanOptions = {}): Launcher {
    const plan = this.#launcher?.plan;
    const { network, detached, audit } = options;
    const isSame = plan?.options.network === network && plan?.options.detached === detached &&
      plan?.options.audit === audit;
    if (isSame && plan?.isCurrent) return this.#launcher!;
    return this.#launcher = launchers().of(this.steps, options);
  }

  /**
   * Returns every system call that the recipe makes, without making any.
   *
   * @throws {RecipeError} if the steps are in an impossible order, or would change the host
   * @throws {PermissionError} without `--allow-ffi`
   */
  plan(): Plan {
    return this.command("PROGRAM").plan();
  }

  /**
   * Returns the access to the host that the recipe, and any program in it, needs: plain data, with
   * the step of each access. Nothing runs, but paths are resolved on the host to paths without
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
   * @throws {RecipeError} if the steps are in an impossible order, or would change the host
   * @throws {PermissionError} without `--allow-ffi`
   */
  needs(): readonly HostAccess[] {
    return requiredAccess(this.#launcherWith().plan.access);
  }

  /**
   * Returns the steps, for `JSON.stringify()`.
   *
   * @example A recipe as a JSON text
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
