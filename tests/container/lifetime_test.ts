/** Containers and their script: its event loop, its threads, its end. */

import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { mapRoot, PermissionError, recipe, RecipeError, unshare, userNetwork } from "../../mod.ts";
import { rounds } from "../rounds.ts";
import { isAlive, readUntil, runScript, Script, until } from "../other_scripts.ts";
import { test } from "../support.ts";

const SLEEPER = `
const box = ramekin.recipe(ramekin.unshare("user", "pid"), ramekin.mapRoot());
const container = box.command("sleep", { args: ["100"] }).spawn();
console.log(container.pid);
`;

/** Starts a script, and returns the pid that it prints first. */
async function pidOf(script: Script): Promise<number> {
  return Number(await readUntil(script.process.stdout, (text) => text.includes("\n")));
}

for (const signal of ["SIGKILL", "SIGTERM", "SIGINT"] as const) {
  test(`containers end with a script that gets ${signal}`, async () => {
    await using script = new Script(SLEEPER);
    const pid = await pidOf(script);
    assert(isAlive(pid));
    script.process.kill(signal);
    await script.process.status;
    await script.process.stderr.cancel();
    await script.process.stdout.cancel();
    await until(() => !isAlive(pid));
  });
}

for (const [how, code] of [["Deno.exit()", "Deno.exit(4)"], ["an error", `throw new Error("x")`]]) {
  test(`containers end with a script that ends by ${how}`, async () => {
    const { stdout } = await runScript(SLEEPER + code);
    assert(Number(stdout) > 0);
    await until(() => !isAlive(Number(stdout)));
  });
}

test("dieWithParent(null) lets a container outlive its script", async () => {
  const { stdout, stderr } = await runScript(`
    const box = ramekin.recipe(ramekin.dieWithParent(null));
    const container = box.command("sleep", { args: ["100"], stdout: "null", stderr: "null" }).spawn();
    container.unref();
    console.log(container.pid);
  `);
  const pid = Number(stdout);
  assert(pid > 0, stderr);
  assert(isAlive(pid));
  Deno.kill(pid, "SIGKILL");
  await until(() => !isAlive(pid));
});

test("a detached container outlives its script, in a session of its own, behind an init too", async () => {
  const { stdout, stderr } = await runScript(`
    const { init, mapRoot, newSession, proc, recipe, unshare } = ramekin;
    const own = recipe(unshare("user", "pid", "mount"), mapRoot(), proc());
    const boxes = [recipe(), recipe(newSession()), own, own.with(init()),
      own.with(newSession(), init(), newSession()), recipe(ramekin.dieWithParent("SIGTERM"))];
    for (const box of boxes) {
      const streams = { stdin: "null", stdout: "null", stderr: "null" };
      const command = box.command("sleep", { args: ["100"], detached: true, ...streams });
      const container = command.spawn();
      container.unref();
      const { kind } = command.needs().find(({ kind }) => kind === "lifetime");
      console.log(container.pid, kind);
    }
  `);
  const lines = stdout.trim().split("\n").map((line) => line.split(" "));
  assertEquals(lines.map(([, kind]) => kind), Array(6).fill("lifetime"), stderr);
  for (const pid of lines.map(([pid]) => Number(pid))) {
    assert(isAlive(pid));
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`).split(") ")[1]!.split(" ");
    assertEquals(stat.slice(2, 4), [String(pid), String(pid)]);
    Deno.kill(pid, "SIGKILL");
    await until(() => !isAlive(pid));
  }
});

test("a detached container has a terminal, and may not need the script for its network", async () => {
  const box = recipe(unshare("user"), mapRoot());
  await using container = box.command("tty", {
    detached: true,
    terminal: true,
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  assertMatch(await container.stdout.text(), /^\/dev\/pts\/\d+/);
  const forwarding = recipe(unshare("user", "net"), mapRoot(), userNetwork());
  assertThrows(
    () => forwarding.command("true", { detached: true }),
    RecipeError,
    "the option detached, lets the container outlive it",
  );
  assertThrows(
    () => recipe().command("true", { detached: true, permissions: {} }).spawn(),
    PermissionError,
  );
});

test("dieWithParent() can choose another signal", async () => {
  await using script = new Script(`
    const box = ramekin.recipe(ramekin.dieWithParent("SIGTERM"));
    const container = box.command("sleep", { args: ["100"], stdout: "null", stderr: "null" }).spawn();
    console.log(container.pid);
  `);
  const pid = await pidOf(script);
  script.process.kill("SIGKILL");
  await script.process.status;
  await script.process.stderr.cancel();
  await script.process.stdout.cancel();
  await until(() => !isAlive(pid));
});

test("a running container keeps the event loop alive, unless it is unref'ed", async () => {
  const lasting = await runScript(`
    const box = ramekin.recipe();
    box.command("sh", { args: ["-c", "sleep 0.2; echo ended"] }).spawn();
  `);
  assertEquals(lasting.stdout, "ended\n");
  const passing = await runScript(`
    const options = { args: ["100"], timeout: 100_000 };
    const container = ramekin.recipe().command("sleep", options).spawn();
    container.unref();
    container.status.then(() => console.log("never"));
  `);
  assertEquals([passing.code, passing.stdout], [0, ""]);
});

test("an unref'ed container is still read while something else keeps the event loop alive", async () => {
  const { stdout, stderr } = await runScript(`
    const container = ramekin.recipe().command("echo", { args: ["hello"], stdout: "piped" }).spawn();
    container.unref();
    const timer = setTimeout(() => {}, 10_000);
    console.log(await container.stdout.text(), (await container.status).code);
    clearTimeout(timer);
  `);
  assertEquals(stdout, "hello\n 0\n", stderr);
});

test("ref() undoes unref()", async () => {
  const { stdout } = await runScript(`
    const container = ramekin.recipe().command("sh", { args: ["-c", "sleep 0.1; echo ended"] }).spawn();
    container.unref();
    container.ref();
  `);
  assertEquals(stdout, "ended\n");
});

test("inherited streams are the script's own", async () => {
  const { stdout, stderr } = await runScript(`
    await ramekin.recipe().command("sh", { args: ["-c", "echo out; echo err >&2"] }).spawn().status;
  `);
  assertEquals([stdout, stderr], ["out\n", "err\n"]);
});

test("workers launch concurrently, each in its own thread", async () => {
  const { stdout, stderr } = await runScript(
    `
    const MOD = import.meta.resolve(${
      JSON.stringify(new URL("../../mod.ts", import.meta.url).href)
    });
    const code = \`
      import { mapRoot, recipe, unshare } from "\${MOD}";
      const box = recipe(unshare("user", "pid"), mapRoot());
      let sum = 0;
      for (let i = 0; i < ${rounds(30)}; i++) {
        const { stdout } = await box.command("sh", { args: ["-c", "echo $$"] }).output();
        sum += Number(new TextDecoder().decode(stdout));
      }
      self.postMessage(sum);
    \`;
    const url = URL.createObjectURL(new Blob([code], { type: "application/typescript" }));
    const sums = await Promise.all([1, 2, 3].map(() => new Promise((resolve) => {
      const worker = new Worker(url, { type: "module" });
      worker.onmessage = ({ data }) => { worker.terminate(); resolve(data); };
    })));
    console.log(sums.join(" "));
  `,
    ["--allow-ffi", "--allow-import", "--allow-read"],
  );
  assertEquals(stdout, `${Array(3).fill(rounds(30)).join(" ")}\n`, stderr);
});

test("buffers are not collected before the end of their calls", async () => {
  const { stdout, stderr } = await runScript(
    `
    const box = ramekin.recipe(
      ramekin.unshare("user", "mount", "pid", "uts"),
      ramekin.mapRoot(),
      ramekin.tmpfs("/mnt"),
      ramekin.writeFile("/mnt/file", "x".repeat(10_000)),
      ramekin.hostname("box"),
    );
    const command = box.command("sh", { args: ["-c", "hostname; wc -c < /mnt/file"] });
    const collect = setInterval(() => gc(), 0);
    for (let i = 0; i < ${rounds(40)}; i++) {
      const outputs = [command.output(), command.output(), command.output()];
      gc();
      for (const { stdout } of await Promise.all(outputs)) {
        if (new TextDecoder().decode(stdout) !== "box\\n10000\\n") throw new Error("another output");
      }
    }
    clearInterval(collect);
    console.log("fine");
  `,
    ["--allow-ffi", "--v8-flags=--expose-gc"],
  );
  assertEquals(stdout, "fine\n", stderr);
});

test("a script that reaches its limit of open files gets an error, and can continue", async () => {
  const { stdout, stderr } = await runScript(`
    const box = ramekin.recipe(ramekin.unshare("user"), ramekin.mapRoot());
    await box.command("true").output();
    const { hard } = ramekin.linux.prlimit(0, "NOFILE");
    ramekin.linux.prlimit(0, "NOFILE", { soft: 1024, hard });
    const open = [];
    try {
      for (;;) open.push(ramekin.linux.open("/dev/null", ramekin.linux.O_RDONLY));
    } catch (error) {
      console.log(error.code);
    }
    for (const free of [0, 1, 2, 3, 4, 5]) {
      for (let i = 0; i < (free > 0 ? 1 : 0); i++) open.pop().close();
      const before = ramekin.linux.open;
      try {
        const { code } = await box.command("true").output();
        console.log("ended", code);
      } catch (error) {
        console.log(error.code, error.hint?.includes("ulimit -n"));
      }
    }
    for (const fd of open) fd.close();
    console.log((await box.command("true").output()).code);
  `);
  const lines = stdout.trim().split("\n");
  assertEquals(lines[0], "EMFILE", stderr);
  assertEquals(lines.at(-1), "0", stderr);
  assert(lines.includes("EMFILE true"), stdout + stderr);
});

test("without --allow-ffi nothing happens at import, and the first run names the flag", async () => {
  const { stdout, stderr, code } = await runScript(
    `
    const box = ramekin.recipe(ramekin.unshare("user"), ramekin.hostname("x"));
    console.log(box.steps.length, JSON.stringify(box));
    try {
      await ramekin.recipe(ramekin.unshare("user")).command("true").output();
    } catch (error) {
      console.log(error instanceof ramekin.PermissionError, error.grant, error.message);
    }
  `,
    ["--no-prompt"],
  );
  const lines = stdout.split("\n");
  assertEquals(code, 0, stderr);
  assertMatch(lines[0]!, /^2 \{"steps":/);
  assertMatch(lines[1]!, /^true ffi .*--allow-ffi/);
});

test("a recipe runs in the container of a recipe", async () => {
  const { stdout, stderr } = await runScript(
    `
    const box = ramekin.recipe(
      ramekin.unshare("user", "mount", "pid", "uts"),
      ramekin.mapRoot(),
      ramekin.proc(),
      ramekin.hostname("box" + (Number(Deno.args[0]) || 0)),
    );
    const level = Number(Deno.args[0]) || 0;
    const { execPath, script } = JSON.parse(Deno.args[1] ?? "null") ??
      { execPath: Deno.execPath(), script: new URL(import.meta.url).pathname };
    if (level === 3) {
      const { stdout } = await box.command("sh", { args: ["-c", "hostname; echo $$; readlink /proc/self/ns/user"] }).output();
      console.log(new TextDecoder().decode(stdout));
    } else {
      const { stdout, stderr } = await box.command(execPath, {
        args: ["run", "--no-check", "--no-config", "--quiet", "--allow-ffi", script, String(level + 1),
          JSON.stringify({ execPath, script })],
      }).output();
      console.log(new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr));
    }
  `,
    ["--allow-ffi", "--allow-read"],
  );
  assertMatch(stdout, /^box3\n1\nuser:\[\d+\]/, stdout + stderr);
});

/** A script that terminates a worker once the program of its command runs, and waits for its end. */
function terminating(call: string): string {
  return `
    const code = \`
      import { recipe } from ${JSON.stringify(new URL("../../mod.ts", import.meta.url).href)};
      const command = (options) => recipe().command("sleep", { args: ["100"], ...options });
      ${call};
    \`;
    const url = URL.createObjectURL(new Blob([code], { type: "application/javascript" }));
    const worker = new Worker(url, { type: "module" });
    const state = (pid) => {
      try {
        return Deno.readTextFileSync("/proc/" + pid + "/stat").split(") ")[1][0];
      } catch {
        return "Z";
      }
    };
    const running = () => [...Deno.readDirSync("/proc/self/task")].flatMap(({ name }) => {
      try {
        const text = Deno.readTextFileSync("/proc/self/task/" + name + "/children");
        return text.trim().split(" ").filter((pid) => pid !== "" && state(pid) !== "Z");
      } catch {
        return [];
      }
    }).length > 0;
    const until = async (holds) => {
      while (!holds()) await new Promise((resolve) => setTimeout(resolve, 10));
    };
    await until(running);
    worker.terminate();
    await until(() => !running());
    console.log("ended");
    Deno.exit();
  `;
}

test("a worker's end is its container's; one in outputSync() has no end before its program", async () => {
  // Worker.terminate() interrupts nothing of Deno 2.9 that runs, so that only the timeout is left.
  for (const call of ["await command().output()", "command({ timeout: 4000 }).outputSync()"]) {
    assertEquals((await runScript(terminating(call), ["-A"])).stdout, "ended\n", call);
  }
});
