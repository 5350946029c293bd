/**
 * `ramekin try`: runs an untrusted program as `ramekin sandbox` does, and makes its changes only when they
 * were looked at.
 *
 * @module
 */

import {
  type Change,
  ChangesError,
  type CommitSummary,
  describeChange,
  finishCommits,
  type FinishedCommit,
  type Held,
  hold,
} from "../../changes/mod.ts";
import { escapeControls } from "../../ffi/control_characters.ts";
import { SyscallError } from "../../mod.ts";
import type { Arguments } from "./arguments.ts";
import { errorReport } from "./error_report.ts";
import { paintFor, printError, printJson } from "./output.ts";
import { withProgress } from "./progress.ts";
import { canAsk, confirmed } from "./prompt.ts";
import { optionsOf, runIn } from "./sandbox.ts";
import { byFlags } from "./sandbox_flags.ts";
import { withNamedDevices } from "./sandbox_run.ts";
import { UsageError } from "./usage.ts";

/** Runs the program, and makes its changes or throws them away. */
export async function run(given: Arguments): Promise<number> {
  if (given.has("yes") && given.has("no")) {
    throw new UsageError("--yes and --no: the changes are either made or thrown away");
  }
  if (given.has("resume")) return await resume(given);
  const asked = await withNamedDevices(optionsOf(given));
  const options = { ...asked, write: asked.write.length === 0 ? [Deno.cwd()] : asked.write };
  const { write, ...others } = options;
  await using held = await hold(write);
  held.finished.forEach(tellFinished);
  const shown = { ...options, write: held.directories };
  const code = await runIn(given, shown, byFlags(() => held.sandbox(others)));
  await conclude(given, held);
  return code;
}

/** Makes the rest of commits that were cut off. */
async function resume(given: Arguments): Promise<number> {
  if (given.program.length > 0) throw new UsageError("--resume: it runs no program");
  const discard = given.has("no");
  const finished = await finishCommits({ discard });
  if (given.has("json")) printJson({ finished });
  else if (discard) finished.forEach(tellDiscarded);
  else finished.forEach(tellFinished);
  if (finished.length === 0) printError("ramekin: no changes were cut off");
  return 0;
}

/** Tells what was done about an earlier commit that was cut off. */
export function tellFinished({ directories, left }: FinishedCommit): void {
  printError(`ramekin: changes of ${directories.join(", ")} that were cut off are made now`);
  for (const path of left) {
    printError(`  left as it is, as it was changed meanwhile: ${escapeControls(path)}`);
  }
}

function tellDiscarded({ directories }: FinishedCommit): void {
  printError(`ramekin: what was left to be changed in ${directories.join(", ")} is thrown away`);
}

/** Tells the changes, and does with them what the flags or the user say. */
async function conclude(given: Arguments, held: Held): Promise<void> {
  const changes = await withProgress("looking for changes", () => held.changes());
  const isJson = given.has("json");
  if (!isJson) tellChanges(changes);
  const summary = changes.length === 0 ? NONE : await decide(given, held, changes);
  if (isJson) printJson({ changes, ...summary });
}

const NONE: CommitSummary = { made: [], left: [] };

function tellChanges(changes: readonly Change[]): void {
  const paint = paintFor(Deno.stderr);
  if (changes.length === 0) return printError("ramekin: the program has changed nothing");
  printError(`ramekin: the program's ${numberOf(changes)}:`);
  const looks = { added: "green", changed: "yellow", removed: "red" } as const;
  for (const { change, more } of folded(changes)) {
    printError(`  ${paint(looks[change.change], describeChange(change))}${more}`);
  }
}

/** How many changes are told each: of more, those in new directories are counted. */
const MOST_LINES = 50;

/** A change, and what is told of those in it. */
interface Line {
  readonly change: Change;
  readonly more: string;
}

/** Whether a change is told in any case: it is withheld, or a program runs as somebody else later. */
function isNotable({ conflict, protectedBy, after }: Change): boolean {
  const runsAs = after?.kind === "file" && (after.mode & 0o6000) !== 0;
  return conflict !== undefined || protectedBy !== undefined || runsAs;
}

/** The changes to tell: what is withheld is told in any case. */
function folded(changes: readonly Change[]): readonly Line[] {
  if (changes.length <= MOST_LINES) return changes.map((change) => ({ change, more: "" }));
  const lines: { readonly change: Change; more: string; files: number; bytes: number }[] = [];
  let around: typeof lines[number] | undefined;
  for (const change of changes) {
    const isInside = around !== undefined && change.path.startsWith(`${around.change.path}/`);
    if (isInside) {
      if (change.after?.kind !== "directory") around!.files++;
      around!.bytes += change.after?.size ?? 0;
      around!.more = ` with ${around!.files} files of ${around!.bytes} bytes`;
      if (!isNotable(change)) continue;
    }
    const line = { change, more: "", files: 0, bytes: 0 };
    lines.push(line);
    const isNew = change.change === "added" && change.after?.kind === "directory";
    if (!isInside) around = isNew ? line : undefined;
  }
  return lines;
}

async function decide(
  given: Arguments,
  held: Held,
  changes: readonly Change[],
): Promise<CommitSummary> {
  const overwrites = given.has("overwrite");
  const withheld = changes.filter(({ conflict, protectedBy }) =>
    protectedBy !== undefined || conflict !== undefined && !overwrites
  );
  const asks = !given.has("yes") && !given.has("no") && canAsk();
  const without = withheld.length === 0
    ? ""
    : `, without ${withheld.length} that are protected or in conflict`;
  for (;;) {
    if (!given.has("yes") && !(asks && confirmed(`Make these changes${without}? [y/N] `))) {
      const advice = asks || given.has("no") ? "" : "\n  --yes makes them";
      printError(`ramekin: the changes are thrown away${advice}`);
      return { made: [], left: changes };
    }
    try {
      const summary = await withProgress(
        "making the changes",
        () =>
          held.commit(undefined, {
            conflicts: overwrites ? "overwrite" : "leave",
            protected: "leave",
          }),
      );
      printError(`ramekin: ${numberOf(summary.made)} made`);
      summary.left.forEach(tellLeft);
      return summary;
    } catch (error) {
      // What cannot be made now can be after something was done about it.
      if (!asks || !isPassing(error)) throw error;
      printError(errorReport(error, { paint: paintFor(Deno.stderr), debug: false }));
    }
  }
}

function tellLeft({ path, protectedBy }: Change): void {
  const why = protectedBy === undefined
    ? "it was changed here meanwhile; --overwrite makes the change all the same"
    : protectedBy.startsWith("/")
    ? "it is denied"
    : "it is protected; --no-protect lets it be changed";
  printError(`  left as it is: ${escapeControls(path)}\n    ${why}`);
}

/** Whether nothing has changed, and the changes are still held. */
function isPassing(error: unknown): boolean {
  return error instanceof SyscallError ||
    error instanceof ChangesError && error.code !== "unfinished";
}

function numberOf(changes: readonly Change[]): string {
  return changes.length === 1 ? "1 change" : `${changes.length} changes`;
}
