/**
 * What `ramekin learn` prints at the end.
 *
 * @module
 */

import { escapeControls } from "../../../ffi/control_characters.ts";
import { type Denial, describeDenial } from "../../../mod.ts";
import { printError } from "../output.ts";
import { NAME_SERVERS } from "./secrets.ts";
import { shellWord } from "../../../recipe/shell_word.ts";
import { isSayable } from "./flags.ts";
import type { Learnt } from "./grants.ts";
import type { Secrets } from "./secrets.ts";

/** What is told. */
export interface Lesson {
  readonly learnt: Learnt;
  readonly flags: readonly string[];
  readonly program: readonly string[];
  readonly denials: readonly Denial[];
  readonly secrets: Secrets;
  /** The file that the recipe was written to. */
  readonly file: string | undefined;
  /** The exit status of the program. */
  readonly code: number;
  /** Whether all files that it used were kept. */
  readonly isWhole: boolean;
}

/** What is told, as data. */
export function reportOf(lesson: Lesson): Readonly<Record<string, unknown>> {
  const { learnt, flags, program, code, isWhole } = lesson;
  const { denied, withheld } = sorted(lesson);
  return { flags, program, ...learnt, withheld, denied, code, isWhole };
}

/** What it was denied, and what of that are secrets. */
function sorted(
  { denials, secrets }: Lesson,
): { readonly denied: readonly Denial[]; readonly withheld: readonly Denial[] } {
  const isSecret = ({ kind, what }: Denial) =>
    (kind === "read" || kind === "execute") && secrets.leadsTo(what);
  return {
    withheld: denials.filter(isSecret),
    denied: denials.filter((denial) => !isSecret(denial) && !isOwn(denial)),
  };
}

/** Prints it to the standard error. */
export function printLearnt(lesson: Lesson): void {
  const { learnt, flags, program, file, code, isWhole } = lesson;
  const { denied, withheld } = sorted(lesson);
  const command = ["ramekin", "sandbox", ...flags, "--", ...program.map(shellWord)].join(" ");
  const unsayable = [...learnt.read, ...learnt.write].filter((path) => !isSayable(path));
  const parts = [
    part("this lets it do what it has done:", [command]),
    ...(file === undefined
      ? []
      : [`ramekin: the recipe is in ${escapeControls(file)}; ramekin plan shows what it needs`]),
    part("secrets are usually here, and it was shown none of them:", [
      ...new Set(withheld.map(({ program, what }) => `${what} (for ${program})`)),
      ...learnt.aliases.map((path) => `${path} (leads to one)`),
    ]),
    part("it was denied this; what it needs of it is to be added:", [
      ...new Set(denied.map(describeDenial)),
    ]),
    part("these were listed, and are too wide to be granted:", learnt.tooWide),
    part("no flag can name these, as a comma ends a path there, and a line:", unsayable),
    isWhole ? "" : "ramekin: it has used more files than are kept; the list is not whole",
    code === 0 ? "" : `ramekin: it has failed (${code}), and may need more where it goes on`,
  ];
  printError(parts.filter((text) => text !== "").join("\n"));
}

/** Whether it is what the program is shown nothing of, so that it tells which hosts it looks up. */
function isOwn({ kind, what }: Denial): boolean {
  return kind === "read" && what === NAME_SERVERS;
}

function part(heading: string, lines: readonly string[]): string {
  if (lines.length === 0) return "";
  // Names of files are anybody's.
  return [`ramekin: ${heading}`, ...lines.map((line) => `  ${escapeControls(line)}`)].join("\n");
}
