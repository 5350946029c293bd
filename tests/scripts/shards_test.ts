/** The parts of the suite that the emulated machines run. */

import { assert, assertEquals } from "@std/assert";
import { emptyTally, EXAMPLES, readSummary } from "../../scripts/suite.ts";
import { shards, testFiles } from "../../scripts/vm/shards.ts";

Deno.test("each test file is in one part, and the examples are in another", () => {
  const parts = shards();
  const files = parts.flatMap(({ args }) => args.filter((word) => word.endsWith("_test.ts")));
  assertEquals(files.toSorted(), testFiles("tests/").toSorted());
  assert(files.includes("tests/scripts/shards_test.ts"));
  assertEquals(parts.at(-1)!.args, EXAMPLES);
  assertEquals(new Set(parts.map(({ name }) => name)).size, parts.length);
});

Deno.test("what deno test writes is counted", () => {
  const text = `running 3 tests from ./a_test.ts
one ... ok (1ms)
two (needs root) ... ignored (0ms)
three ... FAILED (2ms)

 ERRORS 

FAILED | 1 passed (3 steps) | 1 failed | 1 ignored (1s)
`;
  assertEquals(readSummary(text), {
    passed: 1,
    failed: 1,
    failures: ["three"],
    skipped: ["two (needs root)"],
  });
  assertEquals(readSummary("ok | 7 passed | 0 failed (1s)"), { ...emptyTally(), passed: 7 });
  assertEquals(readSummary("error: no such module"), emptyTally());
});
