/**
 * Runs programs of this machine.
 *
 * @module
 */

/** What a program has said, and its exit status. */
export interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. Its standard input is empty. */
export async function run(
  program: string,
  args: readonly string[],
  options: Pick<Deno.CommandOptions, "cwd" | "env"> = {},
): Promise<Said> {
  const command = new Deno.Command(program, { args: [...args], stdin: "null", ...options });
  const { code, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Runs a program that has to succeed, and returns what it has written. */
export async function succeed(
  program: string,
  args: readonly string[],
  options: Pick<Deno.CommandOptions, "cwd" | "env"> = {},
): Promise<string> {
  const { code, stdout, stderr } = await run(program, args, options);
  if (code === 0) return stdout;
  throw new Error(`${program} ${args.join(" ")} failed with ${code}: ${stderr || stdout}`);
}

/** Runs a command in the laboratory. */
export async function inLaboratory(args: readonly string[], cwd: string): Promise<Said> {
  const script = new URL("laboratory.sh", import.meta.url).pathname;
  return await run("bash", [script, ...args], { cwd, env: { TMPDIR: "/tmp", LANG: "C" } });
}

/** The path of a program, if this machine has it. */
export async function pathOf(name: string): Promise<string | undefined> {
  const { code, stdout } = await run("sh", ["-c", 'command -v "$1"', "sh", name]);
  return code === 0 ? stdout.trim() : undefined;
}

/** The version in the first line that a program prints about itself; "-" without any. */
export async function versionOf(program: string, flag = "--version"): Promise<string> {
  const { stdout } = await run(program, [flag]);
  return /\d+\.\d+[\w.+~-]*/.exec(stdout)?.[0] ?? "-";
}
