/** What a container's program could do to who enters it by `ramekin enter`, root above all. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join, mapRoot, proc, type Recipe, recipe, setUser, unshare } from "../../mod.ts";
import { ramekin } from "../ramekin/support.ts";
import { notRoot, test } from "../support.ts";

const MOD = new URL("../../mod.ts", import.meta.url).href;
const NOBODY = { uid: 65534, gid: 65534 } as const;

/** A name for containers, which the tests of another user at the same time have not. */
const COOK = `cook${Deno.pid}`;

/** A directory with a `sh` that tells as whom it runs. */
function withShell(body: (directory: string) => Promise<void>): () => Promise<void> {
  return async () => {
    const directory = Deno.makeTempDirSync();
    try {
      Deno.chmodSync(directory, 0o777);
      Deno.writeTextFileSync(`${directory}/sh`, "#!/bin/bash\necho attacker runs as $(id -u)\n");
      Deno.chmodSync(`${directory}/sh`, 0o755);
      await body(directory);
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  };
}

/** Runs a script in a recipe, which starts a program, and passes the pid of that. */
async function withScript(
  { box, directory, code }: { box: Recipe; directory: string; code: string },
  body: (pid: string) => Promise<void>,
): Promise<void> {
  const path = `${directory}/script.ts`;
  Deno.writeTextFileSync(
    path,
    `import * as ramekin from "${MOD}";
    ${code}
    console.log("ready");
    await container.status;`,
  );
  await using script = box.command(Deno.execPath(), {
    args: ["run", "--no-check", "--no-config", "--quiet", "--allow-ffi", path],
    env: { DENO_DIR: `${directory}/cache`, HOME: directory },
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const reader = script.stdout.getReader();
  await reader.read();
  reader.releaseLock();
  const children = `/proc/${script.pid}/task/${script.pid}/children`;
  await body(Deno.readTextFileSync(children).trim());
}

const sleeper = (env: Readonly<Record<string, string>>, program = "/bin/sleep") => `
  const container = ramekin.recipe().command("${program}", {
    args: ["600"], env: ${JSON.stringify(env)}, stdin: "null", stdout: "null" }).spawn();`;

test(
  "another user's PATH does not give root its programs",
  withShell(async (directory) => {
    const code = sleeper({ PATH: `${directory}:/usr/bin:/bin` });
    await withScript({ box: recipe(setUser(NOBODY)), directory, code }, async (pid) => {
      // With the script's own rights and the environment of the process, the attack works.
      const target = join(Number(pid), { environment: true });
      assertEquals(
        decode(recipe(target).command("sh").outputSync().stdout),
        "attacker runs as 0\n",
      );

      const refused = await ramekin("enter", pid, "--", "sh");
      assertEquals([refused.code, refused.stdout], [125, ""]);
      assertStringIncludes(refused.stderr, "not in a container of a script of yours; --any");
      const status = ["sh", "-c", "id -u; id -G; grep CapEff: /proc/self/status; echo $PATH"];
      const entered = await ramekin("enter", "--any", pid, "--", ...status);
      const [uid, groups, capabilities, path] = entered.stdout.split("\n");
      assertEquals([uid, groups, capabilities], ["65534", "65534", `CapEff:\t${"0".repeat(16)}`]);
      assert(!path!.includes(directory), path);
      const asRoot = await ramekin("enter", "--any", "--root", pid, "--", ...status);
      assertEquals(asRoot.stdout.split("\n")[0], "0");
      assert(!asRoot.stdout.includes(directory), asRoot.stdout);
    });
  }),
  notRoot,
);

test(
  "the environment of a program that may have written it counts within its own files only",
  withShell(async (directory) => {
    const env = { PATH: `${directory}:/usr/bin:/bin` };
    for (const [kinds, isApart] of [["user, uts", false], ["user, mount", true]] as const) {
      const list = kinds.split(", ").map((kind) => `"${kind}"`).join();
      const code = `const container = ramekin.recipe(
        ramekin.unshare(${list}), ramekin.mapRoot()).command("/bin/sleep", {
          args: ["600"], env: ${JSON.stringify(env)}, stdin: "null", stdout: "null" }).spawn();`;
      await withScript({ box: recipe(), directory, code }, async (pid) => {
        const { stdout } = await ramekin("enter", pid, "--", "sh", "-c", "echo my own shell");
        assertEquals(stdout, isApart ? "attacker runs as 0\n" : "my own shell\n", kinds);
      });
    }
  }),
);

test(
  "a name does not make a program a container of the user's",
  withShell(async (directory) => {
    Deno.copyFileSync("/bin/sleep", `${directory}/${COOK}`);
    const code = sleeper({}, `${directory}/${COOK}`);
    // A script in a container: what looks like one there may be anything.
    const box = recipe(unshare("user", "pid", "mount"), mapRoot(), proc());
    await withScript({ box, directory, code }, async (pid) => {
      const listed = (await ramekin("ps")).stdout;
      assertStringIncludes(listed, COOK);
      for (const word of [COOK, pid]) {
        const { code, stderr } = await ramekin("enter", word, "--", "true");
        assertEquals(code, 125, stderr);
        assertStringIncludes(stderr, "of yours");
      }
      const { code, stderr } = await ramekin("enter", "--any", COOK, "--", "true");
      assertEquals([code, stderr], [0, ""]);
    });
  }),
);

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
