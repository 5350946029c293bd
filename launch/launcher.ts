/**
 * Makes containers of one plan. Launches of the same shape are compiled once.
 *
 * @module
 */

import { at_fdcwd, close, O_CLOEXEC, O_RDONLY, openat } from "../ffi/calls/files.ts";
import { SIGNALS } from "../ffi/calls/processes.ts";
import type { CgroupEntry } from "../ffi/cgroups/group.ts";
import { engine } from "../ffi/engine/engine.ts";
import { assemble, type SyscallProgram } from "../ffi/engine/program.ts";
import { perEngine } from "../ffi/engine/per_engine.ts";
import { prepareLock } from "../ffi/process_lock.ts";
import { syscall } from "../ffi/syscalls.ts";
import { liveHost } from "../host/live_host.ts";
import { PlanBuilder } from "../plan/builder.ts";
import type { MountIdMap } from "../plan/parent_work.ts";
import { planRecipe } from "../plan/plan_recipe.ts";
import { mapIds } from "../recipe/steps/id_maps.ts";
import { unshare } from "../recipe/steps/unshare.ts";
import { ContainerCgroup, planContainerCgroup } from "./cgroup.ts";
import { type ExecSpec, execSpec, programPaths } from "./exec.ts";
import { ignoredSignals } from "./ignored_signals.ts";
import { closeInheritedFds, openInheritedFds } from "./inherited_fds.ts";
import { orEnded } from "./explain.ts";
import { type CompiledLaunch, Launch, type PreparedLaunch } from "./launch.ts";
import type { LaunchedProcess } from "./launched_process.ts";
import { type LaunchProgram, link } from "./link.ts";
import { Plan } from "./listing.ts";
import { Marker } from "./marker.ts";
import { namesFile } from "./names.ts";
import { Placeholders } from "./placeholders.ts";
import { initImage, scriptFacts, scriptPidfd } from "./runtime_fds.ts";
import { SealedProgram } from "./sealed_program.ts";
import { ScriptFrame } from "./script_frame.ts";
import { type LaunchShape, shapeOf } from "./shape.ts";
import type { LaunchGivens, LaunchValues } from "./slots.ts";
import type { RunningService } from "./running_service.ts";

/** Changes a program before it runs: the fault tests make its calls fail. */
export type Alteration = (program: SyscallProgram, layout: LaunchProgram) => void;

/** Makes containers of one plan. */
export class Launcher {
  readonly plan: PlanBuilder;
  /** Compiled launches, by their shapes. */
  readonly #compiled = new Map<string, CompiledLaunch>();

  constructor(plan: PlanBuilder) {
    this.plan = plan;
    ignoredSignals();
  }

  /**
   * Makes a container and starts the program in it. The program runs when this returns.
   *
   * @throws {SyscallError} with the step and the call that failed; nothing is left of the container
   * @throws {Deno.errors.NotFound} if there is no such program in the container
   */
  spawn(spec: ExecSpec, alter?: Alteration): LaunchedProcess {
    try {
      const { launch, cgroup } = this.#make(spec, false, alter);
      return startIn(launch, cgroup);
    } catch (error) {
      throw orEnded(error, this.plan);
    }
  }

  /**
   * Makes a container that waits before the program. It ends with the script, and unless it was
   * started, at the end of its `using` scope.
   *
   * @throws {SyscallError} with the step and the call that failed; nothing is left of the container
   */
  create(spec: ExecSpec, alter?: Alteration): CreatedContainer {
    const { launch, cgroup } = this.#make(spec, true, alter);
    return new CreatedContainer(launch, cgroup);
  }

  /** Compiles a launch, unless one of the same shape is known, and adds the values of its slots. */
  prepare(spec: ExecSpec, given: LaunchGivens = {}): PreparedLaunch {
    prepareLock();
    namesFile();
    const values = {
      ...given,
      spec,
      paths: programPaths(spec),
      scriptPidfd: scriptPidfd(),
      initImage: this.plan.hasInit ? initImage() : undefined,
    };
    return { compiled: this.#compile(values), values };
  }

  /** Returns the plan of a launch; nothing runs. */
  describe(spec: ExecSpec): Plan {
    const cgroup = planContainerCgroup(this.plan);
    const values = { spec, paths: programPaths(spec), cgroupEntry: cgroup?.cgroupEntry };
    return new Plan({ compiled: this.#compile(values), values }, cgroup?.calls);
  }

  /** Makes the container up to the start of its program. */
  #make(spec: ExecSpec, held: boolean, alter: Alteration | undefined): Made {
    const cgroup = ContainerCgroup.make(this.plan);
    try {
      const launch = this.#begin(spec, cgroup?.entry, held, alter);
      cgroup?.entered();
      return { launch, cgroup };
    } catch (error) {
      cgroup?.discard();
      throw error;
    }
  }

  #begin(
    spec: ExecSpec,
    cgroupEntry: CgroupEntry | undefined,
    held: boolean,
    alter: Alteration | undefined,
  ): Launch {
    const inheritedFds = openInheritedFds(this.plan, openUserNamespace);
    let sealedProgram: number | undefined;
    try {
      const { compiled, values } = this.prepare(spec, { cgroupEntry, inheritedFds, held });
      sealedProgram = compiled.sealed?.image(values);
      const prepared = { compiled, values: { ...values, sealedProgram } };
      const launch = startLaunch(alter === undefined ? prepared : altered(prepared, alter));
      try {
        launch.serve(spawnTool);
        return launch;
      } catch (error) {
        throw launch.abort(error);
      }
    } finally {
      if (sealedProgram !== undefined) syscall(close(sealedProgram));
      closeInheritedFds(inheritedFds);
    }
  }

  #compile({ spec, paths, cgroupEntry, held = false }: LaunchValues): CompiledLaunch {
    const common = shapeOf(spec, paths.length, cgroupEntry, held);
    const shape = {
      ...common,
      ...(isSealed(this.plan, spec) && { sealed: true, entersTime: entersTime(this.plan, common) }),
    };
    const key = JSON.stringify(shape);
    const known = this.#compiled.get(key);
    if (known !== undefined) return known;
    const compiled = compile(this.plan, shape);
    this.#compiled.set(key, compiled);
    return compiled;
  }
}

/** A container that waits before the start of its program. */
export class CreatedContainer implements Disposable {
  /** The container's first process, as this script sees it. */
  readonly pid: number;
  /** The services of the container that run on the host. */
  readonly services: readonly RunningService[];
  #launch: Launch | undefined;
  readonly #cgroup: ContainerCgroup | undefined;

  /** Use {@linkcode Launcher.create}. */
  constructor(launch: Launch, cgroup: ContainerCgroup | undefined) {
    this.pid = launch.pid;
    this.services = launch.services;
    this.#launch = launch;
    this.#cgroup = cgroup;
  }

  /**
   * Starts the program, which runs when this returns.
   *
   * @throws {SyscallError} if it cannot be started; nothing is left of the container
   * @throws {Deno.errors.NotFound} if there is no such program in the container
   * @throws {TypeError} if it was started or canceled before
   */
  start(): LaunchedProcess {
    const launch = this.#launch;
    if (launch === undefined) throw new TypeError("the container was started or canceled already");
    this.#launch = undefined;
    return startIn(launch, this.#cgroup);
  }

  /** Ends the container, unless it was started. */
  cancel(): void {
    this.#launch?.abort(undefined);
    if (this.#launch !== undefined) this.#cgroup?.discard();
    this.#launch = undefined;
  }

  /** Cancels it at the end of a `using` scope. */
  [Symbol.dispose](): void {
    this.cancel();
  }
}

/** A container before the start of its program, and its control group. */
interface Made {
  readonly launch: Launch;
  readonly cgroup: ContainerCgroup | undefined;
}

/** Begins a launch, with the files that the script makes for it, and its marker. */
function startLaunch(prepared: PreparedLaunch): Launch {
  const { compiled: { plan }, values: { spec } } = prepared;
  const placeholders = Placeholders.make(plan);
  try {
    return new Launch(prepared, [
      ...(placeholders === undefined ? [] : [placeholders]),
      ...(needsMarker(plan) ? [new Marker(spec.name ?? spec.program)] : []),
    ]);
  } catch (error) {
    placeholders?.end();
    throw error;
  }
}

/** Whether the container may outlive the script, and nothing else tells of it then. */
function needsMarker({ deathSignal, options }: PlanBuilder): boolean {
  return deathSignal !== SIGNALS.SIGKILL && options.recorded !== true;
}

function startIn(launch: Launch, cgroup: ContainerCgroup | undefined): LaunchedProcess {
  let launched: LaunchedProcess;
  try {
    launched = launch.finish();
  } catch (error) {
    const reason = launch.abort(error);
    cgroup?.discard();
    throw reason;
  }
  return cgroup === undefined ? launched : { ...launched, cgroup };
}

/**
 * Whether a sealed executable executes the program, as what lies at its path may be anything: among
 * files of others, or in a root of which a process may outlive the script, and write to its executable
 * then. What runs in place of the program needs no other.
 */
function isSealed({ state, deathSignal }: PlanBuilder, { image }: ExecSpec): boolean {
  if (image !== undefined) return false;
  const mayOutlive = deathSignal !== SIGNALS.SIGKILL || !state.unshared.has("pid");
  return state.entersFiles || (state.hasOwnRoot && mayOutlive);
}

/** Whether the sealed executable enters the time namespace: not as another user, who may not. */
function entersTime({ timeEntry }: PlanBuilder, { uid, gid, held }: LaunchShape): boolean {
  return timeEntry !== undefined && !uid && !gid && !held;
}

/** Compiles a launch of this shape. */
export function compile(plan: PlanBuilder, shape: LaunchShape): CompiledLaunch {
  const frame = new ScriptFrame(plan, shape, scriptFacts());
  const layout = link(plan, shape, frame);
  const program = assemble(layout.parts, engine().architecture);
  const sealed = layout.sealed && new SealedProgram(layout.sealed);
  return { plan, shape, frame, layout, program, sealed };
}

/** Returns the launch with a changed copy of its program. */
function altered({ compiled, values }: PreparedLaunch, alter: Alteration): PreparedLaunch {
  const { bytes, relocations } = compiled.program;
  const program = { ...compiled.program, bytes: bytes.slice(), relocations: [...relocations] };
  alter(program, compiled.layout);
  return { compiled: { ...compiled, program }, values };
}

/** Opens a user namespace with these id maps, which nobody is in. */
export function openUserNamespace({ uids, gids }: MountIdMap): number {
  const steps = [unshare("user"), mapIds({ uids, gids })];
  // The process in it ends once the namespace is open.
  using held = new Launcher(planRecipe(steps)).create(execSpec("/"));
  const path = `/proc/${held.pid}/ns/user`;
  return syscall(openat(at_fdcwd, path, O_RDONLY | O_CLOEXEC));
}

const launcherOfTools = perEngine(() => new Launcher(new PlanBuilder([], liveHost())));

/** Runs a program on the host, as a container without steps. */
function spawnTool(spec: ExecSpec): LaunchedProcess {
  return launcherOfTools().spawn(spec);
}
