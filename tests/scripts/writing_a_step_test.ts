/** docs/writing_a_step.md, followed to the letter in a copy of the project. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { test } from "../support.ts";

const PROJECT = new URL("../..", import.meta.url).pathname;

/** What the step's files and its tests are made of. */
const PARTS = [
  ...["deno.json", "deno.lock", "mod.ts", "host.ts", "scripts", "std", "tests"],
  ...[
    "ffi",
    "recipe",
    "host",
    "plan",
    "launch",
    "audit",
    "box",
    "export",
    "oci",
    "permissions",
    "proxy",
    "container",
    "shell",
    "yaml",
  ],
];

/** A block of the page that is to be applied to a file. */
interface Change {
  readonly file: string;
  readonly isNew: boolean;
  readonly text: string;
}

/** The blocks of the page, each under the name of its file, or behind another of that file. */
function changesOf(page: string): Change[] {
  let file = "", isNew = false;
  const parts = page.matchAll(
    /^`([\w./]+)`( \(new\))?$|^(`{3,4})(?:ts ignore|diff)\n([\s\S]*?)^\3$/gm,
  );
  return [...parts].flatMap(([, name, made, , text]) => {
    if (text !== undefined) return [{ file, isNew, text }];
    [file, isNew] = [name!, made !== undefined];
    return [];
  });
}

test("who follows writing_a_step.md to the letter has a step that works", async () => {
  const copy = Deno.makeTempDirSync();
  try {
    for (const part of PARTS) await run("cp", ["-r", `${PROJECT}${part}`, copy], copy);
    await run("mkdir", ["docs"], copy);
    const changes = changesOf(Deno.readTextFileSync(`${PROJECT}docs/writing_a_step.md`));
    for (const change of changes) apply(change, copy);
    const made = changes.filter(({ isNew }) => isNew).map(({ file }) => file);
    assertEquals(made.length, 3);
    const [data, , steps] = made as [string, string, string];
    const files = [...new Set(changes.map(({ file }) => file))];
    await deno(["fmt", "--check", ...files], copy);
    await deno(["lint", ...made], copy);
    await deno(["check", "mod.ts", "export/mod.ts", ...made], copy);
    await deno(["doc", "--lint", "mod.ts"], copy);
    await deno(["test", "--no-check", "--doc", "--allow-ffi", data], copy);
    const said = await deno(["test", "--no-check", "-A", steps], copy);
    assertStringIncludes(said, "the program comes after others, in a user namespace ... ok");
    // These have a line for each step.
    const tables = files.filter((file) => file.endsWith("_test.ts") && file !== steps);
    const filter = "--filter=/nice|no kind of step|has every step|every step is said/";
    assertStringIncludes(
      await deno(["test", "--no-check", "-A", filter, ...tables], copy),
      "nice needs what it should",
    );
    await deno(["run", "--no-check", "-A", "scripts/docs/steps.ts"], copy);
    assertStringIncludes(Deno.readTextFileSync(`${copy}/docs/steps.md`), "### nice");
  } finally {
    Deno.removeSync(copy, { recursive: true });
  }
});

function apply({ file, isNew, text }: Change, project: string): void {
  const path = `${project}/${file}`;
  if (isNew) return Deno.writeTextFileSync(path, text);
  const lines = text.trimEnd().split("\n");
  const kept = (sign: string) =>
    lines.filter((line) => line.startsWith(" ") || line.startsWith(sign))
      .map((line) => `${line.slice(1)}\n`).join("");
  const before = kept("-"), source = Deno.readTextFileSync(path);
  const at = `\n${source}`.indexOf(`\n${before}`);
  assert(at !== -1 && !source.slice(at + 1).includes(`\n${before}`), `${file}, once:\n${before}`);
  Deno.writeTextFileSync(path, source.slice(0, at) + kept("+") + source.slice(at + before.length));
}

function deno(args: readonly string[], cwd: string): Promise<string> {
  return run(Deno.execPath(), args, cwd);
}

async function run(program: string, args: readonly string[], cwd: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    cwd,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const [output, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assert(success, `${program} ${args.join(" ")}\n${output}\n${errors}`);
  return output!;
}
