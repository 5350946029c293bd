/** `ramekin man`: manual pages. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { programPage, subcommandPage } from "../../scripts/ramekin/man.ts";
import { SUBCOMMANDS } from "../../scripts/ramekin/subcommands.ts";
import { flagText } from "../../scripts/ramekin/usage.ts";
import { test } from "../support.ts";
import { ramekin } from "./support.ts";

/** The requests of roff and of man(7) that a page has. */
const REQUESTS = /^\.(TH|SH|TP|PP|br)( |$)/;

test("the page of each subcommand has its flags, and text begins no request", () => {
  assertEquals(new Set(SUBCOMMANDS.map(({ name }) => name)).size, SUBCOMMANDS.length);
  for (const subcommand of SUBCOMMANDS) {
    const page = subcommandPage(subcommand);
    for (const flag of subcommand.flags.filter(({ hidden }) => hidden !== true)) {
      assertStringIncludes(page, flagText(flag).replaceAll("-", "\\-"));
    }
    for (const line of page.split("\n")) {
      assert(!/^[.']/.test(line) || REQUESTS.test(line), line);
      assert(!/\\(?!-|e|&|f[BR])/.test(line), line);
    }
    const name = `ramekin-${subcommand.name}(1)`.replaceAll("-", "\\-");
    assertStringIncludes(programPage(), name);
  }
});

test("a page is written, and an unknown one is not", async () => {
  const { code, stdout } = await ramekin("man", "cp");
  assertEquals(code, 0);
  assertStringIncludes(stdout, '.TH RAMEKIN\\-CP 1 "" "ramekin ');
  assertStringIncludes((await ramekin("man")).stdout, ".SH SUBCOMMANDS");
  const wrong = await ramekin("man", "rum");
  assertEquals(wrong.code, 2);
  assertStringIncludes(wrong.stderr, "did you mean run?");
});
