/**
 * The listing of a plan: every call of a launch, before any is made.
 *
 * @module
 */

import { type Call, describeCall } from "../ffi/call.ts";
import type { PlanBuilder } from "../plan/builder.ts";
import type { SyncPoint } from "../plan/parent_work.ts";
import type { PlannedMount } from "../plan/mount_table.ts";
import { NAMESPACE_KINDS, type NamespaceKind } from "../recipe/namespaces.ts";
import { describeService } from "./host_services/table.ts";
import type { PreparedLaunch } from "./launch.ts";
import { conditionsOf } from "./conditions.ts";
import { listingText } from "./listing_text.ts";
import { placeholderCalls } from "./placeholders.ts";
import type { Section } from "./program_writer.ts";
import { showValues } from "./slots.ts";

/** One action of a launch. */
export interface PlanEntry {
  /** The position of its step, counted from 0; left out if it belongs to no step. */
  readonly stepIndex?: number;
  /** The name of that step, or the part of the launch: `"clone"`, `"program"` ... */
  readonly part: string;
  /** Whether a process of the container does it, or the script. */
  readonly by: "container" | "script";
  /** The system call with its arguments by their kernel names, or the command line of a program. */
  readonly call: string;
  /** The condition under which the call is not made: `"the source is missing"`. */
  readonly unless?: string;
}

/**
 * The owner of a namespace: the container, other processes (the container joins it), or the host.
 */
export type NamespaceOwner = "own" | "joined" | "host";

/**
 * Every system call of a launch, in order. None has been made.
 *
 * @example
 * ```ts
 * import { mapRoot, recipe, tmpfs, unshare } from "@ramekin/ramekin";
 *
 * console.log(recipe(unshare("user", "mount"), mapRoot(), tmpfs("/tmp")).plan().toString());
 * ```
 *
 * @example The calls of one step
 * ```ts
 * import { hostname, mapRoot, recipe, unshare } from "@ramekin/ramekin";
 * import { assertEquals } from "@std/assert";
 *
 * const plan = recipe(unshare("user", "uts"), mapRoot(), hostname("box")).plan();
 * const [entry] = plan.toJSON().filter(({ part }) => part === "hostname");
 * assertEquals(entry, {
 *   stepIndex: 2,
 *   part: "hostname",
 *   by: "container",
 *   call: 'sethostname("box", 3)',
 * });
 * ```
 */
export class Plan {
  /** The actions, in order. */
  readonly entries: readonly PlanEntry[];
  /** The owners of the container's namespaces at the start of its program. */
  readonly namespaces: Readonly<Record<NamespaceKind, NamespaceOwner>>;
  /** The container's mounts at the start of its program: the root, then parents before children. */
  readonly mounts: readonly PlannedMount[];

  /** Use `plan()` of a recipe or a command. */
  constructor({ compiled, values }: PreparedLaunch, cgroup: readonly Call[] = []) {
    const { plan, layout } = compiled;
    const show = showValues(values);
    const before = [
      ...cgroup.map((call) => ({ call, stepIndex: plan.limits!.stepIndex })),
      ...plan.inheritedFds.flatMap(({ call, through, stepIndex }) =>
        [...(through === undefined ? [] : [through]), call].map((call) => ({ call, stepIndex }))
      ),
      ...placeholderCalls(plan),
    ];
    const entries: PlanEntry[] = before.map(({ call, stepIndex }) => ({
      stepIndex,
      part: plan.cursor.nameOf(stepIndex),
      by: "script",
      call: describeCall(call),
    }));
    const parts = [...layout.parts, ...layout.sealed?.parts ?? []];
    const conditions = conditionsOf(parts);
    for (const part of parts) {
      if (!("call" in part)) continue;
      const { call, stepIndex, section } = part;
      if (section === "failure") continue;
      const isScripts = section === "script" || section === "restore" ||
        section === "watch" || call === layout.clone;
      entries.push({
        ...(stepIndex === undefined ? {} : { stepIndex }),
        part: stepIndex === undefined ? PARTS[section!] : plan.cursor.nameOf(stepIndex),
        by: isScripts ? "script" : "container",
        call: describeCall(call, show),
        ...(conditions.has(call) && { unless: conditions.get(call)! }),
      });
      const point = plan.syncPoints.find(({ arrival }) => arrival === call);
      if (point !== undefined) entries.push(...parentEntries(plan, point));
    }
    this.entries = entries;
    const { unshared, joined, mounts } = plan.state;
    const ownerOf = (kind: NamespaceKind): NamespaceOwner =>
      joined.has(kind) ? "joined" : unshared.has(kind) ? "own" : "host";
    const owners = NAMESPACE_KINDS.map((kind) => [kind, ownerOf(kind)] as const);
    this.namespaces = Object.fromEntries(owners) as Record<NamespaceKind, NamespaceOwner>;
    this.mounts = mounts.visible();
  }

  /** Returns the plan as text: a heading for each step, and its calls below. */
  toString(): string {
    return listingText(this.entries);
  }

  /** Returns the entries, for `JSON.stringify()`. */
  toJSON(): readonly PlanEntry[] {
    return this.entries;
  }
}

const PARTS: Readonly<Record<Section, string>> = {
  begin: "the container begins",
  clone: "a process is made",
  failure: "when it fails",
  init: "the init",
  limits: "the limits",
  program: "the program",
  restore: "the script",
  script: "the script",
  watch: "the watch of the launch",
};

/** Returns the script's actions at a sync point. */
function parentEntries(plan: PlanBuilder, { stepIndex, parentActions }: SyncPoint): PlanEntry[] {
  const part = plan.cursor.nameOf(stepIndex);
  return parentActions({ text: "PID", number: NaN }).flatMap((action) =>
    "calls" in action
      ? action.calls.map(({ call }) => describeCall(call))
      : "program" in action
      ? [[action.program, ...action.args].join(" ")]
      : "run" in action
      ? "run what the caller gave"
      : describeService(action, "PID")
  ).map((call) => ({ stepIndex, part, by: "script", call }));
}
