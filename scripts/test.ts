/**
 * `deno task test`: runs every test and every example of the documentation, as the current user,
 * and where that is root also as an ordinary user, at the same time. The last line is
 * `N passed, N failed`.
 *
 * Arguments are passed to `deno test`; with any, the examples are left out:
 * `deno task test tests/recipe --filter hostname`.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- a program, whose output is the console's

import {
  addTally,
  emptyTally,
  EXAMPLES,
  readReport,
  readSummary,
  type Tally,
  tallyText,
  TESTS,
} from "./suite.ts";

/** The uid and gid of the user nobody, in place of any ordinary user. */
const NOBODY = 65534;

/** A user who runs the suite. */
interface Runner {
  readonly name: string;
  /** Runs Deno with these arguments, writes its output, and returns its success and its output. */
  deno(args: readonly string[], output: HeldOutput): Promise<Run>;
}

/** How a program has ended. */
interface Run {
  readonly success: boolean;
  /** What it has written to its standard output. */
  readonly text: string;
}

/** Rooms whose tests together take about as long as those of the others. */
const SOME = ["escapes", "faults", "ffi", "host", "launch", "plan", "steps"]
  .map((room) => `tests/${room}`);

/**
 * The parts of the suite; those of one list run one after the other, and the lists at the same time,
 * as much of a test is waiting.
 */
const LANES: readonly (readonly (readonly string[])[])[] = [
  [[...TESTS, `--ignore=${SOME.join(",")}`, "tests"]],
  [[...TESTS, ...SOME], EXAMPLES],
];

const PROJECT = new URL("..", import.meta.url).pathname.replace(/\/$/, "");

async function main(args: readonly string[]): Promise<number> {
  const workshop = await Deno.makeTempDir({ prefix: "ramekin-test-" });
  const total = emptyTally();
  const lanes = args.length > 0 ? [[[...TESTS, ...args]]] : LANES;
  try {
    const runs = (await runners(workshop)).flatMap((runner) =>
      lanes.map((parts) => {
        const output = new HeldOutput();
        return { runner, output, tallies: runParts(runner, parts, output, workshop) };
      })
    );
    for (const { runner, output, tallies } of runs) {
      output.release();
      for (const tally of await tallies) addTally(total, tally, runner.name);
    }
  } finally {
    await Deno.remove(workshop, { recursive: true });
  }
  console.log(`\n${tallyText(total)}`);
  return total.failed === 0 ? 0 : 1;
}

/** Output that is held back while that of another is shown. */
class HeldOutput {
  #held: Uint8Array[] | undefined = [];

  write(bytes: Uint8Array): void {
    if (this.#held !== undefined) this.#held.push(bytes);
    else writeAll(bytes);
  }

  /** Shows what has been held back, and what comes from now on. */
  release(): void {
    for (const bytes of this.#held ?? []) writeAll(bytes);
    this.#held = undefined;
  }
}

function writeAll(bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) done += Deno.stdout.writeSync(bytes.subarray(done));
}

async function runParts(
  runner: Runner,
  parts: readonly (readonly string[])[],
  output: HeldOutput,
  workshop: string,
): Promise<Tally[]> {
  const tallies: Tally[] = [];
  for (const part of parts) {
    output.write(new TextEncoder().encode(`\nas ${runner.name}: deno test ${part.join(" ")}\n`));
    tallies.push(await runTests(runner, part, output, workshop));
  }
  return tallies;
}

async function runTests(
  runner: Runner,
  args: readonly string[],
  output: HeldOutput,
  workshop: string,
): Promise<Tally> {
  const report = `${workshop}/report-${crypto.randomUUID()}.xml`;
  const { success, text } = await runner.deno(["test", `--junit-path=${report}`, ...args], output);
  const tally = readReport(await Deno.readTextFile(report).catch(() => ""));
  // A test file that fails to load is in no report, but in the summary; one whose types are wrong
  // is in neither.
  tally.failed = Math.max(tally.failed, readSummary(text).failed, success ? 0 : 1);
  if (tally.failures.length < tally.failed) {
    tally.failures.push(`deno test ${args.join(" ")}: its error stands in the output`);
  }
  return tally;
}

async function runners(workshop: string): Promise<Runner[]> {
  if (Deno.uid() !== 0) return [self("an ordinary user", Deno.execPath())];
  await Deno.chmod(workshop, 0o777);
  // Some tests of root's switch to other users, who must be able to run Deno.
  const deno = await reachable(Deno.execPath(), "-x")
    ? Deno.execPath()
    : await copied(Deno.execPath(), `${workshop}/deno`);
  return [self("root", deno), await nobody(deno, workshop)];
}

function self(name: string, deno: string): Runner {
  return { name, deno: (args, output) => runAloud(deno, args, PROJECT, output) };
}

/** An ordinary user, with copies of what lies in directories that only root may enter. */
async function nobody(deno: string, workshop: string): Promise<Runner> {
  const home = `${workshop}/home`;
  await Deno.mkdir(home);
  await Deno.chown(home, NOBODY, NOBODY);
  const project = await reachable(`${PROJECT}/mod.ts`, "-r")
    ? PROJECT
    : await copied(PROJECT, `${workshop}/project`);
  const { npmCache } = JSON.parse(await textOf(deno, ["info", "--json"]));
  const npm = await copied(npmCache, `${workshop}/npm`);
  await run("setpriv", [...AS_NOBODY, "cp", "-r", npm, `${home}/npm`], home);
  return {
    name: "an ordinary user",
    // The types are checked as root.
    deno: (args, output) =>
      runAloud(
        "setpriv",
        [
          ...AS_NOBODY,
          ...["env", `HOME=${home}`, `DENO_DIR=${home}`, deno],
          ...(args[0] === "test" ? ["test", "--no-check", ...args.slice(1)] : args),
        ],
        project,
        output,
      ),
  };
}

const AS_NOBODY = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups"];

function reachable(path: string, test: string): Promise<boolean> {
  return run("setpriv", [...AS_NOBODY, "test", test, path], "/");
}

async function copied(from: string, to: string): Promise<string> {
  await run("cp", ["-r", "--no-preserve=ownership", from, to], "/");
  await run("chmod", ["-R", "a+rX", to], "/");
  return to;
}

async function run(program: string, args: readonly string[], cwd: string): Promise<boolean> {
  const command = new Deno.Command(program, { args: [...args], cwd, stdin: "null" });
  return (await command.spawn().status).success;
}

/** Runs a program, writes its output as it comes, and returns it too. */
async function runAloud(
  program: string,
  args: readonly string[],
  cwd: string,
  output: HeldOutput,
): Promise<Run> {
  const child = new Deno.Command(program, {
    args: [...args],
    cwd,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of child.stdout) {
    output.write(bytes);
    text += decoder.decode(bytes, { stream: true });
  }
  return { success: (await child.status).success, text };
}

async function textOf(program: string, args: readonly string[]): Promise<string> {
  const { stdout } = await new Deno.Command(program, { args: [...args] }).output();
  return new TextDecoder().decode(stdout);
}

if (import.meta.main) Deno.exit(await main(Deno.args));
