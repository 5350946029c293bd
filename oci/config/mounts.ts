/**
 * The array `mounts` of config.json as steps.
 *
 * @module
 */

import { bind } from "../../recipe/steps/bind.ts";
import { mount, type Propagation, propagation, remount } from "../../recipe/steps/mounts.ts";
import { overlay } from "../../recipe/steps/overlay.ts";
import type { Step } from "../../recipe/steps.ts";
import { unsupported } from "../errors.ts";
import type { Hierarchy } from "../cgroups/hierarchies.ts";
import type { GroupDirectory } from "../cgroups/group.ts";
import { pathInRoot } from "./paths.ts";
import type { ConfigMount } from "../spec.ts";

/** What mounts depend on beside their own words. */
export interface MountContext {
  /** The container's root, on the host. */
  readonly root: string;
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
}

/** The options of a mount, by what they are for. */
interface SortedOptions {
  readonly kind: "bind" | "rbind" | undefined;
  readonly propagation: readonly { readonly type: Propagation; readonly recursive: boolean }[];
  /** For this mount alone. */
  readonly attributes: readonly string[];
  /** For this mount and those below. */
  readonly recursive: readonly string[];
  readonly copiesUp: boolean;
  /** What is left: for the filesystem. */
  readonly rest: readonly string[];
}

const PROPAGATIONS: Readonly<Record<string, Propagation>> = {
  private: "private",
  slave: "slave",
  shared: "shared",
  unbindable: "unbindable",
};

/** The words that restrict or time a mount; those that lift a restriction are in `LIFTING`. */
const ATTRIBUTES = [
  "ro",
  "nosuid",
  "nodev",
  "noexec",
  "noatime",
  "nodiratime",
  "relatime",
  "strictatime",
  "nosymfollow",
];
const LIFTING = ["rw", "suid", "dev", "exec", "atime", "diratime", "norelatime", "nostrictatime"];
const LIFTED = [...LIFTING, "symfollow", "defaults", "async", "loud", "nolazytime", "nomand"];

/** Returns the steps of the mounts, in their order. */
export function mountSteps(mounts: readonly ConfigMount[], context: MountContext): Step[] {
  return mounts.flatMap((entry, index) => stepsOf(entry, `mounts[${index}]`, context));
}

function stepsOf(entry: ConfigMount, field: string, context: MountContext): Step[] {
  if (entry.uidMappings?.length || entry.gidMappings?.length) {
    unsupported(`${field}.uidMappings`, "mounts with mapped ids are not supported");
  }
  if (entry.type === "cgroup" && context.hierarchies.length === 0) return [];
  const options = sorted(entry, field);
  const inside = pathInRoot(context.root, entry.destination);
  if (inside === "/") unsupported(`${field}.destination`, "nothing can be mounted on the root");
  const target = context.root + inside;
  const isBind = options.kind !== undefined || entry.type === "bind";
  const made = isBind
    ? bindSteps(entry, field, options, target, context)
    : filesystemSteps(entry, field, options, target, context);
  return [
    ...made,
    ...options.propagation.map(({ type, recursive }) => propagation(target, type, { recursive })),
  ];
}

function sorted({ options }: ConfigMount, field: string): SortedOptions {
  let kind: SortedOptions["kind"];
  const propagation: { type: Propagation; recursive: boolean }[] = [];
  const [attributes, recursive, rest]: [string[], string[], string[]] = [[], [], []];
  let copiesUp = false;
  for (const word of options ?? []) {
    const stripped = word.startsWith("r") ? word.slice(1) : "";
    if (word === "") continue;
    if (word === "bind" || word === "rbind") kind = word;
    else if (word in PROPAGATIONS) {
      propagation.push({ type: PROPAGATIONS[word]!, recursive: false });
    } else if (stripped in PROPAGATIONS) {
      propagation.push({ type: PROPAGATIONS[stripped]!, recursive: true });
    } else if (word === "tmpcopyup") copiesUp = true;
    else if (word === "idmap" || word === "ridmap") {
      unsupported(`${field}.options`, `mounts with mapped ids (${word}) are not supported`);
    } else if (ATTRIBUTES.includes(word)) attributes.push(word);
    else if (ATTRIBUTES.includes(stripped)) recursive.push(stripped);
    else if (LIFTED.includes(stripped)) continue;
    else rest.push(word);
  }
  if (propagation.some(({ type }) => type === "shared") && kind !== undefined) {
    unsupported(
      `${field}.options`,
      "mounts that are made in the container cannot appear on the host (shared); use slave",
    );
  }
  return { kind, propagation, attributes, recursive, copiesUp, rest };
}

function bindSteps(
  { source, type }: ConfigMount,
  field: string,
  options: SortedOptions,
  target: string,
  { bundle, early }: MountContext,
): Step[] {
  if (source === undefined || source === "") unsupported(`${field}.source`, "a bind has a source");
  const other = options.rest.filter((word) => !LIFTED.includes(word));
  if (other.length > 0) {
    unsupported(`${field}.options`, `${other.join(", ")} cannot be set for a ${type ?? "bind"}`);
  }
  const path = source.startsWith("/") ? source : `${bundle}/${source}`;
  const recursive = options.kind === "rbind" || options.kind === undefined;
  return [
    bind(path, target, { restrict: [], recursive, make: true, ...(early && { early }) }),
    ...attributeSteps(target, options),
  ];
}

function attributeSteps(target: string, { attributes, recursive }: SortedOptions): Step[] {
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
  options: SortedOptions,
  target: string,
  context: MountContext,
): Step[] {
  const { type, source } = entry;
  if (type === undefined) return unsupported(`${field}.type`, "a mount has a type, or is a bind");
  if (type === "cgroup") return cgroupSteps(options, target, context);
  const words = [...options.attributes, ...options.rest].join(",");
  if (options.copiesUp && hasEntries(target)) return copiedUp(target, options);
  return [
    mount(source || type, target, { type, make: true, ...(words !== "" && { options: words }) }),
    ...attributeSteps(target, { ...options, attributes: [] }),
  ];
}

/**
 * A tmpfs that begins with the files of the directory: an overlay whose changes are in memory, so
 * that nothing is copied.
 */
function copiedUp(target: string, options: SortedOptions): Step[] {
  return [
    overlay(target, { lower: [target], discard: true }),
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
  options: SortedOptions,
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
