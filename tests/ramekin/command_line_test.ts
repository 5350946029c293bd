/** The command line: help, errors and their messages. */

import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { readArguments } from "../../scripts/ramekin/arguments.ts";
import { programHelp, subcommandHelp } from "../../scripts/ramekin/help.ts";
import { byFlags } from "../../scripts/ramekin/sandbox_flags.ts";
import { optionsOf } from "../../scripts/ramekin/sandbox.ts";
import { plain } from "../../scripts/ramekin/output.ts";
import { SUBCOMMANDS } from "../../scripts/ramekin/subcommands.ts";
import { type Subcommand, UsageError } from "../../scripts/ramekin/usage.ts";
import { VERSION } from "../../scripts/ramekin/version.ts";
import config from "../../deno.json" with { type: "json" };
import { test } from "../support.ts";
import { INSTALL } from "../../scripts/ramekin/error_report.ts";
import { decode } from "../other_scripts.ts";
import { recipe, sandbox } from "../../mod.ts";
import { RAMEKIN, ramekin, ramekinWith, RUN, withFiles } from "./support.ts";

const COOK: Subcommand = {
  name: "cook",
  summary: "cook a meal",
  operands: [{ name: "MEAL", completes: "file" }],
  program: true,
  flags: [
    { name: "set", value: "NAME=VALUE", repeated: true, summary: "set a variable" },
    {
      name: "allow-read",
      letter: "R",
      value: "PATHS",
      optionalValue: true,
      summary: "allow to read",
    },
    { name: "all", letter: "A", summary: "allow all" },
  ],
};

/** Returns the message for these words. */
function mistake(...words: string[]): string {
  return assertThrows(() => readArguments(words, COOK), UsageError).message;
}

test("flags, operands and a program are distinguished", () => {
  const given = readArguments(
    ["1", "--set", "a=b=c", "--set=d=", "-A", "--", "sh", "-c", "2"],
    COOK,
  );
  assertEquals(given.operands, ["1"]);
  assertEquals(given.values("set"), ["a=b=c", "d="]);
  assertEquals(given.program, ["sh", "-c", "2"]);
  assertEquals([given.has("all"), given.has("allow-read")], [true, false]);
});

test("an optional value is only accepted after =, as with Deno", () => {
  const given = readArguments(["--allow-read", "soup", "--", "--allow-read=/x"], COOK);
  assertEquals([given.has("allow-read"), given.value("allow-read")], [true, undefined]);
  assertEquals(given.operands, ["soup"]);
  assertEquals(readArguments(["soup", "--allow-read=/a,/b"], COOK).value("allow-read"), "/a,/b");
  const short = readArguments(["-R", "soup", "--", "-R=/x"], COOK);
  assertEquals([short.has("allow-read"), short.value("allow-read")], [true, undefined]);
  assertEquals(readArguments(["soup", "-R=/a"], COOK).value("allow-read"), "/a");
  assertEquals(mistake("soup", "-Rx"), mistake("soup", "-x").replace("-x", "-Rx"));
});

test("unknown words are reported, with the nearest one", () => {
  assertEquals(mistake("soup", "--sat", "a=b"), "there is no flag --sat; did you mean --set?");
  assertEquals(
    mistake("soup", "-x"),
    "there is no flag -x; a program and its own flags come after --",
  );
  assertEquals(mistake("soup", "--all=yes"), "--all takes no value");
  assertEquals(mistake("soup", "--set"), "--set needs a value: --set=NAME=VALUE");
  assertEquals(mistake("soup", "--set="), "--set= has no value after it");
  assertEquals(mistake("soup", "--allow-read", "--allow-read"), "--allow-read is given twice");
  assertEquals(mistake("--all"), "MEAL is missing");
  assertStringIncludes(mistake("soup", "sh"), `a program comes after --: -- sh ...`);
});

test("every subcommand and flag is in the help", () => {
  for (const subcommand of SUBCOMMANDS) {
    assertStringIncludes(programHelp(plain), `  ${subcommand.name} `);
    const help = subcommandHelp(subcommand, plain);
    for (const { name, hidden } of subcommand.flags) {
      assertEquals(help.includes(`--${name}`), hidden !== true, name);
    }
    for (const line of help.split("\n")) assert(line.length <= 80, line);
  }
});

test("what a subcommand tells can be had as JSON, but for texts with a form of their own", () => {
  const without = SUBCOMMANDS.filter(({ flags }) => !flags.some(({ name }) => name === "json"));
  assertEquals(
    without.map(({ name }) => name),
    [
      "learn",
      "enter",
      "logs",
      "schema",
      "man",
      "completions",
    ],
  );
});

test("the version is the project's", () => {
  assertEquals(VERSION, config.version);
});

test("help and version are written to the standard output", async () => {
  for (const words of [[], ["--help"], ["help"]]) {
    const { code, stdout, stderr } = await ramekin(...words);
    assertEquals([code, stdout, stderr], [0, programHelp(plain) + "\n", ""]);
  }
  const ps = SUBCOMMANDS.find(({ name }) => name === "ps")!;
  for (const words of [["help", "ps"], ["ps", "--help"], ["ps", "--json", "-h"]]) {
    assertEquals((await ramekin(...words)).stdout, subcommandHelp(ps, plain) + "\n");
  }
  assertEquals((await ramekin("--version")).stdout, `ramekin ${VERSION}\n`);
});

test("a usage error is a few lines on the standard error, and the exit status 2", async () => {
  const { code, stdout, stderr } = await ramekin("pss");
  assertEquals([code, stdout], [2, ""]);
  assertEquals(
    stderr,
    `ramekin: there is no subcommand "pss"; did you mean ps?\n` +
      "  see ramekin help\n",
  );
  const flag = await ramekin("ps", "--jsno");
  assertEquals(flag.code, 2);
  assertEquals(
    flag.stderr,
    "ramekin: there is no flag --jsno; did you mean --json?\n" +
      "  see ramekin help ps\n",
  );
});

test("--debug shows where an error comes from", async () => {
  const { stderr } = await ramekin("ps", "--jsno", "--debug");
  assertMatch(stderr, /^ {4}at .*arguments\.ts/m);
});

test("a missing permission is named, with the command that installs the program", async () => {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--no-prompt", "--quiet", RAMEKIN, "ps"],
    env: { NO_COLOR: "1" },
  }).output();
  assertEquals([code, decode(stdout)], [1, ""]);
  assertStringIncludes(decode(stderr), "--allow-ffi");
  assertStringIncludes(decode(stderr), INSTALL);
  const reading = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--no-prompt", "--quiet", "--allow-ffi", RAMEKIN, "plan", "x.yaml"],
    env: { NO_COLOR: "1" },
  }).output();
  assertStringIncludes(decode(reading.stderr), "--allow-read");
  assertStringIncludes(decode(reading.stderr), INSTALL);
});

test("colours are for terminals, and NO_COLOR turns them off", async () => {
  const shown = async (env: Record<string, string>) => {
    const box = recipe().command(RUN[0]!, {
      args: [...RUN.slice(1), "help"],
      env,
      terminal: true,
      stdin: "null",
      stdout: "piped",
    });
    return decode((await box.output()).stdout);
  };
  assertStringIncludes(await shown({ NO_COLOR: "", TERM: "xterm" }), "\x1b[1mUsage:\x1b[22m");
  assert(!(await shown({ NO_COLOR: "1" })).includes("\x1b"));
});

test("the program ends silently if its output is closed", async () => {
  const command = RUN.map((word) => `'${word}'`).join(" ");
  const { code, stderr } = await new Deno.Command("sh", {
    args: ["-c", `{ ${command} schema; echo $? >&2; } | head -c 1 >/dev/null`],
    stdout: "null",
  }).output();
  assertEquals([code, decode(stderr)], [0, "141\n"]);
});

test("it is installed, and runs from anywhere", async () => {
  const root = Deno.makeTempDirSync();
  try {
    const installed = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["install", "--global", "--allow-ffi", "--allow-read", "--allow-net"],
        ...["--root", root, "--name", "ramekin", RAMEKIN],
      ],
      env: { NO_COLOR: "1" },
    }).output();
    assert(installed.success, decode(installed.stderr));
    const { stdout, stderr } = await new Deno.Command(`${root}/bin/ramekin`, {
      args: ["sandbox", "--", "hostname"],
      cwd: root,
      env: { PATH: `${Deno.execPath().replace(/\/[^/]*$/, "")}:${Deno.env.get("PATH")}` },
    }).output();
    assertEquals(decode(stdout), "sandbox\n", decode(stderr));
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
});

test("what a flag cannot mean is refused by its name and value, before anything is looked up", () => {
  const checked = new Set<string>();
  for (const subcommand of SUBCOMMANDS) {
    const operands = subcommand.operands.map(() => "nonesuch");
    for (const { name, check } of subcommand.flags) {
      if (check === undefined) continue;
      checked.add(name);
      const words = [`--${name}=/x y`, ...operands, ...(subcommand.program ? ["--", "true"] : [])];
      const { message } = assertThrows(() => readArguments(words, subcommand), UsageError);
      assertStringIncludes(message, `--${name}=/x y`);
    }
  }
  const known = [
    ...[
      "allow-net",
      "cpus",
      "deny-net",
      "env",
      "grace",
      "health-interval",
      "leave-out",
      "log-size",
    ],
    ...["max-bytes", "max-size", "memory", "mirror", "name", "open-files", "pids", "platform"],
    ...[
      "ready",
      "replicas",
      "restart",
      "set",
      "shm-size",
      "signal",
      "status-fd",
      "swap",
      "tail",
      "timeout",
    ],
    ...["tmp-size", "watchdog"],
  ];
  assertEquals([...checked].sort(), known);
});

test("an option of a sandbox that is wrong is told by its flag", () => {
  const cases: readonly (readonly [flag: string, says: string])[] = [
    ["--allow-device=/etc/passwd", '--allow-device: number 1: "/etc/passwd" is not in /dev'],
    ["--memory=0", "--memory should be a number of bytes"],
    ["--open-files=1.5", "--open-files: should be a whole number"],
    ["--tmp-size=0", "--tmp-size: 0 means no limit"],
    ["--bind=/usr:/proc/x", '--bind: number 1: "/proc/x" cannot be the host\'s'],
    ["--overlay=/", "--root takes another one"],
    ["--allow-read=/proc", "--allow-read: number 1:"],
    ["--allow-env=A*B", "--allow-env: number 1:"],
  ];
  const subcommand = SUBCOMMANDS.find(({ name }) => name === "sandbox")!;
  for (const [flag, says] of cases) {
    const given = readArguments([flag], subcommand);
    assertThrows(() => byFlags(() => sandbox(optionsOf(given))), UsageError, says);
  }
});

test("a file that cannot be read or written is named, with the reason", () =>
  withFiles({ "box.yaml": "steps:\n  - { step: unshare, kinds: [user] }\n" }, async (cwd) => {
    Deno.mkdirSync(`${cwd}/made`);
    const refused = async (says: string, ...words: string[]) => {
      const { code, stderr } = await ramekinWith({ cwd }, ...words);
      assertEquals([code === 0, stderr.split("\n")[0]], [false, `ramekin: ${says}`]);
    };
    await refused("made cannot be read: it is a directory; name a file in it", "import", "made");
    await refused(
      "made cannot be read: it is a directory; name a file in it",
      ...["from-nsjail", "made"],
    );
    const program = ["--", "true"];
    const missing = "cannot be written: its directory is not there; make that first (ENOENT)";
    await refused(`no/box ${missing}`, "build", "box.yaml", "-o=no/box", ...program);
    await refused(`no/recipe ${missing}`, "learn", "-o=no/recipe", ...program);
    await refused(`no/denied ${missing}`, "sandbox", "--audit=no/denied", ...program);
    await refused(`no/box.svg ${missing}`, "plan", "box.yaml", "--graph=no/box.svg");
    await refused(
      `${cwd}/no/units ${missing}`,
      ...["export", "systemd", "box.yaml", "-o=no/units", ...program],
    );
    await refused(
      `-o=${cwd}/box.yaml: it is a file, and a directory is needed`,
      ...["export", "systemd", "box.yaml", "-o=box.yaml", ...program],
    );
    await refused(
      "made cannot be written: it is a directory; name a file in it (EISDIR)",
      ...["build", "box.yaml", "-o=made", ...program],
    );
    assertEquals([...Deno.readDirSync(cwd)].map(({ name }) => name).sort(), ["box.yaml", "made"]);
  })());

test("a word that is none of those that there are is told before what is missing", async () => {
  const oci = await ramekin("oci", "planner");
  assertEquals(oci.code, 2);
  assertStringIncludes(oci.stderr, 'there is no "planner"; there is: install DIR; the verbs');
  const { stderr } = await ramekin("export", "sytemd", "box.yaml");
  assertStringIncludes(stderr, 'there is no format "sytemd"; there are ');
});

test("an operand that is empty, and a program that is missing, are told", () => {
  const issue = (...words: string[]) => () => {
    const subcommand = SUBCOMMANDS.find(({ name }) => name === words[0])!;
    readArguments(words.slice(1), subcommand);
  };
  for (const name of ["logs", "wait", "rm", "stop", "enter", "import", "from-bwrap"]) {
    assertThrows(issue(name, ""), UsageError, " is empty; is a variable not set?");
  }
  assertThrows(issue("cp", "a", ""), UsageError, " is empty; is a variable not set?");
  const missing = "the program is missing: ramekin";
  assertThrows(issue("learn"), UsageError, `${missing} learn ... -- PROGRAM ...`);
  assertThrows(issue("export", "oci", "a.yaml"), UsageError, `${missing} export oci a.yaml ...`);
  assertThrows(issue("learn", "--allow-read=."), UsageError, "it may read all that you may");
});
