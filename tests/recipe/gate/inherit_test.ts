/** Recipes that are held to the script's own Deno permissions. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { describeNeed, sandbox } from "../../../mod.ts";
import { test } from "../support.ts";
import { runScript } from "../scripts.ts";

const SYSTEM = sandbox().needs().flatMap((need) => "path" in need ? [need.path] : []);
const READ_SYSTEM = `--allow-read=${SYSTEM.join(",")}`;

/** A script that runs a program under its own permissions and tells what has become of it. */
function script(box: string, program = '"true"', more = ""): string {
  return `
    const { ${Object.keys(NAMES).join(", ")} } = ramekin;
    try {
      const command = ${box}.command(${program}, { permissions: "inherit", ${more} });
      const { stdout } = command.outputSync();
      console.log("runs", new TextDecoder().decode(stdout).trim());
    } catch (error) {
      console.log(error.name, error.grant, error.value, error.message);
    }`;
}

const NAMES = { recipe: 0, sandbox: 0, unshare: 0, mapRoot: 0, bind: 0, tmpfs: 0, pivotRoot: 0 };

async function outcome(flags: readonly string[], code: string): Promise<string> {
  const { stdout, stderr } = await runScript(code, ["--allow-ffi", "--no-prompt", ...flags]);
  assertEquals(stderr, "");
  return stdout.trim();
}

test("with --allow-ffi alone, a container is given no file", async () => {
  const denied = await outcome([], script("sandbox()"));
  assertStringIncludes(denied, `GrantError read ${SYSTEM[0]} step `);
  assertStringIncludes(denied, `--allow-read=${SYSTEM[0]}`);
  const empty = 'recipe(unshare("user", "mount", "pid", "ipc", "net"), mapRoot(), tmpfs("/mnt"), ' +
    'pivotRoot("/mnt"))';
  assertStringIncludes(await outcome([], script(empty)), "NotFound");
});

test("what the script may read, the container may be given", async () => {
  assertEquals(await outcome([READ_SYSTEM], script("sandbox()")), "runs");
  assertEquals(await outcome(["--allow-read"], script("sandbox()")), "runs");
  const { stdout } = await runScript(script("sandbox()"), ["--allow-all"]);
  assertEquals(stdout.trim(), "runs");
});

test("what is denied below a folder denies the folder", async () => {
  const flags = ["--allow-read", "--deny-read=/usr/share/doc"];
  assertStringIncludes(await outcome(flags, script("sandbox()")), "GrantError read /usr");
});

test("writing is a permission of its own", () =>
  inFolderAsync(async (folder) => {
    const box = `sandbox({ write: ["${folder}"] })`;
    const program = '"sh"';
    const more = `args: ["-c", "echo soup > ${folder}/a; cat ${folder}/a"]`;
    const read = `${READ_SYSTEM},${folder}`;
    const denied = await outcome([read], script(box, program, more));
    assertStringIncludes(denied, `GrantError write ${folder}`);
    const written = await outcome([read, `--allow-write=${folder}`], script(box, program, more));
    assertEquals(written, "runs soup");
    const other = await outcome([read, `--allow-write=${folder}/b`], script(box, program, more));
    assertStringIncludes(other, `GrantError write ${folder}`);
  }));

test("a link that the script may read grants what it leads to only where that is granted too", () =>
  inFolderAsync(async (folder) => {
    Deno.mkdirSync(`${folder}/secret`);
    Deno.symlinkSync(`${folder}/secret`, `${folder}/link`);
    const box = `sandbox({ read: ["${folder}/link"] })`;
    const denied = await outcome([`${READ_SYSTEM},${folder}/link`], script(box));
    assertStringIncludes(denied, `GrantError read ${folder}/secret`);
    assertEquals(await outcome([`${READ_SYSTEM},${folder}`], script(box)), "runs");
  }));

test("the host's network takes --allow-net without exceptions", async () => {
  const box = 'sandbox({ net: "host" })';
  const read = "--allow-read";
  assertStringIncludes(await outcome([read], script(box)), "GrantError net");
  assertStringIncludes(
    await outcome([read, "--allow-net=localhost"], script(box)),
    "GrantError net",
  );
  const except = [read, "--allow-net", "--deny-net=localhost"];
  assertStringIncludes(await outcome(except, script(box)), "GrantError net");
  assertEquals(await outcome([read, "--allow-net"], script(box)), "runs");
});

test("variables are handed on that the script may read", async () => {
  const code = `
    const { recipe, sandbox } = ramekin;
    const box = recipe(...sandbox().steps.filter(({ step }) => !/Env$/.test(step)));
    const command = box.command("env", { permissions: "inherit" });
    const names = new TextDecoder().decode(command.outputSync().stdout).matchAll(/^(\\w+)=/mg);
    console.log([...names].map(([, name]) => name).sort().join(" "));`;
  assertEquals(await outcome(["--allow-read"], code), "LANG PATH");
  assertEquals(await outcome(["--allow-read", "--allow-env=NO_COLOR"], code), "LANG NO_COLOR PATH");
  const all = await outcome(["--allow-read", "--allow-env", "--deny-env=NO_COLOR"], code);
  assertEquals(all.includes("PATH") && !all.includes("NO_COLOR"), true);
});

test("rights over the machine take --allow-run, --allow-sys and --allow-ffi", async () => {
  const files = ["--allow-read", "--allow-write", "--allow-net", "--allow-env"];
  const box = "recipe()";
  assertStringIncludes(await outcome(files, script(box)), "GrantError run");
  assertStringIncludes(await outcome([...files, "--allow-run"], script(box)), "GrantError run");
  // Deno then keeps the program from being overwritten, and so not all of / may be written.
  const partly = [...files, "--allow-run=true", "--allow-sys"];
  assertStringIncludes(await outcome(partly, script(box)), "GrantError write /");
  assertEquals(await outcome([...files, "--allow-run", "--allow-sys"], script(box)), "runs");
});

test("options can be mixed with what the script may", async () => {
  const code = `
    const { sandbox } = ramekin;
    const start = (permissions) => sandbox().command("true", { permissions }).outputSync().success;
    console.log(start({ read: true }));
    try { start({ read: "inherit" }) } catch (error) { console.log(error.name) }`;
  assertEquals(await outcome([], code), "true\nGrantError");
});

test("a permission that is revoked counts from then on", async () => {
  const code = `
    const { sandbox } = ramekin;
    const command = sandbox().command("true", { permissions: "inherit" });
    console.log(command.outputSync().success);
    Deno.permissions.revokeSync({ name: "read" });
    try { command.outputSync() } catch (error) { console.log(error.name) }`;
  assertEquals(await outcome(["--allow-read"], code), "true\nGrantError");
});

test("needs can be asked with --allow-ffi alone", async () => {
  const code = `
    const { sandbox, describeNeed } = ramekin;
    console.log(sandbox().needs().map(describeNeed).join("\\n"));`;
  assertEquals(await outcome([], code), sandbox().needs().map(describeNeed).join("\n"));
});

/** As `inFolder`, for what has to be waited for. */
async function inFolderAsync(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = Deno.makeTempDirSync();
  try {
    Deno.chmodSync(folder, 0o755);
    await body(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}
