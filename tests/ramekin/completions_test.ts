/** `ramekin completions`, in the shells that are installed. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { bashCompletions } from "../../scripts/ramekin/completions/bash.ts";
import { fishCompletions } from "../../scripts/ramekin/completions/fish.ts";
import { zshCompletions } from "../../scripts/ramekin/completions/zsh.ts";
import { SUBCOMMANDS } from "../../scripts/ramekin/subcommands.ts";
import { decode } from "../other_scripts.ts";
import { test } from "../support.ts";
import { ramekin, TestTerminal, withFiles } from "./support.ts";

/** Why the tests of a shell are skipped. */
function missing(shell: string): string | undefined {
  try {
    new Deno.Command(shell, { args: ["-c", "exit"], stdout: "null", stderr: "null" }).outputSync();
    return undefined;
  } catch {
    return `no ${shell} here`;
  }
}

async function output(
  shell: string,
  script: string,
  cwd: string,
  ...args: string[]
): Promise<string[]> {
  const { stdout, stderr } = await new Deno.Command(shell, {
    args: [...args, "-c", script],
    cwd,
    env: { HOME: cwd, XDG_CONFIG_HOME: cwd, XDG_DATA_HOME: cwd, XDG_CACHE_HOME: cwd },
    stdin: "null",
  }).output();
  assertEquals(decode(stderr), "");
  return decode(stdout).split("\n").filter(Boolean);
}

/** A replacement of the program, which prints running containers; one has a name of its own making. */
const CONTAINERS = "PID NAME\\n12 soup\\n34 $(touch${IFS}ran)\\n";

function isMade(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

const inKitchen = (body: (directory: string) => Promise<void>) =>
  withFiles({ "box.yaml": "", "my box.ts": "" }, async (directory) => {
    Deno.chmodSync(directory, 0o777);
    await body(directory);
  });

test(
  "bash completes",
  inKitchen(async (directory) => {
    Deno.writeTextFileSync(`${directory}/completions`, bashCompletions());
    const complete = (...words: string[]) => {
      const array = words.map((word) => `'${word}'`).join(" ");
      return output(
        "bash",
        `ramekin() { printf '${CONTAINERS}'; }; source ./completions
        COMP_WORDS=(ramekin ${array}) COMP_CWORD=${words.length}; _ramekin
        printf '%s\\n' "\${COMPREPLY[@]}"`,
        directory,
      );
    };
    assertEquals(await complete("pl"), ["plan"]);
    assertEquals((await complete("")).slice(0, 2), ["run", "sandbox"]);
    assertEquals(await complete("run", "--allow-r"), ["--allow-read", "--allow-run"]);
    assertEquals(await complete("run", "b"), ["box.yaml"]);
    assertEquals(await complete("run", "my"), ["my box.ts"]);
    assertEquals(await complete("plan", "--graph", "=", "bo"), ["box.yaml"]);
    assertEquals(await complete("sandbox", "--allow-read", "=", "my"), ["my box.ts"]);
    assertEquals((await complete("sandbox", "--allow-read", "=")).length, 3);
    assertEquals(await complete("sandbox", "--allow-env", "=", "XDG_CA"), ["XDG_CACHE_HOME"]);
    assertEquals(await complete("enter", ""), ["12", "soup", "34"]);
    assertEquals(isMade(`${directory}/ran`), false);
    assertEquals(await complete("completions", "f"), ["fish"]);
    assertEquals(await complete("help", "sch"), ["schema"]);
    assert((await complete("sandbox", "--", "ca")).includes("cat"));
    assertEquals(await complete("sandbox", "--", "cat", "bo"), ["box.yaml"]);
  }),
  missing("bash"),
);

test(
  "fish completes",
  inKitchen(async (directory) => {
    Deno.writeTextFileSync(`${directory}/completions`, fishCompletions());
    const complete = async (line: string) => {
      const script = `function ramekin; printf '${CONTAINERS}'; end
        source ./completions; complete -C '${line}'`;
      const lines = await output("fish", script, directory, "--no-config");
      return lines.map((line) => line.split("\t")[0]);
    };
    assertEquals(await complete("ramekin pl"), ["plan"]);
    assert((await complete("ramekin run --allow-r")).includes("--allow-read"));
    assert((await complete("ramekin run b")).includes("box.yaml"));
    assert((await complete("ramekin sandbox --allow-read=b")).includes("--allow-read=box.yaml"));
    assertEquals((await complete("ramekin enter ")).toSorted(), ["12", "34", "soup"]);
    assertEquals(isMade(`${directory}/ran`), false);
    assertEquals(await complete("ramekin completions f"), ["fish"]);
    assertEquals(await complete("ramekin help sch"), ["schema"]);
    assert((await complete("ramekin sandbox -- ca")).includes("cat"));
    assert((await complete("ramekin sandbox -- cat bo")).includes("box.yaml"));
  }),
  missing("fish"),
);

test(
  "zsh completes",
  inKitchen(async (directory) => {
    Deno.writeTextFileSync(`${directory}/completions`, zshCompletions());
    await using terminal = new TestTerminal(["zsh", "-f", "-i"], { cwd: directory });
    const stand = `ramekin() { [[ $1 == ps ]] && printf '${CONTAINERS}' || print -r "<$*>" }`;
    await terminal.type(`${stand}; autoload -U compinit; compinit -u -D; source ./completions\n`);
    await terminal.type("echo rea''dy\n");
    await terminal.shows("ready\n");
    const completes = async (typed: string, whole: string) => {
      await terminal.type(`ramekin ${typed}\t\n`);
      await terminal.shows(`<${whole}>`);
    };
    await completes("pl", "plan");
    await completes("run --allow-w", "run --allow-write");
    await completes("plan b", "plan box.yaml");
    await completes("sandbox --allow-read=b", "sandbox --allow-read=box.yaml");
    await completes("enter so", "enter soup");
    await completes("completions f", "completions fish");
    await completes("help sch", "help schema");
    await terminal.type("exit\n");
    await terminal.code();
  }),
  missing("zsh"),
);

test("every subcommand and flag is in the completions of every shell", () => {
  for (const text of [bashCompletions(), fishCompletions(), zshCompletions()]) {
    for (const { name, flags } of SUBCOMMANDS) {
      assertStringIncludes(text, name);
      for (const flag of flags) {
        if (flag.hidden !== true) assertStringIncludes(text, flag.name);
      }
    }
  }
});

test("completions are written for the supported shells", async () => {
  assertEquals((await ramekin("completions", "bash")).stdout, bashCompletions());
  const { code, stderr } = await ramekin("completions", "fsh");
  assertEquals(code, 2);
  assertStringIncludes(stderr, "did you mean fish?");
});
