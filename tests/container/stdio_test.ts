/** Files, descriptors, paths and streams as the standard streams of programs. */

import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  type CommandOptions,
  mapRoot,
  RamekinError,
  type Recipe,
  recipe,
  rlimit,
  sandbox,
  seccomp,
  SyscallError,
  unshare,
} from "../../mod.ts";
import { close } from "../../ffi/calls/files.ts";
import { readSome } from "../../ffi/engine/transfer.ts";
import { syscall } from "../../ffi/syscalls.ts";
import { openPipe } from "../../launch/pipe.ts";
import { test } from "../support.ts";

/** Without a root of its own, and with one: there files are copied. */
const BOXES: readonly (readonly [string, () => Recipe])[] = [
  ["on the host's root", () => recipe(unshare("user"), mapRoot())],
  ["on a root of its own", () => sandbox()],
];

const sh = (box: Recipe, script: string, options: CommandOptions = {}) =>
  box.command("sh", { ...options, args: ["-c", script] });

/** A test with an empty directory. */
function inTemp(body: (directory: string) => Promise<void>): () => Promise<void> {
  return async () => {
    const directory = await Deno.makeTempDir();
    try {
      await body(directory);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  };
}

for (const [where, make] of BOXES) {
  const box = make();

  test(
    `paths are opened as a shell's redirections, ${where}`,
    inTemp(async (directory) => {
      const [input, output] = [`${directory}/in`, `${directory}/out`];
      Deno.writeTextFileSync(input, "soup\n");
      Deno.writeTextFileSync(output, "a longer text that was there before\n");
      const options = { stdin: { path: input }, stdout: { path: output } };
      assertEquals((await sh(box, "cat; cat", options).output()).code, 0);
      assertEquals(Deno.readTextFileSync(output), "soup\n");
      const append = { path: new URL(`file://${output}`), append: true };
      sh(box, "echo more; echo most >&2", { stdout: append, stderr: append }).outputSync();
      assertEquals(Deno.readTextFileSync(output), "soup\nmore\nmost\n");
      const both = { path: output };
      await sh(box, "echo 1; echo 2 >&2; echo 3", { stdout: both, stderr: both }).spawn().status;
      assertEquals(Deno.readTextFileSync(output), "1\n2\n3\n");
    }),
  );

  test(
    `open files go on where they are, and stay the script's, ${where}`,
    inTemp(async (directory) => {
      const path = `${directory}/file`;
      Deno.writeTextFileSync(path, "one\ntwo\nthree\n");
      using input = await Deno.open(path);
      using same = await Deno.open(path);
      const read = sh(box, "read line; echo got $line", { stdin: input });
      assertEquals(read.outputSync().text(), "got one\n");
      assertEquals((await read.output()).text(), "got two\n");
      assertEquals(sh(box, "cat", { stdin: same }).outputSync().text(), "one\ntwo\nthree\n");
      assertEquals(await new Response(input.readable).text(), "three\n");

      using output = await Deno.open(`${directory}/out`, { create: true, write: true });
      await output.write(new TextEncoder().encode("first\n"));
      const status = await sh(box, "echo second", { stdout: output }).spawn().status;
      assertEquals(status.code, 0);
      output.writeSync(new TextEncoder().encode("third\n"));
      assertEquals(Deno.readTextFileSync(`${directory}/out`), "first\nsecond\nthird\n");
    }),
  );

  test(
    `a file may be closed as soon as the program was started, ${where}`,
    inTemp(async (directory) => {
      const input = await Deno.open(`${directory}/in`, { create: true, read: true, write: true });
      await Deno.writeTextFile(`${directory}/in`, "soup\n");
      const done = sh(box, "sleep 0.01; cat", { stdin: input }).output();
      input.close();
      assertEquals((await done).text(), "soup\n");
      const command = sh(box, "cat", { stdin: input });
      await assertRejects(() => command.output(), Deno.errors.BadResource);
    }),
  );

  test(`streams are passed on, with back pressure, ${where}`, async () => {
    let asked = 0;
    const source = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (asked++ === 100) return controller.close();
        controller.enqueue(new Uint8Array(100_000).fill(asked));
      },
    });
    let size = 0;
    const target = new WritableStream<Uint8Array>({
      write: (bytes) => void (size += bytes.length),
    });
    const { code } = await box.command("cat", { stdin: source, stdout: target }).output();
    assertEquals([code, size], [0, 10_000_000]);
  });

  test(`a program need not read a stream to its end, ${where}`, async () => {
    let cancelled = false;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(100_000)),
      cancel: () => void (cancelled = true),
    });
    const { code } = await box.command("true", { stdin: endless }).output();
    const silent = new ReadableStream<Uint8Array>({ cancel: () => void (cancelled = true) });
    assertEquals([code, cancelled], [0, true]);
    cancelled = false;
    assertEquals((await box.command("true", { stdin: silent }).spawn().status).code, 0);
    assertEquals(cancelled, true);
  });

  test(`a stream that fails fails the output, ${where}`, async () => {
    const source = new ReadableStream<Uint8Array>({
      pull: () => Promise.reject(new Error("burnt")),
    });
    await assertRejects(() => box.command("cat", { stdin: source }).output(), Error, "burnt");
    const target = new WritableStream<Uint8Array>({
      write: () => Promise.reject(new Error("full")),
    });
    await assertRejects(() => box.command("yes", { stdout: target }).output(), Error, "full");
  });

  test(`stderr can be stdout, in order, ${where}`, async () => {
    const lines = "echo 1; echo 2 >&2; echo 3; echo 4 >&2";
    const both = { stderr: "stdout" } as const;
    const output = await sh(box, lines, both).output();
    assertEquals(output.text(), "1\n2\n3\n4\n");
    assertThrows(() => output.stderr, TypeError, "not piped");
    assertEquals(sh(box, lines, both).outputSync().text(), "1\n2\n3\n4\n");
  });

  test(`a descriptor by its number: a pipe between two programs, ${where}`, async () => {
    const file = await Deno.makeTempFile();
    using output = await Deno.open(file, { write: true });
    const status = await sh(box, "echo error >&2; echo text", {
      stdout: output,
      stderr: output,
    }).spawn().status;
    assertEquals([status.code, Deno.readTextFileSync(file)], [0, "error\ntext\n"]);
    await Deno.remove(file);
    const command = sh(box, "cat", { stdin: 987_654 });
    const error = await assertRejects(() => command.output(), SyscallError);
    assertEquals([error.syscall, error.code], ["fcntl", "EBADF"]);
  });
}

test(
  "a program with a root of its own gets no file that the script hands over",
  inTemp(async (directory) => {
    const path = `${directory}/file`;
    await Deno.writeTextFile(path, "soup\n");
    await Deno.chmod(path, 0o644);
    using file = await Deno.open(path, { read: true, write: true });
    const script =
      "for n in 0 1 2; do readlink /proc/self/fd/$n; done >&2; chmod 777 /proc/self/fd/0 " +
      "/proc/self/fd/1 2>/dev/null; echo over > /proc/self/fd/0";
    for (const [stdin, stdout] of [[file, file], [{ path }, { path, append: true }]] as const) {
      const { stderr } = await sh(sandbox(), script, { stdin, stdout }).output();
      const links = new TextDecoder().decode(stderr).trimEnd().split("\n").slice(0, 3);
      assertEquals(links.filter((link) => !link.startsWith("pipe:")), []);
      assertEquals(Deno.statSync(path).mode! & 0o777, 0o644);
      assertEquals(Deno.readTextFileSync(path), "soup\n");
    }
    using folder = await Deno.open(directory);
    const command = sh(sandbox(), "true", { stdin: folder });
    await assertRejects(() => command.output(), RamekinError, "stdin is a directory");
  }),
);

test(
  "what cannot be a stream is refused before anything runs",
  inTemp(async (directory) => {
    const box = recipe();
    for (const stdin of [-1, 1.5, {}, { path: "" }, new WritableStream()]) {
      const make = () => box.command("true", { stdin: stdin as never });
      assertStringIncludes(
        assertThrows(make, TypeError).message,
        'option "stdin" should be "piped"',
      );
    }
    const missing = box.command("true", { stdin: { path: `${directory}/nonesuch` } });
    const error = await assertRejects(() => missing.output(), SyscallError);
    assertEquals([error.syscall, error.code], ["openat", "ENOENT"]);
    assertStringIncludes(error.message, "stdin");
    const made = `${directory}/made`;
    const command = box.command("true", { stdout: { path: made }, stderr: { path: directory } });
    assertEquals((await assertRejects(() => command.output(), SyscallError)).code, "EISDIR");
    await box.command("mkfifo", { args: [`${directory}/pipe`] }).output();
    for (const option of ["stdin", "stdout"] as const) {
      const command = box.command("true", { [option]: { path: `${directory}/pipe` } });
      const error = await assertRejects(() => command.output(), Error);
      assertStringIncludes(error.message, "opened by both sides at once");
    }
    const stream = new ReadableStream<Uint8Array>();
    assertThrows(
      () => box.command("true", { stdin: stream }).outputSync(),
      TypeError,
      "event loop",
    );
    stream.getReader();
    assertThrows(() => box.command("true", { stdin: stream }).spawn(), TypeError, "locked");
    const terminal = box.command("true", { terminal: true, stdout: { path: made } });
    assertThrows(() => terminal.spawn(), TypeError, "with a terminal");
  }),
);

test(
  "the two ends of one named pipe are told apart",
  inTemp(async (directory) => {
    const path = `${directory}/pipe`;
    await recipe().command("mkfifo", { args: [path] }).output();
    const [writer, reader] = await Promise.all([Deno.open(path, { write: true }), Deno.open(path)]);
    const done = recipe().command("cat", { stdin: reader }).output();
    await sh(recipe(), "echo soup", { stdout: writer }).output();
    writer.close();
    reader.close();
    assertEquals((await done).text(), "soup\n");
  }),
);

for (const [where, make] of BOXES) {
  test(`descriptors beyond stderr have the numbers that they are given, ${where}`, () => {
    const [one, other] = [openPipe(), openPipe()];
    try {
      const options = { fds: { 3: one.writer, 7: other.writer, 4: one.writer } };
      const list = "ls /proc/self/fd; echo three >&3; echo four >&4; echo seven >&7";
      const box = make().with(seccomp());
      const { stdout, code } = sh(box, list, options).outputSync();
      // The directory that ls reads has the lowest number that is free.
      assertEquals([code, new TextDecoder().decode(stdout)], [0, "0\n1\n2\n3\n4\n5\n7\n"]);
      assertEquals(decoded(readSome(one.reader)), "three\nfour\n");
      assertEquals(decoded(readSome(other.reader)), "seven\n");
    } finally {
      for (const { reader, writer } of [one, other]) {
        for (const fd of [reader, writer]) syscall(close(fd));
      }
    }
  });
}

test("a file is a further descriptor of a program on the host's root alone", async () => {
  using file = await Deno.open("/etc/passwd");
  const read = (box: Recipe) => sh(box, "head -c 5 <&9", { fds: { 9: file } }).outputSync();
  assertEquals(read(recipe()).text(), "root:");
  assertThrows(() => read(sandbox()), RamekinError, "descriptor 9 is a file or a device");
  using directory = await Deno.open("/etc");
  const given = () => sh(sandbox(), "true", { fds: { 9: directory } }).outputSync();
  assertThrows(given, RamekinError, "descriptor 9 is a directory");
  for (const fds of [{ 2: 0 }, { 1024: 0 }, { 3: -1 }, { 3: "inherit" }, { a: 0 }]) {
    assertThrows(() => recipe().command("true", { fds: fds as never }), TypeError, '"fds"');
  }
  const closed = () => sh(recipe(), "true", { fds: { 3: 987_654 } }).outputSync();
  assertEquals((assertThrows(closed, SyscallError)).code, "EBADF");
  // A limit of the program's closes nothing.
  const few = recipe(rlimit("nofile", 64));
  const beyond = sh(few, "head -c 5 /proc/self/fd/100", { fds: { 100: file } }).outputSync();
  assertEquals(beyond.text(), "root:");
});

const decoded = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);

test("a program has the name that it is called by", () => {
  const { stdout } = recipe().command("/bin/sh", {
    argv0: "soup",
    args: ["-c", "echo $0; tr '\\0' ' ' < /proc/$$/cmdline"],
  })
    .outputSync();
  assertStringIncludes(new TextDecoder().decode(stdout), "soup -c");
});

test("a status tells how long the program ran, and what it has used", async () => {
  const box = recipe(unshare("user", "pid"), mapRoot());
  const busy = sh(box, "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done");
  const { durationMs, usage } = await busy.output();
  assert(usage.userMs > 0 && usage.systemMs >= 0);
  assert(durationMs >= usage.userMs / 2, `${durationMs} ms`);
  const status = await busy.spawn().status;
  assert(status.durationMs > 0 && status.usage.userMs > 0);
  const ended = busy.outputSync();
  assert(ended.durationMs > 0 && ended.usage.userMs > 0);
});
