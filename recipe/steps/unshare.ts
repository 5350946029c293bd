/**
 * The step `unshare`: namespaces of the container's own. See unshare(2) and namespaces(7).
 *
 * @module
 */

import { CLONE_NEWTIME, unshare as unshareCall } from "../../ffi/calls/namespaces.ts";
import { mount, MS_PRIVATE, MS_REC, MS_SLAVE } from "../../ffi/calls/mounts.ts";
import type { Draft } from "../drafting/draft.ts";
import { list, oneOf, optional } from "../fields.ts";
import { CLONE_FLAG, NAMESPACE_KINDS, type NamespaceKind } from "../namespaces.ts";
import { equipNetwork } from "../networking/gated_network.ts";
import { leaveNetwork } from "../networking/network.ts";
import type { StepDefinition } from "../step.ts";
import { enterTime } from "../drafting/time_namespace.ts";

/** Gives the container namespaces of its own. */
export interface UnshareStep extends UnshareOptions {
  /** Which step it is. */
  readonly step: "unshare";
  /** The kinds of namespaces. */
  readonly kinds: readonly NamespaceKind[];
}

/** Options of {@linkcode unshare}. */
export interface UnshareOptions {
  /**
   * What mounts and unmounts on the host mean to a new mount namespace: nothing (`"private"`), or
   * they are seen there too (`"slave"`). Nothing done in the container ever reaches the host.
   *
   * @default {"private"}
   */
  readonly propagation?: "private" | "slave";
}

/**
 * Gives the container namespaces of its own: of the kinds `"user"`, `"mount"`, `"pid"`, `"uts"`,
 * `"ipc"`, `"net"`, `"cgroup"` and `"time"`. All but `"user"` need privilege, or `"user"` with
 * them. See unshare(2).
 *
 * @throws {RecipeError} when it is planned with `"pid"` and the container is in a pid namespace of
 * its own already
 * @throws {SyscallError} when it is run: `EPERM` where an ordinary user leaves `"user"` out, or may
 * make no user namespaces here, `ENOSPC` where they are nested more than 32 levels deep, or as many
 * as the sysctls `user.max_*_namespaces` allow, `EINVAL` where this kernel has none of a kind
 *
 * @example
 * ```ts
 * import { mapRoot, proc, recipe, unshare } from "@ramekin/ramekin";
 *
 * const box = recipe(unshare("user", "mount", "pid"), mapRoot(), proc());
 * const { stdout } = await box.command("sh", { args: ["-c", "echo $$"] }).output();
 * console.log(new TextDecoder().decode(stdout)); // 1
 * ```
 */
export function unshare(
  ...kinds: NamespaceKind[] | [...NamespaceKind[], UnshareOptions]
): UnshareStep {
  const last = kinds.at(-1);
  const options = typeof last === "object" ? last : {};
  const names = kinds.filter((kind) => typeof kind !== "object");
  return { step: "unshare", kinds: names as NamespaceKind[], ...options };
}

/** How `unshare` is checked and planned. */
export const unshareDefinition: StepDefinition<UnshareStep> = {
  step: "unshare",
  get fields() {
    return {
      kinds: list(oneOf(NAMESPACE_KINDS), 1),
      propagation: optional(oneOf(["private", "slave"])),
    };
  },
  complaint({ kinds, propagation }) {
    if (propagation !== undefined && !kinds.includes("mount")) {
      return `"propagation" is about mounts, and "mount" is not among the kinds`;
    }
    return undefined;
  },
  plan(step, draft) {
    const kinds = new Set(step.kinds);
    if (kinds.has("pid")) draft.needsHostPids();
    if (kinds.has("net")) leaveNetwork(draft);
    enterNamespaces(kinds, draft);
    draft.container.unshares(kinds);
    if (kinds.has("mount")) {
      const propagation = step.propagation === "slave" ? MS_SLAVE : MS_PRIVATE;
      draft.call(mount(null, "/", null, MS_REC | propagation, null));
    }
    if (kinds.has("mount")) draft.gate?.entersMounts();
    if (kinds.has("net")) equipNetwork(draft);
  },
};

function enterNamespaces(kinds: ReadonlySet<NamespaceKind>, draft: Draft): void {
  let flags = 0;
  // clone(2) has no bit left for time namespaces: its value is one of the exit signal's.
  for (const kind of kinds) if (kind !== "time") flags |= CLONE_FLAG[kind];
  if (draft.untouched) draft.cloneWith(flags);
  else if (flags !== 0) {
    draft.call(unshareCall(flags));
    // Only children are born into the new pid namespace.
    if (kinds.has("pid")) draft.fork("exit");
  }
  if (!kinds.has("time")) return;
  draft.call(unshareCall(CLONE_NEWTIME));
  enterTime(draft);
}
