/**
 * A person at the terminal is asked for a grant, in the manner of Deno.
 *
 * @module
 */

import { ioctl, TCFLSH, TCIFLUSH } from "../../ffi/calls/files.ts";
import { syscall } from "../../ffi/syscalls.ts";
import type { PermissionError, PermissionOptions } from "../../mod.ts";
import { type Paint, paintFor, printable, printError } from "./output.ts";

/** What a person can answer. */
export type Answer = "yes" | "no" | "all";

/** What is asked for a grant that a recipe lacks. */
export function questionFor(file: string, { message }: PermissionError, paint: Paint): string {
  const [what, ...rest] = message.split("\n").map((line) => printable(line.trim()));
  return [
    `┏ ${paint("yellow", paint("bold", `${printable(file)} asks for what it is not granted`))}`,
    `┠─ ${what!.replace("not granted: ", "")}`,
    ...rest.map((line) => `┠─ ${paint("dim", line)}`),
    `┗ Allow? [y/n/A] (y = yes, allow; n = no, deny; A = allow all of its kind) `,
  ].join("\n");
}

/** What the line means that a person has typed; `undefined` for nothing of use. */
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

/** The grants, with what has been allowed. */
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
      return { ...grants, net: true };
    default:
      // What is no file or network is of one kind with all of the machine.
      return { ...grants, run: true, sys: true };
  }
}

/** Whether there is somebody to ask. */
export function canAsk(): boolean {
  return Deno.stdin.isTerminal() && Deno.stderr.isTerminal();
}

/** Asks until there is an answer; the end of the input is a no. */
export function ask(file: string, error: PermissionError): Answer {
  const question = questionFor(file, error, paintFor(Deno.stderr));
  for (;;) {
    // What was typed before is no answer to what is only asked now.
    syscall(ioctl(0, TCFLSH, TCIFLUSH));
    printError(question);
    const line = readLine();
    if (line === undefined) return "no";
    const answer = answerOf(line);
    if (answer !== undefined) return answer;
  }
}

function readLine(): string | undefined {
  const buffer = new Uint8Array(4096);
  const count = Deno.stdin.readSync(buffer);
  return count === null ? undefined : new TextDecoder().decode(buffer.subarray(0, count));
}
