/**
 * The shape of a launch, which determines its calls. Launches of one plan with the same shape have
 * the same program, and differ in the values of its slots.
 *
 * @module
 */

import type { CgroupEntry } from "../ffi/cgroups/group.ts";
import type { ProcessPlan } from "../plan/process.ts";
import type { ExecSpec } from "./exec.ts";

/** The shape of a launch. */
export interface LaunchShape {
  /** The kinds of the standard streams; `"fd"` is a descriptor of the script. */
  readonly stdio: readonly ("inherit" | "null" | "fd")[];
  /** The numbers of the program's further descriptors. */
  readonly fds: readonly number[];
  /** The number of paths at which the program may be. */
  readonly paths: number;
  readonly cwd: boolean;
  readonly uid: boolean;
  readonly gid: boolean;
  /** Which side opens the terminal, if the program gets one. */
  readonly terminal: "script" | "container" | undefined;
  /** How the container enters its control group, if it has one. */
  readonly cgroup: { readonly directory: boolean; readonly files: number } | undefined;
  /** Whether the container waits before its program to be started. */
  readonly held: boolean;
  /** Whether it is ended when it takes too long. */
  readonly bounded?: boolean;
  /** Whether it runs no program, but makes calls and sends descriptors to the script. */
  readonly visits?: true;
  /** Whether another executable runs in place of the program. */
  readonly image: boolean;
  /** Whether a sealed executable executes the program. */
  readonly sealed?: boolean;
  /** Whether that enters the time namespace, too. */
  readonly entersTime?: boolean;
  /** Whether it makes a socket for messages of the program's. */
  readonly notify?: boolean;
}

/** Whether a process of a launch has a copy of its parent's memory. */
export function copiesMemory({ ownMemory }: ProcessPlan, { entersTime }: LaunchShape): boolean {
  return ownMemory && entersTime !== true;
}

/** Returns the shape of a launch. */
export function shapeOf(
  { stdio, fds, cwd, uid, gid, terminal, image, timeLimit, notify }: ExecSpec,
  paths: number,
  cgroup: CgroupEntry | undefined,
  held: boolean,
): LaunchShape {
  return {
    stdio: stdio.map((stream) => typeof stream === "string" ? stream : "fd"),
    fds: fds.map(({ number }) => number),
    paths,
    cwd: cwd !== undefined,
    uid: uid !== undefined,
    gid: gid !== undefined,
    terminal: terminal?.place,
    cgroup: cgroup &&
      { directory: cgroup.directory !== undefined, files: cgroup.files.length },
    held,
    bounded: timeLimit !== undefined && !held,
    image: image !== undefined,
    notify: notify !== undefined,
  };
}
