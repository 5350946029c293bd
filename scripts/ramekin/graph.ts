/**
 * What a recipe's container shares with the host, what it has of its own, and what is mounted in it
 * from where, derived from the steps.
 *
 * @module
 */

import { isWithin, normalize } from "../../recipe/path.ts";
import { NAMESPACE_KINDS } from "../../host.ts";
import type { HostAccess, NamespaceKind, Recipe, Step } from "../../mod.ts";
import { planRecipe } from "../../plan/plan_recipe.ts";

/** The owner of a namespace: the container, others that it joins, or the host. */
export type Owner = "own" | "others" | "host";

/** A file or directory of the host, shown in the container. */
export interface GraphSource {
  readonly path: string;
  /** Whether it can be changed from there. */
  readonly changes: boolean;
}

/** A mount in the container. */
export interface GraphMount {
  /** Where it is, in the container. */
  readonly target: string;
  /** The files of the host that it shows; none for a filesystem of its own. */
  readonly sources: readonly GraphSource[];
  /** Its type, where it is a filesystem of its own. */
  readonly type?: string;
  /** Whether it can only be read. */
  readonly readOnly: boolean;
}

/** What is drawn. */
export interface Graph {
  readonly namespaces: Readonly<Record<NamespaceKind, Owner>>;
  /** From the root on, in the order in which they are made. */
  readonly mounts: readonly GraphMount[];
  readonly needs: readonly HostAccess[];
}

/** The graph of a recipe. */
export function graphOf(recipe: Recipe, needs: readonly HostAccess[]): Graph {
  const { own, joined } = planRecipe(recipe.steps).state;
  const ownerOf = (kind: NamespaceKind): Owner =>
    joined.has(kind) ? "others" : own.has(kind) ? "own" : "host";
  const kinds = NAMESPACE_KINDS.map((kind) => [kind, ownerOf(kind)] as const);
  return {
    namespaces: Object.fromEntries(kinds) as Record<NamespaceKind, Owner>,
    mounts: mountsOf(recipe.steps),
    needs,
  };
}

const HOST: GraphMount = {
  target: "/",
  sources: [{ path: "/", changes: true }],
  readOnly: false,
};

function mountsOf(steps: readonly Step[]): readonly GraphMount[] {
  return steps.reduce((mounts, step) => after(step, mounts), [HOST]);
}

/** The mounts after the step. */
function after(step: Step, mounts: GraphMount[]): GraphMount[] {
  const add = (target: string, rest: Omit<GraphMount, "target">) => [
    // A mount hides those below it.
    ...mounts.filter((mount) => !isWithin(mount.target, normalize(target))),
    { target: normalize(target), ...rest },
  ];
  const ofType = (target: string, type: string) =>
    add(target, { sources: [], type, readOnly: false });
  switch (step.step) {
    case "bind":
      return add(step.target, shown(step.source, step.readOnly === true));
    case "overlay": {
      const upper = step.upper === undefined ? [] : [{ path: step.upper, changes: true }];
      return add(step.target, {
        sources: [...upper, ...step.lower.map((path) => ({ path, changes: false }))],
        type: "overlay",
        readOnly: step.upper === undefined && step.discard !== true,
      });
    }
    case "mount":
      return ofType(step.target, step.type);
    case "tmpfs":
    case "proc":
    case "sysfs":
    case "mqueue":
    case "devices":
      return ofType(step.target, step.step);
    case "remount":
      return mounts.map((mount) =>
        mount.target === normalize(step.target)
          ? remounted(mount, step.options.split(",").includes("ro"))
          : mount
      );
    case "maskPaths":
      return [...mounts, {
        target: step.paths.length === 1
          ? step.paths[0]!
          : `${step.paths[0]} and ${step.paths.length - 1} more`,
        sources: [],
        type: "masked",
        readOnly: true,
      }];
    case "unmount":
      return mounts.filter(({ target }) => target === "/" || target !== normalize(step.target));
    case "pivotRoot":
    case "chroot":
      return within(normalize(step.path), mounts);
    default:
      return mounts;
  }
}

function shown(path: string, readOnly: boolean): Omit<GraphMount, "target"> {
  return { sources: [{ path, changes: !readOnly }], readOnly };
}

function remounted(mount: GraphMount, readOnly: boolean): GraphMount {
  const sources = mount.sources.map(({ path }) => ({ path, changes: !readOnly }));
  return { ...mount, sources, readOnly };
}

/** The mounts as they are seen from a new root. */
function within(root: string, mounts: readonly GraphMount[]): GraphMount[] {
  const seen = mounts.filter(({ target }) => isWithin(target, root));
  const moved = seen.map((mount) => ({
    ...mount,
    target: root === "/" ? mount.target : mount.target.slice(root.length) || "/",
  }));
  if (moved.some(({ target }) => target === "/")) return moved;
  // The root is a directory of what is mounted above it.
  const above = mounts.findLast(({ target }) => isWithin(root, target)) ?? HOST;
  const rest = above.target === "/" ? root : root.slice(above.target.length);
  const sources = above.sources.map(({ path, changes }) => ({
    path: (path === "/" ? "" : path) + rest,
    changes,
  }));
  return [{ ...above, sources, target: "/" }, ...moved];
}
