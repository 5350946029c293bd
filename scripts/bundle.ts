/**
 * `deno task bundle`: makes `ramekin.js`, the module and all that it reaches in one file: one request
 * for who imports it from a URL, and the shortest way from `deno run` to a container. Types are still
 * `mod.ts`'s.
 *
 * V8 compiles a function when it is first called, and Deno's code cache keeps what is compiled when a
 * file is loaded. So the functions that the first container calls are compiled then: V8 does that for
 * function expressions in parentheses. `deno task bundle --record` runs a container and writes down
 * which they are.
 *
 * @module
 */

const PROJECT = new URL("..", import.meta.url);
const BUNDLE = new URL("ramekin.js", PROJECT);
const FIRST_CALLS = new URL("first_calls.txt", import.meta.url);

const HEAD = `// Ramekin in one file. Made by \`deno task bundle\` of mod.ts; a test compares them.
// @ts-self-types="./mod.ts"
`;

/** A container such as most scripts have; its programs end at once, or take their time. */
const FIRST_CONTAINER = `
import { hostname, mapRoot, proc, recipe, tmpfs, unshare } from "./ramekin.js";
const box = recipe(
  unshare("user", "mount", "pid", "uts", "ipc", "net"),
  mapRoot(),
  tmpfs("/tmp", { size: "10m" }),
  proc(),
  hostname("box"),
);
for (const [program, ...args] of [["hostname"], ["sh", "-c", "sleep 0.1; hostname"]]) {
  const { stdout } = await box.command(program, { args }).output();
  if (new TextDecoder().decode(stdout) !== "box\\n") throw new Error("no container");
}
`;

/** A function declaration of the file, or the line above the code of a module. */
const DECLARATION = /^\/\/ (\S+\.ts)$|^(?:async )?function\*? ([\w$]+)\(.*\n(?:.+\n|\n)*?}$/gm;

/** The module as one file. */
export async function bundle(): Promise<string> {
  const firstCalls = (await Deno.readTextFile(FIRST_CALLS)).trim().split("\n");
  return HEAD + compiledAtOnce(withoutGetters(await bundled()), new Set(firstCalls));
}

async function bundled(): Promise<string> {
  return await inDirectory(async (directory) => {
    const path = `${directory}/ramekin.js`;
    await deno("bundle", "--quiet", "--output", path, "mod.ts");
    return await Deno.readTextFile(path);
  });
}

/**
 * The namespace `linux` as an object of values, made when all modules have theirs, which never change.
 * The bundler's object, of hundreds of getters, takes a millisecond to make.
 */
function withoutGetters(source: string): string {
  let values = "";
  const others = source.replace(
    /^var \w+ = \{\};\n__export\((\w+), \{\n((?: {2}[\w$]+: \(\) => [\w$]+,?\n)+)\}\);\n/m,
    (_, name, members) => {
      values = `var ${name} = {\n${members.replaceAll("() => ", "")}};\n`;
      return "";
    },
  );
  return others.replace(/^export \{$/m, `${values}$&`);
}

/** The source with these functions compiled when it is loaded. */
function compiledAtOnce(source: string, names: ReadonlySet<string>): string {
  const compiled: string[] = [];
  let module = "";
  const others = source.replace(DECLARATION, (text, path, name) => {
    if (path !== undefined) module = path;
    else if (names.has(entryOf(module, name))) {
      compiled.push(`var ${name} = (${text});\n`);
      return "";
    }
    return text;
  });
  return compiled.join("") + others;
}

/** The functions that the first container calls, in the order of the file. */
async function recordFirstCalls(): Promise<string[]> {
  const source = await bundled();
  const log = await inDirectory(async (directory) => {
    await Deno.writeTextFile(`${directory}/ramekin.js`, source);
    await Deno.writeTextFile(`${directory}/script.js`, FIRST_CONTAINER);
    const flags = [
      "--log-function-events",
      `--logfile=${directory}/log`,
      "--no-logfile-per-isolate",
    ];
    await deno("run", "--allow-ffi", `--v8-flags=${flags.join()}`, `${directory}/script.js`);
    return await Deno.readTextFile(`${directory}/log`);
  });
  const script = log.match(/^script-details,(\d+),.*ramekin\.js,/m)![1]!;
  const called = new Set(
    log.matchAll(new RegExp(`^function,parse-function,${script},(\\d+),`, "gm"))
      .map(([, begin]) => Number(begin)),
  );
  const names: string[] = [];
  let module = "";
  for (const { 0: text, 1: path, 2: name, index } of source.matchAll(DECLARATION)) {
    if (path !== undefined) module = path;
    else if (called.has(index + text.indexOf("("))) names.push(entryOf(module, name!));
  }
  return names;
}

/** A line of the list. The bundler numbers names that several modules have. */
function entryOf(module: string, name: string): string {
  return `${module} ${name.replace(/\d+$/, "")}`;
}

async function inDirectory<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = await Deno.makeTempDir({ prefix: "ramekin-bundle-" });
  try {
    return await use(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function deno(...args: string[]): Promise<void> {
  const command = new Deno.Command(Deno.execPath(), { args, cwd: PROJECT });
  const { success, stderr } = await command.output();
  if (!success) throw new Error(`deno ${args[0]}: ${new TextDecoder().decode(stderr)}`);
}

if (import.meta.main) {
  if (Deno.args.includes("--record")) {
    await Deno.writeTextFile(FIRST_CALLS, (await recordFirstCalls()).join("\n") + "\n");
  }
  await Deno.writeTextFile(BUNDLE, await bundle());
}
