/**
 * The program of a launch, as data.
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

/** A program to run in a container, with its arguments, environment and streams. */
export interface ExecSpec {
  /** The path of the program, or a name that is looked up in `searchPath`. */
  readonly program: string;
  /** The name of the container; the default is that of the program. */
  readonly name: string | undefined;
  /** Its own name, as it gets it; the default is `program`. */
  readonly argv0: string | undefined;
  /** Its arguments, without its own name. */
  readonly args: readonly string[];
  readonly environment: Environment;
  /** The value of PATH. */
  readonly searchPath: string;
  /** Its working directory in the container; the default is the one of the steps. */
  readonly cwd: string | undefined;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  /** Its standard input, output and error. */
  readonly stdio: readonly Stdio[];
  /** Descriptors of the script's that it gets beside these. */
  readonly fds: readonly HandedFd[];
  /** Its controlling terminal, which replaces the standard streams. */
  readonly terminal: Terminal | undefined;
  /**
   * The descriptor of an executable that runs in place of the program, once that has been found in
   * the container.
   */
  readonly image: number | undefined;
  /**
   * The last eight letters of the name of a socket for messages of the program's, of sd_notify(3),
   * which the container makes and the script gets.
   */
  readonly notify?: string | undefined;
  /**
   * How long its launch may take, in milliseconds. One that waits to be started has no such limit.
   */
  readonly timeLimit?: number | undefined;
}

/** The environment of a program: strings of this process, and variables that override them. */
export interface Environment {
  readonly inherited: EnvironmentStrings;
  readonly changes: ReadonlyMap<string, string>;
}

/** A standard stream: the script's own, /dev/null, or a descriptor of the script. */
export type Stdio = "inherit" | "null" | { readonly fd: number };

/** A descriptor of the script's, and the number that it has in the program. */
export interface HandedFd {
  readonly number: number;
  readonly fd: number;
}

/** A terminal of the program. */
export type Terminal =
  /** One that the script has opened, with its descriptor. */
  | { readonly place: "script"; readonly fd: number }
  /**
   * One of the container's own /dev/pts. The master is sent to the script; `reserved` is the
   * descriptor number that the container uses for that.
   */
  | { readonly place: "container"; readonly reserved: number; readonly size: Struct };

/** Returns a program; the defaults are this process's environment, and /dev/null as the streams. */
export function execSpec(
  program: string,
  spec: Partial<Omit<ExecSpec, "program">> = {},
): ExecSpec {
  return {
    program,
    name: spec.name,
    argv0: spec.argv0,
    args: spec.args ?? [],
    environment: spec.environment ?? { inherited: environmentStrings(), changes: new Map() },
    searchPath: spec.searchPath ?? environmentVariable("PATH") ?? DEFAULT_PATH,
    cwd: spec.cwd,
    uid: spec.uid,
    gid: spec.gid,
    stdio: spec.stdio ?? ["null", "null", "null"],
    fds: spec.fds ?? [],
    terminal: spec.terminal,
    image: spec.image,
    timeLimit: spec.timeLimit,
  };
}

/** Returns the paths at which the program may be, in the order in which execvp(3) tries them. */
export function programPaths({ program, searchPath }: ExecSpec): readonly string[] {
  if (program.includes("/")) return [program];
  return searchPath.split(":").map((directory) =>
    directory === "" ? program : `${directory}/${program}`
  );
}
