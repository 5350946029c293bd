/**
 * What the figures were measured on and with.
 *
 * @module
 */

import { print } from "./table.ts";

/** Prints the machine, the kernel and the versions of Deno and of these programs. */
export function printMachine(programs: readonly string[] = []): void {
  const cpu = Deno.readTextFileSync("/proc/cpuinfo").match(/^(?:model name|CPU part)\s*: (.*)$/m);
  print(`machine  ${navigator.hardwareConcurrency} x ${cpu?.[1] ?? "unknown"}, ${Deno.build.arch}`);
  print(`kernel   Linux ${Deno.osRelease()}`);
  print(`load     ${Deno.loadavg().map((load) => load.toFixed(2)).join(" ")}`);
  print(`deno     ${Deno.version.deno}, V8 ${Deno.version.v8}`);
  for (const program of programs) {
    const { stdout } = new Deno.Command(program, { args: ["--version"] }).outputSync();
    const version = new TextDecoder().decode(stdout).split("\n")[0]!;
    print(`${program.slice(program.lastIndexOf("/") + 1).padEnd(8)} ${version}`);
  }
  print();
}

/** Where a program lies, if it is installed. */
export function findProgram(name: string): string | undefined {
  const folders = [...(Deno.env.get("PATH") ?? "").split(":"), "/usr/sbin", "/sbin"];
  return folders.map((folder) => `${folder}/${name}`).find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });
}
