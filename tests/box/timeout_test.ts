/** Boxes whose program has a time. */

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { boxOf } from "../../box/build_box.ts";
import { compileBox } from "../../box/compile_box.ts";
import { buildBox } from "../../box/mod.ts";
import {
  bounds,
  dieWithParent,
  init,
  mapRoot,
  type Recipe,
  recipe,
  RecipeError,
  sandbox,
  timeOffset,
  unshare,
  veth,
} from "../../mod.ts";
import { withLeased } from "../leased_program.ts";
import { test } from "../support.ts";
import { BoxFile, README } from "./support.ts";

const OVER = "box: the program was ended, as its time was over\n";

/** A box in a file that waits for a tenth of a second, where it should for 5 and 6 seconds. */
function hurried(container: Recipe): BoxFile {
  const target = {
    architecture: Deno.build.arch,
    user: "user",
    keepsDirectory: false,
  } as const;
  const compiled = compileBox(container.steps, target);
  const bytes = compiled.program.bytes.slice();
  const view = new DataView(bytes.buffer);
  let changed = 0;
  for (let at = 0; at + 32 <= bytes.length; at += 8) {
    const [interval, rest, first] = [0, 8, 16].map((offset) => view.getBigInt64(at + offset, true));
    if (interval === 5n && rest === 0n) {
      view.setBigInt64(at, 0n, true);
      view.setBigInt64(at + 8, 100_000_000n, true);
    } else if (interval === 0n && rest === 0n && first === 6n) {
      view.setBigInt64(at + 16, 0n, true);
      view.setBigInt64(at + 24, 100_000_000n, true);
    } else continue;
    changed++;
  }
  assertEquals(changed, 2);
  const file = new BoxFile(container);
  const program = { ...compiled.program, bytes };
  Deno.writeFileSync(file.path, boxOf({ ...compiled, program }, container.steps, {}));
  return file;
}

test("a program whose time is over is asked to end, and the box tells it as timeout(1) does", async () => {
  const plain = recipe(unshare("user"), mapRoot());
  const waiting = plain.with(unshare("net"), unshare("net"), veth("eth0"));
  const copying = recipe(unshare("user", "time"), mapRoot(), timeOffset({ boottime: 1 }));
  for (const container of [plain, README, README.with(init()), copying, waiting, sandbox()]) {
    using box = new BoxFile(recipe(bounds({ timeout: 200 }), ...container.steps));
    const script = "trap 'echo asked; exit 3' TERM; while :; do sleep 0.02; done";
    assertEquals(await box.run(["sh", "-c", script]), {
      code: 124,
      stdout: "asked\n",
      stderr: OVER,
    });
  }
});

test("a program that does not end when it is asked is killed", async () => {
  for (const container of [recipe(unshare("user"), mapRoot()), README, README.with(init())]) {
    using box = hurried(container.with(bounds({ timeout: 100 })));
    // The kernel drops the signal for PID 1, and the other programs ignore it.
    const { code, stderr } = await box.run(["sh", "-c", "trap '' TERM; exec sleep 60"]);
    assertEquals([code, stderr], [124, OVER]);
  }
});

test("a program that ends in its time ends as it does, and other signals are passed on", async () => {
  for (const timeout of [60_000, "unlimited"] as const) {
    using box = new BoxFile(README.with(bounds({ timeout })));
    assertEquals((await box.run(["sh", "-c", "exit 5"])).code, 5);
    const process = box.spawn([
      "sh",
      "-c",
      "trap 'exit 6' TERM; echo; while :; do sleep 0.02; done",
    ]);
    const reader = process.stdout.getReader();
    await reader.read();
    process.kill("SIGTERM");
    assertEquals((await process.status).code, 6);
    await reader.cancel();
    await process.stderr.cancel();
  }
});

test("a time of 0 is over at once", async () => {
  using box = hurried(recipe(unshare("user"), mapRoot(), bounds({ timeout: 0 })));
  assertEquals((await box.run(["sleep", "60"])).code, 124);
});

test("a box whose program cannot be started in time is killed", async () => {
  await withLeased(async (program) => {
    using box = hurried(recipe(unshare("user", "pid"), mapRoot(), bounds({ timeout: 100 })));
    const process = box.spawn([program]);
    const { signal, code } = await process.output();
    assertEquals([signal, code], ["SIGKILL", 137]);
  });
});

test("a container that may outlive its box has no time", () => {
  const outliving = recipe(bounds({ timeout: 5 }), unshare("user"), dieWithParent(null));
  const error = assertThrows(() => buildBox(outliving), RecipeError);
  assertEquals([error.step, error.stepIndex], ["bounds", 0]);
  assertStringIncludes(error.message, "timeout 5m PROGRAM");
  assert(buildBox(outliving.with(bounds({ timeout: "unlimited" }))).length > 0);
});
