/**
 * Asks the user at the terminal for a permission, as Deno does.
 *
 * @module
 */

import { escapeControls } from "../../ffi/control_characters.ts";
import { ioctl, TCFLSH, TCIFLUSH } from "../../ffi/calls/files.ts";
import { syscall } from "../../ffi/syscalls.ts";
import type { PermissionError, PermissionOptions } from "../../mod.ts";
import { type Paint, paintFor, printError } from "./output.ts";

/** The answers to a question. */
export type Answer = "yes" | "no" | "all";

/** The question for a permission that a recipe lacks. */
export function questionFor(file: string, { message }: PermissionError, paint: Paint): string {
  const [what, ...rest] = message.split("\n").map((line) => escapeControls(line.trim()));
  return [
    `┏ ${paint("yellow", paint("bold", `${escapeControls(file)} asks for a permission`))}`,
    `┠─ ${what!.replace("not granted: ", "")}`,
    ...rest.map((line) => `┠─ ${paint("dim", line)}`),
    `┗ Allow? [y/n/A] (y = yes, allow; n = no, deny; A = allow all of its kind) `,
  ].join("\n");
}

/** The answer in a line that the user has typed; `undefined` if there is none in it. */
export function answerOf(line: string): Answer | undefined {
  switch (line.trim()) {
    case "y":
    case "Y":
    case "yes":
      return "yes";
    case "n":
    case "N":
    case "no":
      return "no";
    case "A":
      return "all";
    default:
      return undefined;
  }
}

/** The permissions, with what the user has allowed. */
export function widened(
  grants: PermissionOptions,
  { grant, value }: Pick<PermissionError, "grant" | "value">,
  answer: Exclude<Answer, "no">,
): PermissionOptions {
  switch (grant) {
    case "read":
    case "write": {
      const known = grants[grant];
      if (answer === "all" || value === undefined) return { ...grants, [grant]: true };
      return { ...grants, [grant]: [...Array.isArray(known) ? known : [], value] };
    }
    case "net":
    case "sys":
      return { ...grants, [grant]: true };
    default:
      // Everything but files and the network is granted with the whole machine.
      return { ...grants, run: true, sys: true };
  }
}

/** Whether there is a terminal to ask at. */
export function canAsk(): boolean {
  return Deno.stdin.isTerminal() && Deno.stderr.isTerminal();
}

/** Asks until there is an answer; the end of the input counts as no. */
export function ask(file: string, error: PermissionError): Answer {
  const question = questionFor(file, error, paintFor(Deno.stderr));
  for (;;) {
    // Lets go of what was typed before the question.
    syscall(ioctl(0, TCFLSH, TCIFLUSH));
    printError(question);
    const line = readLine();
    if (line === undefined) return "no";
    const answer = answerOf(line);
    if (answer !== undefined) return answer;
  }
}

/** Asks a question that is answered with yes or no; anything else counts as no. */
export function confirmed(question: string): boolean {
  syscall(ioctl(0, TCFLSH, TCIFLUSH));
  printError(question);
  const line = readLine();
  return line !== undefined && ["y", "yes"].includes(line.trim().toLowerCase());
}

function readLine(): string | undefined {
  const buffer = new Uint8Array(4096);
  const count = Deno.stdin.readSync(buffer);
  return count === null ? undefined : new TextDecoder().decode(buffer.subarray(0, count));
}
