/**
 * Builds a box.
 *
 * @module
 */

import { concat } from "../ffi/concat.ts";
import type { Slot } from "../ffi/call.ts";
import { recordOffset, resultOffset } from "../ffi/engine/program.ts";
import { GID_DIGITS, UID_DIGITS } from "../host/caller_ids.ts";
import { checkedSteps } from "../recipe/check.ts";
import type { Step } from "../recipe/steps.ts";
import { VERSION } from "../recipe/version.ts";
import type { TargetUser } from "../host/target_host.ts";
import { START, STREAMS } from "./bytes.ts";
import { compileBox, type CompiledBox } from "./compile_box.ts";
import { Contents } from "./contents.ts";
import { codeAddress, dataAddress, memoryAddress, writeElf } from "./elf.ts";
import { type BoxNote, noteText } from "./note.ts";
import { checkBox } from "./options.ts";
import { pack } from "./pack.ts";
import { hasTimeout } from "../launch/box_clock.ts";
import { PID_DIGITS } from "../launch/box_group.ts";
import { FLAGS, parameterBytes, type Parameters } from "./parameters.ts";
import { errnoBytes, textBytes } from "./texts.ts";

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
  readonly architecture?: "x86_64" | "aarch64";
  /**
   * Who runs the box. One for root does what needs root, and refuses others; one for users serves
   * root too.
   *
   * @default {"user"}
   */
  readonly for?: "root" | "user";
  /**
   * Where the program begins behind `pivotRoot()` and `chroot()`: in the root, or in the directory of
   * the caller, if there is one of this path.
   *
   * @default {"root"}
   */
  readonly cwd?: "root" | "caller";
}

/**
 * Returns the bytes of a static executable that makes the recipe's container and runs a program in it.
 * It needs Linux 5.12 or later, and nothing else. Its exit status is the program's: 128 plus the
 * signal's number if a signal has ended it; 127 if the program does not exist, 126 if it cannot be
 * started, 125 if the container cannot be made.
 *
 * The same recipe and options give the same bytes. Nothing of this machine gets into them: what the
 * plan of a recipe would ask it, the box finds out where it runs.
 *
 * @throws {RecipeError} for a step that only a script can do, or that depends on a machine that is
 * not known yet
 * @throws {TypeError} if an option is invalid, or the recipe is none
 *
 * @example
 * ```ts
 * import { clearEnv, hostname, mapRoot, recipe, unshare } from "@ramekin/ramekin";
 * import { buildBox } from "@ramekin/ramekin/box";
 *
 * const kitchen = recipe(unshare("user", "uts"), mapRoot(), hostname("kitchen"), clearEnv());
 * const file = buildBox(kitchen, { program: ["uname", "-n"], architecture: "aarch64" });
 * console.log(file.length); // a few kilobytes, for Deno.writeFileSync(path, file, { mode: 0o755 })
 * ```
 */
export function buildBox(
  recipe: { readonly steps: readonly Step[] },
  options: BoxOptions = {},
): Uint8Array<ArrayBuffer> {
  checkBox(recipe, options);
  const { architecture = Deno.build.arch, for: user = "user" } = options;
  const steps = checkedSteps(recipe.steps);
  const keepsDirectory = options.cwd === "caller";
  const compiled = compileBox(steps, { architecture, user, keepsDirectory });
  return boxOf(compiled, steps, options);
}

/** Returns the box of a compiled recipe: the tests change its table before. */
export function boxOf(
  compiled: CompiledBox,
  steps: readonly Step[],
  options: BoxOptions,
): Uint8Array<ArrayBuffer> {
  const { program = [], architecture = Deno.build.arch, for: user = "user" } = options;
  const keepsDirectory = options.cwd === "caller";
  const note = noteText({
    recipe: { steps },
    program,
    architecture,
    for: user,
    ...(keepsDirectory && { cwd: "caller" }),
    version: VERSION,
  });
  const start = Uint8Array.fromBase64(START[architecture]);
  const ownRoot = compiled.plan.state.hasOwnRoot;
  const streams = Uint8Array.fromBase64(ownRoot ? STREAMS[architecture] : "");
  const code = concat([start, new Uint8Array(aligned(start.length) - start.length), streams]);
  const texts = textsOf(compiled, user, program);
  const size = unpackedSize(compiled, texts);
  const memory = layOutMemory(compiled, texts, memoryAddress(note, code, size));
  const contents = new Contents(dataAddress(note));
  const given = fill(contents, compiled, memory, texts, program);
  const flags = flagsOf(compiled, user);
  const data = contents.bytes;
  const codeAt = codeAddress(note, data.length);
  const streamsAt = ownRoot ? codeAt + aligned(start.length) : 0;
  const parameters = parameterBytes({ ...given, flags, streams: streamsAt });
  return writeElf({ architecture, note, parameters, code, data, memory });
}

/**
 * Whether a file is the box that this version of Ramekin builds of a note. If it is not, the file
 * may do something else than the recipe in its note says.
 *
 * @throws {RecipeError} if a step of the note is none
 * @throws {TypeError} if the note is not one of a box
 *
 * @example
 * ```ts
 * import { recipe, umask } from "@ramekin/ramekin";
 * import { buildBox, isBoxOf, readBoxNote } from "@ramekin/ramekin/box";
 *
 * const file = buildBox(recipe(umask(0o77)));
 * const note = readBoxNote(file)!;
 * console.log(isBoxOf(file, note)); // true
 * file[2000]! ^= 1;
 * console.log(isBoxOf(file, note)); // false
 * ```
 */
export function isBoxOf(file: Uint8Array, note: BoxNote): boolean {
  const { recipe, program, architecture, for: user, cwd = "root" } = note;
  const built = buildBox(recipe, { program, architecture, for: user, cwd });
  return built.length === file.length && built.every((byte, at) => byte === file[at]);
}

/** Where the parts of the memory of a box lie. */
interface MemoryLayout {
  readonly address: number;
  readonly table: number;
  readonly texts: number;
  readonly errnos: number;
  readonly copies: number;
  readonly size: number;
}

function layOutMemory(
  { program }: CompiledBox,
  texts: Uint8Array,
  address: number,
): MemoryLayout {
  const textsAt = address + aligned(program.bytes.length);
  const errnos = textsAt + texts.length;
  const copies = aligned(errnos + errnoBytes().length);
  const size = copies + COPIES_SIZE - address;
  return { address, table: address, texts: textsAt, errnos, copies, size };
}

function textsOf(compiled: CompiledBox, user: TargetUser, program: readonly string[]): Uint8Array {
  const { texts, fixes, plan, copiesMemory } = compiled;
  return textBytes(texts.map((text, index) => text + fixes[index]!), {
    forRoot: user === "root",
    hasProgram: program.length > 0,
    copiesMemory,
    copiesStreams: plan.state.hasOwnRoot,
    isTimed: hasTimeout(plan),
  });
}

/** The size of what is known of the copies of streams, and of the program's time. */
const COPIES_SIZE = 24;

/** Returns what the packed parts take at most, and all that is beside them. */
function unpackedSize({ program, plan }: CompiledBox, texts: Uint8Array): number {
  const { environment, keptVariables } = plan.state;
  const strings = [...environment, ...keptVariables].join("").length * 3;
  return 2 * (program.bytes.length + texts.length + strings) + errnoBytes().length;
}

/** Writes the data of a box, and returns where it is. */
function fill(
  contents: Contents,
  compiled: CompiledBox,
  memory: MemoryLayout,
  texts: Uint8Array,
  program: readonly string[],
): Omit<Parameters, "flags" | "streams"> {
  const { plan } = compiled;
  const { calls, outputs, bytes, slots } = compiled.program;
  const { environment, keptVariables } = plan.state;
  const set = Array.from(environment, ([name, value]) => `${name}=${value}`);
  const digits = (slot: Slot) => contents.numbers(slots.get(slot) ?? []);
  return {
    table: memory.table,
    tableSize: bytes.length,
    packed: contents.add(pack(tableBytes(compiled, memory.table))),
    pid: outputs.get(plan.main.pid)!,
    mine: resultOffset(calls.indexOf(compiled.launchersLast)),
    uids: digits(UID_DIGITS),
    gids: digits(GID_DIGITS),
    texts: contents.add(pack(concat([texts, errnoBytes()]))),
    textsAt: memory.texts,
    errnos: memory.errnos,
    kept: contents.strings(Array.from(keptVariables, beginningOf).filter((text) => text !== "")),
    set: contents.strings(set),
    setCount: set.length,
    program: contents.strings(program),
    programCount: program.length,
    nulls: contents.numbers(compiled.nulls),
    copies: memory.copies,
    answers: contents.numbers(compiled.answers),
    pids: digits(PID_DIGITS),
    after: compiled.after === undefined ? 0 : recordOffset(calls.indexOf(compiled.after)),
  };
}

/** Returns how variables begin that are kept: `HOME=`, or `AWS_`. */
function beginningOf(pattern: string): string {
  return pattern.endsWith("*") ? pattern.slice(0, -1) : `${pattern}=`;
}

function flagsOf({ plan, copiesMemory }: CompiledBox, user: "root" | "user"): number {
  const { clearsEnvironment, keptVariables, ownSession } = plan.state;
  // All variables are kept where all names are.
  const clears = clearsEnvironment && !keptVariables.has("*");
  return (clears ? FLAGS.clears : 0) | (ownSession ? FLAGS.ownSession : 0) |
    (user === "root" ? FLAGS.forRoot : 0) | (copiesMemory ? FLAGS.shared : 0);
}

/** Returns the table for its address, without the zeros at its end. */
function tableBytes({ program }: CompiledBox, address: number): Uint8Array {
  const bytes = program.bytes.slice();
  const view = new DataView(bytes.buffer);
  for (const at of program.relocations) {
    view.setBigUint64(at, BigInt(address) + view.getBigUint64(at, true), true);
  }
  return bytes.subarray(0, bytes.findLastIndex((byte) => byte !== 0) + 1);
}

function aligned(value: number): number {
  return Math.ceil(value / 16) * 16;
}
