/**
 * `recipe.command()` and `Deno.Command` side by side: rows that do the same with both.
 */

import { assertEquals } from "@std/assert";
import { type CommandOptions, type Container, recipe } from "../../mod.ts";
import { decode } from "../other_scripts.ts";
import { test } from "../support.ts";

/** What both make: a command, as far as the two have the same shape. */
export interface Made {
  output(): Promise<Deno.CommandOutput>;
  outputSync(): Deno.CommandOutput;
  spawn(): Deno.ChildProcess | Container;
}

/** Makes a command; the options are not checked here, as their checks are compared too. */
export type Make = typeof deno;

/** Makes one of Deno's. */
export function deno(program?: unknown, options?: object): Made {
  return new Deno.Command(program as string, options as Deno.CommandOptions);
}

/** Makes one of this module's, without steps. */
export function ours(program?: unknown, options?: object): Made {
  return recipe().command(program as string, options as CommandOptions);
}

/** The options of `sh` for a script. */
export function shell(script: string, options: CommandOptions = {}): CommandOptions {
  return { args: ["-c", script], stdin: "null", ...options };
}

/** A row: the same is done with both, and the result is data. */
export type Rows = Readonly<Record<string, (make: Make) => unknown>>;

/** The output of a program as a text. */
export async function printed(made: Made): Promise<string> {
  return decode((await made.output()).stdout);
}

/** What comes of it: the value, or the class and the errno of the error. */
export async function resultOf(row: (make: Make) => unknown, make: Make): Promise<unknown> {
  try {
    return await row(make);
  } catch (error) {
    return thrown(error);
  }
}

/** The class and the errno of an error. */
export function thrown(error: unknown): string {
  const { constructor: { name }, code } = error as Error & { code?: unknown };
  return typeof code !== "string" || error instanceof TypeError ? name : `${name} ${code}`;
}

/** Returns a member's value, or its error. */
export function got(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    return `${thrown(error)}: ${(error as Error).message}`;
  }
}

/** Waits for its end, and returns the status without what a container adds. */
export async function statusOf({ status }: Pick<Deno.ChildProcess, "status">): Promise<unknown> {
  const { success, code, signal } = await status;
  return { success, code, signal };
}

/** A test of each row: that the same comes of it with both. */
export function compare(title: string, rows: Rows, skip?: string): void {
  for (const [name, row] of Object.entries(rows)) {
    test(`as with Deno.Command, ${title}: ${name}`, async () => {
      assertEquals(await resultOf(row, ours), await resultOf(row, deno));
    }, skip);
  }
}
