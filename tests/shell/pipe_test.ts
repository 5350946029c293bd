/** Pipes: between programs of the host and of containers. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { mapRoot, recipe, sandbox, unshare } from "../../mod.ts";
import { $, CommandError, shell } from "../../shell/mod.ts";
import { test } from "../support.ts";

const box = shell(recipe(unshare("user", "mount", "pid"), mapRoot()));
/** SIGPIPE ends programs here, as they are not PID 1. */
const safe = shell(sandbox());

test("a pipe goes through containers and the host", async () => {
  const pipe = $`printf 'b\na\nb\n'`.pipe(box`sort`).pipe(safe`uniq -c`).pipe`awk '{print $1 $2}'`;
  assertEquals(await pipe.text(), "1a\n2b");
  assertEquals(await Array.fromAsync(pipe.lines()), ["1a", "2b"]);
  const { programs } = await pipe.quiet();
  assertEquals(programs.map(({ command }) => command.split(" ")[0]), [
    "printf",
    "sort",
    "uniq",
    "awk",
  ]);
});

test("it is a pipe of the kernel's: one end for each, and none for the script", async () => {
  const show = "readlink /proc/self/fd/1 >&2; ls -l /proc/self/fd >&2; cat";
  const { programs } = await box`sh -c ${show}`.stdin("").pipe(safe`readlink /proc/self/fd/0`)
    .quiet();
  const [writer] = programs[0]!.stderr.split("\n");
  assert(writer!.startsWith("pipe:["), writer);
  const reader = await box`sh -c 'sleep 0.01; readlink /proc/self/fd/1 >&2'`.quiet()
    .pipe(safe`readlink /proc/self/fd/0`).text();
  assert(reader.startsWith("pipe:["), reader);
  // Standard streams, the directory that ls reads, and nothing else.
  assertEquals(programs[0]!.stderr.split("\n").filter((line) => line.includes("->")).length, 4);
});

test("the first error of a pipe is thrown, and the statuses of all are told", async () => {
  const pipe = $`sh -c 'echo one; echo bad >&2; exit 3'`.pipe(box`cat`).pipe`cat`.quiet();
  const error = await assertRejects(() => pipe.text(), CommandError);
  assertEquals([error.code, error.stderr], [3, "bad"]);
  assertEquals(error.programs.map(({ code }) => code), [3, 0, 0]);
  assert(error.message.includes("of the pipe sh -c"), error.message);
  const tolerated = $`sh -c 'echo one; exit 3'`.noThrow().pipe(box`cat`);
  assertEquals(await tolerated.text(), "one");
  const last = await assertRejects(
    () => tolerated.pipe`sh -c 'cat > /dev/null; exit 4'`.text(),
    CommandError,
  );
  assertEquals(last.programs.map(({ code }) => code), [3, 0, 4]);
  const result = await pipe.noThrow().quiet();
  assertEquals([result.code, result.programs.length], [3, 3]);
});

test("a reader that has enough ends the writers, which is no failure", async () => {
  assertEquals(await $`yes`.pipe(box`head -2`).text(), "y\ny");
  const { programs } = await safe`yes`.pipe`cat`.pipe`head -1`.quiet();
  assertEquals(programs[2]!.code, 0);
  assertEquals(programs.slice(0, 2).every(({ code, success }) => !success && code === 141), true);
  const error = await assertRejects(() => box`yes`.pipe`head -1`.quiet().text(), CommandError);
  assertEquals([error.code, error.stderr], [1, "yes: standard output: Broken pipe"]);
  for await (const line of safe`yes`.pipe`cat`.lines()) {
    assertEquals(line, "y");
    break;
  }
});

test("a writer waits for its reader", async () => {
  const pipe = $`sh -c 'head -c 10000000 /dev/zero'`
    .pipe(box`sh -c 'sleep 0.05; wc -c'`);
  assertEquals(await pipe.text(), "10000000");
  let read = 0;
  for await (const line of $`seq 1000000`.lines()) {
    read++;
    if (read === 1000) await new Promise((resolve) => setTimeout(resolve, 20));
    if (line === "1000000") break;
  }
  assertEquals(read, 1_000_000);
});

test("a kill of one, a timeout and a signal end the whole pipe", async () => {
  const killed = await assertRejects(
    () => $`sh -c 'kill -KILL $$'`.pipe(box`cat`).text(),
    CommandError,
  );
  assertEquals([killed.signal, killed.programs[1]!.code], ["SIGKILL", 0]);
  const slow = $`sleep 60`.pipe(box`sleep 60`).pipe(safe`cat`);
  const error = await assertRejects(() => slow.timeout(30).text(), CommandError);
  assert(error.timedOut);
  const stop = new AbortController();
  setTimeout(() => stop.abort(new Error("enough")), 20);
  await assertRejects(() => slow.signal(stop.signal).text(), Error, "enough");
});

test("where one cannot be started, the others end, and nothing is left", async () => {
  await assertRejects(() => $`sleep 60`.pipe(box`nonesuch`).text(), Deno.errors.NotFound);
  await assertRejects(() => box`nonesuch`.pipe`cat`.text(), Deno.errors.NotFound);
  await assertRejects(() => $`yes`.pipe(safe`cat`).pipe`nonesuch`.code(), Deno.errors.NotFound);
});

test("methods are for the end of the pipe that they name", async () => {
  assertEquals(await $`cat`.stdin("soup").pipe`tr a-z A-Z`.text(), "SOUP");
  assertEquals(await $`cat`.pipe`tr a-z A-Z`.stdin("soup").text(), "SOUP");
  assertEquals(await $`sh -c 'echo $A'`.pipe`sh -c 'cat; echo $A'`.env("A", "x").text(), "x\nx");
  const one = $`sh -c 'echo $A'`.env("A", "x");
  assertEquals(await one.pipe`sh -c 'cat; echo $A'`.env("B", "y").text(), "x\n");
  const errors = "echo out; echo error >&2";
  assertEquals(await $`sh -c ${errors}`.all().pipe`sort`.text(), "error\nout");
  assertThrows(() => $`a`.stdout("/dev/null").pipe`b`, TypeError, "writes to the pipe alone");
  assertThrows(() => $`a`.tee().pipe`b`, TypeError, "writes to the pipe alone");
  assertThrows(() => $`a`.pipe($`b`.stdin("c")), TypeError, "reads from the pipe");
  assertThrows(() => $`a`.retry(1).pipe`b`, TypeError, "after pipe()");
});

test("64 MiB through three containers do not pass through the script", async () => {
  const before = Deno.memoryUsage().rss;
  const pipe = box`head -c 67108864 /dev/zero`.pipe(safe`cat`).pipe(box`wc -c`);
  assertEquals(await pipe.text(), "67108864");
  assert(Deno.memoryUsage().rss - before < 32 * 2 ** 20, "the script's memory has grown");
});
