/**
 * The functions that first runs call, from the start of Deno to the program in its container:
 * first_run.txt names those of the module and of plain sandboxes, first_run_subcommands.txt those of
 * other subcommands, first_run_oci.txt those of the OCI runtime, and
 * `deno run -A scripts/bundle/first_run.ts` writes them anew. It is no harm if they are older than the
 * modules: a function that is in none is compiled when it is called.
 *
 * @module
 */

import { exampleConfig } from "../../oci/verbs/spec.ts";
import { functionsOf, programOf } from "./functions.ts";
import { type Bundle, BUNDLES, type FirstRunList, plainBundle } from "./plain.ts";

/** The names of a bundle's functions, as {@linkcode functionsOf} returns them. */
export function firstRun({ calls }: Bundle): ReadonlySet<string> {
  return new Set(
    calls.flatMap((list) => Deno.readTextFileSync(new URL(list, import.meta.url)).split("\n")),
  );
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
  `const args = ["-c", "sleep 0.1; echo soup; sleep 0.1; echo stew"];
await ramekin.sandbox().command("sh", { args }).output();`,
  `ramekin.sandbox({ read: ["/usr"] }).command("true").outputSync();`,
  `await ramekin.sandbox().command("true", { stdout: "inherit" }).spawn().status;`,
];

/** The arguments of the command for a plain sandbox. */
const SANDBOXES = [
  ["sandbox", "--", "true"],
  ["sandbox", "--allow-read=.", "--", "true"],
  ["sandbox", "--allow-write=.", "--", "true"],
];

/** Other command lines; a box is built where `ramekin sandbox` keeps it, too. */
const SUBCOMMANDS = [
  ["help"],
  ["run", "recipe.json", "-A", "--", "true"],
  ["build", "--sandbox", "--output=box", "--", "true"],
];

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

/** The functions that the module and a plain sandbox call. */
async function calledByModule(directory: string): Promise<ReadonlySet<string>> {
  const module = new Runs(directory, "module.js", await plainBundle(BUNDLES["dist/ramekin.js"]));
  for (const script of SCRIPTS) {
    const text = `import * as ramekin from "./module.js";\n${script}\n`;
    await Deno.writeTextFile(`${directory}/script.ts`, text);
    await module.run(["script.ts"]);
  }
  return module.names.union(await calledByCommand(directory, "sandbox.js", SANDBOXES));
}

/** The functions that other subcommands call. */
async function calledBySubcommands(directory: string): Promise<ReadonlySet<string>> {
  await Deno.writeTextFile(`${directory}/recipe.json`, JSON.stringify(RECIPE));
  return await calledByCommand(directory, "subcommands.js", SUBCOMMANDS);
}

/** The functions of one file of the command that these command lines call. */
async function calledByCommand(
  directory: string,
  file: "sandbox.js" | "subcommands.js",
  lines: readonly (readonly string[])[],
): Promise<ReadonlySet<string>> {
  const command = await plainBundle(BUNDLES["dist/command.js"]);
  await Deno.writeTextFile(`${directory}/command.js`, command);
  const runs = new Runs(directory, file, await plainBundle(BUNDLES[`dist/${file}`]));
  const permissions = [...PERMISSIONS, `--allow-write=${directory}/box`];
  for (const words of lines) await runs.run(["command.js", ...words], permissions);
  return runs.names;
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
  list: FirstRunList,
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
  await writeList("first_run.txt", calledByModule);
  await writeList("first_run_subcommands.txt", calledBySubcommands);
  await writeList("first_run_oci.txt", calledByOci);
}
