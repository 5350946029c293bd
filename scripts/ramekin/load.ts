/**
 * What each subcommand does; loaded where it is wanted.
 *
 * @module
 */

import type { Arguments } from "./arguments.ts";
import type { SubcommandName } from "./subcommands.ts";

/** A module that does what a subcommand is for. */
interface Doer {
  /** Does it, and answers the exit status. */
  run(given: Arguments): number | Promise<number>;
}

/** Loads the module of a subcommand. */
export const LOAD: Readonly<Record<SubcommandName, () => Promise<Doer>>> = {
  run: () => import("./run.ts"),
  sandbox: () => import("./sandbox.ts"),
  enter: () => import("./enter.ts"),
  plan: () => import("./plan.ts"),
  ps: () => import("./ps.ts"),
  ls: () => import("./ls.ts"),
  check: () => import("./check.ts"),
  schema: () => import("./schema.ts"),
  completions: () => import("./completions.ts"),
};
