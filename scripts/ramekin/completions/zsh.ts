/**
 * Completions for zsh(1).
 *
 * @module
 */

import type { Completion, Flag } from "../usage.ts";
import { CONTAINERS, FIRST_WORDS, type FirstWord, IMAGES, quoted, wordsOf } from "./words.ts";

/** What zsh reads: `source <(ramekin completions zsh)`, or a file `_ramekin` in its fpath. */
export function zshCompletions(): string {
  const first = FIRST_WORDS.map(({ name, summary }) => `    ${quoted(`${name}:${summary}`)}`);
  return `#compdef ramekin
# Completions of ramekin for zsh: source <(ramekin completions zsh)
_ramekin_containers() {
  compadd -- \${(f)"$(${CONTAINERS})"}
}
_ramekin_images() {
  compadd -- \${(f)"$(${IMAGES})"}
}
_ramekin() {
  local curcontext=$curcontext state line
  local -a subcommands=(
${first.join("\n")}
  )
  _arguments -C '(- *)'{-h,--help}'[show the help]' '(- *)--version[show the version]' \\
    '1: :->subcommand' '*:: :->words'
  case $state in
    subcommand) _describe subcommand subcommands ;;
    words)
      case $words[1] in
${FIRST_WORDS.map(caseOf).join("\n")}
      esac ;;
  esac
}
if [[ $funcstack[1] == _ramekin ]]; then _ramekin "$@"; else compdef _ramekin ramekin; fi
`;
}

function caseOf({ name, flags, operand, program }: FirstWord): string {
  const specs = [
    ...flags.flatMap(flagSpecs),
    ...(operand === undefined
      ? []
      : [`'1:${escaped(operand.name)}:${actionOf(operand.completes)}'`]),
    ...(program ? ["'*:::program:_normal'"] : []),
  ];
  return `        ${name}) _arguments -S ${specs.join(" \\\n          ")} ;;`;
}

function flagSpecs({ name, letter, value, optionalValue, repeated, summary, completes }: Flag) {
  const description = `[${summary.replace(/[[\]]/g, "\\$&").replaceAll("'", `'\\''`)}]`;
  const many = repeated === true ? "*" : "";
  const form = value === undefined ? "" : optionalValue === true ? "=-" : "=";
  const rest = value === undefined
    ? ""
    : `${optionalValue === true ? "::" : ":"}${escaped(value)}:${
      completes === undefined ? "" : actionOf(completes)
    }`;
  return [
    quotedSpec(`${many}--${name}${form}${description}${rest}`),
    ...(letter === undefined ? [] : [quotedSpec(`-${letter}${description}`)]),
  ];
}

/** In single quotes; those of an action are written so already. */
function quotedSpec(spec: string): string {
  return `'${spec}'`;
}

function escaped(text: string): string {
  return text.replaceAll(":", "\\:");
}

function actionOf(completion: Completion): string {
  const words = wordsOf(completion);
  if (words !== undefined) return `(${words.join(" ")})`;
  switch (completion) {
    case "file":
      return "_files";
    case "variable":
      return '_parameters -g "*export*"';
    case "image":
      return "_ramekin_images";
    default:
      return "_ramekin_containers";
  }
}
