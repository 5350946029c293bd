/** Recipes with `"inherit"`: the script's own Deno permissions. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { describeAccess, sandbox } from "../../mod.ts";
import { test } from "../support.ts";
import { runScript } from "../other_scripts.ts";

const SYSTEM = sandbox().needs().flatMap((need) => "path" in need ? [need.path] : []);
const READ_SYSTEM = `--allow-read=${SYSTEM.join(",")}`;

/** A script that runs a program with its own permissions and prints the result. */
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

const NAMES = {
  bind: 0,
  init: 0,
  mapRoot: 0,
  newSession: 0,
  pivotRoot: 0,
  recipe: 0,
  sandbox: 0,
  seccomp: 0,
  tmpfs: 0,
  unshare: 0,
};

async function outcome(flags: readonly string[], code: string): Promise<string> {
  const { stdout, stderr } = await runScript(code, ["--allow-ffi", "--no-prompt", ...flags]);
  assertEquals(stderr, "");
  return stdout.trim();
}

test("with --allow-ffi alone, no file is granted", async () => {
  const denied = await outcome([], script("sandbox()"));
  assertStringIncludes(denied, `PermissionError read ${SYSTEM[0]} step `);
  assertStringIncludes(denied, `--allow-read=${SYSTEM[0]}`);
  const empty = 'recipe(unshare("user", "mount", "pid", "ipc", "net"), mapRoot(), tmpfs("/mnt"), ' +
    'pivotRoot("/mnt"), newSession(), init(), unshare("user"), seccomp())';
  assertStringIncludes(await outcome([], script(empty)), "NotFound");
});

test("files that the script may read are granted", async () => {
  assertEquals(await outcome([READ_SYSTEM], script("sandbox()")), "runs");
  assertEquals(await outcome(["--allow-read"], script("sandbox()")), "runs");
  const { stdout } = await runScript(script("sandbox()"), ["--allow-all"]);
  assertEquals(stdout.trim(), "runs");
});

test("a denied path beneath a directory denies the directory", async () => {
  const flags = ["--allow-read", "--deny-read=/usr/share/doc"];
  assertStringIncludes(await outcome(flags, script("sandbox()")), "PermissionError read /usr");
});

test("writing is a separate permission", () =>
  inDirectoryAsync(async (directory) => {
    const box = `sandbox({ write: ["${directory}"] })`;
    const program = '"sh"';
    const more = `args: ["-c", "echo soup > ${directory}/a; cat ${directory}/a"]`;
    const read = `${READ_SYSTEM},${directory}`;
    const denied = await outcome([read], script(box, program, more));
    assertStringIncludes(denied, `PermissionError write ${directory}`);
    const written = await outcome([read, `--allow-write=${directory}`], script(box, program, more));
    assertEquals(written, "runs soup");
    const other = await outcome([read, `--allow-write=${directory}/b`], script(box, program, more));
    assertStringIncludes(other, `PermissionError write ${directory}`);
  }));

test("a granted symbolic link does not grant its target", () =>
  inDirectoryAsync(async (directory) => {
    Deno.mkdirSync(`${directory}/secret`);
    Deno.symlinkSync(`${directory}/secret`, `${directory}/link`);
    const box = `sandbox({ read: ["${directory}/link"] })`;
    const denied = await outcome([`${READ_SYSTEM},${directory}/link`], script(box));
    assertStringIncludes(denied, `PermissionError read ${directory}/secret`);
    assertEquals(await outcome([`${READ_SYSTEM},${directory}`], script(box)), "runs");
  }));

test("the host's network needs --allow-net without exceptions", async () => {
  const box = 'sandbox({ net: "host" })';
  const read = "--allow-read";
  assertStringIncludes(await outcome([read], script(box)), "PermissionError net");
  assertStringIncludes(
    await outcome([read, "--allow-net=localhost"], script(box)),
    "PermissionError net",
  );
  const except = [read, "--allow-net", "--deny-net=localhost"];
  assertStringIncludes(await outcome(except, script(box)), "PermissionError net");
  assertEquals(await outcome([read, "--allow-net"], script(box)), "runs");
});

test("a program connects to the unix sockets that the script may connect to, and to no others", () =>
  inDirectoryAsync(async (directory) => {
    const path = `${directory}/service.sock`;
    using server = Deno.listen({ transport: "unix", path });
    Deno.chmodSync(path, 0o777);
    const answering = (async () => {
      for await (const connection of server) {
        await connection.write(new TextEncoder().encode("soup\n"));
        connection.close();
      }
    })();
    const ask = `use IO::Socket::UNIX; print IO::Socket::UNIX->new(q(${path}))->getline`;
    const box = (source: string, step = "seccomp()") =>
      `recipe(...sandbox({ write: ["${source}"], unixSockets: true, protect: false }).steps
        .map((step) => step.step === "seccomp" ? ${step} : step))`;
    const more = `args: ["-e", ${JSON.stringify(ask)}]`;
    const files = [`${READ_SYSTEM},${directory}`, `--allow-write=${directory}`];
    const outcomes = async (source: string, ...flags: readonly string[]) =>
      await outcome([...files, ...flags], script(box(source), '"perl"', more));
    for (const source of [directory, path]) {
      const denied = await outcomes(source);
      assertStringIncludes(denied, `PermissionError net ${source} step `);
      assertStringIncludes(denied, `not granted: the unix sockets in ${source}`);
      assertEquals(await outcomes(source, "--allow-net"), "runs soup");
    }
    assertEquals(await outcomes(path, `--allow-net=unix:${path}`), "runs soup");
    // Deno grants sockets one by one.
    for (const flag of [`unix:${directory}`, `unix:${path}`, "localhost"]) {
      assertStringIncludes(await outcomes(directory, `--allow-net=${flag}`), "PermissionError net");
    }
    const filtered = box(directory, 'seccomp({ deny: ["@unix-sockets"] })');
    assertEquals(await outcome(files, script(filtered)), "runs");
    // To connect, Deno wants the socket to be written.
    const read = `recipe(...sandbox({ read: ["${directory}"], unixSockets: true }).steps)`;
    const [reading] = files;
    assertStringIncludes(
      await outcome([reading!, "--allow-net"], script(read)),
      "PermissionError net",
    );
    server.close();
    await answering.catch(() => {});
  }));

test("variables that the script may read are passed on", async () => {
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

test("access to the machine needs --allow-run, --allow-sys and --allow-ffi", async () => {
  const files = ["--allow-read", "--allow-write", "--allow-net", "--allow-env"];
  const box = "recipe()";
  assertStringIncludes(await outcome(files, script(box)), "PermissionError run");
  assertStringIncludes(
    await outcome([...files, "--allow-run"], script(box)),
    "PermissionError run",
  );
  // Deno then denies writing to its own program, so not all of / is granted.
  const partly = [...files, "--allow-run=true", "--allow-sys"];
  assertStringIncludes(await outcome(partly, script(box)), "PermissionError write /");
  assertEquals(await outcome([...files, "--allow-run", "--allow-sys"], script(box)), "runs");
});

test("options can be combined with the script's permissions", async () => {
  const code = `
    const { sandbox } = ramekin;
    const start = (permissions) => sandbox().command("true", { permissions }).outputSync().success;
    console.log(start({ read: true }));
    try { start({ read: "inherit" }) } catch (error) { console.log(error.name) }`;
  assertEquals(await outcome([], code), "true\nPermissionError");
});

test("a revoked permission is denied at the next start", async () => {
  const code = `
    const { sandbox } = ramekin;
    const command = sandbox().command("true", { permissions: "inherit" });
    console.log(command.outputSync().success);
    Deno.permissions.revokeSync({ name: "read" });
    try { command.outputSync() } catch (error) { console.log(error.name) }`;
  assertEquals(await outcome(["--allow-read"], code), "true\nPermissionError");
});

test("needs() works with --allow-ffi alone", async () => {
  const code = `
    const { sandbox, describeAccess } = ramekin;
    console.log(sandbox().needs().map(describeAccess).join("\\n"));`;
  assertEquals(await outcome([], code), sandbox().needs().map(describeAccess).join("\n"));
});

/** Like `inDirectory`, for an asynchronous function. */
async function inDirectoryAsync(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = Deno.makeTempDirSync();
  try {
    Deno.chmodSync(directory, 0o755);
    await body(directory);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}
