/** Escapes by the terminal that the script passes to a sandbox. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { recipe } from "../../mod.ts";
import { test } from "../support.ts";
import { TERMINAL_ATTACKS } from "./terminal_attacks.ts";

interface ExecCandidate {
  readonly code: number;
  readonly says: string;
}

interface Attempts {
  readonly lacking: ExecCandidate;
  readonly each: readonly ExecCandidate[];
  readonly whole: ExecCandidate;
}

/** Returns what the script in a terminal reports of each attack. */
async function attempts(): Promise<Attempts[]> {
  const script = new URL("terminal_script.ts", import.meta.url).pathname;
  const { stdout } = await recipe().command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", script],
    terminal: true,
    stdin: "null",
    stdout: "piped",
  }).output();
  const text = new TextDecoder().decode(stdout);
  // The output contains what an attack has typed too.
  const results = [...text.matchAll(/\{"whole.*\}/g)].map(([line]) => JSON.parse(line));
  assertEquals(results.length, TERMINAL_ATTACKS.length, text);
  return results;
}

/** A kernel without TIOCSTI (Linux 6.2, dev.tty.legacy_tiocsti) returns EIO. */
const NEVER = /Input\/output error/;

test("a terminal that is handed to a sandbox", async (): Promise<void> => {
  (await attempts()).forEach(({ lacking, each, whole }, index) => {
    const { name, says, needs, harmless } = TERMINAL_ATTACKS[index]!;
    if (harmless !== true && !NEVER.test(lacking.says)) {
      assertEquals(lacking.code, 0, `${name} does not work: ${lacking.says}`);
      each.forEach(({ code }, one) =>
        assert(code !== 0, `${name} works in spite of ${needs[one]}`)
      );
    }
    assert(whole.code !== 0, `${name} works`);
    assertMatch(whole.says, says, name);
  });
});
