/**
 * The steps of a recipe in their order, and which of them is writing.
 *
 * @module
 */

import { isWithin, normalize } from "../recipe/path.ts";
import { RecipeError } from "../recipe/errors.ts";

/** The steps while they are planned one by one: what stands before and behind the one that writes. */
export class StepCursor {
  readonly #steps: readonly { readonly step: string }[];
  #index = 0;

  /** These steps; the first is about to write. */
  constructor(steps: readonly { readonly step: string }[]) {
    this.#steps = steps;
  }

  /** The next step begins to write. */
  begin(index: number): void {
    this.#index = index;
  }

  /** The position of the step that is writing. */
  get index(): number {
    return this.#index;
  }

  /** The name of the step with this number. */
  nameOf(index: number): string {
    return this.#steps[index]!.step;
  }

  /** Refuses the step that is writing. */
  refuse(message: string): never {
    throw new RecipeError(message, { step: this.nameOf(this.#index), stepIndex: this.#index });
  }

  /** Whether a step of this name stands before the one that is writing. */
  cameBefore(step: string): boolean {
    return this.#steps.slice(0, this.#index).some((earlier) => earlier.step === step);
  }

  /** Whether a step of this name will write later. */
  comesLater(step: string): boolean {
    return this.#steps.slice(this.#index + 1).some((later) => later.step === step);
  }

  /** The directory that a later step will make the root. */
  get nextRoot(): string | undefined {
    const next = this.#steps.slice(this.#index + 1).find((step) =>
      step.step === "pivotRoot" || step.step === "chroot"
    );
    return next && normalize((next as unknown as { path: string }).path);
  }

  /**
   * The directory that a later step will make the root, if the path lies in it. What lies there may
   * be anybody's, so paths in it are resolved as if it already were the root.
   */
  rootOf(path: string): string | undefined {
    const root = this.nextRoot;
    const target = normalize(path);
    return root !== undefined && root !== "/" && target !== root && isWithin(target, root)
      ? root
      : undefined;
  }
}
