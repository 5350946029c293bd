/**
 * `ramekin completions`: writes what a shell reads to complete the command line.
 *
 * @module
 */

import { nearest } from "../../recipe/nearest.ts";
import type { Arguments } from "./arguments.ts";
import { bashCompletions } from "./completions/bash.ts";
import { fishCompletions } from "./completions/fish.ts";
import { zshCompletions } from "./completions/zsh.ts";
import { print } from "./output.ts";
import { UsageError } from "./usage.ts";

/** The shells, with what is written for each. */
const SHELLS: Readonly<Record<string, () => string>> = {
  bash: bashCompletions,
  fish: fishCompletions,
  zsh: zshCompletions,
};

/** Writes it. */
export function run(given: Arguments): number {
  const shell = given.operands[0]!;
  const completions = SHELLS[shell];
  if (completions === undefined) {
    const names = Object.keys(SHELLS);
    const near = nearest(shell, names);
    throw new UsageError(
      `there are no completions for "${shell}", only for ${names.join(", ")}` +
        (near === undefined ? "" : `; did you mean ${near}?`),
    );
  }
  print(completions().trimEnd());
  return 0;
}
