/**
 * The control group of a container, from before its launch until nothing of it is left.
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
import { liveHost } from "../host/live_host.ts";
import { checkLimits } from "../plan/steps/limits.ts";
import type { Limits } from "../recipe/steps/limits.ts";

/** How long the end of the last processes is waited for, in milliseconds, one wait after another. */
const PATIENCE = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];
/** The longest wait between two looks whether a container is paused, in milliseconds. */
const LONGEST_PAUSE = 50;

/** A group that is to be made, as a plan shows it: its calls, and how the container gets in. */
export interface ContainerCgroupPlan {
  readonly calls: readonly Call[];
  readonly cgroupEntry: CgroupEntry;
}

/**
 * What would make the group of a container.
 *
 * @throws {UnsupportedError} where it cannot be made here
 */
export function planContainerCgroup(plan: PlanBuilder): ContainerCgroupPlan | undefined {
  if (plan.limits === undefined) return undefined;
  const design = inStep(plan, () => planCgroup(plan.limits!.limits));
  return { calls: design.actions.flatMap(callsOf), cgroupEntry: planCgroupEntry(design) };
}

/** The control group of a container. */
export class ContainerCgroup {
  #entry: CgroupEntry | undefined;
  readonly #group: Group;
  /** What was used until the end. */
  #last: Usage | undefined;
  #paused = false;

  private constructor(group: Group) {
    this.#group = group;
    this.#entry = group.enter();
  }

  /**
   * Makes the group that the recipe asks for, if it does.
   *
   * @throws {UnsupportedError} where it cannot be made here
   * @throws {SyscallError} naming the file that says no; then nothing is left
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

  /** How the container gets in, until {@linkcode entered}. */
  get entry(): CgroupEntry | undefined {
    return this.#entry;
  }

  /** The container is in. */
  entered(): void {
    if (this.#entry !== undefined) closeCgroupEntry(this.#entry);
    this.#entry = undefined;
  }

  /** The container could not be made, or not be started. */
  discard(): void {
    this.entered();
    this.#removeSync();
  }

  /** What the container uses; after its end, what it has used. */
  usage(): Usage {
    return this.#last ?? this.#group.usage();
  }

  /** Changes limits. */
  update(limits: Limits): void {
    this.#group.update(checkLimits(limits, liveHost()));
  }

  /** Freezes all processes; resolves when they stand still, or have ended. */
  async pause(): Promise<void> {
    this.#group.freeze(true);
    this.#paused = true;
    for (let delay = 1; this.#paused && !this.#group.frozen; delay *= 2) {
      await sleep(Math.min(delay, LONGEST_PAUSE));
    }
  }

  /** Lets all processes go on. */
  resume(): void {
    this.#paused = false;
    this.#group.freeze(false);
  }

  /** The container was sent SIGKILL, which what is frozen by version 1 never notices. */
  killed(): void {
    if (this.#paused) this.resume();
  }

  /** The program has ended: kills what it has left, and removes the group. */
  async end(): Promise<{ readonly outOfMemory: boolean }> {
    const seen = this.#close();
    for (const delay of PATIENCE) {
      if (this.#group.remove()) break;
      this.#group.kill();
      await sleep(delay);
    }
    return seen;
  }

  /** As {@linkcode end}, while the script's thread waits. */
  endSync(): { readonly outOfMemory: boolean } {
    const seen = this.#close();
    this.#removeSync();
    return seen;
  }

  #close(): { readonly outOfMemory: boolean } {
    this.#paused = false;
    this.#last = this.#group.usage();
    return { outOfMemory: this.#group.outOfMemoryKills() > 0 };
  }

  #removeSync(): void {
    for (const delay of PATIENCE) {
      if (this.#group.remove()) break;
      this.#group.kill();
      syscalls([{ call: ppoll([], delay), accept: ["EINTR"] }]);
    }
  }
}

/** Errors of the group are those of the step that asks for it. */
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
