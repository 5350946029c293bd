/**
 * What was learnt, as flags of `ramekin sandbox`.
 *
 * @module
 */

import { escapeControls } from "../../../ffi/control_characters.ts";
import type { Arguments } from "../arguments.ts";
import { shellWord } from "../../../recipe/shell_word.ts";
import type { Flag } from "../usage.ts";
import type { Learnt } from "./grants.ts";

/** Flags of `ramekin learn` that the sandbox does not get as they are given. */
const OWN: ReadonlySet<string> = new Set([
  "allow-write",
  "discard",
  "output",
  "report",
  "debug",
  "help",
]);

/** The flags that were given and hold in the sandbox too, and those that were learnt. */
export function learnedFlags(
  given: Arguments,
  flags: readonly Flag[],
  { read, write, tmpfs, denyRead }: Learnt,
): readonly string[] {
  const kept = flags.filter(({ name }) => !OWN.has(name)).flatMap((flag) => givenAs(given, flag));
  const paths = (name: string, list: readonly string[]) =>
    list.filter(isSayable).map((path) => shellWord(`--${name}=${path}`));
  return [
    ...paths("allow-read", read),
    ...paths("allow-write", write),
    ...paths("tmpfs", tmpfs),
    ...paths("deny-read", denyRead),
    ...kept,
  ];
}

/** Whether a flag can name a path: a comma ends one, and a line of the report what it shows. */
export function isSayable(path: string): boolean {
  return !path.includes(",") && escapeControls(path) === path;
}

function givenAs(given: Arguments, { name, value }: Flag): readonly string[] {
  if (!given.has(name)) return [];
  if (value === undefined) return [`--${name}`];
  return given.values(name).map((value) =>
    shellWord(value === undefined ? `--${name}` : `--${name}=${value}`)
  );
}
