/**
 * The engine: machine code that runs a {@linkcode SyscallProgram} in the calling thread, and the
 * memory in which programs run.
 *
 * Nothing here touches FFI until {@linkcode engine} is called for the first time.
 *
 * @module
 */

import { type Call, call, constant, describeCall, type Output } from "../call.ts";
import { PermissionError, SyscallError, UnsupportedError } from "../errors.ts";
import { type Libc, openLibc } from "./libc.ts";
import { Memory, type TableMemory } from "./memory.ts";
import { assemble, HEADER, recordIndex, resultOffset, type SyscallProgram } from "./program.ts";
import type { Architecture } from "../syscall_numbers.ts";
import { ENGINE } from "./bytes.ts";

const SYMBOLS = {
  // u32 run(table, u32 offset): the errno of the first failure, or 0
  run: { parameters: ["pointer", "u32"], result: "u32" },
  runInPool: { name: "run", parameters: ["pointer", "u32"], result: "u32", nonblocking: true },
} as const;

const MMAP_FLAGS = {
  PROT_READ: 1,
  PROT_WRITE: 2,
  MAP_SHARED: 1,
  MAP_PRIVATE: 2,
  MAP_ANONYMOUS: 0x20,
} as const;
const MFD_CLOEXEC = 1;
const ARENA_SIZE = 256 * 1024;

let loaded: Engine | undefined;

/**
 * Returns the engine of this isolate. The first call loads it.
 *
 * @throws {PermissionError} without `--allow-ffi`
 * @throws {UnsupportedError} if there is no engine for this machine
 */
export function engine(): Engine {
  return loaded ??= Engine.load();
}

/** The results of a program: of its calls, and what the kernel wrote. */
export class RunResult {
  readonly #program: SyscallProgram;
  readonly #table: DataView;

  constructor(program: SyscallProgram, table: DataView) {
    this.#program = program;
    this.#table = table;
  }

  /** The first call that failed, if one did. */
  get failed(): { readonly call: Call; readonly errno: number } | undefined {
    const errno = this.#table.getUint32(HEADER.failedWith, true);
    if (errno === 0) return undefined;
    const at = this.#table.getUint32(HEADER.failedAt, true);
    return { call: this.#program.calls[recordIndex(at)]!, errno };
  }

  /** The result of the call: a negative errno if it failed. */
  result(call: Call): bigint {
    return this.resultAt(this.#program.calls.indexOf(call));
  }

  /** The result of the call with this number. */
  resultAt(index: number): bigint {
    return this.#table.getBigInt64(resultOffset(index), true);
  }

  /** The bytes that the kernel wrote to the output. */
  output(output: Output): DataView {
    const at = this.#program.outputs.get(output);
    if (at === undefined) throw new TypeError("the output is not in the program");
    return new DataView(this.#table.buffer, this.#table.byteOffset + at, output.size);
  }

  /** A word of 32 bits that the kernel wrote to the output: without the object of {@linkcode output}. */
  word(output: Output, offset: number): number {
    return this.#table.getUint32(this.#program.outputs.get(output)! + offset, true);
  }

  /** The same in memory of its own, where nothing changes any more. */
  copy(): RunResult {
    const { buffer, byteOffset } = this.#table;
    const end = byteOffset + this.#program.bytes.length;
    return new RunResult(this.#program, new DataView(buffer.slice(byteOffset, end)));
  }
}

/** What fills the slots of a program. */
export interface Bindings {
  /** How many bytes are needed behind the program, at most. */
  readonly size: number;
  /** Fills the slots of a program that lies in this memory, with `size` bytes behind it. */
  write(program: SyscallProgram, memory: TableMemory): void;
}

/** The loaded machine code, and the memory in which its programs run. */
export class Engine {
  /** The architecture of this machine. */
  readonly architecture: Architecture;
  /** The functions of libc that are needed besides the engine. */
  readonly libc: Libc;
  readonly #symbols: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];
  // An isolate makes one call at a time, so that one arena is enough.
  #arena: Memory;

  private constructor(architecture: Architecture, libc: Libc) {
    this.architecture = architecture;
    this.libc = libc;
    this.#symbols = loadShared(libc, Uint8Array.fromBase64(ENGINE[architecture]));
    this.#arena = this.allocate(ARENA_SIZE);
  }

  /** Loads the engine into this process. */
  static load(): Engine {
    if (Deno.build.os !== "linux") {
      throw new UnsupportedError(
        `containers are made of Linux namespaces, and this is ${Deno.build.os}; run it on Linux`,
      );
    }
    const architecture = Deno.build.arch;
    if (architecture !== "x86_64" && architecture !== "aarch64") {
      throw new UnsupportedError(`the engine is made for x86_64 and aarch64, not ${architecture}`);
    }
    try {
      return new Engine(architecture, openLibc());
    } catch (error) {
      if (!(error instanceof Deno.errors.NotCapable)) throw error;
      throw new PermissionError(
        "system calls need the permission to use FFI; run it with `deno run --allow-ffi` " +
          "(without a path after it, which would not allow pointers)",
        "ffi",
        { cause: error },
      );
    }
  }

  /** Runs a program in the calling thread; what it has left behind is copied. */
  run(program: SyscallProgram, bindings?: Bindings): RunResult {
    return this.runInArena(program, bindings).copy();
  }

  /** As {@linkcode run}, but what it has left behind can be read until the next program runs. */
  runInArena(program: SyscallProgram, bindings?: Bindings): RunResult {
    const size = sizeWith(program, bindings);
    if (size > this.#arena.size) this.#growArena(size);
    const arena = this.#arena;
    place(program, arena, bindings);
    this.#symbols.run(arena.pointer, HEADER.size);
    return new RunResult(program, arena.view);
  }

  /** Runs a program in memory of its own, and returns the errno of its first failure, or 0. */
  runIn(memory: Memory): number {
    memory.view.setBigUint64(0, 0n);
    return this.#symbols.run(memory.pointer, HEADER.size);
  }

  /** As {@linkcode runIn}, on a thread of Deno's pool, where it may block. */
  runInPool(memory: Memory): Promise<number> {
    memory.view.setBigUint64(0, 0n);
    return this.#symbols.runInPool(memory.pointer, HEADER.size);
  }

  /** Allocates zeroed memory outside of V8's heap. A child without CLONE_VM shares `"shared"` memory. */
  allocate(size: number, sharing: "private" | "shared" = "private"): Memory {
    const kind = sharing === "shared" ? MMAP_FLAGS.MAP_SHARED : MMAP_FLAGS.MAP_PRIVATE;
    const map = call(
      "mmap",
      null,
      size,
      constant(MMAP_FLAGS.PROT_READ | MMAP_FLAGS.PROT_WRITE, {}),
      constant(kind | MMAP_FLAGS.MAP_ANONYMOUS, {}),
      -1,
      0,
    );
    const table = assemble([{ call: map }], this.architecture).bytes.slice();
    const errno = this.#symbols.run(Deno.UnsafePointer.of(table), HEADER.size);
    if (errno !== 0) {
      const hint = "memory is short, here or in this process's control group, or by ulimit -v";
      throw new SyscallError({ syscall: "mmap", errno, call: describeCall(map), hint });
    }
    const address = new DataView(table.buffer).getBigInt64(resultOffset(0), true);
    return new Memory(Number(address), size);
  }

  /** Frees memory, which nothing may use afterwards. */
  release(memory: Memory): void {
    const unmap = call("munmap", memory.address, memory.size);
    this.run(assemble([{ call: unmap }], this.architecture));
  }

  #growArena(size: number): void {
    const old = this.#arena;
    this.#arena = this.allocate(2 ** Math.ceil(Math.log2(size)));
    this.release(old);
  }
}

/** How much memory a program takes with what fills its slots. */
export function sizeWith(program: SyscallProgram, bindings: Bindings | undefined): number {
  return program.bytes.length + (bindings?.size ?? 0);
}

/** Copies a program into memory, relocates its offsets to addresses, and fills its slots. */
export function place(program: SyscallProgram, memory: TableMemory, bindings?: Bindings): void {
  memory.bytes.set(program.bytes);
  const { view, address } = memory;
  for (let index = 0; index < program.relocations.length; index++) {
    const at = program.relocations[index]!;
    const value = address + view.getUint32(at, true);
    view.setUint32(at, value >>> 0, true);
    view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
  }
  bindings?.write(program, memory);
}

/** Opens a shared object that exists in memory only. */
function loadShared(libc: Libc, image: Uint8Array<ArrayBuffer>) {
  const name = new TextEncoder().encode("ramekin-engine\0");
  const fd = libc.memfd_create.call(name, MFD_CLOEXEC);
  if (fd < 0) {
    throw new UnsupportedError(
      "the engine is loaded from a memfd, and memfd_create failed: this process has as many open " +
        "files as it may (ulimit -n), or a seccomp filter denies it",
    );
  }
  try {
    if (Number(libc.write.call(fd, image, BigInt(image.length))) !== image.length) {
      throw new UnsupportedError("the engine could not be written to its memfd");
    }
    return Deno.dlopen(`/proc/self/fd/${fd}`, SYMBOLS).symbols;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw new UnsupportedError(
      "the engine cannot be loaded from /proc/self/fd; Ramekin needs /proc, and executable memory " +
        "files (vm.memfd_noexec below 2)",
      { cause: error },
    );
  } finally {
    libc.close.call(fd);
  }
}
