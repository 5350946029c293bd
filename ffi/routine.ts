/**
 * Calls that are made often: they are laid out once, and only their slots are filled in each time.
 *
 * @module
 */

import type { ShowSlot, Slot } from "./call.ts";
import { checkResult } from "./syscalls.ts";
import { type Bindings, engine, type RunResult } from "./engine/engine.ts";
import { assemble, type Label, type ProgramRecord, type SyscallProgram } from "./engine/program.ts";

/** Calls with slots for numbers, to be made again and again. */
export class Routine {
  readonly #slots: readonly Slot[];
  readonly #parts: readonly (ProgramRecord | Label)[];
  readonly #bindings: Bindings;
  #program: SyscallProgram | undefined;
  #values: readonly number[] = [];

  /** These calls, the slots of which are filled in by {@linkcode run}, in this order. */
  constructor(slots: readonly Slot[], parts: readonly (ProgramRecord | Label)[]) {
    this.#slots = slots;
    this.#parts = parts;
    this.#bindings = { size: 0, write: (program, { view }) => this.#fill(program, view) };
  }

  /**
   * Makes the calls in the calling thread. The result can be read until other calls are made.
   *
   * @throws {SyscallError} naming the call that failed
   */
  run(...values: readonly number[]): RunResult {
    const loaded = engine();
    this.#program ??= assemble(this.#parts, loaded.architecture);
    this.#values = values;
    return checkResult(loaded.runInArena(this.#program, this.#bindings), undefined, this.#show);
  }

  readonly #show: ShowSlot = (slot) => {
    const index = this.#slots.indexOf(slot);
    return index === -1 ? slot.text : String(this.#values[index]);
  };

  #fill({ slots }: SyscallProgram, view: DataView): void {
    for (let index = 0; index < this.#slots.length; index++) {
      const slot = this.#slots[index]!, value = this.#values[index]!;
      for (const at of slots.get(slot) ?? []) {
        view.setInt32(at, value, true);
        if (slot.size === 8) view.setInt32(at + 4, Math.floor(value / 2 ** 32), true);
      }
    }
  }
}
