/** Subcommands whose file comes by the standard input, and `ramekin import`. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { claim } from "../leftovers.ts";
import { decode } from "../other_scripts.ts";
import { test } from "../support.ts";
import { RAMEKIN, ramekinWith, withFiles } from "./support.ts";

const BOX = "steps: [{ step: unshare, kinds: [user] }, { step: mapRoot }, { step: clearEnv }]";

const CONFIG = JSON.stringify({
  ociVersion: "1.0.2",
  process: { args: ["id", "-u"], cwd: "/", user: { uid: 0, gid: 0 } },
  root: { path: "rootfs" },
  hooks: { poststop: [{ path: "/x" }] },
  linux: { namespaces: [{ type: "mount" }] },
});

/** Runs the program with a text as its standard input, and returns its status and its output. */
async function fed(cwd: string, text: string, ...words: string[]): Promise<[number, string]> {
  const flags = ["--no-check", "--no-prompt", "--quiet", "--allow-read", `--allow-write=${cwd}`];
  // It looks at this machine for the flags that grant what the recipe needs.
  if (words[0] === "from-nsjail") flags.push("--allow-ffi");
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", ...flags, RAMEKIN, ...words],
    cwd,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  claim(process.pid);
  const writer = process.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  const { code, stdout, stderr } = await process.output();
  return [code, decode(stdout) + decode(stderr)];
}

test(
  "a file named - is the standard input, without the permission to make calls too",
  withFiles({}, async (cwd) => {
    const [built, unit, jail, imported, wrong] = await Promise.all([
      fed(cwd, BOX, "build", "-", "-o", "one", "--", "true"),
      fed(cwd, BOX, "export", "systemd", "-", "-o", "units", "--", "true"),
      fed(cwd, 'hostname: "kitchen"', "from-nsjail", "-"),
      fed(cwd, CONFIG, "import", "-", "--leave-out=hooks"),
      fed(cwd, "steps: [{ include: x.yaml }]", "build", "-", "-o", "two", "--", "true"),
    ]);
    assertEquals([built, unit], [[0, ""], [0, ""]]);
    const { code } = await new Deno.Command(`${cwd}/one`).output();
    assertEquals(code, 0);
    assertStringIncludes(Deno.readTextFileSync(`${cwd}/units/box.service`), `${cwd}/units/box`);
    assertEquals(jail[0], 0);
    assertStringIncludes(jail[1], "name: kitchen");
    assertEquals(imported[0], 0, imported[1]);
    // The directory of the bundle is the working directory.
    assertStringIncludes(imported[1], `path: ${cwd}/rootfs`);
    assertEquals(wrong[0], 1);
    assertStringIncludes(wrong[1], "what comes by the standard input includes no files");
  }),
);

test(
  "a recipe that is imported has the flags that grant it, and what it lacks is told by the file",
  withFiles({ "config.json": CONFIG, "empty.json": "{}" }, async (cwd) => {
    Deno.mkdirSync(`${cwd}/rootfs`);
    const run = (...words: string[]) => ramekinWith({ cwd }, "import", ...words);
    const [imported, empty, slip, absent] = await Promise.all([
      run("config.json", "--leave-out=hooks"),
      run("empty.json"),
      run("config.json", "--leave-out=hoks"),
      // Not every config.json has all of what is to be left out.
      run("config.json", "--leave-out=hooks,annotations,linux.resources.devices"),
    ]);
    const [first] = imported.stdout.split("\n");
    assertStringIncludes(first!, `# ramekin run recipe.yaml --allow-read=${cwd}/rootfs`);
    assertStringIncludes(first!, " -- id -u");
    assertEquals(empty.stderr, "ramekin: empty.json: process.args: there is no program\n");
    assertEquals([slip.code, absent.code], [2, 0]);
    assertStringIncludes(
      slip.stderr,
      '"hoks" is no field that can be left out; did you mean "hooks"?',
    );
  }),
);
