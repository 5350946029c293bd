/** The subcommands at a terminal: colours, its width, and a program's own terminal. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { mapRoot, recipe, unshare } from "../../mod.ts";
import { decode } from "../other_scripts.ts";
import { test } from "../support.ts";
import { RUN, TestTerminal, withFiles } from "./support.ts";

const BOX = `steps:
  - { step: unshare, kinds: [user, uts] }
  - step: mapRoot
  - { step: hostname, name: box }
`;

const SUBCOMMANDS = [
  ["ps"],
  ["ls"],
  ["ls", "--tree"],
  ["plan", "box.yaml"],
  ["check"],
  ["schema"],
  ["completions", "bash"],
  ["help", "run"],
  ["run", "--help"],
] as const;

/** Returns the output in a terminal of 60 columns. */
async function shown(
  cwd: string,
  words: readonly string[],
  env: Record<string, string>,
): Promise<string> {
  const command = [...RUN, ...words].map((word) => `'${word}'`).join(" ");
  const { stdout, code } = await recipe().command("sh", {
    args: ["-c", `stty cols 60 rows 20; ${command}`],
    cwd,
    env: { TERM: "xterm", ...env },
    terminal: true,
    stdin: "null",
    stdout: "piped",
  }).output();
  assertEquals(code, 0, decode(stdout));
  return decode(stdout);
}

test(
  "lists have colours at a terminal, and tables have its width",
  withFiles({ "box.yaml": BOX }, async (directory) => {
    const sleeper = recipe(unshare("user", "pid"), mapRoot());
    await using _ = sleeper.command("sleep", { args: ["60", ...Array(9).fill("0.000001")] })
      .spawn();
    for (const words of SUBCOMMANDS) {
      const text = await shown(directory, words, { NO_COLOR: "" });
      const isForPrograms = ["schema", "completions"].includes(words[0]);
      assertEquals(text.includes("\x1b["), !isForPrograms, words.join(" "));
      if (words[0] !== "ps" && words[0] !== "ls") continue;
      // deno-lint-ignore no-control-regex -- colours are control characters
      for (const line of text.replace(/\x1b\[\d+m/g, "").split("\r\n")) {
        assert(line.length <= 60, line);
      }
    }
    assert(!(await shown(directory, ["ps"], { NO_COLOR: "1" })).includes("\x1b["));
  }),
);

test("enter at a terminal gives the program its own terminal, and a shell by default", async () => {
  const box = recipe(unshare("user", "uts", "pid"), mapRoot());
  await using container = box.command("sleep", { args: ["60"] }).spawn();
  await using terminal = new TestTerminal([...RUN, "enter", String(container.pid)]);
  await terminal.shows(/[#$] $/);
  await terminal.type("test -t 1 && echo $((6 * 7)); exit 8\n");
  await terminal.shows("42\n");
  assertEquals(await terminal.code(), 8);
  assertStringIncludes(terminal.shown, "42\n");
});

test(
  "a program without a terminal of its own has no controlling terminal",
  withFiles({ "box.yaml": BOX }, async (directory) => {
    const command = RUN.map((word) => `'${word}'`).join(" ");
    const apart = "ps -o tty= -p $$";
    for (const flags of ["run box.yaml -A", "sandbox", `enter --any ${Deno.pid}`]) {
      const line = `${command} ${flags} -- sh -c '${apart}' </dev/null`;
      await using terminal = new TestTerminal(["sh", "-c", line], { cwd: directory });
      assertEquals(await terminal.code(), 0, terminal.shown);
      assertEquals(terminal.shown.trim(), "?", flags);
    }
  }),
);

test(
  "a recipe that is held to grants has no controlling terminal where nothing is a terminal either",
  withFiles({ "box.yaml": BOX }, async (directory) => {
    const command = RUN.map((word) => `'${word}'`).join(" ");
    const terminalOf = async (flags: string) => {
      const line = `cd "$(mktemp -d)"; ${command} run ${directory}/box.yaml ${flags} ` +
        '-- ps -o tty= </dev/null >out 2>&1; tail -n 1 out; rm out; rmdir "$PWD"';
      await using terminal = new TestTerminal(["sh", "-c", line]);
      assertEquals(await terminal.code(), 0, terminal.shown);
      return terminal.shown.trim();
    };
    const names = ["read", "write", "net", "env", "run", "sys"];
    assertEquals(await terminalOf(names.map((name) => `--allow-${name}`).join(" ")), "?");
    // One's own recipe is stopped and continued together with ramekin.
    assertStringIncludes(await terminalOf("-A"), "pts");
  }),
);
