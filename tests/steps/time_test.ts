/** `timeOffset`. */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { init, mapRoot, recipe, rlimit, timeOffset, unshare } from "../../mod.ts";
import { decode } from "../other_scripts.ts";
import { assertFails, assertRefused, inside, test, testOn } from "../support.ts";

const OFFSETS = "/proc/self/timens_offsets";

function uptime(text = Deno.readTextFileSync("/proc/uptime")): number {
  return parseFloat(text);
}

testOn(["time"], "the clocks are set off, and the host's are not", (mounts) => {
  const before = Deno.readTextFileSync(OFFSETS);
  const box = mounts.with(timeOffset({ boottime: 86400, monotonic: 3600 }));
  const [boot, ...lines] = inside(box, `cat /proc/uptime; tr -s ' ' < ${OFFSETS}`).split("\n");
  assert(uptime(boot) > 86400 && uptime(boot) - 86400 >= uptime() - 60);
  assertEquals(lines.map((line) => line.trim()), ["monotonic 3600 0", "boottime 86400 0"]);
  assertEquals(Deno.readTextFileSync(OFFSETS), before);
});

testOn(["time"], "the program itself is in the namespace, with an offset or without", (mounts) => {
  const own = Deno.readLinkSync("/proc/self/ns/time");
  for (const box of [mounts, mounts.with(timeOffset({ boottime: 86400 }))]) {
    const args = ["/proc/self/ns/time", "/proc/self/ns/time_for_children"];
    const { stdout } = box.command("readlink", { args }).outputSync();
    const [entered, ofChildren] = decode(stdout).split("\n");
    assertEquals(entered, ofChildren);
    assertNotEquals(entered, own);
  }
});

testOn(["time", "pid"], "a program with an init is in it, and one that comes later", (mounts) => {
  const box = mounts.with(timeOffset({ boottime: 86400 }), init());
  const { stdout } = box.command("cat", { args: ["/proc/uptime"] }).outputSync();
  assert(uptime(decode(stdout)) > 86400);
  const later = recipe(unshare("user"), mapRoot(), rlimit("core", 0), unshare("time", "pid"));
  const late = later.with(timeOffset({ boottime: 86400 })).command("cat", {
    args: ["/proc/uptime"],
  });
  assert(uptime(decode(late.outputSync().stdout)) > 86400);
});

testOn(["time"], "offsets may be negative, and fractions", (mounts) => {
  for (
    const [offset, shown] of [
      [-1, "boottime -1 0"],
      [-1.25, "boottime -2 750000000"],
      [0.5, "boottime 0 500000000"],
      [2.000000001, "boottime 2 1"],
      [-0.0000000001, "boottime 0 0"],
      [0, "boottime 0 0"],
    ] as const
  ) {
    const line = inside(mounts.with(timeOffset({ boottime: offset })), `tail -n 1 ${OFFSETS}`);
    assertEquals(line.trim().replace(/\s+/g, " "), shown, String(offset));
  }
});

testOn(["time"], "an offset to before the boot is reported", (mounts) => {
  const box = mounts.with(timeOffset({ boottime: -uptime() - 100 }));
  assertFails(box, { step: "timeOffset", code: "ERANGE", says: "before 0" });
});

test("invalid offsets, and offsets of the host's clocks, are refused", () => {
  const box = recipe(unshare("user", "time"), mapRoot());
  assertRefused(() => box.with(timeOffset({})), {
    step: "timeOffset",
    at: 2,
    says: 'needs "monotonic" or "boottime"',
  });
  for (const wrong of [NaN, Infinity, "1" as never, 1e10]) {
    assertRefused(() => box.with(timeOffset({ monotonic: wrong })), {
      step: "timeOffset",
      at: 2,
      says: "seconds",
    });
  }
  assertRefused(() => recipe(timeOffset({ boottime: 1 })), {
    step: "timeOffset",
    at: 0,
    says: 'unshare("time")',
  });
});

test("clocks of an outer user namespace are reported", () => {
  const outer = recipe(unshare("user", "time"), mapRoot());
  const box = outer.with(unshare("user"), mapRoot(), timeOffset({ boottime: 1 }));
  assertFails(box, { step: "timeOffset", at: 4, code: "EPERM", says: "has no right to this" });
});
