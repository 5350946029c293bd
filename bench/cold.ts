/**
 * Whole processes: `deno run` of a recipe and of a sandbox in one file, and the command, against
 * `deno run` of an empty file, and against the peers.
 *
 * @module
 */

import { sandbox } from "../mod.ts";
import { alone } from "./alone.ts";
import { bwrapOptions } from "./bwrap_sandbox.ts";
import { findProgram } from "./machine.ts";
import { makeBundle } from "./oci_bundle.ts";
import { type Report, roundsTable, type Wanted } from "./report.ts";
import { type Contender, interleave, median, ratios } from "./rounds.ts";

const ROUNDS = 21;
const EMPTY = "an empty file",
  ONE_FILE = "a recipe, with dist/ramekin.js",
  SANDBOX = "a sandbox, with dist/ramekin.js",
  COMMAND = "dist/command.js sandbox -- true",
  KEPT = "the same with a kept box",
  VERSION = "dist/command.js --version",
  FIRST = "examples/first.ts";
const FLOOR = "Deno's own part of it";
const KINDS = ["user", "mount", "pid", "uts"] as const;

/** Measures. */
export async function cold(): Promise<Report> {
  const directory = Deno.makeTempDirSync({ prefix: "ramekin-bench-" });
  try {
    const deno = Deno.execPath();
    const run = (name: string, path: string, ...flags: string[]) =>
      processOf(name, [deno, "run", "--no-config", "--allow-ffi", ...flags, path]);
    const write = (name: string, text: string) => {
      Deno.writeTextFileSync(`${directory}/${name}`, text);
      return `${directory}/${name}`;
    };
    const example = new URL("../examples/first.ts", import.meta.url).pathname;
    const contenders = [
      run(EMPTY, write("empty.ts", "")),
      run(FLOOR, floorIn(write), "--allow-run"),
      run(ONE_FILE, write("one_file.ts", recipeWith("dist/ramekin.js"))),
      run("a recipe, with mod.ts", write("modules.ts", recipeWith("mod.ts"))),
      run(FIRST, example),
      run(SANDBOX, write("sandbox.ts", sandboxWith("dist/ramekin.js"))),
      ramekin(COMMAND, "dist/command.js", "sandbox", "--", "true"),
      keeping(KEPT, directory),
      ramekin("scripts/ramekin.ts sandbox -- true", "scripts/ramekin.ts", "sandbox", "--", "true"),
      ramekin(VERSION, "dist/command.js", "--version"),
    ];
    const bwrap = findProgram("bwrap");
    if (bwrap !== undefined) {
      const options = bwrapOptions(sandbox().steps);
      contenders.push(processOf("bwrap, the same sandbox", [bwrap, ...options, "/bin/true"]));
    }
    const runc = findProgram("runc");
    if (runc !== undefined) {
      const bundle = `${directory}/runc`;
      makeBundle(bundle, KINDS, "/bin/true");
      const state = ["--root", `${directory}/state`];
      contenders.push(
        processOf("runc", [runc, ...state, "run", "--bundle", bundle, "ramekin-bench"]),
      );
    }
    const rounds = await interleave(contenders, ROUNDS);
    const wanted = ([what, name, limit]: readonly [string, string, number]): Wanted => ({
      what: `${what} to the empty file`,
      is: median(ratios(rounds, name, EMPTY)),
      bound: "at most",
      limit,
    });
    return {
      title: "A cold start",
      about: [
        `the recipe: ${KINDS.join(", ")} namespaces, the maps, /proc, a hostname, and /bin/true`,
        "Deno's own part of it is a script that imports one line, calls one function of each of two " +
        "libraries, as a module must that brings machine code, and runs /bin/true with Deno.Command",
        `${FIRST} runs seven programs in its container`,
        "the command has the permissions that it is installed with; with kept boxes, also that to write " +
        "to its directory in the cache",
      ],
      tables: [
        roundsTable("Whole processes", rounds, EMPTY, "ms", (ms) => ms.toFixed(1), [
          wanted(["the recipe in one file", ONE_FILE, 1.5]),
          wanted(["the sandbox in one file", SANDBOX, 1.7]),
          wanted(["ramekin sandbox -- true, with a kept box,", KEPT, 2]),
          wanted(["ramekin --version", VERSION, 1.5]),
        ]),
      ],
      plots: [],
    };
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

/** A script that does what a user's would, with the module from that file. */
function recipeWith(module: string): string {
  return `import { hostname, mapRoot, proc, recipe, unshare } from "${new URL(
    `../${module}`,
    import.meta.url,
  )}";
const box = recipe(unshare("${KINDS.join('", "')}"), mapRoot(), proc(), hostname("box"));
const { code } = await box.command("/bin/true").output();
if (code !== 0) throw new Error(String(code));
`;
}

/** A script that runs a program in a sandbox, with the module from that file. */
function sandboxWith(module: string): string {
  return `import { sandbox } from "${new URL(`../${module}`, import.meta.url)}";
const { code } = await sandbox().command("/bin/true").output();
if (code !== 0) throw new Error(String(code));
`;
}

/** The command with a home directory of its own, where it may keep boxes. */
function keeping(name: string, home: string): Contender {
  const write = `--allow-write=${home}/.cache/ramekin`;
  const flags = ["--no-config", "--allow-ffi", "--allow-read", "--allow-net", write];
  const path = new URL("../dist/command.js", import.meta.url).pathname;
  return processOf(name, [Deno.execPath(), "run", ...flags, path, "sandbox", "--", "true"], {
    HOME: home,
    DENO_DIR: denoDirectory(),
  });
}

/** Where Deno keeps what it has compiled, which it would look for in another home directory. */
function denoDirectory(): string {
  const { stdout } = new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).outputSync();
  return JSON.parse(new TextDecoder().decode(stdout)).denoDir;
}

/** The command as it is installed, from that file. */
function ramekin(name: string, file: string, ...words: readonly string[]): Contender {
  const flags = ["--no-config", "--allow-ffi", "--allow-read", "--allow-net"];
  const path = new URL(`../${file}`, import.meta.url).pathname;
  return processOf(name, [Deno.execPath(), "run", ...flags, path, ...words]);
}

/** Writes a script that does what no launch by FFI can do without, and answers its path. */
function floorIn(write: (name: string, text: string) => string): string {
  write("line.js", `export const libraries = ["libc.so.6", "libm.so.6"];`);
  return write(
    "floor.ts",
    `import { libraries } from "./line.js";
const SYMBOLS = [
  { getpid: { parameters: [], result: "i32" } },
  { sqrt: { parameters: ["f64"], result: "f64" } },
] as const;
libraries.forEach((name, index) => Object.values(Deno.dlopen(name, SYMBOLS[index]!).symbols)[0]!(4));
const { code } = await new Deno.Command("/bin/true").output();
if (code !== 0) throw new Error(String(code));
`,
  );
}

/** A command, from its start to its end, in milliseconds. */
function processOf(
  name: string,
  [program, ...args]: readonly string[],
  env: Record<string, string> = {},
): Contender {
  return {
    name,
    async measure() {
      const begin = performance.now();
      const { success, stderr } = await new Deno.Command(program!, { args, env }).output();
      const time = performance.now() - begin;
      if (!success) throw new Error(`${name}: ${new TextDecoder().decode(stderr)}`);
      return [time];
    },
  };
}

if (import.meta.main) await alone(cold);
