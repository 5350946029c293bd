/** `ramekin ps` and `enter` of containers that have outlived their script, and of who feigns them. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { landlockVersion, type RunningContainer, runningContainers } from "../../host.ts";
import { landlock, noNewPrivileges, recipe, seccomp } from "../../mod.ts";
import { decode, isAlive, runScript, until } from "../other_scripts.ts";
import { notRoot, test } from "../support.ts";
import { ramekin, RUN } from "./support.ts";

/** A name that no other container has. */
const NAME = `cook-${Deno.pid}`;

/** Runs a body with a program by that name, which sleeps. */
async function withCook(body: (path: string) => Promise<void>): Promise<void> {
  const directory = Deno.makeTempDirSync();
  Deno.chmodSync(directory, 0o755);
  const path = `${directory}/${NAME}`;
  Deno.symlinkSync("/bin/sh", path);
  try {
    await body(path);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

/** Code that runs it in a container of these steps, and ends. */
function leaving(steps: string, path: string, program = "exec sleep 100"): string {
  return `
    const box = ramekin.recipe(${steps}, ramekin.dieWithParent(null));
    const container = box.command(${JSON.stringify(path)}, {
      args: ["-c", ${JSON.stringify(program)}], stdin: "null", stdout: "null", stderr: "null",
    }).spawn();
    container.unref();
    console.log(container.pid);`;
}

/** Leaves a container behind by a script that has ended, for the time of a body. */
async function withOutlived(
  steps: string,
  body: (pid: number) => Promise<void>,
  program?: string,
): Promise<void> {
  await withCook(async (path) => {
    const { stdout, stderr } = await runScript(leaving(steps, path, program));
    assert(Number(stdout) > 0, stderr);
    try {
      await body(Number(stdout));
    } finally {
      Deno.kill(Number(stdout), "SIGKILL");
      await until(() => !isAlive(Number(stdout)) && markersOf(NAME).length === 0);
    }
  });
}

/** The pids of the processes that mark a container of this name. */
function markersOf(name: string): number[] {
  return [...Deno.readDirSync("/proc")].flatMap(({ name: pid }) => {
    try {
      const words = Deno.readTextFileSync(`/proc/${pid}/cmdline`).split("\0");
      return words[0] === "ramekin-marker" && words[1] === name ? [Number(pid)] : [];
    } catch {
      return [];
    }
  });
}

async function listed(
  run: (...args: string[]) => Promise<{ stdout: string }> = ramekin,
): Promise<RunningContainer[]> {
  return JSON.parse((await run("ps", "--json")).stdout)
    .filter(({ name }: RunningContainer) => name === NAME);
}

const CONFINED = `ramekin.unshare("user", "mount", "pid", "uts"), ramekin.mapRoot(),
  ramekin.proc(), ramekin.hostname("pantry")`;

for (const init of [false, true]) {
  const [steps, kind] = init
    ? [`${CONFINED}, ramekin.init()`, "with an init"]
    : [CONFINED, "alone"];
  test(`ps has a container that has outlived its script, ${kind}, and enter finds its name`, () =>
    withOutlived(steps, async (pid) => {
      const [found, ...others] = await listed();
      assertEquals(others, []);
      assertEquals([found?.pid, found?.namedBy, found?.own], [pid, "script", true]);
      assertEquals(found?.script, undefined);
      assertEquals(Object.keys(found!.namespaces).sort(), ["mount", "pid", "user", "uts"]);
      assertEquals(found!.program === pid, !init);
      const { stdout } = await ramekin("ps");
      assert(new RegExp(`^${pid} +${NAME} +\\d+s +- +user,`, "m").test(stdout), stdout);
      const entered = await ramekin("enter", NAME, "--", "sh", "-c", "hostname; exit 7");
      assertEquals([entered.code, entered.stdout], [7, "pantry\n"], entered.stderr);
      const byPid = await ramekin("enter", String(pid), "--", "hostname");
      assertEquals(byPid.stdout, "pantry\n", byPid.stderr);
    }));
}

test("its own name is not what its program says", () =>
  withOutlived(CONFINED, async () => {
    await until(() => runningContainers().some(({ command }) => command === "impostor 100"));
    assertEquals((await listed()).length, 1);
    const { code, stderr } = await ramekin("enter", "impostor", "--", "true");
    assertEquals(code, 125);
    assertStringIncludes(stderr, "no running container of yours has the name impostor");
  }, "printf impostor > /proc/self/comm; exec bash -c 'exec -a impostor sleep 100'"));

const RESTRICTED = `ramekin.umask(0o27), ramekin.capabilities({ keep: ["CAP_CHOWN"] }),
  ramekin.noNewPrivileges(), ramekin.seccomp({ deny: ["keyctl"] })`;

/** Checks that a program that enters has the same lines of /proc/PID/status as the container's. */
async function assertSame(pid: number, fields: RegExp): Promise<void> {
  const { stdout, stderr } = await ramekin("enter", NAME, "--", "cat", "/proc/self/status");
  assertEquals(
    stdout.match(fields),
    Deno.readTextFileSync(`/proc/${pid}/status`).match(fields),
    stderr,
  );
}

test("who enters it has the rights of its program and no more", () =>
  withOutlived(
    `${CONFINED}, ${RESTRICTED}`,
    (pid) => assertSame(pid, /^(CapEff|CapPrm|CapBnd|NoNewPrivs|Seccomp|Umask):.*$/gm),
  ));

test("who enters it is the user of its program", () =>
  withOutlived(
    `ramekin.unshare("mount", "pid"), ramekin.proc(),
        ramekin.setUser({ uid: 1234, gid: 1234, groups: [5] }), ramekin.noNewPrivileges()`,
    (pid) => assertSame(pid, /^(Uid|Gid|Groups|CapEff|CapPrm|CapBnd|NoNewPrivs|Seccomp):.*$/gm),
  ), notRoot);

test("a container has a marker only if it may outlive its script, and while it runs", async () => {
  await withCook(async (path) => {
    const { stdout, stderr } = await runScript(
      `
      const markers = () => Deno.readTextFileSync("/proc/self/task/" + Deno.pid + "/children").trim().split(" ")
        .map((pid) => Deno.readTextFileSync("/proc/" + pid + "/comm").trim()).sort();
      for (const signal of ["SIGKILL", "SIGTERM", null]) {
        const box = ramekin.recipe(ramekin.dieWithParent(signal));
        await using container = box.command("${path}", { args: ["-c", "read line"],
          stdin: "piped" }).spawn();
        // execve(2) lets the script go on before it has given the process its name.
        while (markers().includes("deno")) await new Promise((done) => setTimeout(done, 1));
        console.log(markers().join());
      }
      console.log(Deno.readTextFileSync("/proc/self/task/" + Deno.pid + "/children").trim().length);
      ramekin.recipe(ramekin.dieWithParent(null)).command("true").outputSync();
      await ramekin.recipe(ramekin.dieWithParent(null)).command("true").output();
      try {
        await ramekin.recipe(ramekin.dieWithParent(null)).command("/no/such").output();
      } catch { /* as it should */ }
      console.log(Deno.readTextFileSync("/proc/self/task/" + Deno.pid + "/children").trim().length);
    `,
      ["--allow-all"],
    );
    const both = `${NAME.slice(0, 15)},ramekin-marker`;
    assertEquals(stdout, `${NAME.slice(0, 15)}\n${both}\n${both}\n0\n0\n`, stderr);
  });
});

test("while its script runs, ps has it once, with the script", async () => {
  const box = recipe({ step: "dieWithParent", signal: null });
  await using container = box.command("sleep", { args: ["100"] }).spawn();
  const found = runningContainers().filter(({ pid }) => pid === container.pid);
  assertEquals(found.map(({ script, own }) => [script, own]), [[Deno.pid, true]]);
});

test("without the calls that make the marker, the container runs as well", async () => {
  const code = `
    const { code } = await ramekin.recipe(ramekin.dieWithParent(null)).command("true").output();
    console.log(code);`;
  await withScript(code, async (args) => {
    for (const call of ["execveat", "setsid"] as const) {
      const box = recipe(seccomp({ deny: [call] }));
      const { stdout, stderr } = await box.command(Deno.execPath(), { args }).output();
      assertEquals(decode(stdout), "0\n", `${call}: ${decode(stderr)}`);
    }
  });
});

/** Runs a body with the arguments by which Deno runs a script. */
async function withScript(
  code: string,
  body: (args: readonly string[]) => Promise<void>,
): Promise<void> {
  const file = Deno.makeTempFileSync({ suffix: ".ts" });
  Deno.chmodSync(file, 0o644);
  const module = JSON.stringify(import.meta.resolve("../../mod.ts"));
  Deno.writeTextFileSync(file, `import * as ramekin from ${module};\n${code}`);
  try {
    await body(["run", "--no-check", "--no-config", "--quiet", "--allow-ffi", file]);
  } finally {
    Deno.removeSync(file);
  }
}

/** Runs the program with no_new_privs. */
async function restrictedRamekin(words: readonly string[]) {
  const [program, ...args] = [...RUN, ...words];
  const box = recipe(noNewPrivileges());
  const { code, stdout, stderr } = await box.command(program!, { args }).output();
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

/** Has a script in a container leave a container behind, and checks that it cannot be entered. */
async function assertFeigned(
  steps: Parameters<typeof recipe>,
  restricted = false,
): Promise<void> {
  await withCook((path) =>
    withScript(leaving("", path).replace("(, ", "("), async (args) => {
      const box = recipe(...steps);
      const { stdout, stderr } = await box.command(Deno.execPath(), { args }).output();
      assert(Number(decode(stdout)) > 0, decode(stderr));
      const reader = (...args: string[]) => restricted ? restrictedRamekin(args) : ramekin(...args);
      const [found, ...others] = await listed(reader);
      try {
        assertEquals([found?.own, others], [false, []]);
        const ps = await reader("ps");
        assertMatch(ps.stdout, new RegExp(`^${found!.pid} +\\S+\\*`, "m"));
        assertStringIncludes(ps.stderr, "ramekin enter --any PID");
        const { code, stderr } = await reader("enter", NAME, "--", "true");
        assertEquals(code, 125);
        assertStringIncludes(stderr, `no running container of yours has the name ${NAME}`);
      } finally {
        Deno.kill(found!.pid, "SIGKILL");
        await until(() => markersOf(NAME).length === 0);
      }
    })
  );
}

test("a program that is restricted cannot feign a container by a name", async () => {
  await assertFeigned([noNewPrivileges()]);
  await assertFeigned([seccomp({ deny: ["keyctl"] })]);
});

test(
  "a program under Landlock cannot feign one either, where ramekin has no_new_privs too",
  async () => {
    await assertFeigned([landlock({ connectTcp: [1] })], true);
  },
  landlockVersion() < 4 ? "Landlock has no rules for ports here" : undefined,
);

test("another user cannot feign a container of root's", async () => {
  await assertFeigned([{ step: "setUser", uid: 65534, gid: 65534 }]);
}, notRoot);

test("nobody else's process is a container of a user's marker", async () => {
  const victim = new Deno.Command("sleep", { args: ["100"] }).spawn();
  const marker = JSON.stringify(import.meta.resolve("../../launch/marker.ts"));
  const code = `
    import { Marker } from ${marker};
    using pidfd = ramekin.linux.pidfd_open(${victim.pid});
    new Marker("${NAME}").guard(pidfd.number);`;
  try {
    await withScript(code, async (args) => {
      const box = recipe({ step: "setUser", uid: 65534, gid: 65534 });
      const { stderr } = await box.command(Deno.execPath(), { args }).output();
      assertEquals(markersOf(NAME).length, 1, decode(stderr));
      assertEquals(runningContainers().filter(({ pid }) => pid === victim.pid), []);
    });
  } finally {
    victim.kill("SIGKILL");
    await victim.status;
    await until(() => markersOf(NAME).length === 0);
  }
}, notRoot);
