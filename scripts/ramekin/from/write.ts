/**
 * Writes a translated recipe, as YAML or as a script.
 *
 * @module
 */

import { escapeControls } from "../../../ffi/control_characters.ts";
import { RamekinError, recipe, type Step } from "../../../mod.ts";
import { shellWord } from "../../../recipe/shell_word.ts";
import { shownWords } from "../../../shell/words.ts";
import { stringifyRecipe } from "../../../yaml/mod.ts";
import { flagsOf } from "../plan_text.ts";
import type { Translation } from "./translation.ts";

/** The fields that a builder takes before its options, in their order. */
const ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  bind: ["source", "target"],
  chdir: ["path"],
  chroot: ["path"],
  cpuAffinity: ["cpus"],
  devices: ["target"],
  hostname: ["name"],
  ioPriority: ["class", "priority"],
  memoryPolicy: ["mode"],
  mkdir: ["path"],
  mount: ["source", "target"],
  mqueue: ["target"],
  oomScoreAdj: ["value"],
  overlay: ["target"],
  personality: ["domain"],
  pivotRoot: ["path"],
  proc: ["target"],
  readonlyPaths: ["...paths"],
  remount: ["target", "options"],
  rlimit: ["resource", "soft", "hard"],
  scheduler: ["policy"],
  setEnv: ["variables"],
  symlink: ["target", "path"],
  sysctl: ["settings"],
  tmpfs: ["target"],
  umask: ["mask"],
  unshare: ["...kinds"],
  writeFile: ["path", "text"],
};

/** The recipe as a file in YAML. */
export function yamlOf(made: Translation): string {
  return comments(made) + stringifyRecipe(recipe(...made.steps));
}

/** Returns the text of a step with its mode as chmod(1) has it. */
function inOctal(step: Step, text: string): string {
  if (!("mode" in step) || typeof step.mode !== "number") return text;
  return text.replace(`mode: ${step.mode}`, `mode: ${octal(step.mode)}`);
}

function octal(bits: unknown): string {
  return `0o${(bits as number).toString(8)}`;
}

/** The recipe as a script. */
export function scriptOf(made: Translation): string {
  const names = [...new Set(["recipe", ...made.steps.map(({ step }) => step)])].sort();
  const [program, ...args] = made.program;
  const command = program === undefined
    ? '"sh"'
    : `${literal(program)}${args.length > 0 ? `, { args: ${literal(args)} }` : ""}`;
  return [
    ...made.lost.map((text) => `// Left out: ${escapeControls(text)}`),
    `import { ${names.join(", ")} } from "@ramekin/ramekin";\n`,
    "const box = recipe(",
    ...made.steps.map((step) => `  ${callOf(step)},`),
    ");",
    `const { code } = await box.command(${command}).spawn().status;`,
    "Deno.exit(code);\n",
  ].join("\n");
}

function callOf({ step, ...fields }: Step): string {
  const rest: Record<string, unknown> = { ...fields };
  const args: string[] = [];
  for (const name of ARGUMENTS[step] ?? []) {
    const field = name.replace(/^\.\.\./, "");
    const value = rest[field];
    delete rest[field];
    if (value === undefined) continue;
    const values = field === name ? [value] : value as unknown[];
    args.push(...(step === "umask" ? values.map(octal) : values.map(literal)));
  }
  if (Object.keys(rest).length > 0) args.push(inOctal({ step, ...fields } as Step, literal(rest)));
  return `${step}(${args.join(", ")})`;
}

/**
 * Returns data as a script has it. Texts can be a stranger's: Deno.inspect() would write one with all
 * kinds of quotes as a template, in which `${...}` is code.
 */
function literal(value: unknown): string {
  if (typeof value === "string") return escapeControls(JSON.stringify(value));
  if (typeof value !== "object" || value === null) return String(value);
  if (Array.isArray(value)) return inBrackets("[", value.map(literal), "]");
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return inBrackets("{", fields.map(([name, field]) => `${keyOf(name)}: ${literal(field)}`), "}");
}

function inBrackets(open: string, parts: readonly string[], end: string): string {
  return parts.length === 0 ? open + end : `${open} ${parts.join(", ")} ${end}`;
}

/** A name of a field; one that sets a prototype would be no field. */
function keyOf(name: string): string {
  if (name === "__proto__") return '["__proto__"]';
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : literal(name);
}

/** What is left out, and how the recipe is run. */
function comments(made: Translation): string {
  const lines = made.lost.map((text) => `left out: ${text}`);
  const program = made.program.length === 0 ? "" : ` -- ${shownWords(made.program)}`;
  const flags = grantingFlags(made.steps).map((flag) => ` ${shellWord(flag)}`).join("");
  lines.push(`ramekin run RECIPE.yaml${flags}${program}`);
  return lines.map((line) => `# ${escapeControls(line)}\n`).join("");
}

/** The flags that grant what the recipe needs; none where it cannot be planned here. */
export function grantingFlags(steps: readonly Step[]): readonly string[] {
  try {
    const words = recipe(...steps).needs().flatMap(flagsOf).map((word) => word.split(/=(.*)/s));
    const lists = Map.groupBy(words, ([flag]) => flag!);
    return [...lists].flatMap(([flag, words]) => {
      if (words.every(([, value]) => value === undefined)) return [flag];
      // A comma in one would begin another.
      const values = words.flatMap(([, value]) => value?.includes(",") === false ? [value] : []);
      return values.length === 0 ? [] : [`${flag}=${[...new Set(values)].join(",")}`];
    });
  } catch (error) {
    if (error instanceof RamekinError) return [];
    throw error;
  }
}
