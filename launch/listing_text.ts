/**
 * A plan as text: a heading for each step, and its calls below, with a series of calls on one line.
 *
 * @module
 */

import { escapeControls } from "../ffi/control_characters.ts";
import type { PlanEntry } from "./listing.ts";

/** Returns the entries as text. */
export function listingText(entries: readonly PlanEntry[]): string {
  const lines: string[] = [];
  let heading: string | undefined;
  let condition: string | undefined;
  for (const { first, note } of collapse(entries)) {
    const number = first.stepIndex === undefined ? "" : `${first.stepIndex + 1} `;
    if (heading !== number + first.part) {
      lines.push(heading = number + first.part);
      condition = undefined;
    }
    if (condition !== first.unless) {
      condition = first.unless;
      if (condition !== undefined) lines.push(`    unless ${condition}:`);
    }
    const indent = condition === undefined ? "    " : "        ";
    lines.push(`${indent}${first.by === "script" ? "script: " : ""}${first.call}${note}`);
  }
  return lines.map(escapeControls).join("\n");
}

/** A line of the text: an entry, with a note on the others if it is the first of a series. */
export interface ListingLine {
  readonly first: PlanEntry;
  /** The note: `" (41 times)"`; `""` for a single entry. */
  readonly note: string;
}

/** Returns the lines of the entries, one for each series of calls that differ in one argument. */
export function collapse(entries: readonly PlanEntry[]): ListingLine[] {
  const lines: ListingLine[] = [];
  for (let index = 0; index < entries.length;) {
    const first = entries[index]!;
    const end = endOfSeries(entries, index);
    const count = end - index;
    const isExecve = seriesOf(first) === "execve";
    // Two calls are short enough to be shown in full.
    if (count > 2 || (isExecve && count > 1)) {
      const note = isExecve ? `one of ${count}` : `${count} times`;
      lines.push({ first, note: ` (${note})` });
      index = end;
    } else {
      lines.push({ first, note: "" });
      index++;
    }
  }
  return lines;
}

/** Calls that a launch repeats with one argument changed. */
const SERIES = /^(rt_sigaction|execve|prctl\(PR_CAPBSET_DROP)\b/;

function seriesOf({ call }: PlanEntry): string | undefined {
  return SERIES.exec(call)?.[1];
}

/** Returns the index after the last entry of the series that starts here. */
function endOfSeries(entries: readonly PlanEntry[], begin: number): number {
  const first = entries[begin]!;
  const series = seriesOf(first);
  let end = begin + 1;
  while (series !== undefined && end < entries.length) {
    const next = entries[end]!;
    if (seriesOf(next) !== series || !areTogether(first, next)) break;
    end++;
  }
  return end;
}

function areTogether(one: PlanEntry, other: PlanEntry): boolean {
  return one.stepIndex === other.stepIndex && one.part === other.part && one.by === other.by;
}
