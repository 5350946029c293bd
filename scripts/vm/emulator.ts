/**
 * The emulator: starts a machine, shows what it writes on its serial port, reads how it has ended.
 *
 * @module
 */

import { commandLine, type Machine } from "./machine.ts";

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** A machine has ended without a result. */
export class MachineError extends Error {
  /** Takes what the machine has written until then. */
  constructor(message: string, readonly text: string) {
    super(message);
  }
}

/** What the machine writes last, with the exit code of the suite. */
const END = /^ramekin: exit (\d+)/m;

/** How a machine has ended. */
export interface MachineResult {
  /** The exit code of the suite, or of the last user's part of it that has failed. */
  readonly code: number;
  /** What the machine has written. */
  readonly text: string;
}

/**
 * Runs a machine until it powers off, or that many seconds have passed. A machine without a bound
 * has a person at its shell, and returns no text.
 */
export async function emulate(
  machine: Machine,
  kernel: string,
  initramfs: string,
  bound: number | undefined,
): Promise<MachineResult> {
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
  if (shell) return { code: (await process.status).code, text: "" };
  const end = () => process.kill();
  for (const signal of SIGNALS) Deno.addSignalListener(signal, end);
  const decoder = new TextDecoder();
  let text = "";
  try {
    for await (const bytes of process.stdout) {
      Deno.stdout.writeSync(bytes);
      text += decoder.decode(bytes, { stream: true });
    }
  } finally {
    for (const signal of SIGNALS) Deno.removeSignalListener(signal, end);
  }
  // A serial line ends its lines as a terminal does.
  text = text.replaceAll("\r", "");
  const code = END.exec(text)?.[1];
  if (code === undefined) {
    throw new MachineError(
      `the ${machine.name} machine ended, or was ended after ${bound} seconds, without a result`,
      text,
    );
  }
  return { code: Number(code), text };
}
