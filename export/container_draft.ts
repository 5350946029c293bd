/**
 * A container of an engine that is being described, as far as every format has to follow the steps:
 * its namespaces, its root, whose paths are whose, the user, the environment.
 *
 * @module
 */

import type { NamespaceKind } from "../recipe/namespaces.ts";
import { isWithin, normalize } from "../recipe/path.ts";
import type { PivotRootStep } from "../recipe/steps/root.ts";
import { ROOT_PLACE } from "../recipe/steps/root_directory.ts";
import type { Step, StepOf } from "../recipe/steps.ts";
import { ProgramIdentity } from "./identity.ts";
import type { Refusals } from "./refusals.ts";

/** Who will run the container. */
export interface Caller {
  /** The user's id. */
  readonly uid: number;
  /** The id of the group. */
  readonly gid: number;
}

/** The root of the container, as far as a step has said what it is. */
export interface DraftRoot {
  /** A directory of the host, or `undefined` for one that the steps put together. */
  readonly directory: string | undefined;
  /** Where the root is until it is entered. */
  readonly place: string;
  entered: boolean;
  readonly: boolean;
}

/** Something that is mounted in the container. */
export interface Mounted {
  readonly destination: string;
}

/** What the steps have said so far, in any format. */
export abstract class ContainerDraft {
  readonly caller: Caller;
  /** What is written, in sentences: `"config.json"`. */
  readonly format: string;
  readonly namespaces = new Map<NamespaceKind, string | undefined>();
  readonly identity: ProgramIdentity;
  root: DraftRoot | undefined;
  abstract readonly mounts: readonly Mounted[];
  hostname: string | undefined;
  environment: Map<string, string> | undefined;
  cwd: string | undefined;
  /** That of every caller, unless a step says otherwise. */
  umask = 0o022;
  oomScoreAdj: number | undefined;
  noNewPrivileges = false;
  readonly #refusals: Refusals;
  #step: Step | undefined;
  #at = 0;

  constructor(format: string, caller: Caller, refusals: Refusals) {
    this.format = format;
    this.caller = caller;
    this.identity = new ProgramIdentity(caller.uid, caller.gid);
    this.#refusals = refusals;
  }

  /** The step that is being said. */
  protected get current(): { readonly step: Step; readonly at: number } {
    return { step: this.#step!, at: this.#at };
  }

  /** Begins with a step, which refusals are about from now on. */
  begin(step: Step, at: number): void {
    this.#step = step;
    this.#at = at;
  }

  /** Refuses the step. */
  refuse(why: string): void {
    this.#refusals.step(this.#step!, this.#at, why);
  }

  /** Refuses an earlier step. */
  protected refuseAt(step: Step, at: number, why: string): void {
    this.#refusals.step(step, at, why);
  }

  /** Refuses the recipe for what it lacks. */
  protected refuseRecipe(why: string): void {
    this.#refusals.recipe(why);
  }

  /** Refuses the step if the container has no namespace of the kind. */
  needs(kind: NamespaceKind): void {
    if (!this.namespaces.has(kind)) this.refuse(`it needs unshare("${kind}") before it`);
  }

  /**
   * Returns where a path of the recipe is in the container, or refuses one that is left with the
   * old root.
   */
  inside(path: string): string | undefined {
    const { root } = this;
    const normal = normalize(path);
    if (root?.entered === true) return normal;
    if (root !== undefined && isWithin(normal, root.place)) {
      return normalize(normal.slice(root.place.length));
    }
    this.refuse(
      root === undefined
        ? `${path} is of the host, as no root() or pivotRoot() follows`
        : `${path} is outside of ${root.place}, which becomes the root`,
    );
    return undefined;
  }

  /** Returns the path of a file of the host, or refuses one that the recipe has made. */
  source(path: string): string | undefined {
    const { root } = this;
    const normal = path.startsWith("/") ? normalize(path) : path;
    if (root?.entered !== true && (root === undefined || !isWithin(normal, root.place))) {
      return normal;
    }
    // A directory that is mounted on itself has the same files as before, but for further mounts.
    const isItself = root?.entered === false && root.directory !== undefined &&
      normalize(root.directory) === root.place;
    if (isItself) {
      const inside = normalize(normal.slice(root.place.length));
      const isSame = !this.isMounted(inside) &&
        !this.mounts.some(({ destination }) => isWithin(destination, inside));
      if (isSame) return normal;
    }
    this.refuse(`the source ${path} is a file of the container, and ${this.format} has the host's`);
    return undefined;
  }

  /** Whether a path of the container lies on something that is mounted. */
  isMounted(path: string): boolean {
    return this.mounts.some(({ destination }) => isWithin(path, destination));
  }

  /** Whether what is mounted there becomes the root. */
  isRoot(target: string): boolean {
    return this.root?.entered === false && normalize(target) === this.root.place;
  }
}

/** Finds the root that the steps put together and enter, if they do so by `pivotRoot`. */
export function plannedRoot(steps: readonly Step[]): DraftRoot | undefined {
  const end = steps.findIndex(({ step }) => step === "pivotRoot");
  if (end === -1) return undefined;
  const place = normalize((steps[end] as PivotRootStep).path);
  const source = steps.slice(0, end).findLast((step) =>
    (step.step === "tmpfs" || step.step === "bind" && step.entries === undefined) &&
    normalize(step.target) === place
  );
  const shown = source?.step === "bind" ? source : undefined;
  return {
    directory: source?.step === "tmpfs" ? undefined : shown?.source ?? place,
    place,
    entered: false,
    readonly: shown?.readOnly === true,
  };
}

/** Says `pivotRoot`. */
export function sayPivotRoot(_step: PivotRootStep, draft: ContainerDraft): void {
  draft.needs("mount");
  if (draft.root?.entered === true) return draft.refuse(`${draft.format} has one root`);
  draft.root!.entered = true;
}

/** Begins a `root()`, whose paths lie below a place of its own until it is entered; or refuses it. */
export function beginRoot(
  { directory, readOnly = false }: StepOf<"root">,
  draft: ContainerDraft,
): DraftRoot | undefined {
  draft.needs("mount");
  if (draft.root !== undefined) {
    draft.refuse(`${draft.format} has one root`);
    return undefined;
  }
  return draft.root = { directory, place: ROOT_PLACE, entered: false, readonly: readOnly };
}

/** Says `chdir`. */
export function sayChdir({ path }: StepOf<"chdir">, draft: ContainerDraft): void {
  if (!path.startsWith("/")) return draft.refuse(`the directory of ${draft.format} begins with /`);
  if (draft.root?.entered !== true) {
    return draft.refuse("the directory is of the host; move chdir() behind the root");
  }
  draft.cwd = normalize(path);
}

/** Says `clearEnv`. */
export function sayClearEnv({ keep = [] }: StepOf<"clearEnv">, draft: ContainerDraft): void {
  if (keep.length > 0) {
    draft.refuse(`an engine has no variables to "keep": setEnv() gives values`);
  }
  draft.environment = new Map();
}

/** Says `setEnv`. */
export function saySetEnv({ variables }: StepOf<"setEnv">, draft: ContainerDraft): void {
  for (const [name, value] of Object.entries(variables)) draft.environment?.set(name, value);
}

/** Says `dieWithParent`. */
export function sayDieWithParent(
  { signal }: StepOf<"dieWithParent">,
  draft: ContainerDraft,
): void {
  if (signal !== null) {
    draft.refuse("a container of an engine outlives who called the runtime: dieWithParent(null)");
  }
}

/** Says `hostname`. */
export function sayHostname({ name }: StepOf<"hostname">, draft: ContainerDraft): void {
  draft.needs("uts");
  draft.hostname = name;
}

/** The reasons that are those of every format. */
export const EVERYWHERE = {
  found: "which files these are is found out when a recipe runs; name them by maskPaths()",
  programs: "the libraries of programs are found when a recipe runs; bind() their directories",
  chroot: "runtimes enter the root by pivot_root(2): pivotRoot()",
  unmount: "a runtime leaves the old root, and unmounts nothing else",
} as const;
