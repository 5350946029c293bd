/**
 * The steps by which another program enters a container: the namespaces and the user of its
 * program, and what restricts that program.
 *
 * @module
 */

import { SyscallError } from "../ffi/errors.ts";
import type { ProcessIdentity } from "../ffi/proc/process_identity.ts";
import { otherNamespaces } from "../ffi/proc/process_namespaces.ts";
import { hasEnded } from "../host/join_target.ts";
import { Hosts } from "../proxy/hosts.ts";
import { proxyVariables } from "../proxy/variables.ts";
import type { Step } from "../recipe/steps.ts";

/** Returns the steps for a program that enters the container of these steps, as its program or root. */
export function enterSteps(
  steps: readonly Step[],
  target: ProcessIdentity,
  user: "program" | "root",
): readonly Step[] {
  const credentials = user === "program" ? "process" : "root";
  const join: Step = { step: "join", target, root: true, cwd: true, cgroup: true, credentials };
  // The capabilities of the program are those that it has.
  const restricts = ({ step }: Step) =>
    RESTRICTIONS.has(step) || (step === "capabilities" && user === "root");
  return [join, ...steps.filter(restricts).map(forProgram), ...steps.flatMap(proxyOf)];
}

/**
 * Returns the steps by which the script looks into the container of these steps: with the rights of
 * its program, or of root in it, and where the program's paths lead. No namespace is entered that
 * matters only to a program, so that nothing in the container sees it.
 */
export function visitSteps(
  steps: readonly Step[],
  target: ProcessIdentity,
  user: "program" | "root",
): readonly Step[] {
  const credentials = user === "program" ? "process" : "root";
  const kinds = otherNamespaces(target.pid, ["user", "mount"]);
  const join: Step = { step: "join", target, kinds, root: true, credentials };
  const restricts = ({ step }: Step) =>
    step === "landlock" || step === "noNewPrivileges" ||
    (step === "capabilities" && user === "root");
  return [join, ...steps.filter(restricts)];
}

/** Returns the steps by which the script gets at the network of a process; none if it is in it. */
export function networkSteps(target: ProcessIdentity): readonly Step[] {
  const kinds = otherNamespaces(target.pid, ["user", "net"]);
  return kinds.includes("net") ? [{ step: "join", target, kinds, credentials: "process" }] : [];
}

/**
 * Returns the error, or the one for a container that has ended: which call meets its end, and how,
 * depends on how far that has come.
 *
 * @param first its first process, with which all others end
 */
export function orEnded(error: unknown, first: ProcessIdentity): unknown {
  if (!(error instanceof SyscallError || error instanceof Deno.errors.NotFound)) return error;
  const isMet = "step" in error && error.step === "join" && error.code === "ESRCH";
  return isMet || hasEnded(first) ? new TypeError(ENDED, { cause: error }) : error;
}

/** The message of the error for a container that has ended. */
export const ENDED = "the container has ended already";

/** Leaves out what is of the container as a whole: it ends in its own time. */
function forProgram(step: Step): Step {
  return step.step === "bounds" ? { ...step, timeout: "unlimited", degrade: true } : step;
}

/** The variables by which the container's proxy is found. */
function proxyOf(step: Step): readonly Step[] {
  if (step.step !== "proxy") return [];
  const variables = Object.fromEntries(proxyVariables(new Hosts(step.hosts, step.deny)));
  return [{ step: "setEnv", variables }];
}

/** The steps that restrict every program of a container, also those that enter it later. */
const RESTRICTIONS: ReadonlySet<Step["step"]> = new Set<Step["step"]>([
  "bounds",
  "clearEnv",
  "landlock",
  "newSession",
  "noNewPrivileges",
  "rlimit",
  "seccomp",
  "setEnv",
  "umask",
]);
