/** Batches of calls: results, what goes on after an errno, and calls in a user namespace. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { BatchResult, CallBatch } from "../../ffi/call_batch.ts";
import { engine } from "../../ffi/engine/engine.ts";
import { ERRNO } from "../../ffi/errno.ts";
import { AT_FDCWD, O_CLOEXEC, O_CREAT, O_EXCL, O_WRONLY } from "../../ffi/calls/files.ts";
import { linux, mapRoot, recipe, unshare } from "../../mod.ts";
import { test } from "../support.ts";

const SIZE = 1 << 16;

/** Runs a body that waits in a directory that is removed. */
function testIn(name: string, body: (directory: string) => Promise<void>): void {
  test(name, async () => {
    const directory = await Deno.makeTempDir();
    try {
      await body(directory);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  });
}

/** Adds the calls that write a file, and returns the number of the first. */
function writeFile(batch: CallBatch, path: string, text: Uint8Array): number {
  const flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
  const opened = batch.add("openat", [AT_FDCWD, batch.name(path), flags, 0o600]);
  const fd = new BatchResult(opened);
  batch.add("pwrite64", [fd, batch.address(text), text.length, 0]);
  batch.add("close", [fd]);
  return opened;
}

testIn(
  "calls take the results of earlier ones, and bytes that lie elsewhere",
  async (directory) => {
    using batch = new CallBatch(engine(), SIZE);
    const bytes = new TextEncoder().encode("one two three").subarray(4, 7);
    writeFile(batch, `${directory}/f\udcff`, bytes);
    assertEquals(await batch.run(), undefined);
    const [{ name }] = [...Deno.readDirSync(directory)] as [Deno.DirEntry];
    assertEquals(name.length, 2);
    batch.clear();
    assert(batch.isEmpty);
    writeFile(batch, `${directory}/g`, bytes);
    assertEquals(await batch.run(), undefined);
    assertEquals(Deno.readTextFileSync(`${directory}/g`), "two");
  },
);

testIn("a batch stops at the call that fails, and names it", async (directory) => {
  using batch = new CallBatch(engine(), SIZE);
  const made = batch.add("mkdirat", [AT_FDCWD, batch.name(`${directory}/d`), 0o700]);
  const again = batch.add("mkdirat", [AT_FDCWD, batch.name(`${directory}/d`), 0o700]);
  const never = batch.add("mkdirat", [AT_FDCWD, batch.name(`${directory}/e`), 0o700]);
  assertEquals(await batch.run(), { index: again, name: "mkdirat", errno: ERRNO.EEXIST });
  assertEquals([batch.result(made), batch.result(again), batch.result(never)], [
    0,
    -ERRNO.EEXIST,
    undefined,
  ]);
});

testIn("after an accepted errno calls can be left out, also to the end", async (directory) => {
  using batch = new CallBatch(engine(), SIZE);
  const mkdir = (name: string, edges = {}) =>
    batch.add("mkdirat", [AT_FDCWD, batch.name(`${directory}/${name}`), 0o700], edges);
  mkdir("d");
  mkdir("d", { accept: ["ENOENT", "EEXIST"], skip: 1 });
  mkdir("left-out");
  mkdir("e");
  mkdir("d", { accept: ["EEXIST"], skip: 1 });
  mkdir("left-out-too");
  assertEquals(await batch.run(), undefined);
  assertEquals([...Deno.readDirSync(directory)].map(({ name }) => name).sort(), ["d", "e"]);
});

test("a batch that is full says so, and takes what fits", async () => {
  using batch = new CallBatch(engine(), 4096);
  let count = 0;
  assertThrows(
    () => {
      for (;;) {
        batch.add("getpid", []);
        count++;
      }
    },
    RangeError,
    "the batch is full",
  );
  assert(count > 30);
  batch.clear();
  assertThrows(() => batch.output(5000), RangeError, "the batch is full");
  assertEquals(batch.room > 3000, true);
  const pid = batch.add("getpid", []);
  await batch.run();
  assertEquals(batch.result(pid), Deno.pid);
});

test("a batch in a user namespace has its ids and capabilities, and the script keeps its own", async () => {
  const maker = recipe(unshare("user"), mapRoot())
    .command("cat", { stdin: "piped", stdout: "null" }).spawn();
  const path = `/proc/${maker.pid}/ns/user`;
  using namespace = linux.open(path, linux.O_RDONLY | linux.O_CLOEXEC);
  await maker.stdin.close();
  await maker.status;
  const directory = Deno.makeTempDirSync();
  try {
    using batch = new CallBatch(engine(), SIZE, namespace.number);
    for (let round = 0; round < 3; round++) {
      const uid = batch.add("geteuid", []);
      const pid = batch.add("getpid", []);
      const tag = `${directory}/${round}`;
      const opened = writeFile(batch, tag, new Uint8Array([65]));
      assertEquals(await batch.run(), undefined);
      assertEquals(batch.result(uid), 0);
      assert(batch.result(pid) !== Deno.pid);
      assert(batch.result(opened)! > 2);
      assertEquals(Deno.statSync(tag).uid, Deno.uid());
      batch.clear();
    }
    const failing = batch.add("mkdirat", [AT_FDCWD, batch.name(`${directory}/0`), 0o700]);
    assertEquals(await batch.run(), { index: failing, name: "mkdirat", errno: ERRNO.EEXIST });
    assertEquals(linux.geteuid(), Deno.uid());
    assertEquals(linux.prctl(linux.PR_GET_DUMPABLE, 0), 1);
    assert(/^SigBlk:\s+0+$/m.test(Deno.readTextFileSync("/proc/self/status")));
    // A descriptor that is no namespace.
    using wrong = linux.open("/dev/null", linux.O_RDONLY | linux.O_CLOEXEC);
    using other = new CallBatch(engine(), SIZE, wrong.number);
    other.add("getpid", []);
    assertEquals((await other.run())?.name, "setns");
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});
