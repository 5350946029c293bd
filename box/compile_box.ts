/**
 * Compiles a recipe for a machine that is not here.
 *
 * @module
 */

import { type Argument, type Call, describeCall, OutputField } from "../ffi/call.ts";
import { execveat, SIGNALS } from "../ffi/calls/processes.ts";
import { INIT } from "../ffi/engine/bytes.ts";
import { assemble, Label, recordOffset, type SyscallProgram } from "../ffi/engine/program.ts";
import { ERRNO, type ErrnoName } from "../ffi/errno.ts";
import { allOf } from "../ffi/fix.ts";
import type { Architecture } from "../ffi/syscall_numbers.ts";
import { CALLER_GID, CALLER_UID, GID_DIGITS, isCallersId, UID_DIGITS } from "../host/caller_ids.ts";
import { TargetHost, type TargetUser } from "../host/target_host.ts";
import { hasTimeout } from "../launch/box_clock.ts";
import { BoxFrame } from "../launch/box_frame.ts";
import { groupIssue, PID_DIGITS } from "../launch/box_group.ts";
import { parentWorkIssue } from "../launch/box_parent.ts";
import { link } from "../launch/link.ts";
import type { LaunchRecord } from "../launch/program_writer.ts";
import type { LaunchShape } from "../launch/shape.ts";
import { cgroupFile, INIT_IMAGE } from "../launch/slots.ts";
import type { PlanBuilder } from "../plan/builder.ts";
import { planRecipe } from "../plan/plan_recipe.ts";
import { RecipeError } from "../recipe/errors.ts";
import type { Step } from "../recipe/steps.ts";

/** A recipe as a table. */
export interface CompiledBox {
  readonly plan: PlanBuilder;
  readonly program: SyscallProgram;
  /** A text for each call of the program: its step and its arguments. */
  readonly texts: readonly string[];
  /** What to do about errors of each call, as its code finds it behind the text. */
  readonly fixes: readonly string[];
  /** The last call of the launcher's walk; its result is 0 in the container. */
  readonly launchersLast: Call;
  /** The calls that look at an earlier one's answer: their offsets, and where the errno is. */
  readonly answers: readonly number[];
  /** The offsets of words that tell whether a stream is /dev/null; none where that is no matter. */
  readonly nulls: readonly number[];
  /** Whether a process of the container has memory of its own. */
  readonly copiesMemory: boolean;
  /** The first of the calls that come when all is over, if there are any. */
  readonly after: Call | undefined;
}

/** The machine that a box is for. */
export interface Target {
  readonly architecture: Architecture;
  readonly user: TargetUser;
  /** Whether the program begins in its caller's working directory, where that is in its root too. */
  readonly keepsDirectory: boolean;
}

/** The streams are the caller's, and the box finds the program itself. */
const SHAPE: LaunchShape = {
  stdio: ["inherit", "inherit", "inherit"],
  fds: [],
  paths: 0,
  cwd: false,
  uid: false,
  gid: false,
  terminal: undefined,
  cgroup: undefined,
  held: false,
  image: false,
};

/**
 * Compiles steps; makes no call.
 *
 * @throws {RecipeError} for a step that a box cannot do, or whose calls depend on the machine
 */
export function compileBox(steps: readonly Step[], target: Target): CompiledBox {
  const { architecture, user, keepsDirectory } = target;
  const plan = planRecipe(steps, { ownLauncher: true }, new TargetHost(architecture, user));
  refuseParentWork(plan);
  refuseUntied(plan, steps);
  const frame = new BoxFrame(plan, {
    image: Uint8Array.fromBase64(INIT[architecture]),
    keepsDirectory,
  });
  const shape = {
    ...SHAPE,
    cgroup: frame.group && { directory: false, files: frame.group.entries.length },
  };
  const { parts, clone } = link(plan, shape, frame);
  const bound = parts.map((part) => part instanceof Label ? part : ofBox(part, frame));
  const records = bound.flatMap((part) => part instanceof Label ? [] : [part]);
  const texts = records.map((record) => textOf(record, plan));
  const fixes = records.map((record) => fixesOf(record, plan));
  for (const record of records) refuseIds(record, plan);
  if (clone === undefined) throw new TypeError("a box makes a process");
  const program = assemble(bound, architecture);
  for (const slot of program.slots.keys()) {
    if (slot !== UID_DIGITS && slot !== GID_DIGITS && slot !== PID_DIGITS) {
      throw new TypeError(`a box does not fill the slot "${slot.text}"`);
    }
  }
  const { launchersLast, copiesMemory, after } = frame;
  const nulls = frame.nulls.flatMap((word) => program.outputs.get(word) ?? []);
  const answers = answersIn(program);
  return { plan, program, texts, fixes, launchersLast, answers, nulls, copiesMemory, after };
}

/** The bit of an errno that stands in place of the offset of one. */
const ERRNO_ITSELF = 2 ** 31;

/** Returns pairs of offsets for the calls that fail for an earlier one, which is what is to be told. */
function answersIn({ calls, outputs }: SyscallProgram): readonly number[] {
  return calls.flatMap(({ verdict, args }, index) => {
    if (verdict === undefined) return [];
    const answer = args.find((argument) => argument instanceof OutputField);
    const at = outputs.get(verdict.answer)!;
    // One that compares the answer with a value has no errno in it.
    const errno = answer === undefined ? ERRNO_ITSELF + ERRNO.EINVAL : at + answer.offset;
    return [recordOffset(index), errno];
  });
}

/** Refuses what a process outside of the container has to do, which a box has not. */
function refuseParentWork(plan: PlanBuilder): void {
  const { inheritedFds, placeholders } = plan;
  const refuse = (stepIndex: number, message: string): never => {
    throw new RecipeError(message, { step: plan.cursor.nameOf(stepIndex), stepIndex });
  };
  const unlimited = groupIssue(plan);
  if (unlimited !== undefined) refuse(plan.limits!.stepIndex, unlimited);
  const issue = parentWorkIssue(plan);
  if (issue !== undefined) refuse(issue.stepIndex, issue.message);
  const [opens, makes] = [inheritedFds[0], placeholders[0]];
  if (opens !== undefined) {
    refuse(opens.stepIndex, "the script opens files for this; run the recipe with Deno");
  }
  if (makes !== undefined) {
    refuse(makes.stepIndex, "the script makes files on the host for this; run it with Deno");
  }
}

/** Refuses a time that nobody would keep once the box is killed, or a launch that hangs would outlive. */
function refuseUntied(plan: PlanBuilder, steps: readonly Step[]): void {
  if (!hasTimeout(plan) || plan.deathSignal === SIGNALS.SIGKILL) return;
  const stepIndex = steps.findLastIndex((step) =>
    step.step === "bounds" && step.timeout !== undefined
  );
  throw new RecipeError(
    "a container that may outlive its box has none to keep its time; leave dieWithParent() out, or " +
      "build the time into the program: timeout 5m PROGRAM",
    { step: "bounds", stepIndex },
  );
}

/** Returns the record with what the box has in place of the script's: its init, its group. */
function ofBox(part: LaunchRecord, { initImage, group }: BoxFrame): LaunchRecord {
  const { args, name } = part.call;
  const entry = group?.entries.find((_, index) => args[0] === cgroupFile(index));
  if (entry !== undefined) {
    // Of the hierarchies that there may be only some are there.
    return { ...part, call: { ...part.call, args: [entry, ...args.slice(1)] }, accept: ["EBADF"] };
  }
  if (name !== "execveat" || args[0] !== INIT_IMAGE) return part;
  return { ...part, call: { ...execveat(0, "", 0, 0, 0), args: [initImage, ...args.slice(1)] } };
}

/** Refuses a call that takes an id of the caller as a number, which is known when the box runs. */
function refuseIds({ call, stepIndex }: LaunchRecord, plan: PlanBuilder): void {
  if (!call.args.some(isId)) return;
  const step = stepIndex === undefined ? undefined : plan.cursor.nameOf(stepIndex);
  throw new RecipeError(
    "the ids of the caller are known only when the box runs; name the ids",
    step === undefined ? {} : { step, stepIndex },
  );
}

function isId(argument: Argument): boolean {
  return typeof argument === "number" && isCallersId(argument);
}

function textOf({ call, stepIndex }: LaunchRecord, plan: PlanBuilder): string {
  const described = call.verdict === undefined ? describeCall(call) : call.verdict.text;
  const text = described
    .replaceAll(String(CALLER_UID), "UID").replaceAll(String(CALLER_GID), "GID");
  return stepIndex === undefined
    ? text
    : `step ${stepIndex + 1} (${plan.cursor.nameOf(stepIndex)}): ${text}`;
}

/**
 * Errnos whose fixes a box says, as they tell of the machine that it runs on. Those of all errnos
 * would make the box of a sandbox larger by a quarter.
 */
const SAID: ReadonlySet<string> = new Set(["ENOENT", "ELOOP", "EPERM"]);
/** Calls whose fixes it says all: here a machine without namespaces is found out. */
const FIRST_CALLS: ReadonlySet<string> = new Set(["clone", "unshare"]);

/** Steps whose fixes it says all too: what they cannot hold turns out when the box runs. */
const HOLDING: ReadonlySet<string> = new Set(["protect", "denyFiles"]);

/** Returns the fixes of a call that do not look at the machine: each with 1 and its errno before it. */
function fixesOf({ call, fixes, section, stepIndex }: LaunchRecord, plan: PlanBuilder): string {
  const isProtecting = stepIndex !== undefined && HOLDING.has(plan.cursor.nameOf(stepIndex));
  return Object.entries(allOf(fixes) ?? {}).flatMap(([code, fix]) =>
    typeof fix === "string" &&
      (SAID.has(code) || FIRST_CALLS.has(call.name) || section === "limits" || isProtecting)
      ? `\x01${String.fromCharCode(ERRNO[code as ErrnoName])}${fix}`
      : []
  ).join("");
}
