/**
 * config.json as the steps of a container.
 *
 * @module
 */

import type { InterfaceAddress } from "../../ffi/netlink/address.ts";
import { accountLines } from "../../host/accounts.ts";
import { mkdir } from "../../recipe/steps/files.ts";
import { bind } from "../../recipe/steps/bind.ts";
import { maskPaths, readonlyPaths } from "../../recipe/steps/masks.ts";
import { propagation, remount } from "../../recipe/steps/mounts.ts";
import { domainname, hostname } from "../../recipe/steps/names.ts";
import { dieWithParent, newSession } from "../../recipe/steps/process.ts";
import { pivotRoot } from "../../recipe/steps/root.ts";
import { sysctl } from "../../recipe/steps/sysctl.ts";
import type { Step } from "../../recipe/steps.ts";
import type { GroupDirectory } from "../cgroups/group.ts";
import type { Hierarchy } from "../cgroups/hierarchies.ts";
import { OciError, unsupported } from "../errors.ts";
import { DEVICES, deviceSteps } from "./devices.ts";
import { checkMountLabel } from "./labels.ts";
import { mountSteps } from "./mounts.ts";
import { deniesGroups, namespacesOf, namespaceSteps, rangeOf } from "./namespaces.ts";
import { netDeviceSteps } from "./net_devices.ts";
import { RootPaths } from "./paths.ts";
import {
  checkProcess,
  type ConfigProgram,
  identitySteps,
  limitSteps,
  programOf,
} from "./process.ts";
import { memorySteps, schedulingSteps } from "./scheduling.ts";
import type { Config } from "../spec.ts";

/** What a container is made of beside its config.json. */
export interface RecipeContext {
  /** The directory of config.json. */
  readonly bundle: string;
  /** The hierarchies of control groups, and the container's groups in them. */
  readonly hierarchies: readonly Hierarchy[];
  readonly groups: readonly GroupDirectory[];
  /** Whether this process may make device files, where the container has no user namespace. */
  readonly mayMakeDevices: boolean;
  /** The directory with the devices of `linux.devices`, where they were made before. */
  readonly stage?: string | undefined;
  /** Returns the addresses of an interface of this machine. */
  readonly addresses: (name: string) => readonly InterfaceAddress[];
  /** Whether this process may copy mounts. */
  readonly mayMount: boolean;
  /** Whether this process may change its groups. */
  readonly mayChangeGroups: boolean;
}

/** The steps of a container, and its program. */
export interface ConfigRecipe {
  readonly steps: readonly Step[];
  /** The steps directly before the program, when the container is started. */
  readonly last: readonly Step[];
  readonly program: ConfigProgram;
}

/** Returns the path of the container's root. */
export function rootOf({ root }: Config, bundle: string): string {
  if (!root?.path) throw new OciError("root.path: there is none");
  const path = root.path.startsWith("/") ? root.path : `${bundle}/${root.path}`;
  try {
    return Deno.realPathSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new OciError(`root.path: ${path}: no such file or directory`);
    }
    throw error;
  }
}

/** Returns the recipe of a container. */
export function recipeOf(config: Config, context: RecipeContext): ConfigRecipe {
  const { process } = config;
  if (process === undefined) throw new OciError("process: there is none");
  checkLinux(config);
  checkProcess(process);
  const root = rootOf(config, context.bundle);
  if (root === "/") unsupported("root.path", "the root of this machine cannot be the container's");
  const program = withHome(programOf(process), process.user?.uid ?? 0, root);
  return { ...configSteps(config, root, context), program };
}

/**
 * Returns the steps of a container whose root is a directory. Of this machine only links in that
 * directory are looked at.
 */
export function configSteps(
  config: Config,
  root: string,
  context: RecipeContext,
): Pick<ConfigRecipe, "steps" | "last"> {
  const { process = {}, linux = {} } = config;
  const { mayChangeGroups } = context;
  const namespaces = namespacesOf(linux);
  const ownUser = namespaces.fresh.has("user");
  const mayChange = ownUser ? !deniesGroups(linux, mayChangeGroups) : mayChangeGroups;
  const keepsGroups = keepsOriginalGroups(config) || !mayChange;
  const { launch, last } = identitySteps(process, linux, keepsGroups);
  const early = ownUser && context.mayMount;
  const ownCgroups = namespaces.fresh.has("cgroup");
  const mayShare = !ownUser && context.mayMount;
  const { uidMappings, gidMappings } = linux;
  const userMap = ownUser && uidMappings?.length && gidMappings?.length
    ? { uids: uidMappings.map(rangeOf), gids: gidMappings.map(rangeOf) }
    : undefined;
  const { mayMakeDevices, stage } = context;
  const devices = stage !== undefined
    ? { staged: stage }
    : mayMakeDevices && !ownUser
    ? "made"
    : "bound";
  const paths = new RootPaths(root, expectedPaths(config));
  const steps = [
    dieWithParent(null),
    ...namespaceSteps(linux, namespaces, context.groups.map(({ path }) => path), mayChangeGroups),
    ...netDeviceSteps(linux, namespaces, context.addresses),
    newSession(),
    ...limitSteps(process),
    ...schedulingSteps(process),
    ...memorySteps(linux),
    ...nameSteps(config),
    bind(root, root, { restrict: [] }),
    ...mountSteps(config.mounts ?? [], {
      ...context,
      root,
      paths,
      early,
      ownCgroups,
      mayShare,
      userMap,
    }),
    ...deviceSteps(config, root, paths, devices),
    ...directorySteps(process.cwd || "/", root, paths),
    ...protectionSteps(config, root, paths),
    pivotRoot(root),
    ...rootPropagation(linux.rootfsPropagation),
    ...launch,
  ];
  return { steps, last };
}

/** Whether an engine asks that the groups of its caller stay, by an annotation that it has for that. */
export function keepsOriginalGroups({ annotations = {} }: Config): boolean {
  return annotations["run.oci.keep_original_groups"] === "1";
}

/** Refuses what cannot be done for a container. */
export function checkLinux({ linux = {} }: Config): void {
  const { intelRdt, mountLabel } = linux;
  if (intelRdt !== undefined && intelRdt !== null) {
    unsupported("linux.intelRdt", "it is not supported");
  }
  checkMountLabel(mountLabel);
}

function nameSteps({ hostname: name, domainname: domain, linux = {} }: Config): Step[] {
  const { sysctl: settings } = linux;
  if (settings && "kernel.hostname" in settings) {
    unsupported("linux.sysctl", 'the name of the host is given by "hostname", not by a setting');
  }
  return [
    ...(name ? [hostname(name)] : []),
    ...(domain ? [domainname(domain)] : []),
    ...(Object.keys(settings ?? {}).length > 0 ? [sysctl(settings!)] : []),
  ];
}

/** The paths that the steps are made for. */
function expectedPaths({ mounts, process = {}, linux = {} }: Config): readonly string[] {
  const { devices, maskedPaths, readonlyPaths } = linux;
  return [
    ...(mounts ?? []).map(({ destination }) => destination),
    ...[...DEVICES, ...devices ?? []].map(({ path }) => path),
    ...maskedPaths ?? [],
    ...readonlyPaths ?? [],
    process.cwd ?? "/",
  ];
}

/** The working directory is made where it is missing, as other runtimes do. */
function directorySteps(cwd: string, root: string, paths: RootPaths): Step[] {
  const path = paths.resolve(cwd);
  return path === "/" ? [] : [mkdir(root + path, { host: true })];
}

function protectionSteps(
  { root: given, linux = {} }: Config,
  root: string,
  paths: RootPaths,
): Step[] {
  const { maskedPaths, readonlyPaths: kept } = linux;
  const inside = (list: readonly string[]) => [
    ...new Set(list.map((path) => root + paths.resolve(path))),
  ];
  return [
    ...(kept?.length ? [readonlyPaths(...inside(kept))] : []),
    ...(maskedPaths?.length ? [maskPaths(...inside(maskedPaths))] : []),
    ...(given?.readonly === true ? [remount(root, "ro", { keep: true })] : []),
  ];
}

function rootPropagation(word: string | undefined): Step[] {
  if (word === undefined || word === "") return [];
  const recursive = word.startsWith("r");
  const type = recursive ? word.slice(1) : word;
  switch (type) {
    case "private":
    case "slave":
    case "shared":
    case "unbindable":
      return [propagation("/", type, { recursive })];
    default:
      return unsupported("linux.rootfsPropagation", `there is no propagation "${word}"`);
  }
}

/** Adds HOME where it is not given, from the container's /etc/passwd. */
export function withHome(program: ConfigProgram, uid: number, root: string): ConfigProgram {
  if (program.environment.has("HOME")) return program;
  const environment = new Map(program.environment);
  environment.set("HOME", homeOf(uid, root) ?? "/");
  return { ...program, environment };
}

function homeOf(uid: number, root: string): string | undefined {
  try {
    const line = accountLines(root, "passwd").find(([, , id]) => id === String(uid));
    return line?.[5] || undefined;
  } catch {
    return undefined;
  }
}
