/**
 * Makes every system call of a launch fail, one at a time, and checks the results. It does not
 * return to the event loop, so that nothing else changes in between.
 */

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import type { Call } from "../../ffi/call.ts";
import { ResultOf } from "../../ffi/call.ts";
import { at_fdcwd, close, O_CLOEXEC, O_RDONLY, openat2 } from "../../ffi/calls/files.ts";
import { AT_EMPTY_PATH } from "../../ffi/calls/mounts.ts";
import { statx, STATX_SIZE, statxOutput } from "../../ffi/calls/statx.ts";
import { Engine, engine } from "../../ffi/engine/engine.ts";
import { ERRNO, type ErrnoName } from "../../ffi/errno.ts";
import { syscall } from "../../ffi/syscalls.ts";
import { argumentOffset, recordOffset, type SyscallProgram } from "../../ffi/engine/program.ts";
import { syscallNumber } from "../../ffi/syscall_numbers.ts";
import {
  type CommandOptions,
  type Recipe,
  type Step,
  SyscallError,
  UnsupportedError,
} from "../../mod.ts";
import type { PlanBuilder } from "../../plan/builder.ts";
import { PermissionSet } from "../../permissions/permission_set.ts";
import { type Alteration, Launcher } from "../../launch/launcher.ts";
import { newNotifyName } from "../../launch/notify_socket.ts";
import { type LaunchProgram, recordOf } from "../../launch/link.ts";
import { type ExecSpec, execSpec } from "../../launch/exec.ts";
import { visit } from "../../launch/visit.ts";
import type { Section } from "../../launch/program_writer.ts";
import { planRecipe } from "../../plan/plan_recipe.ts";
import { endSync } from "../../launch/collect.ts";
import { ProgramTerminal } from "../../container/terminal/terminal.ts";
import { leftNow, rest, takeInventory } from "../leftovers.ts";
import { note } from "./results.ts";
import { proof, seed } from "./support.ts";

/** Calls that fail with each errno, on any kernel and for any user. */
const FAULTS = [
  { errno: "ENOSYS", call: undefined, args: [] },
  { errno: "EBADF", call: "close", args: [-1n] },
  // The flag does not exist.
  { errno: "EINVAL", call: "eventfd2", args: [0n, -1n] },
  // The address is not mapped.
  { errno: "EFAULT", call: "chdir", args: [1n] },
  // There is no shared memory with this key.
  { errno: "ENOENT", call: "shmget", args: [0x0bad5eedn, 1n, 0n] },
  // No pid is as large.
  { errno: "ESRCH", call: "kill", args: [0x7fff_ffffn, 0n] },
  // The mapping is larger than the address space.
  { errno: "ENOMEM", call: "mmap", args: [0n, 1n << 62n, 0n, 0x22n, -1n, 0n] },
] as const satisfies readonly {
  errno: ErrnoName;
  call: Call["name"] | undefined;
  args: readonly bigint[];
}[];

type Fault = typeof FAULTS[number];

const NO_SUCH_CALL = 0x3fff;

const NUMBER = 0, REFERENCES = 4, MOST_ARGUMENTS = 6;

/** The results of the faults of a plan. */
export interface Tally {
  /** The number of calls of the plan. */
  readonly records: number;
  /** The number of faults: calls that were made to fail, for each way. */
  readonly faults: number;
  /** The number of faults that have ended the launch; the launch accepts the others. */
  readonly errors: number;
  /** What all of them have left. */
  readonly leaks: readonly string[];
}

/** Replaces a call of a program by one that fails. */
function breakCall(program: SyscallProgram, index: number, { call, args }: Fault): void {
  const view = new DataView(program.bytes.buffer, program.bytes.byteOffset);
  const record = recordOffset(index);
  const number = call === undefined ? NO_SUCH_CALL : syscallNumber(call, engine().architecture);
  view.setInt32(record + NUMBER, number, true);
  view.setInt32(record + REFERENCES, 0, true);
  for (let i = 0; i < MOST_ARGUMENTS; i++) {
    view.setBigInt64(argumentOffset(index, i), args[i] ?? 0n, true);
  }
  // The relocations of the old arguments are removed.
  const [first, end] = [argumentOffset(index, 0), argumentOffset(index, MOST_ARGUMENTS)];
  const relocations = program.relocations as number[];
  for (let i = relocations.length - 1; i >= 0; i--) {
    if (relocations[i]! >= first && relocations[i]! < end) relocations.splice(i, 1);
  }
}

/**
 * Whether no test can break the call: a child must not return to JavaScript, the script must not go
 * on with blocked signals or undumpable memory, and close(2) closes even if it fails.
 */
function isNeeded({ name }: Call, section: Section | undefined): boolean {
  return name === "exit_group" || section === "failure" || section === "restore";
}

/** Each call of a longer plan is made to fail in one way only. */
const LONG = 300;

/** Returns the ways in which a call is made to fail: in the suite one, another for each call. */
function faultsOf(index: number, count: number, { isAudited }: Repeated): readonly Fault[] {
  // What names a path, or is denied, waits for the observer of an audit, which comes after a launch.
  const observed = ({ call }: Fault) => call === undefined || call === "chdir";
  const faults = isAudited === true ? FAULTS.filter((fault) => !observed(fault)) : FAULTS;
  return proof && count <= LONG ? faults : [faults[(index + seed) % faults.length]!];
}

/** Returns the calls that are tried: in the suite about a hundred, others each time. */
function isTried(index: number, count: number): boolean {
  return proof || (index + seed) % Math.ceil(count / 100) === 0;
}

/** The options of the command, and whether it waits to be started. */
export interface Launched extends CommandOptions {
  readonly held?: true;
}

/** Something that the script does with a process of a container, broken or not. */
interface Repeated {
  /** Whether calls of the container wait for an observer. */
  readonly isAudited?: boolean;
  /** Returns the name of a step. */
  nameOf(step: number): string;
  /** Does it; returns the error, if there is one. */
  error(alter?: Alteration, begun?: () => void): unknown;
}

/** A look into a container that can be repeated: a file is opened and looked at. */
class Visiting implements Repeated {
  readonly #plan: PlanBuilder;
  readonly #steps: readonly Step[];

  constructor(steps: readonly Step[]) {
    this.#steps = steps;
    this.#plan = planRecipe(steps);
  }

  nameOf(step: number): string {
    return this.#steps[step]!.step;
  }

  error(alter?: Alteration, begun?: () => void): unknown {
    const how = { flags: O_RDONLY | O_CLOEXEC };
    const opened = openat2(at_fdcwd, "/etc/passwd", how);
    const missing = openat2(at_fdcwd, "/etc/nonesuch", how);
    try {
      const { fds } = visit(this.#plan, [
        { call: opened, sends: true },
        { call: statx(new ResultOf(opened, "fd"), "", AT_EMPTY_PATH, STATX_SIZE, statxOutput()) },
        { call: missing, accept: ["ENOENT"] },
      ], alter === undefined ? {} : { alter });
      begun?.();
      for (const fd of fds.values()) syscall(close(fd));
      return undefined;
    } catch (error) {
      return error;
    }
  }
}

/** A launch that can be repeated, broken or not. */
class Launching implements Repeated {
  readonly plan: PlanBuilder;
  readonly isAudited: boolean;
  readonly #launcher: Launcher;
  readonly #box: Recipe;
  readonly #program: string;
  readonly #options: Launched;

  constructor(box: Recipe, program: string, options: Launched) {
    const { permissions, audit } = options;
    this.plan = planRecipe(box.steps, {
      ...(permissions && { network: new PermissionSet(permissions).network }),
      audit: audit === true || undefined,
    });
    this.#launcher = new Launcher(this.plan);
    this.#box = box;
    this.#program = program;
    this.#options = options;
    this.isAudited = audit === true;
  }

  /** Returns the name of a step. */
  nameOf(step: number): string {
    return this.#box.steps[step]!.step;
  }

  /** Starts the program and ends it at once; returns the error, if there is one. */
  error(alter?: Alteration, begun?: () => void): unknown {
    for (let attempt = 0;; attempt++) {
      const error = this.#error(alter, begun);
      // The kernel deletes the interfaces of the previous launch with a delay.
      const isThere = error instanceof SyscallError && error.code === "EEXIST";
      if (!isThere || attempt === 100) return error;
      rest();
    }
  }

  #error(alter?: Alteration, begun?: () => void): unknown {
    let terminal: ProgramTerminal | undefined;
    try {
      if (this.#options.terminal === true) {
        terminal = new ProgramTerminal(this.plan.state.terminals !== undefined);
      }
      const spec = this.#spec(terminal);
      const launched = this.#options.held === true
        ? this.#launcher.create(spec, alter).start()
        : this.#launcher.spawn(spec, alter);
      begun?.();
      for (
        const fd of [launched.listener, launched.notifier, launched.terminal, launched.notifySocket]
      ) {
        if (fd !== undefined) syscall(close(fd));
      }
      endSync(launched);
      return undefined;
    } catch (error) {
      return error;
    } finally {
      terminal?.close();
    }
  }

  #spec(terminal: ProgramTerminal | undefined): ExecSpec {
    const { cwd, uid, gid, timeout, notify } = this.#options;
    return execSpec(this.#program, {
      searchPath: "/nonesuch:/usr/bin:/bin",
      cwd: cwd === undefined ? undefined : String(cwd),
      uid,
      gid,
      stdio: terminal === undefined ? ["null", "null", "null"] : [],
      terminal: terminal?.theirs,
      notify: notify && newNotifyName(),
      timeLimit: typeof timeout === "number" ? timeout : undefined,
    });
  }
}

/**
 * Breaks every call of a recipe's launch, those of the script included. Each error is typed and
 * names the call and the step.
 *
 * @throws {UnsupportedError} if this machine lacks something that the recipe needs
 */
export function breakEverything(
  box: Recipe,
  program = "true",
  options: Launched = {},
): Tally {
  return breakRepeated(new Launching(box, program, options));
}

function breakRepeated(repeated: Repeated): Tally {
  // The first launch opens descriptors that all launches use.
  const first = repeated.error();
  if (first !== undefined) throw first;
  const before = takeInventory();
  const own = breakProgram(repeated);
  const scripts = breakScript(repeated);
  return {
    records: own.records + scripts.records,
    faults: own.faults + scripts.faults,
    errors: own.errors + scripts.errors,
    leaks: leftNow(before),
  };
}

/** Runs {@linkcode breakEverything}, checks that nothing is left, and adds a row to the table. */
export function breakAndNote(name: string, box: Recipe, options?: Launched): Tally {
  return checkAndNote(name, breakEverything(box, "true", options));
}

/** The same for looks into a container: of the steps by which the script enters it. */
export function breakVisitAndNote(name: string, steps: readonly Step[]): Tally {
  return checkAndNote(name, breakRepeated(new Visiting(steps)));
}

function checkAndNote(name: string, tally: Tally): Tally {
  const { leaks, ...figures } = tally;
  note("faults", name, { plans: 1, ...figures, leaks: leaks.length });
  assertEquals(leaks, [], `left behind, SEED=${seed}`);
  return tally;
}

/** Breaks every call of the program that makes the container. */
function breakProgram(launching: Repeated): Omit<Tally, "leaks"> {
  let layout: LaunchProgram | undefined;
  let program: SyscallProgram | undefined;
  launching.error((built, laidOut) => [program, layout] = [built, laidOut]);
  const { calls } = program!;
  let faults = 0, errors = 0;
  for (const [index, call] of calls.entries()) {
    // The same call resets 62 signals; one of them is broken.
    if (call.name === "rt_sigaction" && calls[index - 1]?.name === "rt_sigaction") continue;
    if (!isTried(index, calls.length)) continue;
    if (isNeeded(call, recordOf(call, layout!).section)) continue;
    for (const fault of faultsOf(index, calls.length, launching)) {
      faults++;
      let step: number | undefined;
      const error = launching.error((built, laidOut) => {
        step = recordOf(built.calls[index]!, laidOut).stepIndex;
        breakCall(built, index, fault);
      });
      if (error === undefined) continue;
      errors++;
      const where = `call ${index}, ${call.name}, made to fail with ${fault.errno}, SEED=${seed}`;
      const isMissing = error instanceof Deno.errors.NotFound;
      if (isMissing && call.name === "execve") continue;
      // A call that is skipped if a file is missing may be missed by a later one.
      if (accepts(layout!, call, fault.errno)) {
        assert(isMissing || error instanceof SyscallError, `${where}: ${error}`);
        continue;
      }
      assertInstanceOf(error, SyscallError, `${where}: ${error}`);
      assertEquals(error.errno, ERRNO[fault.errno], `${where}: ${error.message}`);
      assertEquals(error.syscall, call.name, `${where}: ${error.message}`);
      if (step !== undefined) assertEquals(error.step, launching.nameOf(step), where);
    }
  }
  return { records: calls.length, faults, errors };
}

/** Whether the launch accepts the errno of the call. */
function accepts(layout: LaunchProgram, call: Call, errno: ErrnoName): boolean {
  return recordOf(call, layout).accept?.includes(errno) ?? false;
}

/**
 * Calls that clean up, which leave something if they fail; and calls of tools that the script
 * launches, which no test can break: see {@linkcode isNeeded}.
 */
const UNDOING: ReadonlySet<Call["name"]> = new Set([
  "close",
  "exit_group",
  "fcntl",
  "kill",
  "munmap",
  "pidfd_send_signal",
  "ppoll",
  "prctl",
  "rt_sigprocmask",
  "unlinkat",
  "waitid",
]);

/** Breaks every other call that the script makes up to the start of the program. */
function breakScript(launching: Repeated): Omit<Tally, "leaks"> {
  const programs = observe(launching, undefined).map(({ calls }) => calls);
  let records = 0, faults = 0, errors = 0;
  for (const [number, calls] of programs.entries()) {
    records += calls.length;
    for (const [index, call] of calls.entries()) {
      if (!isTried(number + index, programs.length)) continue;
      if (UNDOING.has(call.name)) continue;
      for (const fault of faultsOf(number + index, programs.length, launching)) {
        faults++;
        let error: unknown;
        observe(launching, (program, at) => {
          if (at === number && program.calls[index]?.name === call.name) {
            breakCall(program, index, fault);
          }
        }, (thrown) => error = thrown);
        if (error === undefined) continue;
        errors++;
        const where =
          `the script's call ${call.name}, made to fail with ${fault.errno}, SEED=${seed}`;
        assert(
          error instanceof SyscallError || error instanceof UnsupportedError,
          `${where}: ${error}`,
        );
      }
    }
  }
  return { records, faults, errors };
}

/** Launches, and passes on each other program of calls that the script runs. */
function observe(
  launching: Repeated,
  alter: ((program: SyscallProgram, number: number) => void) | undefined,
  failed?: (error: unknown) => void,
): readonly SyscallProgram[] {
  const programs: SyscallProgram[] = [];
  const { runInArena } = Engine.prototype;
  let containers: SyscallProgram | undefined;
  let over = false;
  Engine.prototype.runInArena = function (program, bindings) {
    if (program === containers || over) return runInArena.call(this, program, bindings);
    // A launch that is compiled once must not stay broken.
    const { bytes, relocations } = program;
    const own = { ...program, bytes: bytes.slice(), relocations: [...relocations] };
    alter?.(own, programs.length);
    programs.push(own);
    return runInArena.call(this, own, bindings);
  };
  try {
    const error = launching.error((program) => containers = program, () => over = true);
    if (error !== undefined) failed?.(error);
  } finally {
    Engine.prototype.runInArena = runInArena;
  }
  return programs;
}
