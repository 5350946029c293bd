/**
 * A bench that is run by itself, as `deno run -A bench/launch.ts`.
 *
 * @module
 */

import { machine } from "./machine.ts";
import { print, printReport, type Report } from "./report.ts";

/** Runs it, and prints what it is measured on and what it has found. */
export async function alone(bench: () => Promise<Report>): Promise<void> {
  for (const line of machine([])) print(line);
  print();
  printReport(await bench());
}
