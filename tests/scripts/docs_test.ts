/** The pages of docs/ say what is so: their scripts print what stands below them. */

import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import * as ramekin from "../../mod.ts";
import { STEP_SCHEMAS } from "../../recipe/steps.ts";
import { parseRecipe } from "../../yaml/mod.ts";
import { drawings } from "../../scripts/docs/drawings.ts";
import { STEPS_PAGE, stepsPage } from "../../scripts/docs/steps.ts";
import { SUBCOMMANDS } from "../../scripts/ramekin/subcommands.ts";
import { ramekinWith } from "../ramekin/support.ts";
import { test } from "../support.ts";

const DOCS = new URL("../../docs/", import.meta.url);
const MODULE = new URL("../../mod.ts", import.meta.url).href;
const SHELL = new URL("../../shell/mod.ts", import.meta.url).href;
const SERVICES = new URL("../../services/mod.ts", import.meta.url).href;
const CHANGES = new URL("../../changes/mod.ts", import.meta.url).href;

const pages = [...Deno.readDirSync(DOCS)].map(({ name }) => name)
  .filter((name) => name.endsWith(".md")).sort();

/** The pages that are read beside those of docs/, as they are reached from there. */
const README = "../README.md";
const OTHERS = [README, "../examples/README.md", "../bench/README.md", "../bench/RESULTS.md"];

const textOf = (page: string) => Deno.readTextFileSync(new URL(page, DOCS));

/** The scripts of a page that a block stands right behind: what they print. */
function scriptsOf(page: string): { readonly script: string; readonly printed: string }[] {
  const blocks = [...textOf(page).matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)];
  return blocks.flatMap(([whole, kind, script], index) => {
    const next = blocks[index + 1];
    const begin = blocks[index]!.index + whole.length;
    if (kind !== "ts" || next?.[1] !== "" || next.index !== begin + 2) return [];
    return [{ script: script!, printed: next[2]! }];
  });
}

for (const page of [README, ...pages]) {
  const scripts = scriptsOf(page);
  if (scripts.length === 0) continue;
  test(`the scripts of ${page} print what it says`, async () => {
    for (const { script, printed } of scripts) {
      assertMatch(await printedBy(script), pattern(printed), script);
    }
  });
}

/** What a script prints, to either stream. */
async function printedBy(script: string): Promise<string> {
  const file = Deno.makeTempFileSync({ suffix: ".ts" });
  try {
    const imported = script.replaceAll('"@ramekin/ramekin"', JSON.stringify(MODULE))
      .replaceAll('"@ramekin/ramekin/shell"', JSON.stringify(SHELL))
      .replaceAll('"@ramekin/ramekin/services"', JSON.stringify(SERVICES))
      .replaceAll('"@ramekin/ramekin/changes"', JSON.stringify(CHANGES));
    Deno.writeTextFileSync(file, imported);
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-config", "--allow-ffi", file],
      env: { NO_COLOR: "1" },
      stdin: "null",
    }).output();
    return new TextDecoder().decode(stderr) + new TextDecoder().decode(stdout);
  } finally {
    Deno.removeSync(file);
  }
}

/** `...` stands for a part that changes, and alone on a line for any lines. */
function pattern(printed: string): RegExp {
  const lines = printed.trimEnd().split("\n").map((line) =>
    line.trim() === "..."
      ? "(?:.*\\n)*?"
      : line.split("...").map((text) => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")).join(".*") +
        "\\n"
  );
  return new RegExp(`^${lines.join("")}\\n*$`);
}

test("no page has marks of a merge", () => {
  for (const page of [...pages, ...OTHERS, "../CHANGELOG.md"]) {
    assertEquals(textOf(page).match(/(?:<|>){7} \S+/g), null, page);
  }
});

test("every link of the pages leads to a file, or to a heading", () => {
  const headings = (page: string) =>
    new Set(
      [...textOf(page).matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
        heading!.toLowerCase().replace(/[^\w\- ]/g, "").replaceAll(" ", "-")
      ),
    );
  for (const page of [...pages, ...OTHERS]) {
    for (const [, link] of textOf(page).matchAll(/\]\(([^)]+)\)/g)) {
      if (link!.startsWith("http")) continue;
      const [path, heading] = link!.split("#") as [string, string?];
      const target = path === "" ? new URL(page, DOCS) : new URL(path, new URL(page, DOCS));
      assert(exists(target), `${page}: ${link}`);
      if (heading !== undefined) assert(headings(target.href).has(heading), `${page}: ${link}`);
    }
  }
});

function exists(file: URL): boolean {
  try {
    Deno.statSync(file);
    return true;
  } catch {
    return false;
  }
}

/** The directories that the pages tell of. */
const HOUSE = [
  "audit",
  "ffi",
  "recipe",
  "host",
  "plan",
  "launch",
  "box",
  "permissions",
  "proxy",
  "container",
  "changes",
  "images",
  "shell",
  "yaml",
];

test("the files that security.md and how_it_works.md name are there", () => {
  const there = new Set([...HOUSE, "tests"].flatMap((part) => namesIn(part)));
  for (const page of ["security.md", "how_it_works.md"]) {
    for (const [, name] of textOf(page).matchAll(/`(?:[\w/]+\/)?(\w+\.(?:ts|S))`/g)) {
      assert(there.has(name!), `${page}: ${name}`);
    }
  }
});

function namesIn(directory: string): string[] {
  return [...Deno.readDirSync(new URL(`../../${directory}`, import.meta.url))].flatMap((entry) =>
    entry.isDirectory ? namesIn(`${directory}/${entry.name}`) : [entry.name]
  );
}

test("how_it_works.md tells what each directory holds", () => {
  const page = textOf("how_it_works.md");
  const directories = HOUSE.flatMap((part) => [
    `${part}/`,
    ...[...Deno.readDirSync(new URL(`../../${part}`, import.meta.url))]
      .filter(({ isDirectory }) => isDirectory).map(({ name }) => `${part}/${name}/`),
  ]);
  assertEquals(directories.filter((directory) => !page.includes(`\`${directory}\``)), []);
});

test("the README names every step, and every subcommand", () => {
  const text = textOf(README);
  const missing = [
    ...[...STEP_SCHEMAS.keys()].filter((name) => !new RegExp(`\`${name}[\`(]`).test(text)),
    ...SUBCOMMANDS.map(({ name }) => `ramekin ${name}`).filter((name) => !text.includes(name)),
  ];
  assertEquals(missing, []);
});

test("the recipe of the README can be run as it says", () => {
  const [, text] = /```yaml\n([^]*?)```/.exec(textOf(README))!;
  const box = parseRecipe(text!, { variables: { name: "pot" } });
  const { stdout } = box.command("uname", { args: ["-n"], permissions: { read: ["/usr"] } })
    .outputSync();
  assertEquals(new TextDecoder().decode(stdout), "pot\n");
});

test("the recipe of yaml.md is one, with what it says of it", () => {
  const [text, more] = textOf("yaml.md").matchAll(/```yaml\n([\s\S]*?)```/g).map(([, text]) =>
    text!
  )
    .toArray();
  const include = (path: string) => ({ file: path, text: more! });
  const { steps } = parseRecipe(text!, { variables: { size: "10m", name: 12 }, include });
  assertEquals(
    steps.map(({ step }) => step).join(" "),
    "unshare mapRoot tmpfs bind hostname umask",
  );
  assertEquals(steps[3], { step: "bind", source: "/usr", target: "/usr", readOnly: true });
  assertEquals(steps[4], { step: "hostname", name: "12" });
  assertThrows(() => parseRecipe(text!, { include }), ramekin.RecipeError, '"size" has no value');
});

test("the recipes of the README and of yaml.md run by the lines that stand there", async () => {
  const directory = Deno.makeTempDirSync();
  try {
    Deno.chmodSync(directory, 0o755);
    for (const page of [README, "yaml.md"]) {
      const text = textOf(page);
      for (const [, file, yaml] of text.matchAll(/```yaml\n# (\S+)\n([\s\S]*?)```/g)) {
        Deno.writeTextFileSync(`${directory}/${file}`, yaml!);
      }
      const [, line] = /^ramekin (run box\.yaml .* uname -n)$/m.exec(text)!;
      const { stdout, stderr } = await ramekinWith({ cwd: directory }, ...line!.split(" "));
      assertEquals([stdout, stderr], ["pot\n", ""], line);
    }
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

const analyze = canRun("systemd-analyze", ["--version"]);

test("systemd finds nothing wrong with the service of running.md", async () => {
  const [, text] = /```ini\n([\s\S]*?)```/.exec(textOf("running.md"))!;
  const directory = Deno.makeTempDirSync();
  try {
    const unit = `${directory}/kitchen.service`;
    Deno.writeTextFileSync(unit, text!.replace("/usr/local/bin/deno", Deno.execPath()));
    const { success, stderr } = await new Deno.Command("systemd-analyze", {
      args: ["verify", "--man=no", unit],
    }).output();
    const about = new TextDecoder().decode(stderr).split("\n").filter((line) =>
      line.includes("kitchen")
    );
    assertEquals([success, about], [true, []]);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}, analyze ? undefined : "needs systemd-analyze");

test("the root of busybox in roots.md is one", async () => {
  const [, script] = /```sh\n(mkdir -p root\/bin[\s\S]*?)```/.exec(textOf("roots.md"))!;
  const directory = Deno.makeTempDirSync();
  try {
    const made = await new Deno.Command("sh", { args: ["-euc", script!], cwd: directory }).output();
    assert(made.success, new TextDecoder().decode(made.stderr));
    const example = new URL("../../examples/rootfs.ts", import.meta.url).pathname;
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--allow-ffi", example, `${directory}/root`]
        .concat("sh", "-c", "hostname; echo /*"),
    }).output();
    const printed = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    assertEquals(printed, "rootfs\n/bin /dev /proc /sys /tmp\n");
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}, canRun("busybox", ["true"]) ? undefined : "needs busybox");

function canRun(name: string, args: readonly string[]): boolean {
  try {
    return new Deno.Command(name, { args: [...args] }).outputSync().success;
  } catch {
    return false;
  }
}

test("the index leads to every page", () => {
  const index = textOf("README.md");
  for (const page of pages) {
    if (page !== "README.md") assert(index.includes(`](${page})`), page);
  }
});

test("the reference of the steps is what their doc comments say: deno task docs writes it", async () => {
  const [there, wanted] = [await Deno.readTextFile(STEPS_PAGE), await stepsPage()];
  const lines = (text: string) => new Set(text.split("\n"));
  const changed = [...lines(wanted).difference(lines(there))];
  assert(there === wanted, `not in the page:\n${changed.join("\n")}`);
});

test("the drawings are what the script draws: deno task docs draws them", async () => {
  for (const { file, svg } of await drawings()) {
    assertEquals(await Deno.readTextFile(file), svg, file.pathname);
  }
});

/** Where it is said what errors mean: these files, and the lowerings of all steps. */
const HINTS = new Set([
  ...["change_ids.ts", "container_path.ts", "enter_program.ts", "errors.ts", "explain.ts"],
  ...["failure.ts", "fixes.ts", "general_fix.ts", "host_path.ts", "id_maps.ts", "nat_table.ts"],
  ...[
    "link.ts",
    "namespace_fixes.ts",
    "namespaces.ts",
    "network.ts",
    "memory_limit_fix.ts",
    "program_error.ts",
    "proc_dir.ts",
    "proc_file.ts",
  ],
  ...["user_network.ts", ...namesIn("plan/steps")],
]);

const PROJECT = new URL("../../", import.meta.url);

/** Where those are. */
const DIRECTORIES = ["ffi/cgroups", "ffi/engine", "ffi/linux", "ffi/proc", "plan", "launch"];

for (const file of DIRECTORIES.flatMap(filesIn)) {
  if (!HINTS.has(file.split("/").at(-1)!)) continue;
  test(`every hint of ${file} is among the messages of troubleshooting.md`, () => {
    const page = textOf("troubleshooting.md").replace(/[`_\s]+/g, " ");
    const missing = beginnings(Deno.readTextFileSync(new URL(file, PROJECT))).filter((words) =>
      !page.includes(words.replace(/[`_\s]+/g, " "))
    );
    assertEquals(missing, []);
  });
}

/** The files below a directory, by their paths in the project. */
function filesIn(directory: string): string[] {
  return [...Deno.readDirSync(new URL(directory, PROJECT))].flatMap(({ name, isDirectory }) =>
    isDirectory ? filesIn(`${directory}/${name}`) : [`${directory}/${name}`]
  );
}

test("every message that troubleshooting.md quotes is one that the code has", () => {
  const said = flat(HOUSE.flatMap(sourcesIn).join("\n"));
  const [, ...bullets] = textOf("troubleshooting.md").split(/^- /m);
  const unsaid = bullets.flatMap((bullet) => clausesOf(flat(bullet)))
    .filter((clause) => !said.includes(clause));
  assertEquals(unsaid, []);
});

/** The sources in a directory, without comments, and with strings in one piece. */
function sourcesIn(directory: string): string[] {
  return filesIn(directory).filter((file) => file.endsWith(".ts")).map((file) =>
    Deno.readTextFileSync(new URL(file, PROJECT))
      .replace(/^\s*(\/?\*|\/\/).*$/gm, "")
      .replace(/(["'`])\s*\+\s*(["'`])/g, "")
      .replace(/\\n\s*/g, " ")
      .replace(/\\(["'`\\])/g, "$1")
  );
}

function flat(text: string): string {
  return text.replace(/\s+/g, " ");
}

/** The clauses of the messages that a bullet begins with: code, with italics for what changes. */
function clausesOf(bullet: string): string[] {
  const messages =
    /^(?:(?:``.+?``|`[^`]+`|_[^_`]+_)(?:[\s.:,;?]|and|or|with)*)+/.exec(bullet)?.[0] ?? "";
  return [...messages.matchAll(/``(.+?)``|`([^`]+)`/g)]
    .flatMap(([, whole, text]) => (whole ?? text!).split(/\.\.\.|[;:,] /))
    .map((clause) => clause.trim())
    .filter((clause) => clause.split(" ").length >= 3);
}

/** How the sentences of a source begin: what follows a `+` goes on with one. */
function beginnings(source: string): string[] {
  // What a label is called is shown to no user.
  const code = source.replace(/^\s*(\/?\*|\/\/).*$/gm, "").replace(
    /(new Label|skippable)\((`[^`]*`|"[^"]*")/g,
    "",
  );
  const strings = code.matchAll(/(\+\s*)?("(?:[^"\\\n]|\\.)*"|'[^'\n]*'|`[^`]*`)/g);
  return [...strings].flatMap(([, goesOn, text]) => {
    const pieces = text!.slice(1, -1).split(/\$\{[^}]*\}/).map((piece) => piece.trim());
    const longest = pieces.sort((a, b) => b.length - a.length)[0]!;
    const words = longest.split(" ");
    return goesOn === undefined && words.length >= 4 ? [words.slice(0, 5).join(" ")] : [];
  });
}

/** The table of a tool: the flags of each line, and what they are called here. */
function linesOf(tool: string): { readonly flags: string; readonly here: string }[] {
  const section = textOf("from_other_tools.md").split(/^## /m)
    .find((text) => text.startsWith(`${tool}\n`))!;
  return section.split("\n").filter((line) => line.startsWith("| `")).map((line) => {
    const [, flags, here] = line.split("|").map((cell) => cell.trim());
    return { flags: flags!, here: here! };
  });
}

const VALUES = { PID: 1, UID: 1000, GID: 1000 };

for (const tool of ["bwrap", "unshare", "nsenter", "docker run", "systemd-run"]) {
  test(`what the flags of ${tool} are called here can be written so`, () => {
    for (const { here } of linesOf(tool)) {
      if (here === "none") continue;
      const names = { ...ramekin, ...VALUES };
      const write = new Function(...Object.keys(names), `return [${here.replaceAll("`", "")}]`);
      assert(ramekin.recipe(...write(...Object.values(names))).steps.length > 0, here);
    }
  });
}

for (const tool of ["bwrap", "unshare", "nsenter"]) {
  const manual = manualOf(tool);
  test(`every flag of ${tool} has a line`, () => {
    const flags = linesOf(tool).map(({ flags }) => flags).join(" ");
    const missing = [...manual!.matchAll(/^ {7}(?:-\w, )?(--[a-z][\w-]*)/gm)].map(([, flag]) =>
      flag!
    )
      .filter((flag) => !["--help", "--version"].includes(flag) && !flags.includes(flag));
    assertEquals(missing, []);
  }, manual === undefined ? "needs its manual page" : undefined);
}

function manualOf(tool: string): string | undefined {
  try {
    const { success, stdout } = new Deno.Command("man", {
      args: [tool],
      env: { MANPAGER: "cat", MANWIDTH: "100" },
      stdin: "null",
    }).outputSync();
    // deno-lint-ignore no-control-regex -- how a printer wrote bold letters
    return success ? new TextDecoder().decode(stdout).replace(/.\x08/g, "") : undefined;
  } catch {
    return undefined;
  }
}
