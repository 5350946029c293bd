/**
 * The array `mounts` of config.json as steps.
 *
 * @module
 */

import { bind, type BindIdMap } from "../../recipe/steps/bind.ts";
import { mount, propagation, remount } from "../../recipe/steps/mounts.ts";
import { overlay } from "../../recipe/steps/overlay.ts";
import type { Step } from "../../recipe/steps.ts";
import { unsupported } from "../errors.ts";
import type { Hierarchy } from "../cgroups/hierarchies.ts";
import type { GroupDirectory } from "../cgroups/group.ts";
import { givenRanges, type MountOptions, sortedOptions } from "./mount_options.ts";
import { rangeOf } from "./namespaces.ts";
import type { RootPaths } from "./paths.ts";
import type { ConfigMount } from "../spec.ts";

/** What mounts depend on beside their own words. */
export interface MountContext {
  /** The container's root, on the host. */
  readonly root: string;
  readonly paths: RootPaths;
  /** The directory of config.json, which relative sources begin at. */
  readonly bundle: string;
  /** The hierarchies of control groups, for mounts of the type `cgroup`. */
  readonly hierarchies: readonly Hierarchy[];
  /** The container's groups, as far as it has any. */
  readonly groups: readonly GroupDirectory[];
  /** Whether sources are opened before the user namespace, whose root may not reach them. */
  readonly early: boolean;
  /** Whether the container has a cgroup namespace of its own. */
  readonly ownCgroups: boolean;
  /** Whether what is mounted in the container may appear outside. */
  readonly mayShare: boolean;
  /** The id maps of the container's user namespace, if it has one of its own. */
  readonly userMap: Pick<BindIdMap, "uids" | "gids"> | undefined;
}

/** Returns the steps of the mounts, in their order. */
export function mountSteps(mounts: readonly ConfigMount[], context: MountContext): Step[] {
  return mounts.flatMap((entry, index) => stepsOf(entry, `mounts[${index}]`, context));
}

function stepsOf(entry: ConfigMount, field: string, context: MountContext): Step[] {
  if (entry.type === "cgroup" && context.hierarchies.length === 0) return [];
  const options = sortedOptions(entry.options ?? [], field);
  const inside = context.paths.resolve(entry.destination);
  if (inside === "/") unsupported(`${field}.destination`, "nothing can be mounted on the root");
  const target = context.root + inside;
  return [
    ...madeBy(entry, field, options, target, context),
    ...options.propagation.map(({ type, recursive }) => propagation(target, type, { recursive })),
  ];
}

function madeBy(
  entry: ConfigMount,
  field: string,
  options: MountOptions,
  target: string,
  context: MountContext,
): Step[] {
  const isBind = options.kind !== undefined || entry.type === "bind";
  if (options.remounts) {
    const words = options.all.join(",") || "defaults";
    return [
      remount(target, words, isBind ? {} : { bind: false }),
      ...attributeSteps(target, {
        ...options,
        attributes: [],
      }),
    ];
  }
  if (isBind) return bindSteps(entry, field, options, target, context);
  if (options.idMap !== undefined || entry.uidMappings?.length || entry.gidMappings?.length) {
    unsupported(`${field}.uidMappings`, "only what is bound has mapped ids");
  }
  return filesystemSteps(entry, field, options, target, context);
}

function bindSteps(
  entry: ConfigMount,
  field: string,
  options: MountOptions,
  target: string,
  context: MountContext,
): Step[] {
  const { source, type } = entry;
  if (source === undefined || source === "") unsupported(`${field}.source`, "a bind has a source");
  const shared = options.propagation.some(({ type }) => type === "shared");
  if (shared && !context.mayShare) {
    unsupported(
      `${field}.options`,
      "mounts that are made in a user namespace of its own cannot appear outside (shared); use slave",
    );
  }
  if (options.rest.length > 0) {
    unsupported(
      `${field}.options`,
      `${options.rest.join(", ")} cannot be set for a ${type ?? "bind"}`,
    );
  }
  const { bundle, early } = context;
  const path = source.startsWith("/") ? source : `${bundle}/${source}`;
  const recursive = options.kind === "rbind" || options.kind === undefined;
  const idMap = idMapOf(entry, field, options, context);
  return [
    bind(path, target, {
      restrict: [],
      recursive,
      make: true,
      ...(early && { early }),
      ...(shared && { shared }),
      ...(idMap && { idMap }),
    }),
    ...attributeSteps(target, options),
  ];
}

/** Returns the id map of a mount: its own, or that of the container. */
function idMapOf(
  { uidMappings, gidMappings }: ConfigMount,
  field: string,
  { idMap }: MountOptions,
  { userMap }: MountContext,
): BindIdMap | undefined {
  const recursive = idMap?.recursive === true;
  if (uidMappings?.length || gidMappings?.length) {
    if (!uidMappings?.length || !gidMappings?.length) {
      unsupported(`${field}.uidMappings`, "a mount with mapped ids needs gidMappings too");
    }
    return { uids: uidMappings.map(rangeOf), gids: gidMappings.map(rangeOf), recursive };
  }
  if (idMap === undefined) return undefined;
  if (idMap.given !== undefined) {
    return { ...givenRanges(idMap.given, `${field}.options`), recursive };
  }
  if (userMap === undefined) {
    return unsupported(
      `${field}.options`,
      "a mount with mapped ids needs uidMappings and gidMappings, as the container has no user " +
        "namespace of its own",
    );
  }
  return { ...userMap, recursive };
}

function attributeSteps(
  target: string,
  { attributes, recursive }: Pick<MountOptions, "attributes" | "recursive">,
): Step[] {
  const steps: Step[] = [];
  if (attributes.length > 0) steps.push(remount(target, attributes.join(","), { keep: true }));
  if (recursive.length > 0) {
    steps.push(remount(target, recursive.join(","), { keep: true, recursive: true }));
  }
  return steps;
}

function filesystemSteps(
  entry: ConfigMount,
  field: string,
  options: MountOptions,
  target: string,
  context: MountContext,
): Step[] {
  const { type, source } = entry;
  if (type === undefined) return unsupported(`${field}.type`, "a mount has a type, or is a bind");
  if (type === "cgroup") return cgroupSteps(options, target, context);
  const words = [...options.all, ...modeOf(type, options, target)].join(",");
  if (options.copiesUp && type !== "tmpfs") {
    unsupported(`${field}.options`, "tmpcopyup is for a tmpfs");
  }
  if (options.copiesUp && hasEntries(target)) return copiedUp(target, field, options);
  return [
    mount(source || type, target, { type, make: true, ...(words !== "" && { options: words }) }),
    ...attributeSteps(target, { ...options, attributes: [] }),
  ];
}

/** A tmpfs has the mode of the directory that it covers, as other runtimes have it. */
function modeOf(type: string, { rest }: MountOptions, target: string): readonly string[] {
  if (type !== "tmpfs" || rest.some((word) => word.startsWith("mode="))) return [];
  try {
    const { mode, isDirectory } = Deno.statSync(target);
    return isDirectory && mode !== null ? [`mode=${(mode & 0o7777).toString(8)}`] : [];
  } catch {
    // It is made.
    return [];
  }
}

/**
 * A tmpfs that begins with the files of the directory: an overlay whose changes are in memory, so
 * that nothing is copied.
 */
function copiedUp(target: string, field: string, options: MountOptions): Step[] {
  const words = new Map(options.rest.map((word) => {
    const [name = "", value = ""] = word.split("=");
    return [name, value] as const;
  }));
  const [size, mode] = [words.get("size"), words.get("mode")];
  const other = [...words.keys()].filter((name) => name !== "size" && name !== "mode");
  if (other.length > 0 || mode !== undefined && !/^[0-7]{1,5}$/.test(mode)) {
    unsupported(
      `${field}.options`,
      `beside tmpcopyup there can be size and mode, and not ${options.rest.join(", ")}`,
    );
  }
  return [
    overlay(target, {
      lower: [target],
      discard: true,
      ...(size !== undefined && { size }),
      ...(mode !== undefined && { mode: parseInt(mode, 8) }),
    }),
    ...attributeSteps(target, options),
  ];
}

function hasEntries(path: string): boolean {
  try {
    for (const _ of Deno.readDirSync(path)) return true;
  } catch {
    // It is made.
  }
  return false;
}

/** The hierarchies of version 1 in a tmpfs, or that of version 2 alone. */
function cgroupSteps(
  options: MountOptions,
  target: string,
  { hierarchies, groups, ownCgroups }: MountContext,
): Step[] {
  const { attributes } = options;
  const words = attributes.filter((word) => word !== "ro").join(",");
  const readOnly = attributes.includes("ro") ? [remount(target, "ro", { keep: true })] : [];
  const show = (hierarchy: Hierarchy, at: string): Step[] => {
    const { version, names, top } = hierarchy;
    if (!ownCgroups) {
      const group = groups.find((group) => group.hierarchy.top === top);
      return [
        bind(group?.path ?? top, at, { restrict: [], make: true }),
        ...(attributes.length > 0 ? [remount(at, attributes.join(","), { keep: true })] : []),
      ];
    }
    const type = version === 2 ? "cgroup2" : "cgroup";
    const all = version === 2 ? words : [words, ...names].filter(Boolean).join(",");
    return [
      mount("cgroup", at, { type, make: true, ...(all !== "" && { options: all }) }),
      ...(attributes.includes("ro") ? [remount(at, "ro", { keep: true })] : []),
    ];
  };
  const [only] = hierarchies;
  if (only === undefined) return [];
  if (hierarchies.length === 1 && only.version === 2) return show(only, target);
  const tmpfs = [...attributes.filter((word) => word !== "ro"), "mode=755"].join(",");
  return [
    mount("tmpfs", target, { type: "tmpfs", options: tmpfs, make: true }),
    ...hierarchies.flatMap((hierarchy) => show(hierarchy, `${target}/${nameOf(hierarchy)}`)),
    ...readOnly,
  ];
}

function nameOf({ top }: Hierarchy): string {
  return top.slice(top.lastIndexOf("/") + 1);
}
