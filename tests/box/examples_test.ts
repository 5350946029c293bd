/** The examples of docs/boxes.md and of the README, run as they are written. */

import { assertEquals, assertMatch } from "@std/assert";
import { decode } from "../other_scripts.ts";
import { RUN, withFiles } from "../ramekin/support.ts";
import { test } from "../support.ts";

const read = (file: string) => Deno.readTextFileSync(new URL(`../../${file}`, import.meta.url));

/** The examples of a page in a language, below a heading. */
function examples(file: string, heading: string, language: string): readonly string[] {
  const part = read(file).split(/^(?=## )/m).find((part) => part.startsWith(heading))!;
  const blocks = part.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\``, "gm"));
  return Array.from(blocks, ([, text]) => text!);
}

const FILES = {
  "box.yaml": examples("README.md", "## The command", "yaml")[0]!,
  "Makefile": "all test:\n\t@echo made $@ by $$(id -u)\n",
};

/** Runs a shell script with `ramekin` in it, and returns its output. */
async function shell(cwd: string, script: string): Promise<string> {
  const command = RUN.map((word) => `'${word}'`).join(" ");
  const { code, stdout, stderr } = await new Deno.Command("sh", {
    args: ["-euc", `ramekin() { ${command} "$@"; }\n${script}`],
    cwd,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  assertEquals([code, decode(stderr)], [0, ""], script);
  return decode(stdout);
}

const noMake = new Deno.Command("sh", { args: ["-c", "command -v make >/dev/null"] }).outputSync()
    .success
  ? undefined
  : "no make here";

test(
  "the first example of docs/boxes.md",
  withFiles(FILES, async (cwd) => {
    const [first] = examples("docs/boxes.md", "# Boxes", "sh");
    // The root of this recipe has the programs alone.
    const made = await shell(cwd, first!.replace("./box all", "./box --version"));
    assertMatch(made, /^GNU Make .*\n/);
    assertMatch(made, /\nMakefile\nbox\nbox\.yaml\nsandboxed\n$/);
  }),
  noMake,
);

test(
  "the example of the README",
  withFiles(FILES, async (cwd) => {
    const [example] = examples("README.md", "## Without Deno", "sh");
    assertEquals(await shell(cwd, example!), "Makefile\nbox\nbox.yaml\nsandboxed\n");
  }),
);

test(
  "the example of a CI runner",
  withFiles(FILES, async (cwd) => {
    const [, runner] = examples("docs/boxes.md", "## Examples", "sh");
    assertEquals(await shell(cwd, runner!), `made test by ${Deno.uid()}\n`);
  }),
  noMake,
);

test(
  "the example of a unit has a box end by the signal of systemd",
  withFiles(FILES, async (cwd) => {
    const [unit] = examples("docs/boxes.md", "## Examples", "ini");
    const [file, ...args] = /^ExecStart=(.*)$/m.exec(unit!)![1]!.split(" ");
    assertMatch(file!, /^\/usr\/local\/lib\/.*\/box$/);
    await shell(cwd, "ramekin build box.yaml -o box -- sh -c 'echo begins; exec sleep 30'");
    const process = new Deno.Command(`${cwd}/box`, { args, stdin: "null", stdout: "piped" })
      .spawn();
    const reader = process.stdout.getReader();
    assertEquals(decode((await reader.read()).value!), "begins\n");
    // systemctl stop, with KillMode=mixed: the main process gets SIGTERM.
    process.kill("SIGTERM");
    const { code } = await process.status;
    assertEquals(code, 143);
    await reader.cancel();
  }),
);
