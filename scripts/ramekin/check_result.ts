/**
 * What `ramekin check` finds, and how it tries a recipe.
 *
 * @module
 */

import { RamekinError, type Recipe, SyscallError } from "../../mod.ts";

/** One thing that this machine can do, or cannot. */
export interface Finding {
  /** What it is about. */
  readonly name: string;
  /** Whether it can be done. */
  readonly works: boolean;
  /** What there is, or what is in the way. */
  readonly says: string;
  /** What to do about it. */
  readonly fix?: string;
}

/** There is no such program; a container that gets as far as looking for it has been made. */
const NO_PROGRAM = "/ramekin check";

/** Makes a container of the recipe, which ends at once; returns the error where that fails. */
export function trial(box: Recipe): Error | undefined {
  try {
    box.command(NO_PROGRAM).outputSync();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound && error.cause instanceof SyscallError) {
      return undefined;
    }
    if (error instanceof Error) return error;
    throw error;
  }
  return undefined;
}

/** The finding of a trial of a recipe. */
export function tried(name: string, says: string, box: Recipe): Finding {
  const error = trial(box);
  return error === undefined ? { name, works: true, says } : failed(name, error);
}

/** The finding of an error: what has failed, and the fix that it names. */
export function failed(name: string, error: Error): Finding {
  if (error instanceof SyscallError) {
    const { syscall, code, hint } = error;
    const says = `${syscall} fails with ${code}`;
    return { name, works: false, says, ...(hint !== undefined && { fix: hint }) };
  }
  // No step is of the user's.
  const text = error instanceof RamekinError ? error.issue : error.message;
  const [says, ...fix] = text.split(/; (.*)/s);
  const rest = fix.join("").replaceAll("\n", " ").trim();
  return {
    name,
    works: false,
    says: says!.replaceAll("\n", " "),
    ...(rest !== "" && { fix: rest }),
  };
}
