/** `ramekin sandbox --degrade` where user namespaces are refused. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { landlockVersion } from "../../host.ts";
import { mapCurrentUser, recipe, sysctl, unshare } from "../../mod.ts";
import { decode } from "../other_scripts.ts";
import { test } from "../support.ts";
import { RUN } from "./support.ts";

const closed = recipe(
  unshare("user"),
  mapCurrentUser(),
  sysctl({ "user.max_user_namespaces": 0 }),
);

/** What `ramekin sandbox` says there. */
async function sandboxed(...words: string[]): Promise<[number, string, string]> {
  const [program, ...args] = [...RUN, "sandbox", ...words];
  const { code, stdout, stderr } = await closed
    .command(program!, { args, env: { NO_COLOR: "1" } }).output();
  return [code, decode(stdout), decode(stderr)];
}

test("what it lacks is told before the program runs, unless it is to be quiet", async () => {
  const words = ["--allow-read=/etc/hostname", "--", "sh", "-c", "echo soup; cat /etc/shadow"];
  const [refused, , why] = await sandboxed(...words);
  assertEquals(refused, 125);
  assertStringIncludes(why, "sandbox({ degrade: true }), --degrade, does without them");
  const [code, text, says] = await sandboxed("--degrade", ...words);
  assertEquals([code, text], [1, "soup\n"], says);
  assertMatch(
    says,
    /^ramekin: this machine refuses user namespaces \(clone fails with (ENOSPC|EUSERS)\); .*weaker.*\n {2}it sees all processes/,
  );
  const [, , quiet] = await sandboxed("--degrade", "-q", ...words);
  assertMatch(quiet, /^cat: .*denied\n$/);
}, landlockVersion() >= 3 ? undefined : "needs the Landlock of Linux 6.2");

test("flags of which a degraded sandbox holds nothing are refused", async () => {
  for (
    const [flag, says] of [
      ["--allow-net=localhost:1", "cannot be held to hosts"],
      ["--audit", "sees nothing of what Landlock denies"],
      ["--allow-write=/var/tmp", "--no-protect"],
    ] as const
  ) {
    const [code, text, why] = await sandboxed("--degrade", "-q", flag, "--", "echo", "soup");
    assertEquals([code > 0, text], [true, ""], flag);
    assertStringIncludes(why, says);
  }
}, landlockVersion() >= 3 ? undefined : "needs the Landlock of Linux 6.2");
