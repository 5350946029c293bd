/**
 * The steps of a recipe, and the position of the one that is being lowered.
 *
 * @module
 */

import { RecipeError } from "../recipe/errors.ts";
import { isWithin, normalize } from "../recipe/path.ts";
import type { BindStep } from "../recipe/steps/bind.ts";
import type { LandlockStep } from "../recipe/steps/landlock.ts";
import { ROOT_PLACE, type RootStep } from "../recipe/steps/root_directory.ts";

/**
 * Iterates over the steps while they are lowered, with lookups before and after the current one.
 */
export class StepCursor {
  /** The steps. */
  readonly steps: readonly { readonly step: string }[];
  /** For each step, the root that the next `pivotRoot` or `chroot` after it enters. */
  readonly #nextRoots: readonly (string | undefined)[];
  /** The positions of the first and the last step of each name. */
  readonly #places: ReadonlyMap<string, { readonly first: number; readonly last: number }>;
  #index = 0;

  constructor(steps: readonly { readonly step: string }[]) {
    this.steps = steps;
    const places = new Map<string, { readonly first: number; readonly last: number }>();
    steps.forEach(({ step }, last) => {
      places.set(step, { first: places.get(step)?.first ?? last, last });
    });
    this.#places = places;
    const roots: (string | undefined)[] = new Array(steps.length);
    let next: string | undefined;
    for (let index = steps.length - 1; index >= 0; index--) {
      const step = steps[index]!;
      if (step.step === "root") {
        // It covers what was there, and looks paths up in its own root itself.
        [roots[index], next] = [ROOT_PLACE, undefined];
        continue;
      }
      roots[index] = next;
      if (isRootStep(step)) next = normalize(step.path);
    }
    this.#nextRoots = roots;
  }

  /** Makes the step at this position the current one. */
  begin(index: number): void {
    this.#index = index;
  }

  /** The position of the current step. */
  get index(): number {
    return this.#index;
  }

  /** Whether there are no steps: the program runs as the script does. */
  get isEmpty(): boolean {
    return this.steps.length === 0;
  }

  /** Returns the name of the step at this position. */
  nameOf(index: number): string {
    return this.steps[index]!.step;
  }

  /** Refuses the current step. */
  refuse(message: string): never {
    throw new RecipeError(message, { step: this.nameOf(this.#index), stepIndex: this.#index });
  }

  /** Whether there is a step of this name. */
  includes(step: string): boolean {
    return this.#places.has(step);
  }

  /** Whether a step of this name is before the current one. */
  cameBefore(step: string): boolean {
    return (this.#places.get(step)?.first ?? Infinity) < this.#index;
  }

  /** Whether a step of this name is after the current one. */
  comesLater(step: string): boolean {
    return (this.#places.get(step)?.last ?? -1) > this.#index;
  }

  /** Returns the name of the first step after the current one that is such a step. */
  findLater(isSuch: (name: string) => boolean): string | undefined {
    return this.steps.slice(this.#index + 1).find(({ step }) => isSuch(step))?.step;
  }

  /**
   * Returns the position of the last step before this one that drops capabilities, unless a user
   * namespace after it restores them.
   */
  droppedBefore(index: number): number | undefined {
    for (let before = index - 1; before >= 0; before--) {
      const step = this.steps[before]!;
      if (entersUserNamespace(step)) return undefined;
      if (step.step === "capabilities" || step.step === "setUser") return before;
    }
    return undefined;
  }

  /** The files of the host that an untrusted program may write to. */
  get untrustedSources(): readonly string[] {
    return this.steps.flatMap((step) => {
      if (isChangedRoot(step)) return [step.directory];
      if (isUntrustedRule(step)) return step.write;
      return isUntrustedBind(step) ? [step.source] : [];
    });
  }

  /** Whether the current step is a bind of files that an untrusted program is shown. */
  get isUntrusted(): boolean {
    return (this.steps[this.#index] as Partial<BindStep> | undefined)?.untrusted === true;
  }

  /** The directory that a later step makes the root. */
  get nextRoot(): string | undefined {
    return this.#nextRoots[this.#index];
  }

  /**
   * Returns the directory that a later step makes the root, if the path is within it. Its files may
   * be untrusted, so paths in it are resolved as if it were the root already.
   */
  rootOf(path: string): string | undefined {
    const root = this.nextRoot;
    if (root === undefined || root === "/") return undefined;
    const target = normalize(path);
    return target !== root && isWithin(target, root) ? root : undefined;
  }
}

function isRootStep(
  step: { readonly step: string },
): step is { readonly step: string; readonly path: string } {
  return step.step === "pivotRoot" || step.step === "chroot";
}

function isUntrustedBind(
  step: { readonly step: string } & Partial<Pick<BindStep, "untrusted" | "readOnly">>,
): step is { readonly step: string; readonly source: string } {
  return step.step === "bind" && step.untrusted === true && step.readOnly !== true;
}

function isChangedRoot(
  step: { readonly step: string } & Partial<Pick<RootStep, "discard" | "readOnly">>,
): step is { readonly step: string; readonly directory: string } {
  return step.step === "root" && step.discard !== true && step.readOnly !== true;
}

function isUntrustedRule(
  step: { readonly step: string } & Partial<Pick<LandlockStep, "untrusted" | "write">>,
): step is { readonly step: string; readonly write: readonly string[] } {
  return step.step === "landlock" && step.untrusted === true && step.write !== undefined;
}

function entersUserNamespace(step: { readonly step: string; readonly kinds?: unknown }): boolean {
  const { kinds } = step;
  return (step.step === "unshare" || step.step === "join") &&
    (!Array.isArray(kinds) || kinds.includes("user"));
}
