/**
 * Builds a box.
 *
 * @module
 */

import { ERRNO } from "../ffi/errno.ts";
import { HEADER, PENDING, resultOffset } from "../ffi/engine/program.ts";
import { concat } from "../ffi/concat.ts";
import type { Slot } from "../ffi/call.ts";
import type { Architecture } from "../ffi/syscall_numbers.ts";
import { GID_DIGITS, UID_DIGITS } from "../host/caller_ids.ts";
import type { TargetUser } from "../host/target_host.ts";
import { checkedSteps } from "../recipe/check.ts";
import type { Step } from "../recipe/steps.ts";
import { START, STREAMS } from "./bytes.ts";
import { compileBox, type CompiledBox } from "./compile_box.ts";
import { addressesOf, type Executable, writeElf } from "./elf.ts";
import { type BoxNote, noteText } from "./note.ts";
import { pack } from "./pack.ts";
import { FLAGS, parameterBytes, PARAMETERS_SIZE } from "./parameters.ts";

/** The options of {@linkcode buildBox}. */
export interface BoxOptions {
  /**
   * The program and its first arguments. Those of the command line follow them; without it, they
   * name the program too.
   */
  readonly program?: readonly string[];
  /**
   * The processor of the machine.
   *
   * @default {the one of this machine}
   */
  readonly architecture?: Architecture;
  /**
   * Who runs the box. One for root does what needs root, and refuses others; one for users serves
   * root too.
   *
   * @default {"user"}
   */
  readonly for?: TargetUser;
  /**
   * Where the program begins behind `pivotRoot()` and `chroot()`: in the root, or in the directory of
   * the caller, if there is one of this path.
   *
   * @default {"root"}
   */
  readonly cwd?: "root" | "caller";
}

/** Returns the bytes of an executable that makes the recipe's container. */
export function buildBox(
  recipe: { readonly steps: readonly Step[] },
  options: BoxOptions = {},
): Uint8Array<ArrayBuffer> {
  const { program = [], architecture = thisArchitecture(), for: user = "user" } = options;
  const keepsDirectory = options.cwd === "caller";
  const steps = checkedSteps(recipe.steps);
  const compiled = compileBox(steps, { architecture, user, keepsDirectory });
  const note: BoxNote = { recipe: { steps }, program, architecture, for: user };
  const start = Uint8Array.fromBase64(START[architecture]);
  const ownRoot = compiled.plan.state.hasOwnRoot;
  const streams = Uint8Array.fromBase64(ownRoot ? STREAMS[architecture] : "");
  const code = concat([start, new Uint8Array(align(start.length) - start.length), streams]);
  const contents = new Contents();
  const build = (memoryAt: number, dataAt: number, codeAt: number) => {
    contents.begin(dataAt);
    const table = tableBytes(compiled, memoryAt);
    const textsAt = memoryAt + align(compiled.program.bytes.length);
    const texts = new TextEncoder().encode([...compiled.texts, ""].join("\0"));
    const errnos = errnoBytes();
    const copies = align(textsAt + texts.length + errnos.length);
    const { plan } = compiled;
    const { environment, keptVariables } = plan.state;
    const set = Array.from(environment, ([name, value]) => `${name}=${value}`);
    const kept = Array.from(
      keptVariables,
      (name) => name.endsWith("*") ? name.slice(0, -1) : `${name}=`,
    );
    const parameters = parameterBytes({
      table: memoryAt,
      tableSize: compiled.program.bytes.length,
      packed: contents.add(pack(table)),
      pid: compiled.program.outputs.get(plan.main.pid)!,
      last: resultOffset(compiled.program.calls.indexOf(compiled.last)),
      uids: contents.offsets(cellsOf(compiled, UID_DIGITS)),
      gids: contents.offsets(cellsOf(compiled, GID_DIGITS)),
      texts: contents.add(pack(concat([texts, errnos]))),
      textsAt,
      errnos: textsAt + texts.length,
      kept: contents.strings(kept.filter((name) => name !== "")),
      set: contents.strings(set),
      setCount: set.length,
      program: contents.strings(program),
      programCount: program.length,
      flags: flagsOf(compiled, user),
      nulls: contents.offsets(compiled.nulls),
      copies,
      answers: contents.offsets(compiled.answers),
      streams: ownRoot ? codeAt + align(start.length) : 0,
    });
    const memory = copies + COPIES_SIZE - memoryAt;
    const data = contents.bytes;
    const executable = { architecture, note: noteText(note), parameters, code, data, memory };
    return executable satisfies Executable;
  };
  // The size of what is packed depends on the addresses in it, and they on the size.
  let executable = build(0, 0, 0);
  for (let tries = 0; tries < 8; tries++) {
    const { data, memory, code } = addressesOf(executable);
    const next = build(memory, data, code);
    const again = addressesOf(next);
    executable = next;
    if (again.data === data && again.memory === memory) break;
  }
  return writeElf(executable);
}

/** The size of what is known of the copies of streams. */
const COPIES_SIZE = 20;

function thisArchitecture(): Architecture {
  return Deno.build.arch;
}

function flagsOf({ plan, copiesMemory }: CompiledBox, user: TargetUser): number {
  const { clearsEnvironment, keptVariables, ownSession } = plan.state;
  // All variables are kept where all names are.
  const clears = clearsEnvironment && !keptVariables.has("*");
  return (clears ? FLAGS.clears : 0) | (ownSession ? FLAGS.ownSession : 0) |
    (user === "root" ? FLAGS.forRoot : 0) |
    (copiesMemory ? FLAGS.shared : 0);
}

/** Returns the table for its address, without the zeros at its end. */
function tableBytes({ program, last }: CompiledBox, address: number): Uint8Array {
  const bytes = program.bytes.slice();
  const view = new DataView(bytes.buffer);
  for (const at of program.relocations) {
    view.setBigUint64(at, BigInt(address) + view.getBigUint64(at, true), true);
  }
  // So that the code sees whether the call has been made.
  view.setBigInt64(resultOffset(program.calls.indexOf(last)), PENDING, true);
  return bytes.subarray(0, bytes.findLastIndex((byte) => byte !== 0) + 1);
}

/** Returns where the digits of an id begin in the table. */
function cellsOf({ program }: CompiledBox, digits: Slot): readonly number[] {
  return program.slots.get(digits) ?? [];
}

/** Returns the numbers and names of errnos; the last one, with the number 0, is that of others. */
function errnoBytes(): Uint8Array {
  const entries = Object.entries(ERRNO).filter(([, number]) => number < 256);
  const encoder = new TextEncoder();
  return concat([
    ...entries.map(([name, number]) =>
      concat([Uint8Array.of(number), encoder.encode(`${name}\0`)])
    ),
    encoder.encode("\0an unknown errno\0"),
  ]);
}

function align(value: number): number {
  return Math.ceil(value / 16) * 16;
}

/** The data of a box while it is written. */
class Contents {
  #parts: Uint8Array[] = [];
  #address = 0;
  #end = 0;

  begin(address: number): void {
    this.#parts = [];
    this.#address = address;
    this.#end = 0;
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    return concat(this.#parts);
  }

  /** Adds bytes, and returns their address. */
  add(bytes: Uint8Array): number {
    const at = Math.ceil(this.#end / 4) * 4;
    this.#parts.push(new Uint8Array(at - this.#end), bytes);
    this.#end = at + bytes.length;
    return this.#address + at;
  }

  /** Adds strings, each with a NUL behind it, and one more behind the last. */
  strings(strings: readonly string[]): number {
    return this.add(new TextEncoder().encode([...strings, "", ""].join("\0")));
  }

  /** Adds offsets, and 0 behind the last. */
  offsets(offsets: readonly number[]): number {
    return this.add(new Uint8Array(Uint32Array.of(...offsets, 0).buffer));
  }
}
