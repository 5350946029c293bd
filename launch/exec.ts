/**
 * What is run in a container, as data.
 *
 * @module
 */

import type { Struct } from "../ffi/call.ts";
import {
  type EnvironmentStrings,
  environmentStrings,
  environmentVariable,
} from "../ffi/environment.ts";
import { DEFAULT_PATH } from "../recipe/default_path.ts";

/** A program to run in a container, and what it is given. */
export interface ExecSpec {
  /** The program: a path, or a name that is looked for in `searchPath`. */
  readonly program: string;
  /** Its arguments, without its own name. */
  readonly args: readonly string[];
  readonly environment: Environment;
  /** The value of PATH. */
  readonly searchPath: string;
  /** Its working directory, in the container; without it, the one that the steps have left. */
  readonly cwd: string | undefined;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  /** Its standard input, output and error. */
  readonly stdio: readonly Stdio[];
  /** Its controlling terminal, in place of the three. */
  readonly terminal: Terminal | undefined;
}

/** The environment of a program: strings of this process's own, and what is set over them. */
export interface Environment {
  readonly inherited: EnvironmentStrings;
  readonly changes: ReadonlyMap<string, string>;
}

/** What a standard stream is: the script's own, /dev/null, or a descriptor of the script's. */
export type Stdio = "inherit" | "null" | { readonly fd: number };

/** A terminal of the program's own. */
export type Terminal =
  /** One that the script has opened: its descriptor. */
  | { readonly place: "script"; readonly fd: number }
  /**
   * One of the container's own /dev/pts. Its other side is sent to the script; `reserved` is a
   * descriptor number that is free to be reused for it in the container.
   */
  | { readonly place: "container"; readonly reserved: number; readonly size: Struct };

/** A program with this process's environment and /dev/null as its streams, unless it is said. */
export function execSpec(
  program: string,
  spec: Partial<Omit<ExecSpec, "program">> = {},
): ExecSpec {
  return {
    program,
    args: spec.args ?? [],
    environment: spec.environment ?? { inherited: environmentStrings(), changes: new Map() },
    searchPath: spec.searchPath ?? environmentVariable("PATH") ?? DEFAULT_PATH,
    cwd: spec.cwd,
    uid: spec.uid,
    gid: spec.gid,
    stdio: spec.stdio ?? ["null", "null", "null"],
    terminal: spec.terminal,
  };
}

/** The paths at which the program may be, in the order in which execvp(3) tries them. */
export function programPaths({ program, searchPath }: ExecSpec): readonly string[] {
  if (program.includes("/")) return [program];
  return searchPath.split(":").map((directory) =>
    directory === "" ? program : `${directory}/${program}`
  );
}
