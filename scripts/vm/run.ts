/** Runs the host's programs. */

/** A program of the host's that a machine needs is missing, or has failed. */
export class HostError extends Error {}

/** Where Debian has them. */
const PACKAGES: Readonly<Record<string, string>> = {
  "qemu-system-aarch64": "qemu-system-arm",
  "qemu-system-x86_64": "qemu-system-x86",
  "xz": "xz-utils",
};

/** What a program is run with. */
export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Record<string, string>;
}

/**
 * Runs a program to its end, and returns its output as text.
 *
 * @throws {HostError} where it is missing or fails, with its error output
 */
export async function run(
  program: string,
  args: readonly string[],
  options?: RunOptions,
): Promise<string> {
  return new TextDecoder().decode(await runForBytes(program, args, options));
}

/** As {@linkcode run}, but returns the bytes of the output. */
export async function runForBytes(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const words = [program, ...args].join(" ");
  try {
    const command = new Deno.Command(program, { ...options, args: [...args], stdin: "null" });
    const { success, stdout, stderr } = await command.output();
    if (success) return stdout;
    throw new HostError(`${words}: ${new TextDecoder().decode(stderr).trim()}`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new HostError(`there is no ${program}: install Debian's ${PACKAGES[program] ?? program}`);
  }
}
