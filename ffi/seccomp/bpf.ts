/**
 * Programs of classic BPF: instructions with labels, assembled to `struct sock_filter`. See
 * linux/filter.h and Documentation/networking/filter.rst.
 *
 * It covers only what seccomp(2) takes: jumps go forward only.
 *
 * @module
 */

import type { Label } from "../engine/program.ts";

/** One instruction, or a branch that may become several. */
export type Instruction =
  /** Loads 32 bits of the data into the accumulator. */
  | { readonly kind: "load"; readonly offset: number }
  /** Sets the accumulator. */
  | { readonly kind: "constant"; readonly value: number }
  /** Clears the bits of the accumulator that are not in the mask. */
  | { readonly kind: "and"; readonly mask: number }
  /** Jumps to a label. */
  | { readonly kind: "jump"; readonly to: Label }
  /** Compares the accumulator, and jumps to a label or, without one, to the next instruction. */
  | {
    readonly kind: "branch";
    readonly test: Test;
    readonly value: number;
    readonly holds?: Label | undefined;
    readonly fails?: Label | undefined;
  }
  /** Ends the program with a return value. */
  | { readonly kind: "return"; readonly value: number };

/** How a branch compares the accumulator with its value, both as unsigned numbers. */
export type Test = "equal" | "greater" | "greaterOrEqual";

/** The codes of the instructions: class, size or operation, and source. */
export const BPF = {
  load: 0x20, // BPF_LD | BPF_W | BPF_ABS
  constant: 0x00, // BPF_LD | BPF_IMM
  and: 0x54, // BPF_ALU | BPF_AND | BPF_K
  jump: 0x05, // BPF_JMP | BPF_JA
  equal: 0x15, // BPF_JMP | BPF_JEQ | BPF_K
  greater: 0x25, // BPF_JMP | BPF_JGT | BPF_K
  greaterOrEqual: 0x35, // BPF_JMP | BPF_JGE | BPF_K
  return: 0x06, // BPF_RET | BPF_K
} as const;

/** The most instructions that the kernel takes (BPF_MAXINSNS). */
export const MOST_INSTRUCTIONS = 4096;

/** The size of struct sock_filter. */
export const INSTRUCTION_SIZE = 8;

/** The longest branch: with two jumps inserted after it, the distance still fits in 8 bits. */
const FAR = 254;

/** Assembles a program. */
export function assembleFilter(
  parts: readonly (Instruction | Label)[],
): Uint8Array<ArrayBuffer> {
  // It starts at the end, so that the distance to every label is known.
  const backwards = new BackwardsProgram();
  for (const part of parts.toReversed()) {
    if (!("kind" in part)) backwards.place(part);
    else backwards.add(part);
  }
  return backwards.bytes();
}

interface Word {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

class BackwardsProgram {
  readonly #words: Word[] = [];
  readonly #places = new Map<Label, number>();
  /** The nearest jump to each label, which branches too far from that can share. */
  readonly #jumps = new Map<Label, number>();

  place(label: Label): void {
    this.#places.set(label, this.#words.length);
  }

  add(instruction: Instruction): void {
    switch (instruction.kind) {
      case "load":
        return this.#word(BPF.load, instruction.offset);
      case "constant":
        return this.#word(BPF.constant, instruction.value);
      case "and":
        return this.#word(BPF.and, instruction.mask);
      case "return":
        return this.#word(BPF.return, instruction.value);
      case "jump":
        return this.#jump(instruction.to);
      case "branch":
        return this.#branch(instruction);
    }
  }

  bytes(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.#words.length * INSTRUCTION_SIZE);
    const view = new DataView(bytes.buffer);
    this.#words.toReversed().forEach(({ code, jt, jf, k }, index) => {
      const at = index * INSTRUCTION_SIZE;
      view.setUint16(at, code, true);
      view.setUint8(at + 2, jt);
      view.setUint8(at + 3, jf);
      view.setUint32(at + 4, k, true);
    });
    return bytes;
  }

  #branch({ test, value, holds, fails }: Instruction & { kind: "branch" }): void {
    const next = this.#words.length;
    const reachable = (label: Label | undefined): number => {
      if (label === undefined) return next;
      if (this.#distance(label) < FAR) return this.#places.get(label)!;
      const jump = this.#jumps.get(label);
      if (jump !== undefined && this.#words.length - jump < FAR) return jump;
      this.#jump(label);
      return this.#words.length;
    };
    const [jt, jf] = [reachable(holds), reachable(fails)]
      .map((place) => this.#words.length - place);
    this.#word(BPF[test], value, jt, jf);
  }

  #jump(to: Label): void {
    this.#word(BPF.jump, this.#distance(to));
    this.#jumps.set(to, this.#words.length);
  }

  #distance(label: Label): number {
    const place = this.#places.get(label);
    if (place === undefined) throw new TypeError(`the label "${label.text}" is not placed later`);
    return this.#words.length - place;
  }

  #word(code: number, k: number, jt = 0, jf = 0): void {
    this.#words.push({ code, jt, jf, k: k >>> 0 });
  }
}
