/**
 * What a recipe's container shares with the host, what it has of its own, and what is mounted in it
 * from where, derived from the steps.
 *
 * @module
 */

import type {
  HostAccess,
  NamespaceKind,
  NamespaceOwner,
  PlannedMount,
  Recipe,
  Step,
} from "../../mod.ts";

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
  readonly namespaces: Readonly<Record<NamespaceKind, NamespaceOwner>>;
  /** From the root on, in the order in which they are made. */
  readonly mounts: readonly GraphMount[];
  readonly needs: readonly HostAccess[];
}

/** The graph of a recipe. */
export function graphOf(recipe: Recipe, needs: readonly HostAccess[]): Graph {
  const { namespaces, mounts } = recipe.plan();
  return {
    namespaces,
    mounts: folded(mounts, recipe.steps),
    needs,
  };
}

/** The mounts; those that one step has made for one purpose are one. */
function folded(mounts: readonly PlannedMount[], steps: readonly Step[]): readonly GraphMount[] {
  const ofStep = (mount: PlannedMount, name: Step["step"]) =>
    mount.stepIndex !== undefined && steps[mount.stepIndex]!.step === name;
  const masked = mounts.filter((mount) => ofStep(mount, "maskPaths"));
  const shown = mounts.filter((mount, index) => {
    if (ofStep(mount, "maskPaths")) return mount === masked[0];
    // Of a /dev only the whole is shown.
    const first = mounts.findIndex(({ stepIndex }) => stepIndex === mount.stepIndex);
    return !ofStep(mount, "devices") || first === index;
  });
  return shown.map((mount) => {
    if (mount === masked[0] && masked.length > 1) {
      return { ...graphMount(mount), target: `${mount.target} and ${masked.length - 1} more` };
    }
    return ofStep(mount, "devices") ? { ...graphMount(mount), type: "devices" } : graphMount(mount);
  });
}

function graphMount({ target, type, source, layers, readOnly }: PlannedMount): GraphMount {
  if (type === "bind") {
    return { target, sources: [{ path: source, changes: !readOnly }], readOnly };
  }
  return { target, sources: layers, type: type === "mask" ? "masked" : type, readOnly };
}
