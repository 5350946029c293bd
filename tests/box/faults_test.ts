/** Boxes of which one call fails, and the words that they are given. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { boxOf } from "../../box/build_box.ts";
import { compileBox } from "../../box/compile_box.ts";
import { recordOffset } from "../../ffi/engine/program.ts";
import {
  bind,
  bounds,
  init,
  mapRoot,
  pivotRoot,
  proc,
  type Recipe,
  recipe,
  sandbox,
  setEnv,
  symlink,
  timeOffset,
  tmpfs,
  unshare,
} from "../../mod.ts";
import { decode } from "../other_scripts.ts";
import { test } from "../support.ts";
import { NO_CALL } from "./failed_records.ts";
import { BoxFile, README } from "./support.ts";

const TARGET = {
  architecture: Deno.build.arch,
  user: "user",
  keepsDirectory: true,
} as const;

/** Calls that are made where others have failed: the directory is gone, or all is over. */
const PASSED_OVER = /^(exit_group|(step \d+ \(\w+\): )?chdir\("\/"\))/;

for (
  const [name, container] of Object.entries({
    "of the README": README,
    "with an init, and memory of its own": recipe(
      unshare("user", "pid", "time"),
      mapRoot(),
      timeOffset({ boottime: 1 }),
      init(),
    ),
    "with a time": README.with(bounds({ timeout: 60_000 })),
  })
) {
  test(`each call of a box ${name} is made to fail, and told`, () => {
    const whole = compileBox(container.steps, TARGET);
    using file = new BoxFile(container, { program: ["/bin/true"] });
    for (const [index, call] of whole.program.calls.entries()) {
      const bytes = whole.program.bytes.slice();
      new DataView(bytes.buffer).setInt32(recordOffset(index), NO_CALL, true);
      const program = { ...whole.program, bytes };
      const options = { program: ["/bin/true"] };
      Deno.writeFileSync(file.path, boxOf({ ...whole, program }, container.steps, options));
      const { code, stderr } = new Deno.Command(file.path, { stdin: "null" }).outputSync();
      const text = whole.texts[index]!;
      if (PASSED_OVER.test(text) && code === 0) continue;
      // What looks at an answer tells the errno that is in it.
      const errno = call.verdict === undefined ? "ENOSYS" : "EINVAL";
      assertEquals([code, decode(stderr)], [125, `box: ${text} failed: ${errno}\n`], call.name);
    }
  });
}

test("each tenth call of a sandbox is made to fail, and told", () => {
  const container = sandbox();
  const whole = compileBox(container.steps, TARGET);
  using file = new BoxFile(container);
  for (let index = 3; index < whole.program.calls.length; index += 10) {
    const bytes = whole.program.bytes.slice();
    new DataView(bytes.buffer).setInt32(recordOffset(index), NO_CALL, true);
    const program = { ...whole.program, bytes };
    Deno.writeFileSync(file.path, boxOf({ ...whole, program }, container.steps, {}));
    const { code, stderr } = new Deno.Command(file.path, {
      args: ["grep", "-x", "sandbox", "/proc/sys/kernel/hostname"],
      stdin: "null",
    }).outputSync();
    // A call that is passed over, as a path is missing here, fails nothing.
    if (code === 0) continue;
    assertEquals(code, 125);
    assertEquals(decode(stderr), `box: ${whole.texts[index]!} failed: ENOSYS\n`);
  }
});

test("words of any kind reach the program as they are", () => {
  using box = new BoxFile(recipe(setEnv({ LAST: "=" })), { program: ["/bin/sh", "-c"] });
  const script = `for word; do printf '%s\\0' "$word"; done`;
  for (let round = 0; round < 50; round++) {
    const words = Array.from({ length: Math.floor(Math.random() * 40) }, randomWord);
    const { code, stdout, stderr } = new Deno.Command(box.path, {
      args: [script, "sh", ...words],
      clearEnv: true,
      stdin: "null",
    }).outputSync();
    assertEquals([code, decode(stderr)], [0, ""]);
    assertEquals(decode(stdout), words.map((word) => `${word}\0`).join(""));
  }
});

function randomWord(): string {
  const length = Math.floor(Math.random() ** 3 * 2000);
  const letter = () => String.fromCodePoint(1 + Math.floor(Math.random() ** 4 * 0xd000));
  return Array.from({ length }, letter).join("");
}

test("variables of any kind reach the program as they are", () => {
  using box = new BoxFile(recipe(setEnv({ LAST: "=" })));
  for (let round = 0; round < 50; round++) {
    const env: Record<string, string> = {};
    const count = Math.floor(Math.random() * 200);
    for (let at = 0; at < count; at++) env[`L${"AST".slice(0, at % 4)}${at}`] = randomWord();
    const { code, stdout } = new Deno.Command(box.path, {
      args: ["/usr/bin/env", "-0"],
      env,
      clearEnv: true,
      stdin: "null",
    }).outputSync();
    assertEquals(code, 0);
    const found = decode(stdout).split("\0").slice(0, -1);
    const wanted = [...Object.entries(env).map(([name, value]) => `${name}=${value}`), "LAST=="];
    assertEquals(found.toSorted(), wanted.toSorted());
  }
});

/** A static busybox, and why there is none. */
const BUSYBOX = ["/usr/bin/busybox", "/bin/busybox"].find(isStatic);

function isStatic(path: string): boolean {
  try {
    const { stdout } = new Deno.Command("ldd", { args: [path], stderr: "null" }).outputSync();
    return Deno.statSync(path).isFile && !decode(stdout).includes("=>");
  } catch {
    return false;
  }
}

test("a box runs where there is nothing but busybox", async () => {
  const boxes: readonly (readonly [Recipe, string])[] = [
    [README, "a-cooler-hostname\n0\n"],
    [sandbox(), `sandbox\n0\n`],
  ];
  for (const [container, printed] of boxes) {
    using box = new BoxFile(container);
    const { code, stdout, stderr } = await recipe(
      unshare("user", "mount", "pid", "net"),
      mapRoot(),
      tmpfs("/mnt"),
      bind(BUSYBOX!, "/mnt/bin/busybox"),
      symlink("busybox", "/mnt/bin/sh"),
      bind(box.path, "/mnt/box"),
      ...["null", "zero", "full", "random", "urandom", "tty"].map((name) =>
        bind(`/dev/${name}`, `/mnt/dev/${name}`)
      ),
      tmpfs("/mnt/tmp"),
      proc("/mnt/proc"),
      pivotRoot("/mnt"),
    ).command("/box", {
      args: ["/bin/busybox", "sh", "-c", "busybox hostname; busybox id -u; busybox ls / >&2"],
      env: { PATH: "/bin" },
      clearEnv: true,
    }).output();
    if (container === README) {
      assertEquals([code, decode(stdout)], [0, printed], decode(stderr));
    } else {
      // A sandbox shows /usr and /bin of the machine.
      assertEquals([code, decode(stdout)], [0, printed], decode(stderr));
      assertStringIncludes(decode(stderr), "bin\ndev\n");
    }
  }
  assert(BUSYBOX !== undefined);
}, BUSYBOX === undefined ? "no static busybox here" : undefined);
