/** The module and the command in one file each; tests/import_test.ts has them from a URL. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import * as module from "../../mod.ts";
import { bundle } from "../../scripts/bundle.ts";
import { BUNDLES } from "../../scripts/bundle/plain.ts";
import { isPlainSandbox } from "../../scripts/ramekin/plain_sandbox.ts";
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

test("the command without the files beside it says which one is missing", async () => {
  const directory = await Deno.makeTempDir();
  await Deno.copyFile(new URL("dist/command.js", PROJECT), `${directory}/command.js`);
  for (
    const [file, ...words] of [["sandbox.js", "sandbox", "--", "true"], ["subcommands.js", "ps"]]
  ) {
    const args = ["run", "--no-config", ...RUN.slice(2, -1), `${directory}/command.js`, ...words];
    const { code, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
    const what =
      `ramekin: file://${directory}/${file} is missing; the files of dist/ belong in one ` +
      "directory\n";
    assertEquals([code, decode(stderr)], [125, what]);
  }
  await Deno.remove(directory, { recursive: true });
});

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
    ["sandbox", "--allow-device=/dev/null", "--", "true"],
    ["sandbox", "--restart=always", "--", "true"],
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
  const { now } = await modulesOf("scripts/ramekin/main.ts");
  assert(now.includes("scripts/ramekin/subcommands.ts"));
  assertEquals(now.filter((name) => LATE.test(name) && !NEEDED.includes(name)), []);
});

test("the file of plain sandboxes has all that they need", async () => {
  const { now, later } = await modulesOf("scripts/ramekin/sandbox_main.ts");
  assert(now.includes("scripts/ramekin/sandbox.ts"));
  assertEquals(later, []);
  for (const words of [[], ["--", "true"], ["-R=/etc", "--allow-net", "--", "sh", "-c", ":"]]) {
    assert(isPlainSandbox(["sandbox", ...words]), words.join(" "));
  }
  for (const flag of ["-d", "--detach", "--allow-device=/dev/fuse", "--supervisor=3", "true"]) {
    assert(!isPlainSandbox(["sandbox", flag, "--", "true"]), flag);
  }
  assert(!isPlainSandbox(["try", "--", "true"]));
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

/** The modules that are loaded with one, and those that they import later. */
async function modulesOf(entry: string): Promise<Record<"now" | "later", readonly string[]>> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", entry],
    cwd: PROJECT,
  }).output();
  const { roots, modules }: Graph = JSON.parse(decode(stdout));
  const now = new Set(roots);
  const later = new Set<string>();
  for (const name of now) {
    const { dependencies = [] } = modules.find(({ specifier }) => specifier === name) ?? {};
    for (const { isDynamic, code } of dependencies) {
      if (code?.specifier !== undefined) (isDynamic === true ? later : now).add(code.specifier);
    }
  }
  const inProject = (names: Iterable<string>) =>
    Array.from(names, (name) => name.replace(PROJECT.href, ""));
  return { now: inProject(now), later: inProject(later) };
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
