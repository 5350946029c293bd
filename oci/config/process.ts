/**
 * The object `process` of config.json, also that of `exec --process`, as steps and as the program.
 *
 * @module
 */

import { CAPABILITIES, type CapabilityName } from "../../ffi/calls/constants/capabilities.ts";
import { DEFAULT_PATH } from "../../recipe/default_path.ts";
import type { CapabilitySets } from "../../recipe/steps/capability_sets.ts";
import { capabilities, noNewPrivileges, setUser } from "../../recipe/steps/identity.ts";
import { oomScoreAdj, type ResourceName, rlimit, umask } from "../../recipe/steps/process.ts";
import { seccomp } from "../../recipe/steps/seccomp.ts";
import type { Step } from "../../recipe/steps.ts";
import { asksListener, type SeccompProfile } from "../../recipe/seccomp_profile.ts";
import { OciError, unsupported } from "../errors.ts";
import type { CapabilitySet, ConfigLinux, ConfigProcess } from "../spec.ts";
import { checkLabels } from "./labels.ts";
import { withoutNulls } from "./nulls.ts";

/** The program of a process, with what it is started with. */
export interface ConfigProgram {
  readonly program: string;
  readonly args: readonly string[];
  readonly environment: ReadonlyMap<string, string>;
  readonly searchPath: string;
  readonly cwd: string;
}

/** Returns the program of a process. */
export function programOf({ args = [], env, cwd = "/" }: ConfigProcess): ConfigProgram {
  const [program, ...rest] = args;
  if (program === undefined) throw new OciError("process.args: there is no program");
  if (program === "") throw new OciError('exec: "": executable file not found in $PATH');
  const environment = new Map<string, string>();
  for (const entry of env ?? []) {
    const end = entry.indexOf("=");
    if (end > 0) environment.set(entry.slice(0, end), entry.slice(end + 1));
  }
  return {
    program,
    args: rest,
    environment,
    searchPath: environment.get("PATH") ?? DEFAULT_PATH,
    cwd: cwd === "" ? "/" : cwd,
  };
}

/** Refuses what cannot be done for a process. */
export function checkProcess(process: ConfigProcess): void {
  checkLabels(process);
}

/** Returns the steps that limit the process, and do not belong to its user. */
export function limitSteps({ rlimits, oomScoreAdj: score }: ConfigProcess): Step[] {
  return [
    ...(score === undefined ? [] : [oomScoreAdj(score)]),
    ...(rlimits ?? []).map(({ type, soft, hard }, index) => {
      const name = type.replace(/^RLIMIT_/, "").toLowerCase() as ResourceName;
      if (!type.startsWith("RLIMIT_")) {
        unsupported(`process.rlimits[${index}].type`, `there is no limit "${type}"`);
      }
      return rlimit(name, limitOf(soft), limitOf(hard));
    }),
  ];
}

/** RLIM_INFINITY is more than a number of JavaScript can say exactly. */
function limitOf(value: number): number | "unlimited" {
  return value > Number.MAX_SAFE_INTEGER || value < 0 ? "unlimited" : value;
}

/** What comes last: the filter, the user and the capabilities. */
export interface IdentitySteps {
  /** In the launch. */
  readonly launch: readonly Step[];
  /** Directly before the program, when a container that waits is started. */
  readonly last: readonly Step[];
}

/**
 * Returns the steps of the filter, the user and the capabilities. A filter that needs no privilege
 * is the last thing before the program; one that needs some comes before the privileges are gone.
 *
 * @param keepsGroups whether the supplementary groups stay those of the caller
 */
export function identitySteps(
  process: ConfigProcess,
  { seccomp: given }: ConfigLinux,
  keepsGroups: boolean,
): IdentitySteps {
  const filter = given === undefined || given === null ? undefined : profileOf(given);
  const { noNewPrivileges: gainsNone = false, user = {} } = process;
  const privileged = filter !== undefined && !gainsNone;
  const steps = [
    umask(user.umask ?? 0o022),
    ...(privileged ? [{ ...seccomp(filter), privileged }] : []),
    ...userSteps(process, keepsGroups),
    ...(gainsNone ? [noNewPrivileges()] : []),
  ];
  if (filter === undefined || privileged) return { launch: steps, last: [] };
  // Who listens is there when the container is made, and may not be when it is started.
  return asksListener(filter)
    ? { launch: [...steps, seccomp(filter)], last: [] }
    : { launch: steps, last: [seccomp(filter)] };
}

/** The profile, without what is not of the filter itself. */
function profileOf(
  { listenerPath, listenerMetadata, ...profile }: NonNullable<ConfigLinux["seccomp"]>,
): SeccompProfile {
  if (listenerMetadata && !listenerPath) {
    unsupported("linux.seccomp.listenerMetadata", "it is for a listener: there is no listenerPath");
  }
  const flags = (profile.flags ?? []).filter((flag) => KNOWN_FLAGS.has(flag));
  if (flags.length < (profile.flags ?? []).length) {
    unsupported("linux.seccomp.flags", `only ${[...KNOWN_FLAGS].join(", ")} are supported`);
  }
  const whole = withoutNulls({ ...profile, flags }) as SeccompProfile;
  if (asksListener(whole) && !listenerPath) {
    unsupported("linux.seccomp.listenerPath", "it is missing, and SCMP_ACT_NOTIFY needs it");
  }
  return whole;
}

const KNOWN_FLAGS: ReadonlySet<string> = new Set([
  "SECCOMP_FILTER_FLAG_TSYNC",
  "SECCOMP_FILTER_FLAG_LOG",
  "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
  "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
]);

/**
 * The bounding set first, as dropping from it takes a capability; then the user, which would lose
 * the ambient ones; then the other sets.
 */
function userSteps(
  { user = {}, capabilities: given }: ConfigProcess,
  keepGroups: boolean,
): Step[] {
  const { uid = 0, gid = 0, additionalGids } = user;
  if (keepGroups && additionalGids?.length) {
    unsupported(
      "process.user.additionalGids",
      "groups cannot be set here (setgroups(2) is denied)",
    );
  }
  const sets = setsOf(given ?? {});
  const keeps = uid !== 0 && [...sets.permitted ?? [], ...sets.inheritable ?? []].length > 0;
  return [
    capabilities({ bounding: sets.bounding ?? [] }),
    setUser({
      uid,
      gid,
      ...(keepGroups ? { keepGroups } : { groups: additionalGids ?? [] }),
      ...(keeps && { keepCapabilities: true }),
    }),
    ...(uid === 0 || keeps ? [capabilities(withoutBounding(sets))] : []),
  ];
}

function withoutBounding({ permitted, effective, inheritable, ambient }: CapabilitySets) {
  return {
    permitted: permitted ?? [],
    effective: effective ?? [],
    inheritable: inheritable ?? [],
    ambient: ambient ?? [],
  };
}

/** The sets with the capabilities that are known here; the kernel has no others. */
function setsOf(given: NonNullable<ConfigProcess["capabilities"]>): CapabilitySets {
  const named = (set: CapabilitySet) =>
    (given[set] ?? []).map((name) => name.toUpperCase())
      .filter((name): name is CapabilityName => Object.hasOwn(CAPABILITIES, name));
  const permitted = named("permitted");
  const inheritable = named("inheritable");
  return {
    bounding: named("bounding"),
    permitted,
    inheritable,
    effective: named("effective").filter((name) => permitted.includes(name)),
    ambient: named("ambient").filter((name) =>
      permitted.includes(name) && inheritable.includes(name)
    ),
  };
}
