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

/** A question about the steps to come, and the answer that calls depend on. */
interface Asked {
  readonly ask: (cursor: StepCursor) => unknown;
  readonly answer: unknown;
}

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
  /** What has been asked about the steps to come, but for the roots. */
  readonly #asked: Asked[];
  #untrusted: readonly string[] | undefined;
  #index = 0;

  /** @param begun the cursor of other steps, which begin alike, where those have been lowered */
  constructor(steps: readonly { readonly step: string }[], begun?: StepCursor) {
    this.steps = steps;
    this.#asked = begun === undefined ? [] : [...begun.#asked];
    this.#index = begun === undefined ? 0 : begun.#index;
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

  /**
   * Whether the first steps, of which there are so many, have the same calls among other steps that
   * begin with them: all that was asked about the steps to come has the same answer there.
   */
  fits(others: StepCursor, count: number): boolean {
    for (let index = 0; index < count; index++) {
      if (this.#nextRoots[index] !== others.#nextRoots[index]) return false;
    }
    return this.#asked.every(({ ask, answer }) => isSame(ask(others), answer));
  }

  /** Answers a question about the steps to come. */
  #ask<T>(ask: (cursor: StepCursor) => T): T {
    const answer = ask(this);
    this.#asked.push({ ask, answer });
    return answer;
  }

  /** Whether there is a step of this name. */
  includes(step: string): boolean {
    return this.#ask((cursor) => cursor.#places.has(step));
  }

  /** Whether a step of this name is before the current one. */
  cameBefore(step: string): boolean {
    return (this.#places.get(step)?.first ?? Infinity) < this.#index;
  }

  /** Whether a step of this name is after the current one. */
  comesLater(step: string): boolean {
    const index = this.#index;
    return this.#ask((cursor) => (cursor.#places.get(step)?.last ?? -1) > index);
  }

  /** Returns the name of the first step after the current one that is such a step. */
  findLater(isSuch: (name: string) => boolean): string | undefined {
    const index = this.#index;
    return this.#ask((cursor) =>
      cursor.steps.slice(index + 1).find(({ step }) => isSuch(step))?.step
    );
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
    return this.#untrusted ??= this.#ask((cursor) =>
      cursor.steps.flatMap((step) => {
        if (isChangedRoot(step)) return [step.directory];
        if (isUntrustedRule(step)) return step.write;
        return isUntrustedBind(step) ? [step.source] : [];
      })
    );
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

function isSame(one: unknown, other: unknown): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
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
