/**
 * `ramekin check`: what this machine can do, and the fix for what it cannot.
 *
 * @module
 */

import { linux } from "../../mod.ts";
import type { Arguments } from "./arguments.ts";
import type { Finding } from "./check_result.ts";
import { hostChecks } from "./host_checks.ts";
import { type Paint, paintFor, print, printJson } from "./output.ts";
import { Progress } from "./progress.ts";

/** Prints it; the exit status is 0 where a sandbox can be made. */
export function run(given: Arguments): number {
  const { release, machine } = linux.uname();
  const findings = found();
  if (given.has("json")) printJson({ kernel: release, machine, findings });
  else print(`Linux ${release}, ${machine}\n\n${findingsText(findings, paintFor(Deno.stdout))}`);
  return findings.at(-1)!.works ? 0 : 1;
}

function found(): readonly Finding[] {
  using progress = new Progress("trying what this machine can do");
  const findings: Finding[] = [];
  for (const finding of hostChecks()) {
    findings.push(finding);
    progress.next(`trying what this machine can do: ${finding.name} is done`);
  }
  return findings;
}

/** The findings, a line each, with the fix for what does not work below. */
export function findingsText(findings: readonly Finding[], paint: Paint): string {
  const width = Math.max(...findings.map(({ name }) => name.length));
  return findings.flatMap(({ name, works, says, fix }) => [
    `${works ? paint("green", "yes") : paint("red", "no ")}  ${name.padEnd(width)}  ${says}`
      .trimEnd(),
    ...(fix === undefined ? [] : [`       ${paint("yellow", fix)}`]),
  ]).join("\n");
}
