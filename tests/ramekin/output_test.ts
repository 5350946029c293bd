/** What the command line prints of names and texts that come from anybody. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { PermissionError, recipe, SyscallError, unshare } from "../../mod.ts";
import { drawGraph } from "../../scripts/ramekin/graph_svg.ts";
import { graphOf } from "../../scripts/ramekin/graph.ts";
import { escaped, paint, table } from "../../scripts/ramekin/output.ts";
import { parseRecipe } from "../../yaml/mod.ts";
import { decode } from "../other_scripts.ts";
import { test } from "../support.ts";
import { ramekin, ramekinWith, RUN, withFiles } from "./support.ts";

/** All that a terminal interprets, and a line that looks like one of ramekin's. */
const EVIL = "\x1b]0;owned\x07\x1b[2J\x9b31m\x7f\u061c\u202e\u2066\ufeff\r\n  all is fine: run x";
const HEAD = "- step: unshare\n  kinds: [user, mount, uts]\n- step: mapRoot\n";

const json = JSON.stringify;

/** Recipes with such texts, in the fields whose values errors, plans and needs show. */
const RECIPES: Readonly<Record<string, string>> = {
  step: `steps:\n- step: ${json(EVIL)}\n`,
  field: `steps:\n- step: hostname\n  ${json(EVIL)}: x\n`,
  key: `${json(EVIL)}: []\n`,
  variable: `steps:\n- { step: hostname, name: ${json("${" + EVIL.replace(/\n/g, "") + "}")} }\n`,
  source: `steps:\n${HEAD}- { step: bind, source: ${json("/none" + EVIL)}, target: /mnt }\n`,
  target: `steps:\n${HEAD}- { step: tmpfs, target: ${json("/none" + EVIL)} }\n`,
  name: `steps:\n${HEAD}- { step: hostname, name: ${json("x" + EVIL)} }\n`,
  program: `steps:\n${HEAD}- { step: tmpfs, target: /mnt }\n` +
    `- { step: programs, programs: [${json("/none" + EVIL)}], root: /mnt }\n`,
  target_of_join: `steps:\n- { step: join, target: ${json("/none" + EVIL)} }\n`,
  include: `steps:\n- include: ${json("none" + EVIL)}\n`,
  anchor: `steps:\n- *${"x\x7fy"}\n`,
};

const files = Object.fromEntries(
  Object.entries(RECIPES).flatMap(([name, text]) => [[`${name}.yaml`, text]]),
);

/** Checks that there is nothing in it that a terminal interprets, and no line of the recipe's. */
function assertPlain(text: string, what: string): void {
  const found = /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]/u.exec(text);
  assert(found === null, `${what}: ${json(found?.[0])} in ${json(text)}`);
  assert(!text.includes("\n  all is fine"), `${what}: ${json(text)}`);
}

for (const name of Object.keys(RECIPES)) {
  test(
    `what a recipe has as its ${name.replaceAll("_", " ")} is shown escaped`,
    withFiles(files, async (cwd) => {
      const words = [
        ["plan"],
        ["plan", "--json"],
        ["plan", "--graph=-"],
        ["plan", "--debug"],
        ["run", "--allow-all"],
        ["run"],
      ];
      await Promise.all(words.map(async ([subcommand, ...flags]) => {
        const end = subcommand === "run" ? ["--", "true"] : [];
        const all = [subcommand!, `${name}.yaml`, ...flags, ...end];
        const { stdout, stderr } = await ramekinWith({ cwd }, ...all);
        assert(stdout + stderr !== "" || subcommand === "run");
        assertPlain(stdout, `${all.join(" ")}, stdout`);
        assertPlain(stderr, `${all.join(" ")}, stderr`);
      }));
    }),
  );
}

test("colours are those that this program gives, and no others", () => {
  const text = escaped(paint("red", "\x1b[31mred\x1b[39m") + "\x1b[1m");
  assertEquals(text, "\x1b[31m\\u001b[31mred\\u001b[39m\x1b[39m\\u001b[1m");
});

test("the names of files, flags and programs are shown escaped", () => {
  const evil = EVIL.replaceAll("/", "");
  const recipes = { [`a${evil}.yaml`]: RECIPES["step"]!, [`a${evil}.ts`]: "export default 1;\n" };
  return withFiles(recipes, async (cwd) => {
    const lines = [
      ...Object.keys(recipes).map((file) => ["plan", file]),
      ["plan", `none${evil}.yaml`],
      ["plan", `none${evil}`],
      [evil],
      ["plan", `--${evil}`],
      ["plan", `--set=${evil}`, "a.yaml"],
      ["enter", evil, "--", "true"],
      ["sandbox", `--allow-read=/none${evil}`, "--", "true"],
      ["sandbox", "--", `none${evil}`],
      ["sandbox", "--", "/bin/sh", "-c", "exit 1"],
      ["completions", evil],
      ["help", evil],
    ];
    await Promise.all(lines.map(async (words) => {
      const { stdout, stderr } = await ramekinWith({ cwd }, ...words);
      assertPlain(stdout + stderr, words.join(" "));
    }));
  })();
});

test("tables, graphs and errors of modules have no control characters either", () => {
  const text = table(["NAME"], [[EVIL]]);
  assertPlain(text, "a table");
  assertEquals(text.split("\n").length, 2);
  const box = parseRecipe(
    `steps:\n- { step: unshare, kinds: [user, mount] }\n- step: mapRoot\n- { step: tmpfs, target: ` +
      `${json("/<script>&\"'" + EVIL)} }\n`,
  );
  const drawing = drawGraph(graphOf(box, box.needs()), `<title>${EVIL}\ufffe`);
  assertPlain(drawing, "a graph");
  assert(!drawing.includes("<script") && !drawing.includes("<title><"), drawing);
  assertPlain(box.plan().toString(), "a plan");
  const error = new SyscallError({ syscall: "mount", errno: 1, call: EVIL, hint: EVIL });
  assertPlain(error.message, "an error of a call");
  assertStringIncludes(new PermissionError(EVIL, "read").message, "\\u001b]0;owned\\u0007");
  assertPlain(String(recipe(unshare("user")).plan()), "a short plan");
});

test("an output that takes no more is named", async () => {
  const args = ["-c", '"$@" > /dev/full', "sh", ...RUN, "schema"];
  const { code, stderr } = await new Deno.Command("sh", { args }).output();
  assertEquals(
    [code, decode(stderr)],
    [1, "ramekin: the standard output cannot be written: no space is left there (ENOSPC)\n"],
  );
  const learnt = await ramekin("learn", "-o", "/dev/full", "--", "true");
  assertEquals(
    [learnt.code, learnt.stderr],
    [125, "ramekin: /dev/full cannot be written: no space is left there (ENOSPC)\n"],
  );
});
