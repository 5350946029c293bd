/** The init as process 1 of a namespace, with a shell as the main program. */

import { assert, assertEquals } from "@std/assert";
import { type Call, call, Output, pointerList, ResultOf } from "../../ffi/call.ts";
import { INIT } from "../../ffi/engine/bytes.ts";
import { allSyscalls } from "../../ffi/seccomp/all_syscalls.ts";
import { syscall } from "../../ffi/syscalls.ts";
import { END, Label } from "../../ffi/engine/program.ts";
import {
  CLONE_VFORK,
  CLONE_VM,
  everySignal,
  exitCode,
  missing,
  Pipe,
  run,
  SIG_SETMASK,
  SIGCHLD,
  testWith,
  text,
  waitFor,
} from "./support.ts";

const CLONE_NEWUSER = 0x10000000, CLONE_NEWPID = 0x20000000;
const SIGINT = 2, SIGKILL = 9, SIGTERM = 15, SIGCONT = 18, SIGSTOP = 19;
const MFD_CLOEXEC = 1, AT_FDCWD = -100, AT_EMPTY_PATH = 0x1000, CLOSE_RANGE_CLOEXEC = 4;
const O_RDWR = 2, O_NOCTTY = 0o400, O_NONBLOCK = 0o4000, F_SETFL = 4;
const TIOCSPTLCK = 0x40045431, TIOCGPTPEER = 0x5441, TIOCSCTTY = 0x540e;

const ENVIRONMENT = pointerList(["PATH=/usr/local/bin:/usr/bin:/bin"], "envp");
const EMULATOR = "qemu-aarch64-static";

/** What is special about a container. */
interface Situation {
  /** What process 1 does before it starts the main program. */
  readonly before?: readonly Call[];
  /** What it does when it has started the main program. */
  readonly after?: readonly Call[];
  /** How it becomes the init; by executing a memory file, where this is left out. */
  readonly exec?: Call;
}

/** A shell behind an init. */
class Container implements Disposable {
  /** The init, as this process knows it. */
  readonly pid: number;
  readonly #input: number;
  readonly #output: number;
  #ended = false;
  #inputOpen = true;

  constructor(script: string, situation: Situation = {}) {
    const image = Uint8Array.fromBase64(INIT[Deno.build.arch]);
    const file = call("memfd_create", "init", MFD_CLOEXEC), init = new ResultOf(file, "init");
    const input = new Pipe(), output = new Pipe(), saved = new Output(8);
    const first = call("clone", CLONE_VM | CLONE_VFORK | CLONE_NEWUSER | CLONE_NEWPID | SIGCHLD, 0);
    const second = call("clone", CLONE_VM | CLONE_VFORK | SIGCHLD, 0);
    const event = call("eventfd2", new ResultOf(second, "main"), 0);
    const argv = pointerList(["the", "init"], "argv");
    const shell = pointerList(["sh", "-c", script], "argv");
    const inInit = new Label("init"), inMain = new Label("main"), leave = new Label("leave");
    const restore = new Label("restore");
    const orLeave = (calls: readonly Call[]) => calls.map((call) => ({ call, onFailure: leave }));

    const outcome = run([
      { call: file },
      { call: call("write", init, image, image.length) },
      { call: input.make },
      { call: output.make },
      { call: call("rt_sigprocmask", SIG_SETMASK, everySignal(), saved, 8) },
      { call: first, onZero: inInit, onFailure: restore },
      restore,
      { call: call("rt_sigprocmask", SIG_SETMASK, saved, null, 8) },
      { call: call("close", init) },
      { call: call("close", input.reader) },
      { call: call("close", output.writer), onZero: END },

      inInit,
      ...orLeave(situation.before ?? []),
      { call: second, onZero: inMain, onFailure: leave },
      ...orLeave([
        ...situation.after ?? [],
        event,
        call("dup3", new ResultOf(event, "event"), 0, 0),
        call("close_range", 1, 2 ** 32 - 1, CLOSE_RANGE_CLOEXEC),
        situation.exec ?? call("execveat", init, "", argv, ENVIRONMENT, AT_EMPTY_PATH),
      ]),

      inMain,
      ...orLeave([
        call("rt_sigprocmask", SIG_SETMASK, new Uint8Array(8), null, 8),
        call("dup3", input.reader, 0, 0),
        call("dup3", output.writer, 1, 0),
        call("close_range", 3, 2 ** 32 - 1, CLOSE_RANGE_CLOEXEC),
        call("execve", "/bin/sh", shell, ENVIRONMENT),
      ]),

      leave,
      { call: call("exit_group", 127) },
    ]);
    assertEquals(outcome.failed, undefined);
    this.pid = Number(outcome.result(first));
    this.#input = input.descriptors(outcome)[1];
    this.#output = output.descriptors(outcome)[0];
  }

  /** The next line that the shell writes; empty at the end of its output. */
  line(): string {
    const byte = new Output(1), read = call("read", this.#output, byte, 1);
    let line = "";
    while (!line.endsWith("\n")) {
      const outcome = run([{ call: read }]);
      assertEquals(outcome.failed, undefined);
      if (outcome.result(read) === 0n) break;
      line += text(outcome.output(byte));
    }
    return line;
  }

  /** All writers are gone, and nothing is left to read. */
  atEnd(): boolean {
    syscall(call("fcntl", this.#output, F_SETFL, O_NONBLOCK));
    return this.line() === "";
  }

  /** The init's children, zombies included, by their state in proc_pid_stat(5). */
  children(): Map<number, string> {
    const children = new Map<number, string>();
    for (const { name } of Deno.readDirSync("/proc")) {
      const [, state, parent] = /\) (.) (\d+)/.exec(stat(name)) ?? [];
      if (state && Number(parent) === this.pid) children.set(Number(name), state);
    }
    return children;
  }

  kill(signal: number): void {
    syscall(call("kill", this.pid, signal));
  }

  closeInput(): void {
    if (this.#inputOpen) syscall(call("close", this.#input));
    this.#inputOpen = false;
  }

  /** Waits for the init to exit. */
  exitCode(): number {
    this.#ended = true;
    return exitCode(waitFor(this.pid));
  }

  [Symbol.dispose](): void {
    if (!this.#ended) {
      this.kill(SIGKILL);
      waitFor(this.pid);
    }
    this.closeInput();
    syscall(call("close", this.#output));
  }
}

type Start = (script: string, situation?: Situation) => Container;

/** Tests the machine's own init, and the one for aarch64 in an emulator. */
function testInit(name: string, test: (start: Start) => void | Promise<void>): void {
  Deno.test(`${name}, here`, () => test((script, situation) => new Container(script, situation)));
  testWith(missing(EMULATOR), `${name}, aarch64 in qemu`, async () => {
    const path = await Deno.makeTempFile({ prefix: "ramekin-init-" });
    try {
      await Deno.writeFile(path, Uint8Array.fromBase64(INIT.aarch64));
      await Deno.chmod(path, 0o755);
      const argv = pointerList(["env", EMULATOR, path], "argv");
      const exec = call("execve", "/usr/bin/env", argv, ENVIRONMENT);
      await test((script, situation) => new Container(script, { ...situation, exec }));
    } finally {
      await Deno.remove(path);
    }
  });
}

testInit("the exit code is the main program's", (start) => {
  for (const code of [0, 1, 7, 255]) {
    using container = start(`exit ${code}`);
    assertEquals(container.exitCode(), code);
  }
});

testInit("a signal that ends the main program is added to 128", (start) => {
  for (const [name, number] of [["KILL", 9], ["SEGV", 11], ["TERM", 15]]) {
    using container = start(`ulimit -c 0; kill -${name} $$`);
    assertEquals(container.exitCode(), 128 + Number(number));
  }
});

testInit("a main program that ended before the init started is noticed", (start) => {
  const sigchld = new Uint8Array(8);
  sigchld[2] = 1 << (SIGCHLD - 1 - 16);
  // Takes the signal away, as an exec with the signal not blocked would.
  const after = [call("rt_sigtimedwait", sigchld, null, null, 8)];
  using container = start("exit 9", { after });
  assertEquals(container.exitCode(), 9);
});

testInit("orphans are reaped, and do not end the init", async (start) => {
  using container = start(`
    exec 3<&0
    for orphan in 1 2 3; do (cat <&3 & ); done
    echo ready
    exec sleep 60
  `);
  assertEquals(container.line(), "ready\n");
  await until(() => container.children().size === 4);
  container.closeInput();
  await until(() => container.children().size === 1);
  container.kill(SIGTERM);
  assertEquals(container.exitCode(), 128 + SIGTERM);
});

testInit("signals are forwarded to the main program", (start) => {
  assertPassedOn([10, 12, 15, 18, 20, 21, 22, 23, 28], start);
});

// The emulator keeps some of them to itself.
Deno.test("realtime signals are forwarded to the main program", () => {
  assertPassedOn([34, 64], (script) => new Container(script));
});

function assertPassedOn(signals: number[], start: Start): void {
  using container = start(`
    for signal in ${signals.join(" ")}; do trap "echo $signal" $signal; done
    sleep 60 &
    echo ready
    while :; do wait; done
  `);
  assertEquals(container.line(), "ready\n");
  for (const signal of signals) {
    container.kill(signal);
    assertEquals(container.line(), `${signal}\n`);
  }
}

testInit("a main program that is stopped has not ended", async (start) => {
  using container = start("echo ready; read line; exit 3");
  assertEquals(container.line(), "ready\n");
  const [main] = container.children().keys();
  syscall(call("kill", main!, SIGSTOP));
  await until(() => container.children().get(main!) === "T");
  container.kill(SIGCONT);
  await until(() => container.children().get(main!) === "S");
  container.closeInput();
  assertEquals(container.exitCode(), 3);
});

testInit("a main program that is traced by the init, and stops, has not ended", async (start) => {
  const traceMe = allSyscalls(Deno.build.arch).get("ptrace");
  using container = start(`
    exec perl -e 'syscall(${traceMe}, 0, 0, 0, 0) == 0 or exit 9; kill USR1 => $$; exit 9'
  `);
  await until(() => [...container.children().values()].includes("t"));
  const [main] = container.children().keys();
  // The init has woken up for the stop, and waits again.
  await until(() => stat(String(container.pid)).includes(") S "));
  syscall(call("kill", main!, SIGKILL));
  assertEquals(container.exitCode(), 128 + SIGKILL);
});

testInit("the other processes of the namespace end with the init", (start) => {
  using container = start("trap '' TERM HUP; sleep 60 & echo left; exit 2");
  assertEquals(container.exitCode(), 2);
  assertEquals(container.line(), "left\n");
  assert(container.atEnd());
});

testInit("Ctrl-C reaches the main program once", (start) => {
  const terminal = call("openat", AT_FDCWD, "/dev/ptmx", O_RDWR | O_NOCTTY);
  const unlock = call("ioctl", new ResultOf(terminal, "terminal"), TIOCSPTLCK, new Uint8Array(4));
  const peer = call("ioctl", new ResultOf(terminal, "terminal"), TIOCGPTPEER, O_RDWR | O_NOCTTY);
  const opened = run([terminal, unlock, peer].map((call) => ({ call })));
  assertEquals(opened.failed, undefined);
  const [outer, inner] = [terminal, peer].map((call) => Number(opened.result(call)));
  try {
    const before = [
      call("setsid"),
      call("ioctl", inner!, TIOCSCTTY, 0),
      // A signal that is ignored from the start cannot be trapped by a shell.
      call("rt_sigaction", SIGINT, new Uint8Array(32), null, 8),
    ];
    const script = `
      trap "echo interrupted" INT
      trap "echo done; exit" TERM
      sleep 60 &
      echo ready
      while :; do wait; done
    `;
    using container = start(script, { before });
    assertEquals(container.line(), "ready\n");
    syscall(call("write", outer!, "\x03", 1));
    assertEquals(container.line(), "interrupted\n");
    container.kill(SIGTERM);
    assertEquals(container.line(), "done\n");
  } finally {
    for (const fd of [outer!, inner!]) syscall(call("close", fd));
  }
});

Deno.test("the init has a name, the arguments it was given, and no descriptor", async () => {
  using container = new Container("echo ready; exec sleep 60");
  assertEquals(container.line(), "ready\n");
  const read = (name: string) => Deno.readTextFileSync(`/proc/${container.pid}/${name}`);
  await until(() => read("comm") === "init\n");
  assertEquals(read("cmdline"), "the\0init\0");
  await until(() => [...Deno.readDirSync(`/proc/${container.pid}/fd`)].length === 0);
});

/** The line of a process in /proc; empty for one that is gone, and for what is no process. */
function stat(pid: string): string {
  try {
    return /^\d+$/.test(pid) ? Deno.readTextFileSync(`/proc/${pid}/stat`) : "";
  } catch {
    return "";
  }
}

/** Waits for something that happens in other processes, a minute at most. */
async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries++) {
    assert(tries < 12_000, `never came true: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
