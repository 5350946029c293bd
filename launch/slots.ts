/**
 * What is known only when a launch is made: the slots of its program, and what fills them.
 *
 * @module
 */

import { type ShowSlot, Slot } from "../ffi/call.ts";
import type { CgroupEntry } from "../ffi/cgroups/group.ts";
import type { Bindings } from "../ffi/engine/engine.ts";
import type { Memory } from "../ffi/engine/memory.ts";
import type { SyscallProgram } from "../ffi/engine/program.ts";
import { type EnvironmentStrings, inheritedStrings } from "../ffi/environment.ts";
import { invalidArgument } from "../ffi/errors.ts";
import type { ExecSpec } from "./exec.ts";

/** What a launch is given beside its program. */
export interface LaunchGivens {
  /** The way into the container's control group, where it has one. */
  readonly cgroupEntry?: CgroupEntry | undefined;
  /** The descriptors that the script has opened for the steps. */
  readonly inheritedFds?: ReadonlyMap<Slot, number> | undefined;
  /** Whether the container waits before the program until it is let go. */
  readonly held?: boolean;
}

/** What fills the slots of one launch; a launch that is only described does without some. */
export interface LaunchValues extends LaunchGivens {
  readonly spec: ExecSpec;
  /** The paths at which the program may be. */
  readonly paths: readonly string[];
  /** A pidfd of the script, by which a container sees whether the script is still there. */
  readonly scriptPidfd?: number | undefined;
  /** The memfd of the init's image, where the plan has an init. */
  readonly initImage?: number | undefined;
}

/** A slot that every launch fills in the same way. */
class LaunchSlot extends Slot {
  constructor(
    text: string,
    /** Its value; what it points to is written to the room. */
    readonly value: (values: LaunchValues, room: Room) => number | bigint | undefined,
    /** Shows the value. */
    readonly show: (values: LaunchValues) => string = () => text,
    size?: 4 | 8,
  ) {
    super(text, size);
  }
}

/** The program's arguments, with its own name before them. */
export const ARGV: Slot = new LaunchSlot(
  "argv",
  ({ spec: { program, args } }, room) => room.list([], [program, ...args]),
  ({ spec: { program, args } }) => `[${[program, ...args].map(quoted).join(", ")}]`,
);

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

/** The number of the descriptor under which the container sends its terminal. */
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

/** The pidfd of the script. */
export const SCRIPT_PIDFD: Slot = new LaunchSlot(
  "script",
  ({ scriptPidfd }) => scriptPidfd,
  undefined,
  4,
);

/** The memfd of the init's image. */
export const INIT_IMAGE: Slot = new LaunchSlot("init", ({ initImage }) => initImage);

/** The directory of the control group that clone3(2) makes the container in. */
export const CGROUP_DIRECTORY: Slot = new LaunchSlot(
  "cgroup",
  ({ cgroupEntry }) => cgroupEntry?.directory?.value,
  ({ cgroupEntry }) => cgroupEntry?.directory?.text ?? "cgroup",
);

/** The path of the program with this number. */
export const programPath: (index: number) => Slot = numbered((index) =>
  new LaunchSlot(
    `path ${index + 1}`,
    ({ paths }, room) => room.string(paths[index]!),
    ({ paths }) => quoted(paths[index]!),
  )
);

/** The file with this number by which the container enters a control group. */
export const cgroupFile: (index: number) => Slot = numbered((index) =>
  new LaunchSlot(
    `cgroup.procs ${index + 1}`,
    ({ cgroupEntry }) => cgroupEntry?.files[index]?.value,
    ({ cgroupEntry }) => cgroupEntry?.files[index]?.text ?? "cgroup.procs",
  )
);

/** Shows the slots of a launch by what fills them. */
export function showValues(values: LaunchValues): ShowSlot {
  return (slot) => slot instanceof LaunchSlot ? slot.show(values) : slot.text;
}

/** What fills the slots of a launch in the memory that its program runs in. */
export function bindingsOf(values: LaunchValues): Bindings {
  return {
    size: roomFor(values),
    write: (program, memory) => bindSlots(program, memory, values),
  };
}

function bindSlots(program: SyscallProgram, memory: Memory, values: LaunchValues): void {
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

/** How much is written behind the program, at most. */
function roomFor({ spec, paths }: LaunchValues): number {
  const { program, args, environment: { inherited, changes }, cwd } = spec;
  // Two lists, each with an end and aligned, and the bytes of the strings.
  let bytes = 8 * (args.length + inherited.length + changes.size + 5) + stringSize(program) +
    (cwd === undefined ? 0 : stringSize(cwd));
  for (let index = 0; index < args.length; index++) bytes += stringSize(args[index]!);
  for (let index = 0; index < paths.length; index++) bytes += stringSize(paths[index]!);
  for (const [name, value] of changes) bytes += stringSize(name) + 1 + stringSize(value);
  return bytes;
}

/** UTF-8 takes at most three bytes a UTF-16 unit. */
function stringSize(text: string): number {
  return text.length * 3 + 1;
}

const encoder = new TextEncoder();

/** The memory behind a program, where that lies which its slots point to. */
class Room {
  readonly #memory: Memory;
  #end: number;

  constructor(memory: Memory, begin: number) {
    this.#memory = memory;
    this.#end = begin;
  }

  /** Writes a number to a cell. */
  put(at: number, value: number | bigint): void {
    const { view } = this.#memory;
    if (typeof value === "bigint") return view.setBigUint64(at, value, true);
    view.setUint32(at, value >>> 0, true);
    view.setInt32(at + 4, Math.floor(value / 2 ** 32), true);
  }

  /** Writes a string, and returns its address. */
  string(text: string): number {
    if (text.includes("\0")) {
      const hint = "a NUL byte ends every string of the kernel's; take it out";
      throw invalidArgument("execve", `execve(${quoted(text)}, ...)`, hint);
    }
    const { bytes, address } = this.#memory;
    const at = this.#end;
    const { written } = encoder.encodeInto(text, bytes.subarray(at));
    bytes[at + written] = 0;
    this.#end = at + written + 1;
    return address + at;
  }

  /** Writes a list of strings, the first of which have their addresses, and returns its own. */
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

function quoted(text: string): string {
  return JSON.stringify(text);
}

/** Slots that are told apart by a number, each made once. */
function numbered(make: (index: number) => Slot): (index: number) => Slot {
  const made: Slot[] = [];
  return (index) => made[index] ??= make(index);
}
