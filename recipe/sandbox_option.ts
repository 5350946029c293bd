/**
 * The error of an option of `sandbox()`.
 *
 * @module
 */

import { RecipeError } from "./errors.ts";
import type { SandboxOptions } from "./sandbox.ts";

/** Returns the error; its `field` is the option, by which a command line finds the flag. */
export function optionError(option: keyof SandboxOptions, issue: string): RecipeError {
  return new RecipeError(issue, { step: "sandbox", field: option });
}
