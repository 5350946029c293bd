/** What the tests of the `ramekin` command share. */

import { decode, type ScriptResult } from "../recipe/scripts.ts";

/** The program. */
export const RAMEKIN: string = new URL("../../scripts/ramekin.ts", import.meta.url).pathname;

/** How it is run, with the permissions that it is installed with. */
export const RUN: readonly string[] = [
  Deno.execPath(),
  ...["run", "--no-check", "--no-prompt", "--quiet", "--allow-ffi", "--allow-read", RAMEKIN],
];

/** Runs the program to its end, with the words behind its name. */
export async function ramekin(...words: string[]): Promise<ScriptResult> {
  return await ramekinWith({}, ...words);
}

/** Runs the program with variables of its environment, in a folder. */
export async function ramekinWith(
  { env = {}, cwd }: { env?: Readonly<Record<string, string>>; cwd?: string },
  ...words: string[]
): Promise<ScriptResult> {
  const [program, ...args] = [...RUN, ...words];
  const { code, signal, stdout, stderr } = await new Deno.Command(program!, {
    args,
    env: { ...env },
    ...(cwd !== undefined && { cwd }),
    stdin: "null",
  }).output();
  return { code, signal, stdout: decode(stdout), stderr: decode(stderr) };
}
