/**
 * `deno task bench`: runs all benches, prints what they find, and writes it to `RESULTS.md` with
 * its charts.
 *
 * @module
 */

import { formatted } from "../scripts/docs/format.ts";
import { audits } from "./audit.ts";
import { boxes } from "./boxes.ts";
import { calls } from "./calls.ts";
import { cold } from "./cold.ts";
import { heap } from "./heap.ts";
import { layers } from "./images.ts";
import { joins } from "./join.ts";
import { kinds } from "./kinds.ts";
import { launches } from "./launch.ts";
import { findProgram, machine } from "./machine.ts";
import { many } from "./many.ts";
import { newCommands } from "./new_command.ts";
import { PEER_PROGRAMS } from "./peers.ts";
import { runtimes } from "./oci.ts";
import { pipes } from "./pipe.ts";
import { planning } from "./plan.ts";
import { markdownOf, print, printReport, type Report, wantedOf } from "./report.ts";
import { sandboxes } from "./sandbox.ts";
import { jobs } from "./sandbox_jobs.ts";
import { templates } from "./shell.ts";
import { trace } from "./trace.ts";

const BENCHES = [
  launches,
  newCommands,
  sandboxes,
  jobs,
  boxes,
  planning,
  calls,
  heap,
  trace,
  kinds,
  joins,
  many,
  cold,
  pipes,
  templates,
  layers,
  runtimes,
  audits,
] as const;

if (import.meta.main) {
  const begin = Date.now();
  const about = [...machine(PEER_PROGRAMS.flatMap((name) => findProgram(name) ?? []))];
  for (const line of about) print(line);
  print();
  const reports: Report[] = [];
  for (const bench of BENCHES) {
    try {
      const report = await bench();
      printReport(report);
      reports.push(report);
    } catch (error) {
      // What the others have measured in minutes is not lost.
      print(`${bench.name} failed: ${error instanceof Error ? error.stack : error}`);
      about.push(`not measured, as it failed: ${bench.name}`);
      Deno.exitCode = 1;
    }
  }
  const minutes = ((Date.now() - begin) / 60_000).toFixed(0);
  await write(reports, [...about, `measured in ${minutes} minutes, on ${today()}`]);
}

async function write(reports: readonly Report[], about: readonly string[]): Promise<void> {
  const directory = new URL("./", import.meta.url);
  const text = [
    "# Results",
    "Written by `deno task bench`; [README.md](README.md) tells what is measured, and how.",
    about.map((line) => `- ${line}`).join("\n"),
    "## What is wanted",
    wantedOf(reports),
    ...reports.map(markdownOf),
  ].join("\n\n");
  Deno.writeTextFileSync(new URL("RESULTS.md", directory), await formatted(text));
  Deno.mkdirSync(new URL("plots", directory), { recursive: true });
  for (const { name, svg } of reports.flatMap(({ plots }) => plots)) {
    Deno.writeTextFileSync(new URL(`plots/${name}.svg`, directory), await formatted(svg, "svg"));
  }
}

function today(): string {
  return new Date().toISOString().slice(0, 10);
}
