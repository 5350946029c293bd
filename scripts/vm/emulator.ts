/** The emulator: starts a machine, shows what it writes on its serial port, reads how it ended. */

import { commandLine, type Machine } from "./machine.ts";

/** What the machine writes last, with the exit code of the suite. */
const END = /^ramekin: exit (\d+)/m;

/**
 * Runs a machine until it powers off, or that many seconds have passed. Answers the suite's exit
 * code; a machine without a bound has somebody at its shell.
 */
export async function emulate(
  machine: Machine,
  kernel: string,
  initramfs: string,
  bound: number | undefined,
): Promise<number> {
  // timeout(1) ends the emulator also where this script has been killed.
  const watched = ["timeout", "--foreground", "--kill-after=5", String(bound)];
  const shell = bound === undefined;
  const [program, ...args] = [
    ...(shell ? [] : watched),
    ...["nice", "-n", "10"],
    ...machine.emulator,
    // With a thread for each processor, one may run code that the other is patching: the kernel dies.
    ...["-accel", "tcg,thread=single", "-smp", "2", "-m", "2G"],
    ...["-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-serial", "mon:stdio"],
    ...["-kernel", kernel, "-initrd", initramfs, "-append", commandLine(machine)],
  ];
  const command = new Deno.Command(program!, {
    args,
    stdin: shell ? "inherit" : "null",
    stdout: shell ? "inherit" : "piped",
  });
  await using process = command.spawn();
  if (shell) return (await process.status).code;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => process.kill());
  }
  const decoder = new TextDecoder();
  let end = "";
  for await (const bytes of process.stdout) {
    Deno.stdout.writeSync(bytes);
    end = (end + decoder.decode(bytes, { stream: true })).slice(-4096);
  }
  const code = END.exec(end)?.[1];
  if (code === undefined) {
    throw new Error(
      `the ${machine.name} machine ended, or was ended after ${bound} seconds, without a result`,
    );
  }
  return Number(code);
}
