/**
 * Completions for bash(1).
 *
 * @module
 */

import type { Completion } from "../usage.ts";
import { FIRST_WORDS, type FirstWord, listOf, wordsOf } from "./words.ts";

/** What bash reads: `source <(ramekin completions bash)`. */
export function bashCompletions(): string {
  const first = [...FIRST_WORDS.map(({ name }) => name), "--help", "--version"].join(" ");
  return `# Completions of ramekin for bash: source <(ramekin completions bash)
_ramekin() {
  local cur=\${COMP_WORDS[COMP_CWORD]} index word flag=
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    mapfile -t COMPREPLY < <(compgen -W "${first}" -- "$cur")
    return
  fi
  for ((index = 2; index < COMP_CWORD; index++)); do
    [[ \${COMP_WORDS[index]} == -- ]] || continue
    compopt -o filenames 2>/dev/null
    if ((index + 1 == COMP_CWORD)); then mapfile -t COMPREPLY < <(compgen -c -- "$cur")
    else mapfile -t COMPREPLY < <(compgen -f -- "$cur"); fi
    return
  done
  # To bash, = is a word of its own.
  if [[ $cur == = ]]; then flag=\${COMP_WORDS[COMP_CWORD - 1]} cur=
  elif [[ \${COMP_WORDS[COMP_CWORD - 1]} == = ]]; then flag=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  case \${COMP_WORDS[1]}$flag in
${FIRST_WORDS.flatMap(casesOf).join("\n")}
  esac
}
complete -F _ramekin ramekin
`;
}

function casesOf({ name, flags, operand, program }: FirstWord): string[] {
  const words = [...flags.map(({ name }) => `--${name}`), ...(program ? ["--"] : [])].join(" ");
  const valued = flags.filter(({ completes }) => completes !== undefined);
  return [
    ...valued.map((flag) => `    ${name}--${flag.name}) ${actionOf(flag.completes!)} ;;`),
    `    ${name})`,
    `      if [[ $cur == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "${words}" -- "$cur")`,
    `      else ${operand === undefined ? ":" : actionOf(operand.completes)}; fi ;;`,
  ];
}

function actionOf(completion: Completion): string {
  const words = wordsOf(completion);
  if (words !== undefined) return reply(`compgen -W "${words.join(" ")}"`);
  switch (completion) {
    case "file":
      return `compopt -o filenames 2>/dev/null; ${reply("compgen -f")}`;
    case "variable":
      return reply("compgen -e");
    default:
      // compgen -W would expand the words, with what they have of \$(commands).
      return `while IFS= read -r word; do [[ $word == "$cur"* ]] && COMPREPLY+=("$word"); done < ` +
        `<(${listOf(completion)})`;
  }
}

function reply(command: string): string {
  return `mapfile -t COMPREPLY < <(${command} -- "$cur")`;
}
