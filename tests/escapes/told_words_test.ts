/** What a person is told to type: names that a stranger has chosen do no more in a shell than name. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { describeDenial, type PermissionError, sandbox } from "../../mod.ts";
import { refusedHost } from "../../audit/denial.ts";
import { fromNsjail } from "../../scripts/ramekin/from/nsjail.ts";
import { grantingFlags, scriptOf, yamlOf } from "../../scripts/ramekin/from/write.ts";
import { needsText } from "../../scripts/ramekin/plan_text.ts";
import { inDirectory, test } from "../support.ts";

/** A name that runs a program, ends a word, and begins a comment. */
const NAME = "$(echo bad >&2) 'x' --allow-write=etc #";

/** The words that a shell takes a text for. */
function wordsIn(text: string): readonly string[] {
  const { stdout, stderr } = new Deno.Command("sh", {
    args: ["-c", `printf '%s\\n' ${text}`],
  }).outputSync();
  assertEquals(new TextDecoder().decode(stderr), "", text);
  return new TextDecoder().decode(stdout).trimEnd().split("\n");
}

test("the flag for what a program was denied", async () => {
  const path = `/usr/${NAME}`;
  const container = sandbox().command("sh", {
    args: ["-c", 'echo x > "$0"', path],
    audit: true,
    stderr: "null",
  }).spawn();
  await container.status;
  const [denial] = container.denials.list;
  assertEquals(denial?.flag, `--allow-write=${path}`);
  const told = describeDenial(denial!);
  const begin = `sh: change ${path} (`;
  assertStringIncludes(told, begin);
  assertEquals(wordsIn(told.slice(begin.length, -1)), [denial!.flag!]);
  // A host can be looked up by any name: a comma in it would grant two.
  assertEquals(refusedHost('a,b"').flag, undefined);
  assertStringIncludes(refusedHost('a,b"').option!, '["a,b\\""]');
});

test(
  "the flag for what a recipe needs",
  inDirectory((directory) => {
    const source = `${directory}/${NAME}`;
    Deno.mkdirSync(source);
    const box = sandbox({ read: [source] });
    const need = box.needs().find((one) => one.kind === "read" && one.path.startsWith(directory))!;
    const [, line = ""] = needsText([need], (_, text) => text).split("\n");
    assertEquals(wordsIn(line.slice(line.indexOf("  ", 4)).trim()), [`--allow-read=${source}`]);
    try {
      const others = box.needs().flatMap((one) => one.kind === "read" ? [one.path] : []);
      const read = others.filter((path) => path !== source);
      box.command("true", { permissions: { read } }).outputSync();
    } catch (error) {
      const [fix = ""] = (error as PermissionError).advice;
      assertEquals(wordsIn(fix.slice(0, fix.indexOf(", or"))), [`--allow-read=${source}`]);
      return;
    }
    throw new Error("nothing is refused");
  }),
);

test(
  "the command for a file of another tool",
  inDirectory((directory) => {
    const source = `${directory}/a=b ${NAME}`;
    for (const path of [source, `${directory}/c,`]) Deno.mkdirSync(path);
    const mounts = [source, `${directory}/c,`].map((path) =>
      `mount { src: ${JSON.stringify(path)} dst: "/x" is_bind: true }`
    );
    const made = fromNsjail(`exec_bin { path: "/bin/true" } ${mounts.join("\n")}`);
    const reads = grantingFlags(made.steps).filter((flag) => flag.startsWith("--allow-read"));
    assertEquals(reads, [`--allow-read=${source}`]);
    const [line = ""] = yamlOf(made).split("\n").filter((text) => text.startsWith("# ramekin run"));
    assertEquals(wordsIn(line.slice(1)).filter((word) => word.startsWith("--allow-read")), reads);
  }),
);

test("the script for a file of another tool: a text in it is no code", () => {
  const found = globalThis as { bad?: string };
  // With all kinds of quotes in it, it would be a template.
  const text = "${globalThis.bad = 'worked'} \" ` \\ \u2028 \u202e";
  const quoted = JSON.stringify(text);
  const made = fromNsjail(
    `hostname: ${quoted} envar: ${
      JSON.stringify(`__proto__=${text}`)
    } exec_bin { path: ${quoted} }`,
  );
  const script = scriptOf(made);
  assertEquals(/[\u2028\u202e]/.test(script), false);
  const [, names = ""] = /^import \{ (.*) \} from/m.exec(script)!;
  const [, calls = ""] = /^const box = (recipe\(.*?\n\));$/ms.exec(script)!;
  const [, command = ""] = /box\.command\((.*)\)\.spawn/.exec(script)!;
  const builders = names.split(", ").map(() => (...given: unknown[]) => given);
  const run = new Function(...names.split(", "), `return [${calls}, ${command}]`);
  const [steps, program] = run(...builders);
  assertEquals(found.bad, undefined);
  const hostname = made.steps.find((step) => step.step === "hostname");
  assertEquals(program, text);
  assertEquals(steps.flat(Infinity).includes(hostname!.name), true);
  const variables = steps.find(([value]: [object]) => Object.hasOwn(value ?? {}, "__proto__"));
  assertEquals(Object.entries(variables[0]), [["__proto__", text]]);
});
