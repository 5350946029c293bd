/**
 * The end of a launch whose program lies among files that others have made: a sealed executable of the
 * engine's executes it. Where the container has a link to `/proc/self/exe` at the program's path, or
 * `#!/proc/self/exe` in it, it gets that executable, and not the script's: what loads that is the
 * container's own, and could keep it open, to write to it once the script has ended (CVE-2019-5736).
 *
 * The executable also sets the filters of system calls that deny what executes it, and no others:
 * processes of the container can trace it. What fails in it is reported as in any launch: it sends the
 * script its table, with the results.
 *
 * @module
 */

import { type Call, call, Named, pointerList } from "../ffi/call.ts";
import { F_SETFD, fcntl, FD_CLOEXEC } from "../ffi/calls/files.ts";
import { AT_EMPTY_PATH } from "../ffi/calls/mounts.ts";
import { execveat, exit_group } from "../ffi/calls/processes.ts";
import { type Bindings, engine, RunResult } from "../ffi/engine/engine.ts";
import { argumentOffset, assemble, Label, type SyscallProgram } from "../ffi/engine/program.ts";
import { inheritedStrings, stringBytes } from "../ffi/environment.ts";
import type { PlanBuilder } from "../plan/builder.ts";
import { EXIT_CHILD, type PlannedCall } from "../plan/process.ts";
import { complaint, engineImage, TABLE_ADDRESS } from "./engine_image.ts";
import type { Environment } from "./exec.ts";
import { type ExecCandidate, IMAGE_FIXES, tryExec } from "./exec_candidates.ts";
import { CHILD_EDGES, type LaunchRecord, ProgramWriter } from "./program_writer.ts";
import { bindingsOf, type LaunchValues, requireNoNul } from "./slots.ts";

/** What the executable does. */
export interface SealedLayout {
  readonly parts: readonly (LaunchRecord | Label)[];
  /** The calls that execute the program, in the order of PATH. */
  readonly candidates: readonly ExecCandidate[];
  /** The call that sends the table. */
  readonly report: Call;
}

/** The end of a launch that executes it. */
interface SealedEnd {
  readonly candidates: readonly ExecCandidate[];
  readonly executes: readonly Call[];
  readonly sealed: SealedLayout;
}

/** What it is executed with. */
interface SealedGivens {
  /** The numbers of the executable's descriptor, and of the socket by which it reports. */
  readonly image: number;
  readonly socket: Named;
  /** How many paths there are at which the program may be. */
  readonly paths: number;
  /** The calls that it makes before. */
  readonly late: readonly PlannedCall[];
  /** Returns a call that no listener is asked about, if there is a filter with one. */
  readonly marked: ((call: Call) => Call) | undefined;
}

/**
 * Returns those of the last calls of a launch that the executable makes: the filters that deny what
 * executes it, and those behind them. It has no capabilities but those that the program will have, so
 * what needs more comes before it, and filters that others have to come behind; and one with a
 * listener, which is sent to the script.
 */
export function lateCalls(
  calls: readonly PlannedCall[],
  { notifier, isFinishing, lateFilters }: PlanBuilder,
): readonly PlannedCall[] {
  if (notifier !== undefined || isFinishing) return [];
  const first = calls.findIndex(({ call }) => lateFilters.has(call));
  return first === -1 ? [] : calls.slice(first).filter(({ call }) => call.name === "seccomp");
}

/** Writes the call that executes it, and returns what it does then. */
export function executeSealed(
  writer: ProgramWriter,
  { image, socket, paths, late, marked = (call) => call }: SealedGivens,
): SealedEnd {
  const name = pointerList(["ramekin-launch"], '["ramekin-launch"]');
  const none = pointerList([], "[]");
  const started = writer.add(marked(execveat(image, "", name, none, AT_EMPTY_PATH)), {
    ...CHILD_EDGES,
    fixes: IMAGE_FIXES,
  });

  const inside = new ProgramWriter();
  inside.section = "program";
  const again = new Label("the program is this executable itself");
  // It has no such descriptor where it is executed again, as the program.
  inside.add(marked(fcntl(socket, F_SETFD, FD_CLOEXEC)), { onFailure: again });
  for (const planned of late) inside.part(planned);
  const candidates = tryExec(inside, paths, marked);
  inside.place(EXIT_CHILD);
  const table = new Named(TABLE_ADDRESS, "table");
  const report = inside.add(marked(call("write", socket, table, 0)), {
    accept: ["EPIPE", "ECONNRESET"],
  });
  inside.add(exit_group(127));
  inside.place(again);
  for (const record of complaint("the program could not be started: it is /proc/self/exe\n")) {
    inside.add(record.call, record);
  }
  inside.add(exit_group(126));
  return {
    candidates: [],
    executes: [started],
    sealed: { parts: inside.parts, candidates, report },
  };
}

/** The executable of launches of one shape, but for their values. */
export class SealedProgram {
  readonly layout: SealedLayout;
  readonly #program: SyscallProgram;

  constructor(layout: SealedLayout) {
    this.layout = layout;
    this.#program = assemble(layout.parts, engine().architecture);
    const { bytes, calls } = this.#program;
    // The length of the table is known when it is laid out.
    const length = argumentOffset(calls.indexOf(layout.report), 2);
    new DataView(bytes.buffer).setInt32(length, bytes.length, true);
  }

  /** Makes the executable for one launch: a sealed memfd. */
  image(values: LaunchValues): number {
    return engineImage("ramekin-launch", this.#program, bindingsIn(values));
  }

  /** The length of a report. */
  get length(): number {
    return this.#program.bytes.length;
  }

  /**
   * Returns the results that it has sent; `undefined` if that is no report: processes of the container
   * can trace it.
   */
  read(report: Uint8Array<ArrayBuffer>): RunResult | undefined {
    if (report.length !== this.length) return undefined;
    const result = new RunResult(this.#program, new DataView(report.buffer));
    return result.failed?.call === undefined ? undefined : result;
  }
}

/** The bindings of the executable, which has the environment in its own memory. */
function bindingsIn(values: LaunchValues): Bindings {
  const { spec } = values;
  const strings = stringsOf(spec.environment);
  const length = strings.reduce((sum, { length }) => sum + length, 0);
  const bindings = (inherited: readonly bigint[]) =>
    bindingsOf({ ...values, spec: { ...spec, environment: { inherited, changes: new Map() } } });
  return {
    size: bindings(strings.map(() => 0n)).size + length,
    write: (program, memory) => {
      let at = memory.bytes.length - length;
      const addresses = strings.map((string) => {
        memory.bytes.set(string, at);
        at += string.length;
        return BigInt(memory.address + at - string.length);
      });
      bindings(addresses).write(program, memory);
    },
  };
}

function stringsOf({ inherited, changes }: Environment): readonly Uint8Array[] {
  const set = Array.from(changes, ([name, value]) => `${name}=${value}`);
  set.forEach(requireNoNul);
  const encoder = new TextEncoder();
  return [
    ...inheritedStrings(inherited, changes).map(stringBytes),
    ...set.map((text) => encoder.encode(`${text}\0`)),
  ];
}
