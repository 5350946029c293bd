/** The signals of `Container.kill()`: all that `Deno.Signal` has, as `Deno.ChildProcess` sends them. */

import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { recipe } from "../../mod.ts";
import { test } from "../support.ts";

/** The number of each on x86-64 and aarch64 (signal(7)); `undefined` for those of other systems. */
const NUMBERS: Readonly<Record<Deno.Signal, number | undefined>> = {
  SIGABRT: 6,
  SIGALRM: 14,
  SIGBREAK: undefined,
  SIGBUS: 7,
  SIGCHLD: 17,
  SIGCONT: 18,
  SIGEMT: undefined,
  SIGFPE: 8,
  SIGHUP: 1,
  SIGILL: 4,
  SIGINFO: undefined,
  SIGINT: 2,
  SIGIO: 29,
  SIGKILL: 9,
  SIGPIPE: 13,
  SIGPOLL: 29,
  SIGPROF: 27,
  SIGPWR: 30,
  SIGQUIT: 3,
  SIGSEGV: 11,
  SIGSTKFLT: 16,
  SIGSTOP: 19,
  SIGSYS: 31,
  SIGTERM: 15,
  SIGTRAP: 5,
  SIGTSTP: 20,
  SIGTTIN: 21,
  SIGTTOU: 22,
  SIGUNUSED: 31,
  SIGURG: 23,
  SIGUSR1: 10,
  SIGUSR2: 12,
  SIGVTALRM: 26,
  SIGWINCH: 28,
  SIGXCPU: 24,
  SIGXFSZ: 25,
};

const ALL = Object.entries(NUMBERS) as [Deno.Signal, number | undefined][];

/** A program that blocks all signals, prints a line, and ends with its input. */
const BLOCKING = "use POSIX; my $all = POSIX::SigSet->new; $all->fillset; " +
  "sigprocmask(SIG_BLOCK, $all); $| = 1; print qq(ready\\n); <STDIN>; exec qw(true)";

/** What can be sent signals. */
interface Target {
  readonly pid: number;
  kill(signal: Deno.Signal): void;
}

/** Returns the signals that are pending after each was sent, by their numbers, or the error. */
function pendingAfter(target: Target, signals: readonly Deno.Signal[]): (number | string)[] {
  let known = 0n;
  return signals.map((signal) => {
    try {
      target.kill(signal);
    } catch (error) {
      return (error as Error).name;
    }
    const status = Deno.readTextFileSync(`/proc/${target.pid}/status`);
    const pending = BigInt(`0x${/^ShdPnd:\s*(\w+)/m.exec(status)![1]}`);
    const added = pending & ~known;
    known = pending;
    return added.toString(2).length;
  });
}

test("every signal of Deno's type is sent, or refused as Deno refuses it", async () => {
  const args = ["-e", BLOCKING];
  const streams = { args, stdin: "piped", stdout: "piped" } as const;
  // A stop takes back a pending SIGCONT, and the other way round; these two cannot be blocked.
  const unblocked: readonly Deno.Signal[] = ["SIGKILL", "SIGSTOP", "SIGCONT"];
  // Each of a pair of names, so that either is new.
  const synonyms: readonly Deno.Signal[] = ["SIGPOLL", "SIGUNUSED"];
  const same: readonly Deno.Signal[] = ["SIGIO", "SIGSYS"];
  for (const left of [synonyms, same]) {
    const signals = ALL.map(([signal]) => signal)
      .filter((signal) => !unblocked.includes(signal) && !left.includes(signal));
    const expected = signals.map((signal) => NUMBERS[signal] ?? "TypeError");
    await using container = recipe().command("perl", streams).spawn();
    await using process = new Deno.Command("perl", streams).spawn();
    for (const started of [container, process]) {
      const reader = started.stdout.getReader();
      assertEquals(new TextDecoder().decode((await reader.read()).value), "ready\n");
      await reader.cancel();
    }
    assertEquals(pendingAfter(container, signals), expected);
    assertEquals(pendingAfter(process, signals), expected);
    process.kill("SIGKILL");
    await Promise.all([container.stdin.close(), process.stdin.close()]);
    container.kill("SIGKILL");
  }
});

test("a signal that ends a program is in its status by the name that Deno gives it", async () => {
  for (const signal of ["SIGPOLL", "SIGUNUSED", "SIGIO", "SIGKILL", "SIGPWR"] as const) {
    const options = { args: ["60"], stdin: "null" as const };
    const container = recipe().command("sleep", options).spawn();
    const process = new Deno.Command("sleep", options).spawn();
    container.kill(signal);
    process.kill(signal);
    const { code, signal: name } = await process.status;
    assertEquals(code, 128 + NUMBERS[signal]!);
    const status = await container.status;
    assertEquals([status.code, status.signal], [code, name]);
  }
});

test("what is no signal at all is refused with the nearest name", async () => {
  await using container = recipe().command("sleep", { args: ["60"], stdin: "null" }).spawn();
  for (const name of ["SIGPOL", "toString", "__proto__", ""]) {
    const error = assertThrows(() => container.kill(name as Deno.Signal), TypeError);
    assertStringIncludes(error.message, `Linux has no signal ${name}`);
  }
});
