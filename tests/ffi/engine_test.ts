/** The engine: the machine's own in the calling thread, and the one for aarch64 in an emulator. */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { call, Output, pointerList, ResultOf, Struct } from "../../ffi/call.ts";
import { ENGINE, INIT, MARKER } from "../../ffi/engine/bytes.ts";
import { engine, place, RunResult } from "../../ffi/engine/engine.ts";
import { ERRNO } from "../../ffi/errno.ts";
import type { Memory } from "../../ffi/engine/memory.ts";
import { syscall } from "../../ffi/syscalls.ts";
import { assemble, END, Label, PENDING, recordOffset } from "../../ffi/engine/program.ts";
import type { Architecture } from "../../ffi/syscall_numbers.ts";
import {
  assembleEngine,
  assembleInit,
  assembleMarker,
  assembleRemove,
  assembleWait,
  tool,
} from "../../scripts/assemble.ts";
import { WAIT } from "../../launch/wait_bytes.ts";
import { REMOVE } from "../../oci/remove_bytes.ts";
import {
  CLONE_VFORK,
  CLONE_VM,
  everySignal,
  exitCode,
  missing,
  O_CLOEXEC,
  P_PID,
  type Parts,
  Pipe,
  run as runHere,
  SIG_SETMASK,
  SIGCHLD,
  testWith,
  text,
  waitFor,
  WEXITED,
} from "./support.ts";

const AT_FDCWD = -100, O_NONBLOCK = 0o4000;
const SEEK_CUR = 1, SEEK_END = 2;
const PROT_READ = 1, PROT_WRITE = 2, MAP_PRIVATE = 2, MAP_ANONYMOUS = 0x20;
const CLONE_PARENT = 0x8000;
/** Where engine_aarch64.S has its table. */
const TABLE = 0x10000000;
const PR_SET_NO_NEW_PRIVS = 38, SECCOMP_SET_MODE_FILTER = 1;

/** Something that walks a program. */
interface Machine {
  readonly name: string;
  /** Why it cannot be had here. */
  readonly missing: string | undefined;
  run(parts: Parts): RunResult | Promise<RunResult>;
}

const EMULATOR = "qemu-aarch64-static";

const MACHINES: readonly Machine[] = [
  { name: "here", missing: undefined, run: runHere },
  {
    name: "aarch64 in qemu",
    missing: missing(EMULATOR, tool("as", "aarch64"), tool("ld", "aarch64")),
    run: emulate,
  },
];

/** Tests a walk on every machine. */
function testWalk(name: string, test: (machine: Machine) => Promise<void>): void {
  for (const machine of MACHINES) {
    testWith(machine.missing, `${name}, ${machine.name}`, () => test(machine));
  }
}

testWalk("a result is an argument of a later call", async ({ run }) => {
  const open = call("openat", AT_FDCWD, "/dev/null", O_CLOEXEC);
  const close = call("close", new ResultOf(open, "null"));
  const again = call("close", new ResultOf(open, "null"));
  const outcome = await run([{ call: open }, { call: close }, { call: again }]);
  assert(outcome.result(open) > 2n);
  assertEquals(outcome.result(close), 0n);
  assertEquals(outcome.failed, { call: again, errno: ERRNO.EBADF });
});

testWalk("what the kernel wrote is an argument of a later call", async ({ run }) => {
  const pipe = new Pipe();
  const into = new Output(16);
  const write = call("write", pipe.writer, "Ramekin", 7);
  const read = call("read", pipe.reader, into, 16);
  const outcome = await run([
    { call: pipe.make },
    { call: write },
    { call: read },
    ...pipe.closing(),
  ]);
  assertEquals(outcome.failed, undefined);
  assertEquals([outcome.result(write), outcome.result(read)], [7n, 7n]);
  assertEquals(text(outcome.output(into)).slice(0, 7), "Ramekin");
});

testWalk("six arguments and the result have 64 bits", async ({ run }) => {
  const far = 2 ** 33 + 5;
  const memory = call(
    "mmap",
    null,
    4096,
    PROT_READ | PROT_WRITE,
    MAP_PRIVATE | MAP_ANONYMOUS,
    -1,
    0,
  );
  const address = new ResultOf(memory, "memory");
  const file = call("memfd_create", "far", 1);
  const fd = new ResultOf(file, "file");
  const write = call("pwrite64", fd, "far", 3, far);
  const read = call("pread64", fd, address, 3, BigInt(far));
  const copy = call("pwrite64", fd, address, 4, 0);
  const back = new Output(4);
  const near = call("pread64", fd, back, 4, 0);
  const end = call("lseek", fd, -1, SEEK_END);
  const calls = [memory, file, write, read, copy, near, end];
  const outcome = await run([
    ...calls.map((call) => ({ call })),
    { call: call("close", fd) },
    { call: call("munmap", address, 4096) },
  ]);
  assertEquals(outcome.failed, undefined);
  assert(outcome.result(memory) > 2n ** 32n);
  assertEquals(outcome.result(end), BigInt(far + 3 - 1));
  assertEquals(text(outcome.output(back)), "far\0");
});

testWalk("an accepted errno is not a failure and has an edge of its own", async ({ run }) => {
  const there = new Label("there");
  const make = call("mkdirat", AT_FDCWD, "/", 0o755);
  const skipped = call("getpid"), reached = call("getpid");
  const outcome = await run([
    {
      call: make,
      accept: ["EPERM", "ENOENT", "ESRCH", "EINTR", "EIO", "ENXIO", "E2BIG", "EEXIST"],
      onAccepted: there,
    },
    { call: skipped },
    there,
    { call: reached },
  ]);
  assertEquals(outcome.failed, undefined);
  assertEquals(outcome.result(make), BigInt(-ERRNO.EEXIST));
  assertEquals(outcome.result(skipped), 0n);
  assert(outcome.result(reached) > 0n);
});

testWalk(
  "without an edge, an accepted errno continues and another ends the program",
  async ({ run }) => {
    const accepted = call("close", -1), failing = call("close", -1), unreached = call("getpid");
    const outcome = await run([
      { call: accepted, accept: ["EBADF"] },
      { call: failing, accept: ["EINTR", "EIO"] },
      { call: unreached },
    ]);
    assertEquals(outcome.failed, { call: failing, errno: ERRNO.EBADF });
    assertEquals(outcome.result(unreached), 0n);
  },
);

testWalk("the first failure is reported, also if cleaning up fails", async ({ run }) => {
  const cleanup = new Label("cleanup"), further = new Label("further");
  const open = call("openat", AT_FDCWD, "/", O_CLOEXEC);
  const failing = call("mkdirat", AT_FDCWD, "/", 0o755), unreached = call("getpid");
  const failingToo = call("close", -1), close = call("close", new ResultOf(open, "root"));
  const outcome = await run([
    { call: open },
    { call: failing, onFailure: cleanup },
    { call: unreached },
    cleanup,
    { call: failingToo, onFailure: further },
    further,
    { call: close },
  ]);
  assertEquals(outcome.failed, { call: failing, errno: ERRNO.EEXIST });
  assertEquals(outcome.result(failingToo), BigInt(-ERRNO.EBADF));
  assertEquals(outcome.result(close), 0n);
  assertEquals(outcome.result(unreached), 0n);
});

testWalk("zero and more than zero have edges of their own", async ({ run }) => {
  const positive = new Label("positive"), zero = new Label("zero");
  const open = call("memfd_create", "zero", 1), unreached = call("getuid");
  const close = call("close", new ResultOf(open, "fd")), reached = call("getpid");
  const outcome = await run([
    { call: open, onZero: zero, onSuccess: positive },
    { call: unreached },
    zero,
    { call: reached, onSuccess: END },
    positive,
    { call: close, onZero: zero, onSuccess: END },
    { call: unreached },
  ]);
  assertEquals(outcome.failed, undefined);
  assertEquals([outcome.result(close), outcome.result(unreached)], [0n, 0n]);
  assert(outcome.result(reached) > 0n);
});

testWalk("edges make a loop", async ({ run }) => {
  const again = new Label("again"), done = new Label("done");
  const pipe = new Pipe(O_NONBLOCK);
  const token = new Output(1);
  const read = call("read", pipe.reader, token, 1);
  const counter = call("memfd_create", "counter", 1);
  const fd = new ResultOf(counter, "counter");
  const count = call("lseek", fd, 2, SEEK_CUR), counted = call("lseek", fd, 0, SEEK_CUR);
  const outcome = await run([
    { call: counter },
    { call: pipe.make },
    { call: call("write", pipe.writer, "abc", 3) },
    again,
    { call: read, accept: ["EAGAIN"], onAccepted: done },
    { call: count, onSuccess: again },
    done,
    { call: counted },
    { call: call("close", fd) },
    ...pipe.closing(),
  ]);
  assertEquals(outcome.failed, undefined);
  assertEquals(outcome.result(read), BigInt(-ERRNO.EAGAIN));
  assertEquals(outcome.result(counted), 6n);
  assertEquals(text(outcome.output(token)), "c");
});

testWalk("a record leads to itself", async ({ run }) => {
  const again = new Label("again");
  const pipe = new Pipe(O_NONBLOCK);
  const token = new Output(1);
  const read = call("read", pipe.reader, token, 1);
  const outcome = await run([
    { call: pipe.make },
    { call: call("write", pipe.writer, "abc", 3) },
    again,
    { call: read, accept: ["EAGAIN"], onSuccess: again },
    ...pipe.closing(),
  ]);
  assertEquals(outcome.failed, undefined);
  assertEquals(outcome.result(read), BigInt(-ERRNO.EAGAIN));
  assertEquals(text(outcome.output(token)), "c");
});

testWalk("a call that is retried fails at last, or is accepted", async ({ run }) => {
  const there = new Label("there");
  const pipe = new Pipe(O_NONBLOCK);
  const none = new Output(1), token = new Output(1);
  const read = (into: Output) => ({ ...call("read", pipe.reader, into, 1), retried: true });
  const [accepted, first, failed] = [read(none), read(token), read(none)];
  const skipped = call("getpid");
  const outcome = await run([
    { call: pipe.make },
    { call: accepted, accept: ["EINTR", "EAGAIN"], onAccepted: there },
    { call: skipped },
    there,
    { call: call("write", pipe.writer, "a", 1) },
    { call: first },
    { call: failed },
  ]);
  assertEquals([accepted, first, skipped].map((one) => outcome.result(one)), [
    BigInt(-ERRNO.EAGAIN),
    1n,
    0n,
  ]);
  assertEquals(text(outcome.output(token)), "a");
  assertEquals(outcome.failed, { call: failed, errno: ERRNO.EAGAIN });
});

testWalk("a child runs the records of its edge", async ({ run }) => {
  const child = new Child();
  const outcome = await run(withChild(child, [{ call: call("exit_group", 7) }]));
  assertEquals(outcome.failed, undefined);
  assert(outcome.result(child.clone) > 0n);
  assertEquals(child.exitCode(outcome), 7);
});

Deno.test("a child reports its failure to its parent by memory", () => {
  const child = new Child(), leave = new Label("leave");
  const failing = call("close", -1), unreached = call("getpid");
  const outcome = runHere(withChild(child, [
    { call: failing, onFailure: leave },
    { call: unreached },
    leave,
    { call: call("exit_group", 3) },
  ]));
  assertEquals(outcome.failed, { call: failing, errno: ERRNO.EBADF });
  assertEquals(outcome.result(unreached), 0n);
  assertEquals(child.exitCode(outcome), 3);
});

Deno.test("a call that does not return is pending", () => {
  const child = new Child();
  const exec = call("execve", "/bin/true", pointerList(["true"], "argv"), pointerList([], "envp"));
  const leave = call("exit_group", 127);
  const outcome = runHere(withChild(child, [{ call: exec }, { call: leave }]));
  assertEquals(child.exitCode(outcome), 0);
  assertEquals([outcome.result(exec), outcome.result(leave)], [PENDING, 0n]);
});

Deno.test("a child creates a sibling and ends before it", () => {
  const child = new Child(), sibling = new Label("sibling");
  const clone = call("clone", CLONE_VM | CLONE_VFORK | CLONE_PARENT | SIGCHLD, 0);
  const parent = call("getppid"), siblingsParent = call("getppid"), info = new Output(128);
  const outcome = runHere([
    ...withChild(child, [
      { call: clone, onZero: sibling },
      { call: parent },
      { call: call("exit_group", 4) },
      sibling,
      { call: siblingsParent },
      { call: call("exit_group", 5) },
    ], [{ call: call("waitid", P_PID, new ResultOf(clone, "sibling"), info, WEXITED, 0) }]),
  ]);
  assertEquals(outcome.failed, undefined);
  assertEquals(outcome.result(parent), BigInt(Deno.pid));
  assertEquals(outcome.result(siblingsParent), BigInt(Deno.pid));
  assertNotEquals(outcome.result(clone), outcome.result(child.clone));
  assertEquals(child.exitCode(outcome), 4);
  assertEquals(exitCode(outcome.output(info)), 5);
});

Deno.test("a child that shares memory continues after its parent has returned", () => {
  const { architecture } = engine();
  const pipe = new Pipe(), memory = engine().allocate(8192);
  const child = new Label("child");
  const byte = new Output(1), saved = new Output(8);
  const clone = call("clone", CLONE_VM | SIGCHLD, 0);
  const read = call("read", pipe.reader, byte, 1);
  const program = assemble([
    { call: pipe.make },
    { call: call("rt_sigprocmask", SIG_SETMASK, everySignal(), saved, 8) },
    { call: clone, onZero: child },
    { call: call("rt_sigprocmask", SIG_SETMASK, saved, null, 8), onZero: END },
    child,
    { call: read },
    { call: call("exit_group", 6) },
  ], architecture);
  place(program, memory);
  assertEquals(engine().runIn(memory), 0);
  const outcome = new RunResult(program, memory.view);
  assert([0n, PENDING].includes(outcome.result(read)));
  const [reader, writer] = pipe.descriptors(outcome);
  syscall(call("write", writer, "!", 1));
  assertEquals(exitCode(waitFor(Number(outcome.result(clone)))), 6);
  assertEquals([outcome.result(read), text(outcome.output(byte))], [1n, "!"]);
  for (const fd of [reader, writer]) syscall(call("close", fd));
  engine().release(memory);
});

Deno.test("an errno above 255 is not the accepted one of its low byte", () => {
  // Only seccomp can make the kernel answer one at will: 524, ENOTSUPP, has ENOMEM's low byte.
  const { architecture } = engine();
  const fake = call("sched_yield");
  const number = assemble([{ call: fake }], architecture).bytes.slice(
    recordOffset(0),
    recordOffset(0) + 4,
  );
  const child = new Child(), leave = new Label("leave");
  const outcome = runHere(withChild(child, [
    { call: call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) },
    { call: call("seccomp", SECCOMP_SET_MODE_FILTER, 0, errnoFilter(number, 524)) },
    { call: fake, accept: ["ENOMEM"], onFailure: leave },
    leave,
    { call: call("exit_group", 0) },
  ]));
  assertEquals(outcome.failed, { call: fake, errno: 524 });
  assertEquals(child.exitCode(outcome), 0);
});

Deno.test("the arena grows with its programs", () => {
  for (const size of [300_000, 1000, 3_000_000]) {
    const file = call("memfd_create", "arena", 1), back = new Output(8);
    const fd = new ResultOf(file, "file");
    const bytes = Uint8Array.from({ length: size }, (_, index) => index);
    const write = call("write", fd, bytes, size);
    const outcome = runHere([
      { call: file },
      { call: write },
      { call: call("pread64", fd, back, 8, size - 8) },
      { call: call("close", fd) },
    ]);
    assertEquals(outcome.failed, undefined);
    assertEquals(outcome.result(write), BigInt(size));
    assertEquals(outcome.output(back).getUint8(7), (size - 1) % 256);
  }
  const many = Array.from({ length: 4000 }, () => ({ call: call("getpid") }));
  const outcome = runHere(many);
  assertEquals(outcome.result(many.at(-1)!.call), BigInt(Deno.pid));
});

Deno.test("a program in the pool may block", async () => {
  const pipe = new Pipe(), byte = new Output(1);
  const [reader, writer] = pipe.descriptors(runHere([{ call: pipe.make }]));
  const read = call("read", reader, byte, 1);
  const program = assemble([{ call: read }], engine().architecture);
  const memory = engine().allocate(4096);
  place(program, memory);
  const walk = engine().runInPool(memory);
  syscall(call("write", writer, "?", 1));
  assertEquals(await walk, 0);
  assertEquals(text(new RunResult(program, memory.view).output(byte)), "?");
  for (const fd of [reader, writer]) syscall(call("close", fd));
  engine().release(memory);
});

for (const architecture of ["x86_64", "aarch64"] as const) {
  const tools = (["as", "ld", "objcopy"] as const).map((name) => tool(name, architecture));
  testWith(
    missing(...tools),
    `the bytes for ${architecture} are those of the sources`,
    async () => {
      const shipped = Uint8Array.fromBase64(ENGINE[architecture]);
      // Only the code: another release of binutils may put another frame around it.
      const assembled = assembleEngine(architecture);
      assertEquals(await code(shipped, architecture), await code(assembled, architecture));
      assertEquals(Uint8Array.fromBase64(INIT[architecture]), assembleInit(architecture));
      assertEquals(Uint8Array.fromBase64(MARKER[architecture]), assembleMarker(architecture));
      assertEquals(Uint8Array.fromBase64(WAIT[architecture]), assembleWait(architecture));
      assertEquals(Uint8Array.fromBase64(REMOVE[architecture]), assembleRemove(architecture));
    },
  );
}

/** A child that borrows its parent's memory and time until it exits. */
class Child {
  readonly clone = call("clone", CLONE_VM | CLONE_VFORK | SIGCHLD, 0);
  readonly info = new Output(128);

  exitCode(outcome: RunResult): number {
    return exitCode(outcome.output(this.info));
  }
}

/** A program that makes a child, waits for it, and has every signal blocked meanwhile. */
function withChild(child: Child, records: Parts, after: Parts = []): Parts {
  const start = new Label("child"), restore = new Label("restore"), saved = new Output(8);
  return [
    { call: call("rt_sigprocmask", SIG_SETMASK, everySignal(), saved, 8) },
    { call: child.clone, onZero: start, onFailure: restore },
    { call: call("waitid", P_PID, new ResultOf(child.clone, "child"), child.info, WEXITED, 0) },
    ...after,
    restore,
    { call: call("rt_sigprocmask", SIG_SETMASK, saved, null, 8), onZero: END },
    start,
    ...records,
  ];
}

/** A seccomp filter that makes one system call fail with an errno; see seccomp(2). */
function errnoFilter(number: Uint8Array, errno: number): Struct {
  const load = [0x20, 0, 0, 0, 0, 0, 0, 0], unlessEqual = [0x15, 0, 0, 1, ...number];
  const fail = [0x06, 0, 0, 0, errno & 255, errno >> 8, 5, 0];
  const allow = [0x06, 0, 0, 0, 0, 0, 0xff, 0x7f];
  const filter = new Uint8Array([...load, ...unlessEqual, ...fail, ...allow]);
  const program = new Uint8Array(16);
  program[0] = filter.length / 8;
  return new Struct(program, "filter", [{ offset: 8, to: filter }]);
}

/** Walks a program with the engine for aarch64, in a process of its own. */
function emulate(parts: Parts): Promise<RunResult> {
  return inDirectory(async (directory) => {
    const sources = ["../../ffi/engine/aarch64.S", "engine_aarch64.S"].map((path) =>
      new URL(path, import.meta.url).pathname
    );
    const object = `${directory}/object`, driver = `${directory}/driver`;
    await filter(tool("as", "aarch64"), [...sources, "-o", object]);
    await filter(tool("ld", "aarch64"), [object, "-o", driver]);
    const program = assemble(parts, "aarch64");
    const table = program.bytes.slice();
    place(program, { address: TABLE, bytes: table, view: new DataView(table.buffer) } as Memory);
    const { code, stdout } = await filter(EMULATOR, [driver], table);
    const outcome = new RunResult(program, new DataView(stdout.buffer));
    assertEquals(code, outcome.failed?.errno ?? 0);
    return outcome;
  });
}

/** The machine code of a shared object. */
function code(image: Uint8Array, architecture: Architecture): Promise<Uint8Array> {
  return inDirectory(async (directory) => {
    await Deno.writeFile(`${directory}/image`, image);
    await filter(tool("objcopy", architecture), [
      "-O",
      "binary",
      "-j",
      ".text",
      `${directory}/image`,
    ]);
    return await Deno.readFile(`${directory}/image`);
  });
}

async function inDirectory<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = await Deno.makeTempDir({ prefix: "ramekin-engine-" });
  try {
    return await use(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Runs a program of the host's with an input; what it complains of is shown. */
async function filter(
  program: string,
  args: string[],
  input: Uint8Array<ArrayBuffer> = new Uint8Array(),
): Promise<Deno.CommandOutput> {
  const options = { args, stdin: "piped", stdout: "piped", stderr: "inherit" } as const;
  const process = new Deno.Command(program, options).spawn();
  const [output] = await Promise.all([
    process.output(),
    new Blob([input]).stream().pipeTo(process.stdin),
  ]);
  return output;
}
