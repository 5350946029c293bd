/**
 * Lowers the steps `setEnv`, `clearEnv`, `umask`, `rlimit`, `newSession`, `dieWithParent`, `init`.
 *
 * @module
 */

import { umask as umaskCall } from "../../ffi/calls/files.ts";
import { prlimit64, RLIM_INFINITY, RLIMITS, setsid, SIGNALS } from "../../ffi/calls/processes.ts";
import type {
  ClearEnvStep,
  DieWithParentStep,
  InitStep,
  NewSessionStep,
  OomScoreAdjStep,
  RlimitStep,
  SetEnvStep,
  UmaskStep,
} from "../../recipe/steps/process.ts";
import type { Fixes } from "../../ffi/fix.ts";
import type { PlanBuilder } from "../builder.ts";
import { OUTLIVES_FORWARDING } from "../network.ts";
import { writeProcFile } from "../proc_file.ts";

/** Lowers `setEnv`. */
export function lowerSetEnv({ variables }: SetEnvStep, plan: PlanBuilder): void {
  for (const [name, value] of Object.entries(variables)) {
    plan.state.environment.set(name, value);
    plan.state.keptVariables.delete(name);
  }
}

/** Lowers `clearEnv`. */
export function lowerClearEnv({ keep = [] }: ClearEnvStep, plan: PlanBuilder): void {
  plan.state.clearsEnvironment = true;
  plan.state.environment.clear();
  plan.state.keptVariables.clear();
  for (const name of keep) {
    plan.state.keptVariables.add(name);
    plan.access.recordVariable(name);
  }
}

/** Lowers `umask`. */
export function lowerUmask({ mask }: UmaskStep, plan: PlanBuilder): void {
  plan.call(umaskCall(mask));
  plan.state.hasUmask = true;
}

const RAISED: Fixes = {
  EPERM: "raising a hard limit takes CAP_SYS_RESOURCE on the host itself",
};

/** Lowers `rlimit`. */
export function lowerRlimit({ resource, soft, hard }: RlimitStep, plan: PlanBuilder): void {
  const number = (value: number | "unlimited") => value === "unlimited" ? RLIM_INFINITY : value;
  const name = resource.toUpperCase() as keyof typeof RLIMITS;
  const call = prlimit64(0, RLIMITS[name], { soft: number(soft), hard: number(hard) }, null);
  // The rest of the launch opens files, in addition to those of the script.
  if (name === "NOFILE") return plan.beforeExec(call, RAISED);
  plan.access.recordHigherLimit();
  plan.call(call, { fixes: RAISED });
}

/** Lowers `oomScoreAdj`. */
export function lowerOomScoreAdj({ value }: OomScoreAdjStep, plan: PlanBuilder): void {
  plan.access.recordHigherLimit();
  writeProcFile(plan, "self/oom_score_adj", String(value), {
    open: { ENOENT: "there is no /proc with this process; put it behind proc()" },
    write: { EACCES: "a value below the script's own takes CAP_SYS_RESOURCE on the host itself" },
  });
}

/** Lowers `newSession`. */
export function lowerNewSession(_step: NewSessionStep, plan: PlanBuilder): void {
  // A detached process begins with a session of its own.
  if (plan.options.detached === true && plan.state.sessionLeader) return;
  plan.call(setsid(), { fixes: { EPERM: "the program is a session leader already" } });
  plan.state.sessionLeader = true;
  plan.state.ownSession = true;
}

/** Lowers `dieWithParent`. */
export function lowerDieWithParent({ signal }: DieWithParentStep, plan: PlanBuilder): void {
  if (plan.options.detached === true) return;
  if (signal === null && plan.state.isForwardedByScript) plan.refuse(OUTLIVES_FORWARDING);
  plan.deathSignal = signal === null ? 0 : SIGNALS[signal];
  plan.access.recordDeath(signal === "SIGKILL");
}

/** Lowers `init`. */
export function lowerInit(_step: InitStep, plan: PlanBuilder): void {
  plan.needs("pid", "an init is PID 1 of a pid namespace of its own");
  if (plan.state.joined.has("pid")) {
    plan.refuse("the pid namespace that is joined has its PID 1 already");
  }
  if (plan.hasInit) plan.refuse("there is an init already");
  plan.fork("init");
  plan.access.recordInit();
}
