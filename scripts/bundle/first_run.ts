/**
 * The functions that first runs call, from the start of Deno to the program in its container:
 * first_run.txt names them, and `deno run -A scripts/bundle/first_run.ts` writes it anew. It is no
 * harm if it is older than the modules: a function that is not in it is compiled when it is called.
 *
 * @module
 */

import { functionsOf, programOf } from "./functions.ts";
import { BUNDLES, plainBundle } from "./plain.ts";

const LIST = new URL("first_run.txt", import.meta.url);

/** The names of the functions, as {@linkcode functionsOf} returns them. */
export function firstRun(): ReadonlySet<string> {
  return new Set(Deno.readTextFileSync(LIST).split("\n"));
}

/** What a script does with `dist/ramekin.js`. */
const SCRIPTS = [
  `const { hostname, mapRoot, proc, recipe, tmpfs, unshare } = ramekin;
const box = recipe(
  unshare("user", "mount", "pid", "uts", "ipc", "net"),
  mapRoot(),
  tmpfs("/tmp", { size: "10m" }),
  proc(),
  hostname("box"),
);
await box.command("true").output();`,
  `await ramekin.sandbox().command("true").output();`,
  `ramekin.sandbox({ read: ["/usr"] }).command("true").outputSync();`,
  `await ramekin.sandbox().command("true", { stdout: "inherit" }).spawn().status;`,
];

/** The arguments of the command. */
const COMMANDS = [
  ["--version"],
  ["sandbox", "--", "true"],
  ["sandbox", "--allow-read=.", "--", "true"],
  ["sandbox", "--allow-write=.", "--", "true"],
];

/** Runs all of it, each in a process, and returns the names of the functions that were called. */
async function called(): Promise<readonly string[]> {
  const directory = await Deno.makeTempDir({ prefix: "ramekin-first-run-" });
  const names = new Set<string>();
  const run = async (source: string, file: string, args: readonly string[]) => {
    const log = `${directory}/log`;
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--no-config", "--allow-ffi", "--allow-read", "--allow-net"],
        `--v8-flags=--log-function-events,--logfile=${log},--no-logfile-per-isolate`,
        ...args,
      ],
      cwd: directory,
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    for (const name of compiledLate(await Deno.readTextFile(log), file, source)) names.add(name);
  };
  try {
    const [module, command, subcommands] = await Promise.all([
      plainBundle(BUNDLES["dist/ramekin.js"]),
      plainBundle(BUNDLES["dist/command.js"]),
      plainBundle(BUNDLES["dist/subcommands.js"]),
    ]);
    await Deno.writeTextFile(`${directory}/module.js`, module);
    await Deno.writeTextFile(`${directory}/command.js`, command);
    await Deno.writeTextFile(`${directory}/subcommands.js`, subcommands);
    for (const script of SCRIPTS) {
      const text = `import * as ramekin from "./module.js";\n${script}\n`;
      await Deno.writeTextFile(`${directory}/script.ts`, text);
      await run(module, "/module.js", ["script.ts"]);
    }
    for (const words of COMMANDS) {
      await run(subcommands, "/subcommands.js", ["command.js", ...words]);
    }
    return [...names].sort();
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** The functions of the file that V8 compiled when they were called, by its log. */
export function compiledLate(log: string, file: string, source: string): readonly string[] {
  const names = new Map<string, string>();
  for (const { name, begin, node } of functionsOf(programOf(source), source)) {
    names.set(`${begin},${node.end}`, name);
  }
  const lines = log.split("\n").map((line) => line.split(","));
  const script = lines.find(([event, , url]) => event === "script-details" && url?.endsWith(file));
  return lines
    .filter(([event, kind, id]) =>
      event === "function" && kind === "parse-function" && id === script?.[1]
    )
    .flatMap(([, , , begin, end]) => names.get(`${begin},${end}`) ?? []);
}

if (import.meta.main) await Deno.writeTextFile(LIST, `${(await called()).join("\n")}\n`);
