/**
 * Commands as templates, without a shell: in containers, and for programs of this machine.
 *
 * @example Programs of this machine, and of a container
 * ```ts
 * import { $, shell } from "@ramekin/ramekin/shell";
 * import { sandbox } from "@ramekin/ramekin";
 *
 * const box = shell(sandbox());
 * const directory = "/usr/share";
 * const size = await $`tar -c ${directory}/base-files`.pipe(box`gzip`).pipe`wc -c`.text();
 * console.log(`${size} bytes`);
 * for await (const line of box`ls /`.lines()) console.log(line);
 * ```
 *
 * @module
 */

import type { Container } from "../container/container.ts";
import { type Recipe, recipe } from "../container/recipe.ts";
import { shown } from "../recipe/shown.ts";
import type { MakeCommand, ShellOptions } from "./pipeline.ts";
import { commandOf, type ShellCommand } from "./shell_command.ts";
import type { TemplateValue } from "./words.ts";

export { CommandError, type CommandResult, type ProgramStatus } from "./command_error.ts";
export { glob, type GlobOptions } from "./glob.ts";
export type {
  CommandInput,
  CommandTarget,
  RetryOptions,
  ShellOptions,
  TargetOptions,
} from "./pipeline.ts";
export { ShellCommand } from "./shell_command.ts";
export type { TemplateValue } from "./words.ts";

/** Makes commands of templates. */
export type Shell = (template: TemplateStringsArray, ...values: TemplateValue[]) => ShellCommand;

/**
 * Returns a tag for the templates of commands that run in new containers of a recipe, each program in
 * one of its own, or in a container that runs. The options are those of `recipe.command()`.
 *
 * @example
 * ```ts
 * import { shell } from "@ramekin/ramekin/shell";
 * import { hostname, mapRoot, recipe, unshare } from "@ramekin/ramekin";
 * import { assertEquals } from "@std/assert";
 *
 * const box = recipe(unshare("user", "uts"), mapRoot(), hostname("kitchen"));
 * const $ = shell(box, { env: { DISH: "soup" } });
 * assertEquals(await $`hostname`.text(), "kitchen");
 *
 * await using container = box.command("sleep", { args: ["60"] }).spawn();
 * assertEquals(await shell(container)`id -u`.text(), "0");
 * ```
 *
 * @throws {TypeError} when a template is no command: it names no program, has an open quote, a value
 * that is no word, or what only a shell could do. Running it throws as `recipe.command()` and its
 * `spawn()` do. Also when the target is neither a recipe nor a container
 */
export function shell(target: Recipe | Container, options: ShellOptions = {}): Shell {
  if (!isTarget(target)) {
    throw new TypeError(
      `shell() should get a recipe or a container, as shell(sandbox()), not ${
        shown(target)
      }; for ` +
        "programs of this machine use $",
    );
  }
  // Not by its class: the module in one file has another.
  const make: MakeCommand = (program, options) =>
    "enter" in target ? target.enter(program, options) : target.command(program, options);
  return (template, ...values) => commandOf(make, options, template, values);
}

function isTarget(target: unknown): boolean {
  if (typeof target !== "object" || target === null) return false;
  return "enter" in target || "command" in target;
}

/**
 * Makes commands for programs of this machine, without a container. See {@linkcode shell}.
 *
 * @example
 * ```ts
 * import { $ } from "@ramekin/ramekin/shell";
 *
 * const release = await $`uname -r`.text();
 * await $`echo ${release}`;
 * ```
 */
export const $: Shell = shell(recipe());
