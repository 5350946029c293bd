/** `--status-fd`: how a program has ended, as JSON on a descriptor. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { test } from "../support.ts";
import { decode } from "../other_scripts.ts";
import { RUN } from "./support.ts";

/** Runs ramekin by a shell that opens descriptor 3, and returns what was written there. */
async function reported(...words: readonly string[]) {
  const script = 'exec "$@" 3>&1 >/dev/null';
  const { code, stdout, stderr } = await new Deno.Command("sh", {
    args: ["-c", script, "sh", ...RUN, ...words],
    stdin: "null",
  }).output();
  return { code, text: decode(stdout), stderr: decode(stderr) };
}

test("the end of a program is told, and the program gets no such descriptor", async () => {
  const script = "test ! -e /proc/self/fd/3 || exit 9; exit 5";
  const { code, text } = await reported("sandbox", "--status-fd=3", "--", "sh", "-c", script);
  const { usage, durationMs, ...rest } = JSON.parse(text);
  assertEquals(code, 5);
  assertEquals(rest, {
    code: 5,
    signal: null,
    reason: "failed with code 5",
    timedOut: false,
    outOfMemory: false,
  });
  assert(durationMs > 0 && usage.maxRss !== 0, text);
});

test("a program that is not started is told too, and what is no descriptor is refused", async () => {
  const missing = await reported("sandbox", "--status-fd=3", "--", "nonesuch-program");
  assertEquals(missing.code, 127);
  const { code, reason } = JSON.parse(missing.text);
  assertEquals(code, 127);
  assertStringIncludes(reason, "nonesuch-program");
  // 9 is one of Deno's own, as 3 alone is handed on.
  for (const fd of ["soup", "54321", "9"]) {
    const refused = await reported("sandbox", `--status-fd=${fd}`, "--", "true");
    assertEquals([refused.code, refused.text], [125, ""]);
    assertStringIncludes(refused.stderr, `--status-fd=${fd} is no open descriptor`);
  }
});
