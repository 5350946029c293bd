/**
 * The control group of a container, from its creation before the launch to its removal.
 *
 * @module
 */

import type { Call } from "../ffi/call.ts";
import { ppoll } from "../ffi/calls/processes.ts";
import { callsOf, planCgroup } from "../ffi/cgroups/plan.ts";
import {
  type CgroupEntry,
  closeCgroupEntry,
  Group,
  planCgroupEntry,
} from "../ffi/cgroups/group.ts";
import type { Usage } from "../ffi/cgroups/usage.ts";
import { SyscallError, UnsupportedError } from "../ffi/errors.ts";
import { syscalls } from "../ffi/syscalls.ts";
import type { PlanBuilder } from "../plan/builder.ts";
import { stepError } from "./explain.ts";
import type { HelperProcess } from "./helper_process.ts";
import { thawGuard } from "./thaw_guard.ts";
import { liveHost } from "../host/live_host.ts";
import { checkLimits } from "../plan/steps/limits.ts";
import type { Limits } from "../recipe/steps/limits.ts";

/** The waits between attempts to remove the group while processes exit, in milliseconds. */
const PATIENCE = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];
/** The longest wait between two checks whether all processes are frozen, in milliseconds. */
const LONGEST_PAUSE = 50;

/** The calls that make the group of a container, and how the container enters it. */
export interface ContainerCgroupPlan {
  readonly calls: readonly Call[];
  readonly cgroupEntry: CgroupEntry;
}

/**
 * Returns the calls that would make the group of a container; `undefined` without limits.
 *
 * @throws {UnsupportedError} if it cannot be made here
 */
export function planContainerCgroup(plan: PlanBuilder): ContainerCgroupPlan | undefined {
  if (plan.limits === undefined) return undefined;
  const cgroup = inStep(plan, () => planCgroup(plan.limits!.limits));
  return { calls: cgroup.actions.flatMap(callsOf), cgroupEntry: planCgroupEntry(cgroup) };
}

/** The control group of a container. */
export class ContainerCgroup {
  #entry: CgroupEntry | undefined;
  readonly #group: Group;
  /** The usage at the end of the container. */
  #finalUsage: Usage | undefined;
  #paused = false;
  /** The process that thaws it if the script cannot. */
  #thawGuard: HelperProcess | undefined;

  private constructor(group: Group) {
    this.#group = group;
    this.#entry = group.enter();
  }

  /**
   * Makes the group; `undefined` without limits.
   *
   * @throws {UnsupportedError} if it cannot be made here
   * @throws {SyscallError} if a call on a file of the group fails; nothing is left of the group
   */
  static make(plan: PlanBuilder): ContainerCgroup | undefined {
    if (plan.limits === undefined) return undefined;
    const { limits } = plan.limits;
    return inStep(plan, () => {
      const group = Group.make(planCgroup(limits));
      try {
        return new ContainerCgroup(group);
      } catch (error) {
        group.remove();
        throw error;
      }
    });
  }

  /** How the container enters the group, until {@linkcode entered}. */
  get entry(): CgroupEntry | undefined {
    return this.#entry;
  }

  /** Closes the descriptors of the entry: the container is in the group. */
  entered(): void {
    if (this.#entry !== undefined) closeCgroupEntry(this.#entry);
    this.#entry = undefined;
  }

  /** Removes the group of a container that could not be made or started. */
  discard(): void {
    this.entered();
    this.#removeSync();
  }

  /** Returns the container's usage, also after its end. */
  usage(): Usage {
    return this.#finalUsage ?? this.#group.usage();
  }

  /** Changes limits. */
  update(limits: Limits): void {
    this.#group.update(checkLimits(limits, liveHost()));
  }

  /**
   * Freezes all processes; resolves when they are frozen or have ended.
   *
   * @throws {SyscallError} `EAGAIN` at the limit of processes
   */
  async pause(): Promise<void> {
    this.#thawGuard ??= thawGuard(this.#group.freezer);
    this.#group.freeze(true);
    this.#paused = true;
    for (let delay = 1; this.#paused && !this.#group.frozen; delay *= 2) {
      await sleep(Math.min(delay, LONGEST_PAUSE));
    }
  }

  /** Thaws all processes. */
  resume(): void {
    this.#paused = false;
    this.#group.freeze(false);
    this.#endGuard();
  }

  /** Whether its processes are frozen, or about to be. */
  get paused(): boolean {
    return this.#paused;
  }

  /** Thaws the processes after SIGKILL, which frozen ones of cgroup v1 do not receive. */
  killed(): void {
    if (this.#paused) this.resume();
  }

  /** After the end of the program, kills the remaining processes and removes the group. */
  async end(): Promise<{ readonly outOfMemory: boolean }> {
    const result = this.#close();
    for (const delay of PATIENCE) {
      if (this.#group.remove()) break;
      this.#group.kill();
      await sleep(delay);
    }
    this.#group.leave();
    return result;
  }

  /** Like {@linkcode end}, but blocks the script's thread. */
  endSync(): { readonly outOfMemory: boolean } {
    const result = this.#close();
    this.#removeSync();
    return result;
  }

  #endGuard(): void {
    this.#thawGuard?.kill();
    this.#thawGuard = undefined;
  }

  #close(): { readonly outOfMemory: boolean } {
    this.#paused = false;
    this.#endGuard();
    this.#finalUsage = this.#group.usage();
    return { outOfMemory: this.#group.outOfMemoryKills() > 0 };
  }

  #removeSync(): void {
    for (const delay of PATIENCE) {
      if (this.#group.remove()) break;
      this.#group.kill();
      syscalls([{ call: ppoll([], delay), accept: ["EINTR"] }]);
    }
    this.#group.leave();
  }
}

/** Adds the step `limits` to errors. */
function inStep<T>(plan: PlanBuilder, body: () => T): T {
  const { stepIndex } = plan.limits!;
  try {
    return body();
  } catch (error) {
    if (error instanceof UnsupportedError) {
      throw new UnsupportedError(error.issue, { step: "limits", stepIndex });
    }
    throw error instanceof SyscallError ? stepError(error, plan, stepIndex) : error;
  }
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
