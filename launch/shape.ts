/**
 * What decides which calls a launch makes. Two launches of one plan that have the same shape are the
 * same program, and differ in what is filled in.
 *
 * @module
 */

import type { CgroupEntry } from "../ffi/cgroups/group.ts";
import type { ExecSpec } from "./exec.ts";

/** The shape of a launch. */
export interface LaunchShape {
  /** What the standard streams are; `"fd"` is a descriptor of the script's. */
  readonly stdio: readonly ("inherit" | "null" | "fd")[];
  /** At how many paths the program may be. */
  readonly paths: number;
  readonly cwd: boolean;
  readonly uid: boolean;
  readonly gid: boolean;
  /** Where the terminal is opened, if the program gets one. */
  readonly terminal: "script" | "container" | undefined;
  /** How the container gets into its control group, if it has one. */
  readonly cgroup: { readonly directory: boolean; readonly files: number } | undefined;
  /** Whether the container waits before the program until it is let go. */
  readonly held: boolean;
}

/** The shape of a launch of this program, which may be at so many paths. */
export function shapeOf(
  { stdio, cwd, uid, gid, terminal }: ExecSpec,
  paths: number,
  cgroup: CgroupEntry | undefined,
  held: boolean,
): LaunchShape {
  return {
    stdio: stdio.map((stream) => typeof stream === "string" ? stream : "fd"),
    paths,
    cwd: cwd !== undefined,
    uid: uid !== undefined,
    gid: gid !== undefined,
    terminal: terminal?.place,
    cgroup: cgroup &&
      { directory: cgroup.directory !== undefined, files: cgroup.files.length },
    held,
  };
}
