/**
 * The slots of a launch's program, for values that are known only at the launch.
 *
 * @module
 */

import { type ShowSlot, Slot } from "../ffi/call.ts";
import type { CgroupEntry } from "../ffi/cgroups/group.ts";
import type { Bindings } from "../ffi/engine/engine.ts";
import type { TableMemory } from "../ffi/engine/memory.ts";
import type { SyscallProgram } from "../ffi/engine/program.ts";
import { type EnvironmentStrings, inheritedStrings } from "../ffi/environment.ts";
import { invalidArgument } from "../ffi/errors.ts";
import { timespecOf } from "../ffi/timespec.ts";
import type { ExecSpec } from "./exec.ts";

/** The values of a launch that are not of its program. */
export interface LaunchGivens {
  /** How the container enters its control group, if it has one. */
  readonly cgroupEntry?: CgroupEntry | undefined;
  /** The descriptors that the container inherits from the script. */
  readonly inheritedFds?: ReadonlyMap<Slot, number> | undefined;
  /** Whether the container waits before its program to be started. */
  readonly held?: boolean;
  /** The sealed executable that executes the program, if there is one. */
  readonly sealedProgram?: number | undefined;
}

/** The values of the slots of one launch; some are left out if it is only described. */
export interface LaunchValues extends LaunchGivens {
  readonly spec: ExecSpec;
  /** The paths at which the program may be. */
  readonly paths: readonly string[];
  /** A pidfd of the script, by which a container checks whether the script still runs. */
  readonly scriptPidfd?: number | undefined;
  /** The memfd of the init's image, if the plan has an init. */
  readonly initImage?: number | undefined;
}

/** A slot with a value of {@linkcode LaunchValues}. */
class LaunchSlot extends Slot {
  constructor(
    text: string,
    /** Returns the value; data that it points to is written to the room. */
    readonly value: (values: LaunchValues, room: Room) => number | bigint | undefined,
    /** Returns the value as text, for the plan. */
    readonly show: (values: LaunchValues) => string = () => text,
    size?: 4 | 8,
  ) {
    super(text, size);
  }
}

/** The program's argv: its name, then its arguments. */
export const ARGV: Slot = new LaunchSlot(
  "argv",
  ({ spec }, room) => room.list([], argvOf(spec)),
  ({ spec }) => `[${argvOf(spec).map(quoted).join(", ")}]`,
);

function argvOf({ program, argv0, args }: ExecSpec): readonly string[] {
  return [argv0 ?? program, ...args];
}

/** The program's environment. */
export const ENVIRONMENT: Slot = new LaunchSlot(
  "envp",
  ({ spec: { environment } }, room) => {
    const { changes } = environment;
    const set = changes.size === 0
      ? []
      : Array.from(changes, ([name, value]) => `${name}=${value}`);
    return room.list(inheritedStrings(environment.inherited, changes), set);
  },
  ({ spec: { environment: { inherited, changes } } }) =>
    `[${inheritedStrings(inherited, changes).length + changes.size} variables]`,
);

/** The working directory. */
export const CWD: Slot = new LaunchSlot(
  "cwd",
  ({ spec: { cwd } }, room) => cwd === undefined ? undefined : room.string(cwd),
  ({ spec: { cwd } }) => quoted(cwd ?? ""),
);

/** The user. */
export const UID: Slot = new LaunchSlot(
  "uid",
  ({ spec }) => spec.uid,
  ({ spec }) => String(spec.uid),
);

/** The group. */
export const GID: Slot = new LaunchSlot(
  "gid",
  ({ spec }) => spec.gid,
  ({ spec }) => String(spec.gid),
);

/** The descriptors that become the standard streams. */
export const STDIO: readonly Slot[] = ["stdin", "stdout", "stderr"].map((name, index) =>
  new LaunchSlot(name, ({ spec }) => {
    const stream = spec.stdio[index];
    return typeof stream === "object" ? stream.fd : undefined;
  })
);

/** The program's side of a terminal that the script has opened. */
export const TERMINAL: Slot = new LaunchSlot(
  "terminal",
  ({ spec: { terminal } }) => terminal?.place === "script" ? terminal.fd : undefined,
);

/** The number of the descriptor by which the container sends the master of its terminal. */
export const RESERVED: Slot = new LaunchSlot(
  "reserved",
  ({ spec: { terminal } }) => terminal?.place === "container" ? terminal.reserved : undefined,
  undefined,
  4,
);

/** The size of that terminal: struct winsize. */
export const WINDOW_SIZE: Slot = new LaunchSlot("size", ({ spec: { terminal } }) => {
  if (terminal?.place !== "container") return undefined;
  const { buffer, byteOffset } = terminal.size.bytes;
  return new DataView(buffer, byteOffset).getBigUint64(0, true);
});

/** The end of the name of the socket for messages of the program's, which has eight letters. */
export const NOTIFY_NAME: Slot = new LaunchSlot(
  "name",
  ({ spec: { notify } }) =>
    notify === undefined
      ? undefined
      : new DataView(encoder.encode(notify).buffer).getBigUint64(0, true),
  ({ spec: { notify } }) => notify ?? "",
);

/** The pidfd of the script. */
export const SCRIPT_PIDFD: Slot = new LaunchSlot(
  "script",
  ({ scriptPidfd }) => scriptPidfd,
  undefined,
  4,
);

/** How long the launch may take, in seconds and the rest in nanoseconds. */
export const LIMIT_SECONDS: Slot = new LaunchSlot(
  "seconds",
  ({ spec: { timeLimit } }) => timeLimit && timespecOf(timeLimit).seconds,
);
export const LIMIT_NANOSECONDS: Slot = new LaunchSlot(
  "nanoseconds",
  ({ spec: { timeLimit } }) => timeLimit && timespecOf(timeLimit).nanoseconds,
);

/** The memfd of the init's image. */
export const INIT_IMAGE: Slot = new LaunchSlot("init", ({ initImage }) => initImage);

/** The descriptor of the executable that runs in place of the program, or executes it. */
export const IMAGE: Slot = new LaunchSlot(
  "image",
  ({ spec, sealedProgram }) => spec.image ?? sealedProgram,
);

/** The directory of the control group in which clone3(2) makes the container. */
export const CGROUP_DIRECTORY: Slot = new LaunchSlot(
  "cgroup",
  ({ cgroupEntry }) => cgroupEntry?.directory?.value,
  ({ cgroupEntry }) => cgroupEntry?.directory?.text ?? "cgroup",
);

/** Returns the slot of a path at which the program may be. */
export const programPath: (index: number) => Slot = numbered((index) =>
  new LaunchSlot(
    `path ${index + 1}`,
    ({ paths }, room) => room.string(paths[index]!),
    ({ paths }) => quoted(paths[index]!),
  )
);

/** Returns the slot of a descriptor that the program gets beside its standard streams. */
export const handedFd: (index: number) => Slot = numbered((index) =>
  new LaunchSlot(
    `handed ${index + 1}`,
    ({ spec }) => spec.fds[index]?.fd,
    ({ spec }) => `<${spec.fds[index]?.number}>`,
  )
);

/** Returns the slot of a file of a control group that the container writes to enter it. */
export const cgroupFile: (index: number) => Slot = numbered((index) =>
  new LaunchSlot(
    `cgroup ${index + 1}`,
    ({ cgroupEntry }) => cgroupEntry?.files[index]?.value,
    ({ cgroupEntry }) => cgroupEntry?.files[index]?.text ?? "cgroup",
  )
);

/** Returns a function that shows slots by their values. */
export function showValues(values: LaunchValues): ShowSlot {
  return (slot) => slot instanceof LaunchSlot ? slot.show(values) : slot.text;
}

/** Returns the bindings of a launch's slots, for the memory of its program. */
export function bindingsOf(values: LaunchValues): Bindings {
  return {
    size: roomFor(values),
    write: (program, memory) => bindSlots(program, memory, values),
  };
}

function bindSlots(program: SyscallProgram, memory: TableMemory, values: LaunchValues): void {
  const room = new Room(memory, program.bytes.length);
  for (const [slot, cells] of program.slots) {
    const value = slot instanceof LaunchSlot
      ? slot.value(values, room)
      : values.inheritedFds?.get(slot);
    if (value === undefined) throw new TypeError(`nothing fills the slot "${slot.text}"`);
    for (const at of cells) {
      if (slot.size === 4) memory.view.setInt32(at, Number(value), true);
      else room.put(at, value);
    }
  }
}

/** Returns an upper bound of the bytes that are written after the program. */
function roomFor({ spec, paths }: LaunchValues): number {
  const { program, argv0 = program, args, environment: { inherited, changes }, cwd } = spec;
  // Two lists, each aligned and with a null pointer at its end, and the strings.
  let bytes = 8 * (args.length + inherited.length + changes.size + 5) + stringSize(argv0) +
    (cwd === undefined ? 0 : stringSize(cwd));
  for (let index = 0; index < args.length; index++) bytes += stringSize(args[index]!);
  for (let index = 0; index < paths.length; index++) bytes += stringSize(paths[index]!);
  for (const [name, value] of changes) bytes += stringSize(name) + 1 + stringSize(value);
  return bytes;
}

/** Returns an upper bound: UTF-8 has at most three bytes for each UTF-16 unit. */
function stringSize(text: string): number {
  return text.length * 3 + 1;
}

const encoder = new TextEncoder();

/** The memory after a program, for data that its slots point to. */
class Room {
  readonly #memory: TableMemory;
  #end: number;

  constructor(memory: TableMemory, begin: number) {
    this.#memory = memory;
    this.#end = begin;
  }

  /** Writes a number of 64 bits. */
  put(at: number, value: number | bigint): void {
    const { view } = this.#memory;
    if (typeof value === "bigint") return view.setBigUint64(at, value, true);
    view.setUint32(at, value >>> 0, true);
    view.setInt32(at + 4, Math.floor(value / 2 ** 32), true);
  }

  /** Writes a string, and returns its address. */
  string(text: string): number {
    requireNoNul(text);
    const { bytes, address } = this.#memory;
    const at = this.#end;
    const { written } = encoder.encodeInto(text, bytes.subarray(at));
    bytes[at + written] = 0;
    this.#end = at + written + 1;
    return address + at;
  }

  /** Writes a list of pointers: known addresses, then new strings. Returns its address. */
  list(known: EnvironmentStrings, strings: readonly string[]): number {
    const list = Math.ceil(this.#end / 8) * 8;
    let at = list;
    this.#end = list + 8 * (known.length + strings.length + 1);
    for (let index = 0; index < known.length; index++, at += 8) this.put(at, known[index]!);
    for (let index = 0; index < strings.length; index++, at += 8) {
      this.put(at, this.string(strings[index]!));
    }
    this.put(at, 0);
    return this.#memory.address + list;
  }
}

/** Throws for a string that the kernel would cut. */
export function requireNoNul(text: string): void {
  if (!text.includes("\0")) return;
  const hint = "the kernel ends each string at its first NUL byte; take it out";
  throw invalidArgument("execve", `execve(${quoted(text)}, ...)`, hint);
}

function quoted(text: string): string {
  return JSON.stringify(text);
}

/** Returns a function that makes the slot of each number once. */
function numbered(make: (index: number) => Slot): (index: number) => Slot {
  const made: Slot[] = [];
  return (index) => made[index] ??= make(index);
}
