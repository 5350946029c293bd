/** Runs the host's programs. */

/** What a program is run with. */
export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Record<string, string>;
}

/** Runs a program to its end; answers what it has written. Throws what it complains of. */
export async function run(
  program: string,
  args: readonly string[],
  options?: RunOptions,
): Promise<string> {
  return new TextDecoder().decode(await runForBytes(program, args, options));
}

/** The same, for what is no text. */
export async function runForBytes(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const command = new Deno.Command(program, { ...options, args: [...args], stdin: "null" });
  const { success, stdout, stderr } = await command.output();
  if (!success) {
    const words = [program, ...args].join(" ");
    throw new Error(`${words}: ${new TextDecoder().decode(stderr).trim()}`);
  }
  return stdout;
}
