/**
 * What the figures were measured on and with.
 *
 * @module
 */

/** Lines that tell the machine, the kernel and the versions of Deno and of these programs. */
export function machine(programs: readonly string[]): readonly string[] {
  const cpu = Deno.readTextFileSync("/proc/cpuinfo").match(/^(?:model name|CPU part)\s*: (.*)$/m);
  const who = Deno.uid() === 0 ? "root" : "an ordinary user";
  return [
    `machine: ${navigator.hardwareConcurrency} x ${cpu?.[1] ?? "unknown"}, ${Deno.build.arch}; ` +
    `load ${Deno.loadavg()[0]!.toFixed(2)} at the beginning`,
    `kernel: Linux ${Deno.osRelease()}; as ${who}`,
    `deno: ${Deno.version.deno}, V8 ${Deno.version.v8}`,
    ...programs.map((program) =>
      `${program.slice(program.lastIndexOf("/") + 1)}: ${versionOf(program)}`
    ),
  ];
}

function versionOf(program: string): string {
  const { stdout } = new Deno.Command(program, { args: ["--version"] }).outputSync();
  return new TextDecoder().decode(stdout).split("\n")[0]!;
}

/** Where a program lies, if it is installed. */
export function findProgram(name: string): string | undefined {
  const directories = [...(Deno.env.get("PATH") ?? "").split(":"), "/usr/sbin", "/sbin"];
  return directories.map((directory) => `${directory}/${name}`).find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });
}
