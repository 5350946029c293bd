/**
 * Where the time of one launch goes: the table that the engine walks, with a look at the clock
 * behind every call.
 *
 * @module
 */

import { type Call, call, constant, describeCall, Output, type ShowSlot } from "../ffi/call.ts";
import { close } from "../ffi/calls/files.ts";
import { P_PIDFD, siginfoOutput, waitid, WEXITED } from "../ffi/calls/processes.ts";
import { engine, type RunResult } from "../ffi/engine/engine.ts";
import { syscall, syscalls } from "../ffi/syscalls.ts";
import { assemble, type Label, type ProgramRecord } from "../ffi/engine/program.ts";
import { hostname, mapRoot, proc, type Recipe, recipe, unshare } from "../mod.ts";
import type { PlanBuilder } from "../plan/builder.ts";
import { execSpec } from "../launch/exec.ts";
import { Launcher } from "../launch/launcher.ts";
import { type LaunchProgram, recordOf } from "../launch/link.ts";
import { bindingsOf, showValues } from "../launch/slots.ts";
import { planRecipe } from "../plan/plan_recipe.ts";
import { alone } from "./alone.ts";
import { bars, type Emphasis } from "./plots.ts";
import type { Report } from "./report.ts";
import { median } from "./rounds.ts";

const LAUNCHES = 500;
const PROGRAM = "/bin/true";
/** How much of a call is shown. */
const WIDTH = 50;
/** Calls that take less are told together. */
const SHORT_NS = 2000;

const box = recipe(
  unshare("user", "mount", "pid", "uts", "ipc", "net", "cgroup"),
  mapRoot(),
  proc(),
  hostname("box"),
);

/** A part of a launch. */
interface Part {
  readonly what: string;
  readonly whose: string;
  readonly emphasis: Emphasis;
  readonly nanoseconds: number;
}

/** Measures. */
export function trace(): Promise<Report> {
  const { parts, total } = measure(box);
  const known = parts.reduce((sum, { nanoseconds }) => sum + nanoseconds, 0);
  const rest = {
    what: "before, between and behind the calls",
    whose: "TypeScript",
    emphasis: "accent",
    nanoseconds: Math.max(0, total - known),
  } as const;
  const told = [...longOnes(parts), rest];
  const share = (nanoseconds: number) => `${(nanoseconds / total * 100).toFixed(1)} %`;
  const microseconds = (nanoseconds: number) => (nanoseconds / 1000).toFixed(1);
  const title = `One launch of ${PROGRAM} in seven namespaces, ${microseconds(total)} µs`;
  return Promise.resolve({
    title: "Where the time of one launch goes",
    about: [
      `medians of ${LAUNCHES} launches by outputSync(), of a command that is kept: user, mount, ` +
      "pid, uts, ipc, net and cgroup namespaces, the maps, /proc and a hostname",
      "each call's time is from the call before to its own end, by clock_gettime(2) in the table; " +
      `a look at the clock takes ${lookTime()} ns, which is in each of them`,
      "execve(2) lasts until the script's thread goes on",
      `calls below ${SHORT_NS / 1000} µs are told together`,
    ],
    tables: [{
      title,
      heading: ["call", "of", "µs", "share"],
      rows: told.map(({ what, whose, nanoseconds }) => [
        `\`${what}\``,
        whose,
        microseconds(nanoseconds),
        share(nanoseconds),
      ]),
    }],
    plots: [{
      name: "one_launch",
      about: "Where the time of one launch goes, call by call",
      svg: bars(
        title,
        "Where the time of one launch goes, call by call",
        told.map(({ what, emphasis, nanoseconds }) => ({
          name: what,
          value: nanoseconds,
          label: `${microseconds(nanoseconds)} µs`,
          emphasis,
        })),
      ),
    }],
  });
}

/** The medians of a launch as its user sees it, and of its parts, by launches that take turns. */
function measure(recipe: Recipe): { readonly parts: readonly Part[]; readonly total: number } {
  const command = recipe.command(PROGRAM, { stdout: "null", stderr: "null" });
  const plan = planRecipe(recipe.steps);
  const { compiled: { frame, layout }, values } = new Launcher(plan).prepare(execSpec(PROGRAM));
  const clocked = withClocks(layout.parts);
  const program = assemble(clocked.parts, engine().architecture);
  const bindings = bindingsOf(values);
  const launches = repeat(() => {
    const begin = performance.now();
    command.outputSync();
    const total = (performance.now() - begin) * 1e6;
    const outcome = engine().run(program, bindings);
    const pidfd = Number(outcome.result(frame.pidfd!));
    const waits = waitid(P_PIDFD, pidfd, siginfoOutput(), WEXITED);
    const end = clockAfter(waits);
    const ended = syscalls([{ call: waits }, end]);
    syscall(close(pidfd));
    return { total, spans: spansOf([...looks(outcome, clocked.clocks), ...looks(ended, [end])]) };
  });
  return {
    total: median(launches.map(({ total }) => total)),
    parts: launches[0]!.spans.map(({ after }, index): Part => ({
      ...describe(after, plan, layout, showValues(values)),
      nanoseconds: median(launches.map(({ spans }) => spans[index]!.nanoseconds)),
    })),
  };
}

/** A look at the clock. */
interface Clock extends ProgramRecord {
  readonly output: Output;
  /** What it comes behind. */
  readonly after: Call | Label | undefined;
}

function clockAfter(after: Call | Label | undefined): Clock {
  const output = new Output(16, "&time");
  const monotonic = constant(1, { CLOCK_MONOTONIC: 1 });
  return { call: call("clock_gettime", monotonic, output), output, after };
}

/** What a look at the clock itself takes, in nanoseconds. */
function lookTime(): number {
  return median(repeat(() => {
    const clocks = [clockAfter(undefined), clockAfter(undefined)];
    const outcome = syscalls(clocks);
    return spansOf(looks(outcome, clocks))[0]!.nanoseconds;
  }));
}

/** The same with a look at the clock at the beginning, and behind every part. */
function withClocks(parts: readonly (ProgramRecord | Label)[]) {
  const clocks = [clockAfter(undefined)];
  const all: (ProgramRecord | Label)[] = [clocks[0]!];
  for (const part of parts) {
    const clock = clockAfter("call" in part ? part.call : part);
    clocks.push(clock);
    all.push(part, clock);
  }
  return { parts: all, clocks };
}

/** What the clock has shown. */
interface Look {
  readonly time: number;
  readonly after: Clock["after"];
}

/** A time between two looks at the clock. */
interface Span {
  readonly after: Clock["after"];
  readonly nanoseconds: number;
}

/** The times between looks at the clock. */
function spansOf(looks: readonly Look[]): readonly Span[] {
  return looks.slice(1).map(({ time, after }, index) => ({
    after,
    nanoseconds: time - looks[index]!.time,
  }));
}

/** What the clock has shown, in the order of time; where nobody came by, there was no look. */
function looks(outcome: RunResult, clocks: readonly Clock[]): readonly Look[] {
  return clocks.map(({ output, after }) => ({ time: timeOf(outcome, output), after }))
    .filter(({ time }) => time > 0)
    .sort((one, other) => one.time - other.time);
}

function timeOf(outcome: RunResult, output: Output): number {
  const view = outcome.output(output);
  return view.getInt32(0, true) * 1e9 + view.getInt32(8, true);
}

/** What a time is spent on that ends there. */
function describe(
  after: Clock["after"],
  plan: PlanBuilder,
  layout: LaunchProgram,
  show: ShowSlot,
): Omit<Part, "nanoseconds"> {
  if (after === undefined || !("name" in after)) {
    return { what: shortened(describeCall(layout.clone, show)), whose: "clone", emphasis: "warm" };
  }
  if (after.name === "waitid") {
    return { what: `${PROGRAM}, until waitid(2) has it`, whose: "program", emphasis: "" };
  }
  if (after === layout.clone) {
    const { execve } = layout.candidates.at(-1)!;
    return { what: shortened(describeCall(execve, show)), whose: "program", emphasis: "" };
  }
  const { stepIndex, section = "" } = recordOf(after, layout);
  return {
    what: shortened(describeCall(after, show)),
    whose: stepIndex === undefined ? section : plan.cursor.nameOf(stepIndex),
    emphasis: "warm",
  };
}

function shortened(words: string): string {
  return words.length <= WIDTH ? words : `${words.slice(0, WIDTH - 1)}…`;
}

/** The parts that take long, and the others as one. */
function longOnes(parts: readonly Part[]): readonly Part[] {
  const short = parts.filter(({ nanoseconds }) => nanoseconds < SHORT_NS);
  const nanoseconds = short.reduce((sum, part) => sum + part.nanoseconds, 0);
  return [
    ...parts.filter((part) => !short.includes(part)),
    {
      what: `${short.length} calls below ${SHORT_NS / 1000} µs`,
      whose: "all",
      emphasis: "warm",
      nanoseconds,
    },
  ];
}

function repeat<T>(measure: () => T): T[] {
  for (let i = 0; i < LAUNCHES / 5; i++) measure();
  return Array.from({ length: LAUNCHES }, measure);
}

if (import.meta.main) await alone(trace);
