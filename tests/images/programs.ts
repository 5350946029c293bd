/** Other programs that read and write images, for tests beside them. */

import { assert } from "@std/assert";

/** Why a test with a program is skipped; `undefined` where the program is there. */
export function without(program: string): string | undefined {
  const paths = (Deno.env.get("PATH") ?? "").split(":").map((path) => `${path}/${program}`);
  const isThere = paths.some((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });
  return isThere ? undefined : `needs ${program}`;
}

/** Runs a program, which has to succeed, and returns its output. */
export async function output(program: string, ...args: readonly string[]): Promise<string> {
  const command = new Deno.Command(program, { args: [...args], stdin: "null" });
  const { success, stdout, stderr } = await command.output();
  assert(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}
