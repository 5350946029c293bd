/** The module and the command in one file each; tests/import_test.ts has them from a URL. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import * as module from "../../mod.ts";
import { bundle } from "../../scripts/bundle.ts";
import { BUNDLES } from "../../scripts/bundle/plain.ts";
import { ramekinWith, RUN, withFiles } from "../ramekin/support.ts";
import { decode } from "../other_scripts.ts";
import { emulated } from "../rounds.ts";
import { notRoot, test } from "../support.ts";

const PROJECT = new URL("../../", import.meta.url);

for (const [file, made] of Object.entries(BUNDLES)) {
  test(
    `${file} is what the modules make: deno task bundle`,
    async () => {
      const [written, anew] = [await Deno.readTextFile(new URL(file, PROJECT)), await bundle(made)];
      assert(written === anew, `${file} is older than the modules: deno task bundle`);
      assert(!/[\u0080-\uffff]/.test(written), `${file} has letters that are not ASCII`);
    },
    notRoot ? "is compared as root" : emulated ? "needs the bundler, which is fetched" : undefined,
  );
}

test("the module in one file has all that the module has", async () => {
  const [{ linux, ...others }, { linux: linuxOfModule, ...othersOfModule }] = [
    await import(new URL("dist/ramekin.js", PROJECT).href) as typeof module,
    module,
  ];
  assertEquals(kinds(others), kinds(othersOfModule));
  assertEquals(kinds(linux), kinds(linuxOfModule));
});

const RECIPE = `
variables: { name: box }
steps:
  - { step: unshare, kinds: [user, uts] }
  - step: mapRoot
  - { step: hostname, name: "\${name}" }
`;

for (
  const words of [
    ["--version"],
    ["help", "sandbox"],
    ["sandbox", "--", "sh", "-c", "id -u; ls /; exit 3"],
    ["sandbox", "--allow-read=/etc/hosts", "--", "cat", "/etc/hosts"],
    ["sandbox", "--", "/nonesuch"],
    ["sandboks"],
    ["run", "recipe.yaml", "-A", "--set=name=pot", "--", "uname", "-n"],
    ["run", "recipe.yaml", "--", "true"],
    ["plan", "recipe.yaml", "--json"],
    ["check", "recipe.yaml"],
    ["schema"],
    ["completions", "bash"],
  ]
) {
  test(
    `the command in one file does what the command does: ${words.join(" ")}`,
    withFiles({ "recipe.yaml": RECIPE }, async (cwd) => {
      const file = new URL("dist/command.js", PROJECT).pathname;
      const [program, ...args] = [...RUN.slice(0, -1), file, ...words];
      const { code, stdout, stderr } = await new Deno.Command(program!, {
        args,
        cwd,
        stdin: "null",
      }).output();
      const expected = await ramekinWith({ cwd }, ...words);
      assertEquals([code, decode(stdout), decode(stderr)], [
        expected.code,
        expected.stdout,
        expected.stderr,
      ]);
    }),
  );
}

test("a bundle loads no module of Node's before it is used", async () => {
  // The thread is started to use them.
  const files = Object.keys(BUNDLES).filter((file) => file !== "dist/decoding_thread.js");
  for (const file of files) {
    const text = await Deno.readTextFile(new URL(file, PROJECT));
    assertEquals(text.match(/^import .*/gm) ?? [], [], file);
  }
});

test("what only some subcommands need is loaded with these: images, exports, modules of Node's", async () => {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "scripts/ramekin/main.ts"],
    cwd: PROJECT,
  }).output();
  const graph: Graph = JSON.parse(decode(stdout));
  const loaded = loadedAtOnce(graph).map((name) => name.replace(PROJECT.href, ""));
  assert(loaded.includes("scripts/ramekin/subcommands.ts"));
  const late = loaded.filter((name) => LATE.test(name) && !NEEDED.includes(name));
  assertEquals(late, []);
});

/** Modules that a subcommand loads. */
const LATE = /^(?:node:|(?:box|cdi|changes|detached|export|images|oci|services|shell|yaml)\/)/;

/** Those that the table of all flags needs. */
const NEEDED = ["export/oci/unsaid.ts", "images/errors.ts", "images/platform.ts"];

/** What `deno info --json` writes. */
interface Graph {
  readonly roots: readonly string[];
  readonly modules: readonly {
    readonly specifier: string;
    readonly dependencies?: readonly {
      readonly isDynamic?: boolean;
      readonly code?: { readonly specifier?: string };
    }[];
  }[];
}

/** The modules that are loaded with the first one. */
function loadedAtOnce({ roots, modules }: Graph): readonly string[] {
  const found = new Set(roots);
  for (const name of found) {
    const { dependencies = [] } = modules.find(({ specifier }) => specifier === name) ?? {};
    for (const { isDynamic, code } of dependencies) {
      if (isDynamic !== true && code?.specifier !== undefined) found.add(code.specifier);
    }
  }
  return [...found];
}

test("Deno keeps the command compiled after a subcommand that waits for nothing", async () => {
  for (const words of [["help"], ["schema"]]) {
    const directory = Deno.makeTempDirSync();
    try {
      // What is kept is read in the second run, and V8 logs that it compiles nothing of the file.
      const log = `${directory}/log`;
      const flags = `--v8-flags=--log-function-events,--logfile=${log},--no-logfile-per-isolate`;
      const file = new URL("dist/command.js", PROJECT).pathname;
      for (const _ of ["first", "second"]) {
        const { success } = await new Deno.Command(Deno.execPath(), {
          args: ["run", flags, "--allow-ffi", "--allow-read", "--allow-net", file, ...words],
          env: { DENO_DIR: `${directory}/cache` },
          stdin: "null",
        }).output();
        assert(success);
      }
      const events = Deno.readTextFileSync(log);
      assertMatch(events, /^function,deserialize,.*subcommands\.js$/m, words[0]);
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  }
});

/** The members of a module: constants by their values, functions as such. */
function kinds(members: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(members).sort(([one], [other]) => one < other ? -1 : 1)
      .map(([name, value]) => [name, typeof value === "function" ? typeof value : value]),
  );
}
