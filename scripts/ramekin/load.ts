/**
 * The modules of the subcommands, each loaded when it is used.
 *
 * @module
 */

import type { Arguments } from "./arguments.ts";
import type { SubcommandName } from "./subcommands.ts";

/** A module of a subcommand. */
interface SubcommandModule {
  /** Runs the subcommand, and returns the exit status. */
  run(given: Arguments): number | Promise<number>;
}

/** Loads the module of a subcommand. */
export const LOAD: Readonly<Record<SubcommandName, () => Promise<SubcommandModule>>> = {
  run: () => import("./run.ts"),
  sandbox: () => import("./sandbox_run.ts"),
  learn: () => import("./learn.ts"),
  try: () => import("./try.ts"),
  build: () => import("./build.ts"),
  enter: () => import("./enter.ts"),
  cp: () => import("./cp.ts"),
  stop: () => import("./stop.ts"),
  logs: () => import("./logs.ts"),
  wait: () => import("./wait.ts"),
  rm: () => import("./rm.ts"),
  stats: () => import("./stats.ts"),
  plan: () => import("./plan.ts"),
  pull: () => import("./pull.ts"),
  images: () => import("./images.ts"),
  rmi: () => import("./rmi.ts"),
  inspect: () => import("./inspect.ts"),
  commit: () => import("./commit.ts"),
  pack: () => import("./pack.ts"),
  push: () => import("./push.ts"),
  save: () => import("./save.ts"),
  load: () => import("./load_images.ts"),
  ps: () => import("./ps.ts"),
  ls: () => import("./ls.ts"),
  check: () => import("./check.ts"),
  oci: () => import("./oci.ts"),
  "from-bwrap": () => import("./from_bwrap.ts"),
  "from-unshare": () => import("./from_unshare.ts"),
  "from-nsjail": () => import("./from_nsjail.ts"),
  export: () => import("./export.ts"),
  import: () => import("./import.ts"),
  schema: () => import("./schema.ts"),
  man: () => import("./man.ts"),
  completions: () => import("./completions.ts"),
};
