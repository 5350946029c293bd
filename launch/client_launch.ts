/**
 * A launch that another process makes: the program lies on a memory file, which the client maps at an
 * address that is agreed on, and walks.
 *
 * @module
 */

import type { Slot } from "../ffi/call.ts";
import { close, memfd_create, MFD_CLOEXEC, write } from "../ffi/calls/files.ts";
import { engine, place, RunResult, sizeWith } from "../ffi/engine/engine.ts";
import { assemble, PENDING } from "../ffi/engine/program.ts";
import { syscall } from "../ffi/syscalls.ts";
import type { PlanBuilder } from "../plan/builder.ts";
import { ClientFrame } from "./client_frame.ts";
import type { ExecSpec } from "./exec.ts";
import { programPaths } from "./exec.ts";
import { type FailedLaunch, killedError, launchError } from "./explain.ts";
import { closeInheritedFds, openInheritedFds } from "./inherited_fds.ts";
import { openUserNamespace } from "./launcher.ts";
import { link } from "./link.ts";
import { shapeOf } from "./shape.ts";
import { bindingsOf } from "./slots.ts";

/** Where the client maps the program: as in oci/ask_x86_64.S and oci/ask_aarch64.S. */
const TABLE_ADDRESS = 0x1000_0000;

/** A launch that a client makes. */
export class ClientLaunch implements Disposable {
  /** The memory file with the program. */
  readonly table: number;
  /** How long that is. */
  readonly size: number;
  readonly #inherited: ReadonlyMap<Slot, number>;
  readonly #launch: FailedLaunch;
  readonly #program: ReturnType<typeof assemble>;

  /**
   * Lays out the program.
   *
   * @param plan one that `clientIssue()` has nothing against
   * @param spec the program, with the numbers of descriptors that the client has for them
   * @param numbers the numbers that {@linkcode ClientLaunch.inherited} will have there
   * @throws {SyscallError} with the step, if a file of it cannot be opened
   */
  constructor(plan: PlanBuilder, spec: ExecSpec, numbers: readonly number[]) {
    this.#inherited = openInheritedFds(plan, openUserNamespace);
    try {
      const paths = programPaths(spec);
      const shape = shapeOf(spec, paths.length, undefined, false);
      const layout = link(plan, shape, new ClientFrame(plan));
      this.#program = assemble(layout.parts, engine().architecture);
      const slots = [...this.#inherited.keys()];
      if (slots.length > numbers.length) throw new RangeError("too many descriptors");
      const inheritedFds = new Map(slots.map((slot, index) => [slot, numbers[index]!]));
      const values = { spec, paths, inheritedFds };
      this.#launch = { compiled: { plan, layout }, values };
      const bindings = bindingsOf(values);
      this.size = sizeWith(this.#program, bindings);
      const bytes = new Uint8Array(this.size);
      const view = new DataView(bytes.buffer);
      place(this.#program, { address: TABLE_ADDRESS, bytes, view }, bindings);
      this.table = tableOf(bytes);
    } catch (error) {
      closeInheritedFds(this.#inherited);
      throw error;
    }
  }

  /** The descriptors that the client needs beside the table and those of the program. */
  get inherited(): readonly number[] {
    return [...this.#inherited.values()];
  }

  /**
   * Returns the pid of the container that the client has made.
   *
   * @throws {SyscallError} with the step and the call that failed
   */
  pid(): number {
    const bytes = Deno.readFileSync(`/proc/self/fd/${this.table}`);
    const result = new RunResult(this.#program, new DataView(bytes.buffer));
    if (result.failed !== undefined) throw launchError(this.#launch, result);
    const { plan, layout } = this.#launch.compiled;
    // execve(2) does not return on success.
    if (!layout.executes.some((call) => result.result(call) === PENDING)) throw killedError();
    return result.output(plan.main.pid).getInt32(0, true);
  }

  /** Closes the descriptors. */
  [Symbol.dispose](): void {
    closeInheritedFds(this.#inherited);
    syscall(close(this.table));
  }
}

/** Makes a memory file with these bytes. */
function tableOf(bytes: Uint8Array<ArrayBuffer>): number {
  const fd = syscall(memfd_create("ramekin-table", MFD_CLOEXEC));
  try {
    syscall(write(fd, bytes, bytes.length));
    return fd;
  } catch (error) {
    syscall(close(fd));
    throw error;
  }
}
