/** How the runner of the suite counts. */

import { assertEquals } from "@std/assert";
import denoJson from "../../deno.json" with { type: "json" };
import { addTally, emptyTally, EXAMPLES, readReport, tallyText } from "../../scripts/suite.ts";

Deno.test("a report is counted, with the names of what was skipped", () => {
  const report = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="4" failures="1" errors="0" time="0.028">
    <testsuite name="./a_test.ts" tests="4" disabled="1" errors="0" failures="1">
        <testcase name="one" classname="./a_test.ts" time="0.020" line="1" col="6">
            <failure message="Leaks detected">Leaks detected:
  - &lt;testcase name=&quot;none&quot;&gt;</failure>
        </testcase>
        <testcase name="&quot;two&quot; &lt;&amp;&gt; (needs root)" classname="./a_test.ts" time="0.000">
            <skipped/>
        </testcase>
        <testcase name="three" classname="./a_test.ts" time="0.000" line="1" col="148">
        </testcase>
        <testcase name="four" classname="./a_test.ts" time="0.000" line="1" col="148"/>
    </testsuite>
</testsuites>`;
  const tally = readReport(report);
  assertEquals(tally, {
    passed: 2,
    failed: 1,
    failures: ['one: Leaks detected:\n  - <testcase name="none">'],
    skipped: ['"two" <&> (needs root)'],
  });
  assertEquals(readReport(""), emptyTally());
  const total = emptyTally();
  addTally(total, tally, "root");
  assertEquals(
    tallyText(total),
    `skipped:
  root: "two" <&> (needs root)

failed:
  root: one: Leaks detected:
  - <testcase name="none">

2 passed, 1 failed`,
  );
});

Deno.test("the examples and the documentation of each entry are tested", () => {
  const entries = Object.values(denoJson.exports).map((path) => path.slice("./".length))
    .filter((path) => !path.startsWith("scripts/"));
  const isIn = (list: readonly string[], path: string) =>
    list.includes(path) || list.includes(path.split("/")[0]!);
  assertEquals(entries.filter((path) => !isIn(EXAMPLES, path)), []);
  const linted = denoJson.tasks.check.split(" ");
  assertEquals(entries.filter((path) => !linted.includes(path)), []);
});
