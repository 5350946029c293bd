/**
 * The steps by which a further process comes into a container: of `exec`, and of hooks that run in
 * there.
 *
 * @module
 */

import type { ProcessIdentity } from "../ffi/proc/process_identity.ts";
import { join } from "../recipe/steps/join.ts";
import { dieWithParent, newSession } from "../recipe/steps/process.ts";
import type { Step } from "../recipe/steps.ts";
import { caller } from "./caller.ts";
import { textOf } from "./cgroups/group.ts";
import { checkProcess, identitySteps, limitSteps } from "./config/process.ts";
import { keepsOriginalGroups } from "./config/recipe.ts";
import { affinitySteps, memorySteps, schedulingSteps } from "./config/scheduling.ts";
import type { Config, ConfigProcess } from "./spec.ts";

/**
 * Returns the steps of a process that comes into a container.
 *
 * @param first the container's first process
 * @param outlives whether it goes on when the runtime has ended
 */
export function enterSteps(
  process: ConfigProcess,
  config: Config,
  first: ProcessIdentity,
  outlives: boolean,
): readonly Step[] {
  checkProcess(process);
  const { linux = {} } = config;
  const isUser = (linux.namespaces ?? []).some(({ type }) => type === "user");
  const mayChange = isUser
    ? textOf(`/proc/${first.pid}/setgroups`)?.trim() !== "deny"
    : caller().mayChangeGroups;
  const keepsGroups = keepsOriginalGroups(config) || !mayChange;
  const { launch, last } = identitySteps(process, linux, keepsGroups);
  return [
    ...(outlives ? [dieWithParent(null)] : []),
    ...affinitySteps(process, "initial"),
    join(first, { root: true, cgroup: true, credentials: "keep" }),
    ...affinitySteps(process, "final"),
    newSession(),
    ...limitSteps(process),
    ...schedulingSteps(process),
    ...memorySteps(linux),
    ...launch,
    ...last,
  ];
}
