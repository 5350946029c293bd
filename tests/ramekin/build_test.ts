/** `ramekin build`, and what `ramekin plan` reads of a box. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { readBoxNote } from "../../box/mod.ts";
import { mapRoot, recipe, tmpfs, unshare } from "../../mod.ts";
import { decode } from "../other_scripts.ts";
import { test } from "../support.ts";
import { RAMEKIN, ramekinWith, RUN, withFiles } from "./support.ts";

const FILES = {
  "box.yaml": `variables: { name: box }
steps:
  - { step: unshare, kinds: [user, uts] }
  - step: mapRoot
  - include: name.yaml
`,
  "name.yaml": "steps: [{ step: hostname, name: kitchen }]\n",
  "early.yaml": "steps:\n  - step: mapRoot\n",
  "pid.yaml": "steps:\n  - { step: join, target: 1 }\n",
  "recipe.ts": `export default { steps: [{ step: "setEnv", variables: { FROM: "module" } }] };\n`,
};

/** A test in a directory of recipes, in which the user of the suite may write. */
const inKitchen = (body: (directory: string) => Promise<void>) => withFiles(FILES, body);

const text = (path: string, ...args: string[]) =>
  new Deno.Command(path, { args, stdin: "null" }).outputSync();

test(
  "a recipe is built without the permission to make calls",
  inKitchen(async (cwd) => {
    const flags = ["--no-check", "--no-prompt", "--quiet", "--allow-read", `--allow-write=${cwd}`];
    const words = ["build", "box.yaml", "-o", "box", "--", "uname", "-n"];
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", ...flags, RAMEKIN, ...words],
      cwd,
      stdin: "null",
    }).output();
    assertEquals([code, decode(stderr)], [0, ""]);
    assertEquals(decode(text(`${cwd}/box`).stdout), "kitchen\n");
    const { mode } = Deno.statSync(`${cwd}/box`);
    assertEquals(mode! & 0o111, 0o111);
  }),
);

test(
  "the command builds as it is installed, and plan shows what is in a box",
  inKitchen(async (cwd) => {
    const built = await ramekinWith({ cwd }, "build", "box.yaml", "-o", "box", "--json");
    assertEquals([built.code, built.stderr], [0, ""]);
    const { size } = Deno.statSync(`${cwd}/box`);
    assertEquals(JSON.parse(built.stdout), { file: "box", size });
    assertEquals(decode(text(`${cwd}/box`, "uname", "-n").stdout), "kitchen\n");
    const { stdout } = await ramekinWith({ cwd }, "plan", "--calls", "./box");
    assertMatch(stdout, /^3 hostname\n {4}sethostname\("kitchen", 7\)$/m);
    const what = `a box for any user on ${Deno.build.arch}; it runs the program that it is given\n`;
    assertStringIncludes(stdout, what);
    const piped = await new Deno.Command(RUN[0]!, {
      args: [...RUN.slice(1), "build", "box.yaml", "-o", "-", "--", "echo", "a word"],
      cwd,
      stdin: "null",
    }).output();
    Deno.writeFileSync(`${cwd}/piped`, piped.stdout, { mode: 0o755 });
    assertEquals(decode(text(`${cwd}/piped`).stdout), "a word\n");
    const plan = await ramekinWith({ cwd }, "plan", "piped", "--json");
    assertEquals(JSON.parse(plan.stdout).box.program, ["echo", "a word"]);
    for (const words of [["run", "./box"], ["build", "./box", "-o", "other"]]) {
      const { code, stderr } = await ramekinWith({ cwd }, ...words);
      assertEquals(code, words[0] === "run" ? 125 : 2);
      assertStringIncludes(stderr, "./box is not a recipe: it is an executable; a box is run by");
    }
    const changed = Deno.readFileSync(`${cwd}/box`);
    changed[changed.length - 1000]! ^= 1;
    Deno.writeFileSync(`${cwd}/changed`, changed);
    const refused = await ramekinWith({ cwd }, "plan", "changed");
    assertEquals(refused.code, 1);
    assertStringIncludes(refused.stderr, "it has been changed");
    const other = await ramekinWith({ cwd }, "plan", "/bin/true");
    assertEquals(other.code, 1);
    assertStringIncludes(other.stderr, "is no box");
  }),
);

test(
  "a module is built, and for the other processor",
  inKitchen(async (cwd) => {
    await ramekinWith({ cwd }, "build", "recipe.ts", "-o", "box", "--", "sh", "-c", "echo $FROM");
    assertEquals(decode(text(`${cwd}/box`).stdout), "module\n");
    for (const name of ["x86_64", "aarch64"] as const) {
      const flags = [`--arch=${name}`, "--for=root"];
      assertEquals((await ramekinWith({ cwd }, "build", "box.yaml", "-o", name, ...flags)).code, 0);
      const note = readBoxNote(Deno.readFileSync(`${cwd}/${name}`))!;
      assertEquals([note.architecture, note.for], [name, "root"]);
    }
  }),
);

test(
  "a sandbox is built by the flags of ramekin sandbox",
  inKitchen(async (cwd) => {
    const flags = ["--sandbox", `--allow-read=${cwd}`, "--allow-env=KITCHEN"];
    const built = await ramekinWith({ cwd }, "build", ...flags, "-o", "box");
    assertEquals([built.code, built.stderr], [0, ""]);
    const script = "pwd; cat name.yaml; echo $KITCHEN; touch made || echo denied";
    const { stdout } = await new Deno.Command(`${cwd}/box`, {
      args: ["sh", "-c", script],
      env: { KITCHEN: "open" },
      cwd,
      stdin: "null",
    }).output();
    assertEquals(decode(stdout), `${cwd}\n${FILES["name.yaml"]}open\ndenied\n`);
  }),
);

test(
  "variables that are denied are left out of the names that a sandbox passes on",
  inKitchen(async (cwd) => {
    const flags = ["-E=KEPT,SECRET,AWS_*", "--deny-env=SECRET,AWS*,TERM"];
    const built = await ramekinWith({ cwd }, "build", "--sandbox", ...flags, "-o", "box");
    assertEquals([built.code, built.stderr], [0, ""]);
    const { stdout } = await new Deno.Command(`${cwd}/box`, {
      args: ["sh", "-c", "echo $KEPT-$SECRET-$AWS_KEY-$(env | grep -c ^TERM=)"],
      env: { KEPT: "kept", SECRET: "secret", AWS_KEY: "key", TERM: "dumb" },
      stdin: "null",
    }).output();
    assertEquals(decode(stdout), "kept---0\n");
  }),
);

test(
  "a sandbox that may write protects names in the directory, and changes others",
  inKitchen(async (cwd) => {
    const flags = ["--sandbox", `--allow-write=${cwd}`, "-o", "box"];
    assertEquals((await ramekinWith({ cwd }, "build", ...flags)).code, 0);
    const held = text(`${cwd}/box`, "sh", "-c", `echo > ${cwd}/.envrc`);
    assertEquals(held.code, 2);
    assertEquals((await ramekinWith({ cwd }, "build", ...flags, "--no-protect")).code, 0);
    const { code, stderr } = text(`${cwd}/box`, "sh", "-c", `cd ${cwd} && echo > made`);
    assertEquals([code, decode(stderr)], [0, ""]);
    assert(Deno.statSync(`${cwd}/made`).isFile);
    // A link where a directory is granted would lead anywhere.
    Deno.mkdirSync(`${cwd}/granted`);
    const linked = ["--sandbox", `--allow-read=${cwd}/granted`, "-o", "linked"];
    assertEquals((await ramekinWith({ cwd }, "build", ...linked)).code, 0);
    Deno.removeSync(`${cwd}/granted`);
    Deno.symlinkSync("/etc", `${cwd}/granted`);
    const shown = text(`${cwd}/linked`, "true");
    assertEquals(shown.code, 125);
    assertMatch(
      decode(shown.stderr),
      /^box: step \d+ \(bind\): openat2\(.*failed: ELOOP\n {2}a symbolic link is on/,
    );
  }),
);

test(
  "nothing is left of a box for which there is no space",
  inKitchen(async (cwd) => {
    Deno.mkdirSync(`${cwd}/full`);
    const small = recipe(
      unshare("user", "mount"),
      mapRoot(),
      tmpfs(`${cwd}/full`, { size: "4k" }),
    );
    // By Ramekin's own calls, and by Deno's.
    for (const permissions of [[], ["--allow-write"]]) {
      const words = ["build", "--sandbox", "-o", "full/box"];
      const args = ["-c", '"$@" 2>&1; ls full', "sh", ...RUN.toSpliced(-1, 0, ...permissions)];
      const { stdout } = await small.command("sh", { args: [...args, ...words], cwd }).output();
      assertEquals(
        decode(stdout),
        "ramekin: full/box cannot be written: no space is left there (ENOSPC)\n",
      );
    }
  }),
);

test(
  "what cannot be built is refused with the step, in its file",
  inKitchen(async (cwd) => {
    const refused = async (says: string, ...words: string[]) => {
      const { code, stdout, stderr } = await ramekinWith({ cwd }, "build", ...words);
      assert(code === 1 || code === 2, stderr);
      assertEquals(stdout, "");
      assertStringIncludes(stderr.replaceAll(/\s+/g, " "), says);
    };
    await refused("known by its pid only while it runs", "pid.yaml", "-o", "box");
    await refused("pid.yaml:2", "pid.yaml", "-o", "box");
    await refused("early.yaml:2", "early.yaml", "-o", "box");
    await refused("-o=FILE is missing", "box.yaml");
    await refused("RECIPE is missing", "-o", "box");
    await refused("--tmp-size is for --sandbox", "box.yaml", "-o", "box", "--tmp-size=1m");
    await refused("leave out box.yaml", "box.yaml", "-o", "box", "--sandbox");
    await refused("it is x86_64 or aarch64", "box.yaml", "-o", "box", "--arch=vax");
    await refused("--allow-net with hosts", "--sandbox", "-o", "box", "--allow-net=example.org");
    const sandboxed = (says: string, ...flags: string[]) =>
      refused(says, "--sandbox", "-o", "box", ...flags);
    await sandboxed("--allow-read=data: the directory is that", "-R=data");
    await sandboxed('name the file from the root: "$PWD"/data', "-R=./data");
    await sandboxed('name the file from the root: "$PWD"', "--allow-read=.");
    await sandboxed("--allow-write=data: the directory is that", "-W=/srv,data", "--no-protect");
    await sandboxed('write "$HOME"', "-R=~/data");
    await sandboxed("--allow-read=/a/../x: where .. leads is known only", "-R=/a/../x");
    await sandboxed("from the root: /...", "-R=../x");
    await sandboxed("--deny-net=a.example: a box cannot hold", "-N", "--deny-net=a.example");
    await sandboxed("--deny-env=HOME: what all variables are is known", "-E", "--deny-env=HOME");
    await sandboxed("--deny-env=A_KEY: what A_* stands for", "-E=A_*", "--deny-env=A_KEY");
    await refused("--deny-env is for --sandbox", "box.yaml", "-o", "box", "--deny-env=HOME");
    await refused("is not a recipe", ".", "-o", "box");
    await refused("cannot be read", "none.yaml", "-o", "box");
    assertEquals([...Deno.readDirSync(cwd)].filter(({ name }) => name === "box"), []);
  }),
);
