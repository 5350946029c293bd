/**
 * The functions that first runs call, from the start of Deno to the program in its container:
 * first_run.txt names those of the module and the command, first_run_oci.txt those of the OCI
 * runtime, and `deno run -A scripts/bundle/first_run.ts` writes them anew. It is no harm if they are
 * older than the modules: a function that is in none is compiled when it is called.
 *
 * @module
 */

import { exampleConfig } from "../../oci/verbs/spec.ts";
import { functionsOf, programOf } from "./functions.ts";
import { type Bundle, BUNDLES, plainBundle } from "./plain.ts";

/** The names of a bundle's functions, as {@linkcode functionsOf} returns them. */
export function firstRun({ calls }: Bundle): ReadonlySet<string> {
  return new Set(Deno.readTextFileSync(new URL(calls, import.meta.url)).split("\n"));
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

/** The arguments of the command, by the file that they are for. */
const COMMANDS = {
  "sandbox.js": [
    ["sandbox", "--", "true"],
    ["sandbox", "--allow-read=.", "--", "true"],
    ["sandbox", "--allow-write=.", "--", "true"],
  ],
  "subcommands.js": [
    ["help"],
    ["run", "recipe.json", "-A", "--", "true"],
  ],
};

/** A recipe. */
const RECIPE = { steps: [{ step: "unshare", kinds: ["user", "uts"] }, { step: "mapRoot" }] };

/** What an engine calls the OCI runtime for, in a directory with a config.json, in this order. */
const OCI_CALLS = [
  ["create", "first-run"],
  ["start", "first-run"],
  ["exec", "first-run", "/bin/true"],
  ["delete", "--force", "first-run"],
];

/** Makes a bundle of busybox, that of Debian's busybox-static. */
async function makeBundle(directory: string): Promise<void> {
  await Deno.mkdir(`${directory}/rootfs/bin`, { recursive: true });
  await Deno.copyFile("/bin/busybox", `${directory}/rootfs/bin/busybox`);
  for (const name of ["sleep", "true"]) {
    await Deno.symlink("busybox", `${directory}/rootfs/bin/${name}`);
  }
  const config = exampleConfig(Deno.uid() !== 0);
  const process = { ...config.process, terminal: false, args: ["/bin/sleep", "60"] };
  await Deno.writeTextFile(`${directory}/config.json`, JSON.stringify({ ...config, process }));
}

/** The flags of the README's line of installation. */
const PERMISSIONS = ["--allow-ffi", "--allow-read", "--allow-net"];

/** Runs of one bundle, each in a process, by which the functions that it calls are found. */
class Runs {
  readonly names: Set<string> = new Set();
  readonly #directory: string;
  readonly #file: string;
  readonly #source: string;

  constructor(directory: string, file: string, source: string) {
    this.#directory = directory;
    this.#file = file;
    this.#source = source;
    Deno.writeTextFileSync(`${directory}/${file}`, source);
  }

  async run(args: readonly string[], permissions: readonly string[] = PERMISSIONS): Promise<void> {
    const log = `${this.#directory}/log`;
    // No pipes: a container that goes on would keep them open.
    const { success } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--no-config", "--quiet", ...permissions],
        `--v8-flags=--log-function-events,--logfile=${log},--no-logfile-per-isolate`,
        ...args,
      ],
      cwd: this.#directory,
      stdin: "null",
      stdout: "null",
    }).spawn().status;
    if (!success) throw new Error(`${args.join(" ")} has failed`);
    const text = await Deno.readTextFile(log);
    for (const name of compiledLate(text, `/${this.#file}`, this.#source)) this.names.add(name);
  }
}

/** The functions that the module and the command call. */
async function calledByCommand(directory: string): Promise<ReadonlySet<string>> {
  const module = new Runs(directory, "module.js", await plainBundle(BUNDLES["dist/ramekin.js"]));
  for (const script of SCRIPTS) {
    const text = `import * as ramekin from "./module.js";\n${script}\n`;
    await Deno.writeTextFile(`${directory}/script.ts`, text);
    await module.run(["script.ts"]);
  }
  const command = await plainBundle(BUNDLES["dist/command.js"]);
  await Deno.writeTextFile(`${directory}/command.js`, command);
  await Deno.writeTextFile(`${directory}/recipe.json`, JSON.stringify(RECIPE));
  const names = new Set(module.names);
  for (const file of ["sandbox.js", "subcommands.js"] as const) {
    const runs = new Runs(directory, file, await plainBundle(BUNDLES[`dist/${file}`]));
    for (const words of COMMANDS[file]) await runs.run(["command.js", ...words]);
    for (const name of runs.names) names.add(name);
  }
  return names;
}

/** The functions that the OCI runtime calls. */
async function calledByOci(directory: string): Promise<ReadonlySet<string>> {
  const oci = new Runs(directory, "oci.js", await plainBundle(BUNDLES["dist/oci.js"]));
  await makeBundle(directory);
  for (const words of OCI_CALLS) {
    await oci.run(["oci.js", `--root=${directory}/state`, ...words], ["--allow-all"]);
  }
  return oci.names;
}

async function writeList(
  list: Bundle["calls"],
  find: (directory: string) => Promise<ReadonlySet<string>>,
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "ramekin-first-run-" });
  try {
    const names = [...await find(directory)].sort();
    await Deno.writeTextFile(new URL(list, import.meta.url), `${names.join("\n")}\n`);
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

if (import.meta.main) {
  await writeList("first_run.txt", calledByCommand);
  await writeList("first_run_oci.txt", calledByOci);
}
