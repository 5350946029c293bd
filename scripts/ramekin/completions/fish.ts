/**
 * Completions for fish(1).
 *
 * @module
 */

import type { Completion, Flag } from "../usage.ts";
import { FIRST_WORDS, type FirstWord, listOf, quoted, wordsOf } from "./words.ts";

/** What fish reads: `ramekin completions fish | source`. */
export function fishCompletions(): string {
  return [
    "# Completions of ramekin for fish: ramekin completions fish | source",
    "function __ramekin_at",
    "  set -l words (commandline -opc)",
    '  test (count $words) -ge 2; and test "$words[2]" = $argv[1]; and not contains -- -- $words',
    "end",
    "function __ramekin_program",
    "  contains -- -- (commandline -opc)",
    "end",
    "function __ramekin_program_words",
    "  set -l words (commandline -opc)",
    "  set -e words[1..(contains -i -- -- $words)]",
    "  complete -C (string join ' ' -- (string escape -- $words) (commandline -ct))",
    "end",
    "complete -c ramekin -f",
    "complete -c ramekin -n __ramekin_program -a '(__ramekin_program_words)'",
    "complete -c ramekin -n __fish_use_subcommand -l help -s h -d 'show the help'",
    "complete -c ramekin -n __fish_use_subcommand -l version -d 'show the version'",
    ...FIRST_WORDS.flatMap(linesOf),
  ].join("\n");
}

function linesOf({ name, summary, flags, operand }: FirstWord): string[] {
  const here = `complete -c ramekin -n ${quoted(`__ramekin_at ${name}`)}`;
  return [
    `complete -c ramekin -n __fish_use_subcommand -a ${name} -d ${quoted(summary)}`,
    ...flags.map((flag) => `${here} ${flagWords(flag)} -d ${quoted(flag.summary)}`),
    ...(operand === undefined ? [] : [`${here} ${valueWords(operand.completes)}`]),
  ];
}

function flagWords({ name, letter, value, completes }: Flag): string {
  return [
    `-l ${name}`,
    ...(letter === undefined ? [] : [`-s ${letter}`]),
    ...(value === undefined ? [] : ["-r"]),
    ...(completes === undefined ? [] : [valueWords(completes)]),
  ].join(" ");
}

function valueWords(completion: Completion): string {
  const words = wordsOf(completion);
  if (words !== undefined) return `-a ${quoted(words.join(" "))}`;
  switch (completion) {
    case "file":
      return "-F";
    case "variable":
      return "-a '(set -nx)'";
    default:
      return `-a ${quoted(`(${listOf(completion)})`)}`;
  }
}
