/**
 * Runs a command for what it writes: to where its output goes, or for the script to read.
 *
 * @module
 */

import type { OutputTarget } from "../container/stdio_options.ts";
import { concat } from "../ffi/concat.ts";
import { linesOf } from "./lines.ts";
import type { Pipeline, Target } from "./pipeline.ts";
import { type Outcome, outputTarget, Run } from "./run.ts";
import { Sinks } from "./sink.ts";

/** Runs a command, whose output goes where it is sent, or to the script's stdout. */
export async function runShown(pipeline: Pipeline): Promise<Outcome> {
  const { output, tees, programs } = pipeline;
  const isQuiet = programs.at(-1)!.quiet;
  if (tees.length === 0) {
    const target = output === undefined ? (isQuiet ? "null" : "inherit") : outputTarget(output);
    return await ended(pipeline, target);
  }
  const shown = isQuiet ? [] : [{ target: Deno.stdout }];
  return await teed(pipeline, output === undefined ? shown : [output]);
}

/** Runs a command, and collects its output. */
export async function collect(pipeline: Pipeline): Promise<Outcome> {
  refuseOutput(pipeline, "text() and the like");
  if (pipeline.tees.length === 0) return await ended(pipeline, "piped");
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const { result } = await teed(pipeline, [], (bytes) => void parts.push(bytes));
  return { result, stdout: concat(parts) };
}

/** Runs a command, and yields the lines of its output. */
export async function* readLines(pipeline: Pipeline): AsyncGenerator<string, void> {
  refuseOutput(pipeline, "lines");
  if (pipeline.retry !== undefined) {
    throw new TypeError("lines() cannot be retried: those that were read cannot be taken back");
  }
  using tee = new Sinks(pipeline.tees);
  await using run = await Run.start(pipeline, "piped", true);
  yield* linesOf(run.stdout, tee);
  await tee.close();
  await run.end();
}

/** Runs it, while the script writes its output to the targets and those of tee(). */
async function teed(
  pipeline: Pipeline,
  targets: readonly Target[],
  take: (bytes: Uint8Array<ArrayBuffer>) => void = () => {},
): Promise<Outcome> {
  const others = pipeline.tees.filter(({ target }) =>
    !targets.some((one) => one.target === target)
  );
  using tee = new Sinks([...targets, ...others]);
  await using run = await Run.start(pipeline, "piped", true);
  for await (const bytes of run.stdout) {
    take(bytes);
    await tee.write(bytes);
  }
  await tee.close();
  return await run.end();
}

async function ended(pipeline: Pipeline, target: OutputTarget): Promise<Outcome> {
  await using run = await Run.start(pipeline, target);
  return await run.end();
}

function refuseOutput({ output }: Pipeline, reader: string): void {
  if (output === undefined) return;
  throw new TypeError(`${reader} cannot read what stdout() sends elsewhere; use tee() for both`);
}
