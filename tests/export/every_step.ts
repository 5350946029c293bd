/** Every step, in a format: it is said, or refused with its number and the reason. */

import { assertEquals, assertMatch } from "@std/assert";
import * as steps from "../../mod.ts";
import { type Recipe, recipe, RecipeError, type Step } from "../../mod.ts";

/** A step behind the others of a recipe whose root is at /new, and what is said of it. */
export interface Case {
  /** The step, where it comes before the root is entered. */
  readonly before?: Step;
  readonly after?: Step;
  /** What the format has then, or the reason of the refusal. */
  readonly said?: RegExp;
  readonly refused?: RegExp;
}

/** A case for each step. */
export type Cases = Readonly<Record<Step["step"], Case>>;

/**
 * Holds every step to its case.
 *
 * @param written what a recipe is in the format, as a text
 * @param shown the step that shows the root
 */
export function holdEveryStep(
  cases: Cases,
  written: (made: Recipe) => string,
  shown: Step = steps.bind("/srv/root", "/new"),
): void {
  for (const [name, { before, after, said, refused }] of Object.entries(cases)) {
    const list = [
      ...(before?.step === "join" ? [before] : []),
      steps.unshare("user", "mount", "pid", "uts", "ipc", "net"),
      steps.mapRoot(),
      shown,
      steps.devices("/new/dev"),
      ...(before === undefined || before.step === "join" ? [] : [before]),
      steps.pivotRoot("/new"),
      steps.clearEnv(),
      ...(after === undefined ? [] : [after]),
    ];
    const [text, error] = outcome(() => written(recipe(...list)));
    if (said !== undefined) {
      assertEquals(error?.message, undefined, name);
      assertMatch(text, said);
    } else {
      const at = list.indexOf((before ?? after)!);
      assertEquals([error?.step, error?.stepIndex], [name, at], `${name}: ${text}`);
      assertMatch(error!.message, refused!);
    }
  }
}

function outcome(write: () => string): readonly [string, RecipeError | undefined] {
  try {
    return [write(), undefined];
  } catch (error) {
    if (error instanceof RecipeError) return ["", error];
    throw error;
  }
}
