/**
 * Scripts that end at any moment of a launch, while a container runs or ends: no container lives
 * on, nothing is left, and the terminal is restored.
 */

import { assert, assertEquals } from "@std/assert";
import { limits, recipe, unshare } from "../../mod.ts";
import { decode, runScript, until } from "../other_scripts.ts";
import { claim } from "../leftovers.ts";
import { notRoot, test } from "../support.ts";
import { note } from "./results.ts";
import {
  chance,
  marked,
  newMarker,
  pause,
  proof,
  seed,
  survivors,
  sweep,
  times,
  triedShapes,
} from "./support.ts";

const random = chance();

const ENDS = ["SIGKILL", "SIGTERM", "SIGINT", "exit", "throw"] as const;
type End = typeof ENDS[number];

/** Returns some of them at random. */
function someOf<T>(all: T[], count: number): T[] {
  return Array.from({ length: count }, () => all.splice(Math.floor(random() * all.length), 1)[0]!);
}

/** Starts one of the scripts beside this file. */
function start(script: string, args: readonly string[]): Deno.ChildProcess {
  const path = new URL(script, import.meta.url).pathname;
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--no-config", "--quiet", "--allow-ffi", path, ...args],
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  claim(process.pid);
  return process;
}

/** Waits for the first output of a script, and ignores the rest. */
async function whenReady(process: Deno.ChildProcess): Promise<void> {
  const reader = process.stdout.getReader();
  const { value } = await reader.read();
  if (value === undefined) {
    throw new Error(`the script has ended: ${await process.stderr.text()}`);
  }
  reader.releaseLock();
}

async function isOver(process: Deno.ChildProcess): Promise<void> {
  await process.status;
  await process.stdout.cancel();
  await process.stderr.cancel();
}

/**
 * Runs a script that launches continuously, and ends it after some milliseconds; returns what has
 * lived on.
 */
async function endBusyScript(
  shape: string,
  count: number,
  end: End,
  after: number,
): Promise<readonly string[]> {
  const marker = newMarker();
  const own = end.startsWith("SIG") ? [] : [end, String(after)];
  const process = start("busy_script.ts", [shape, String(count), marker, ...own]);
  await whenReady(process);
  if (end.startsWith("SIG")) {
    await pause(after);
    process.kill(end as Deno.Signal);
  }
  await isOver(process);
  const alive = await survivors(marker);
  return alive.map((line) => `${line}: ended by ${end} after ${after} ms`);
}

/** Adds a row with the number of moments, and checks that nothing has lived on. */
function noteMoments(name: string, moments: number, alive: readonly string[]): void {
  note("killed", name, { moments, "lived on": alive.length });
  assertEquals(alive, [], `SEED=${seed}`);
}

for (const [shape, { rootOnly }] of triedShapes()) {
  for (const count of [1, 50]) {
    test(
      `a script that is ended leaves nothing: ${shape}, ${count} at once`,
      async () => {
        let moments = 0;
        const alive: string[] = [];
        for (let round = 0; round < times(1, 5); round++) {
          const ends = count === 1 || proof ? [...ENDS] : someOf([...ENDS], 2);
          const lines = await Promise.all(
            ends.map((end) => endBusyScript(shape, count, end, Math.ceil(random() * 60))),
          );
          moments += ends.length;
          alive.push(...lines.flat());
        }
        noteMoments(`${shape}, ${count} at once`, moments, alive);
        await sweep();
      },
      rootOnly && notRoot,
    );
  }
}

/** Returns the calls of a launch, without repeated ones. */
async function callsOf(shape: string): Promise<number[]> {
  const process = start("slow_script.ts", [shape, "list", newMarker()]);
  const { stdout, stderr, code } = await process.output();
  assertEquals(code, 0, decode(stderr));
  return JSON.parse(decode(stdout));
}

/** Kills a script during the call of its launch with this number; returns what has lived on. */
async function killDuring(shape: string, call: number): Promise<readonly string[]> {
  const marker = newMarker();
  const process = start("slow_script.ts", [shape, String(call), marker]);
  await whenReady(process);
  await pause(100);
  try {
    process.kill("SIGKILL");
  } catch (error) {
    // Calls that are made only after a failure are not reached: the script has ended.
    if (!(error instanceof TypeError)) throw error;
  }
  await isOver(process);
  return (await survivors(marker)).map((line) => `${line}: call ${call}`);
}

for (const [shape, { rootOnly, terminal, joins }] of triedShapes()) {
  if (terminal || joins) continue;
  test(
    `a script that is killed during any call of a launch leaves nothing: ${shape}`,
    async () => {
      const calls = await callsOf(shape);
      const chosen = proof ? calls : someOf(calls, 3);
      const moments = chosen.length;
      const alive: string[] = [];
      const workers = [1, 2, 3].map(async () => {
        for (let call = chosen.pop(); call !== undefined; call = chosen.pop()) {
          alive.push(...await killDuring(shape, call));
        }
      });
      await Promise.all(workers);
      noteMoments(`${shape}, during a call of a launch`, moments, alive);
      await sweep();
    },
    rootOnly && notRoot,
  );
}

test("a container exits if its script's thread has ended before it starts", async () => {
  const { stdout, stderr } = await runScript(
    `
    import { execSpec } from "${new URL("../../launch/exec.ts", import.meta.url)}";
    import { Launcher } from "${new URL("../../launch/launcher.ts", import.meta.url)}";
    import { planRecipe } from "${new URL("../../plan/plan_recipe.ts", import.meta.url)}";
    import { argumentOffset } from "${new URL("../../ffi/engine/program.ts", import.meta.url)}";
    // The container sees the id of another thread in place of this one's.
    const otherThread = ({ bytes, calls }) => {
      const view = new DataView(bytes.buffer);
      calls.forEach(({ name, args }, index) => {
        if (name !== "futex" || args.length < 6) return;
        const at = argumentOffset(index, 5);
        view.setInt32(at, view.getInt32(at, true) + 1, true);
      });
    };
    try {
      new Launcher(planRecipe([])).spawn(execSpec("true"), otherThread);
    } catch (error) {
      console.log(error.syscall, error.code);
    }
  `,
  );
  assertEquals(stdout, "clone EINTR\n", stderr);
});

test(
  "a setuid program loses the parent-death signal, unless no_new_privs is set",
  async () => {
    const directory = Deno.makeTempDirSync();
    try {
      Deno.chmodSync(directory, 0o755);
      const program = `${directory}/sleep`;
      Deno.copyFileSync("/bin/sleep", program);
      Deno.chmodSync(program, 0o4755);
      const lives = async (step: string, expected: boolean) => {
        const marker = newMarker();
        const { stderr } = await runScript(`
          const box = ramekin.recipe(ramekin.setUser({ uid: 65534, gid: 65534 }), ${step});
          const options = { args: ["1000", "0.${marker}"], stdout: "null", stderr: "null" };
          box.command("${program}", options).spawn();
          setTimeout(() => Deno.exit(), 100);
        `);
        assertEquals(stderr, "");
        await pause(200);
        const alive = expected ? marked(marker) : await survivors(marker);
        for (const line of alive) Deno.kill(parseInt(line), "SIGKILL");
        await until(() => marked(marker).length === 0);
        return alive.length > 0;
      };
      assertEquals(await lives("ramekin.umask(0o022)", true), true);
      assertEquals(await lives("ramekin.noNewPrivileges()", false), false);
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  },
  notRoot,
);

test("the terminal of a killed script is restored at any moment", async () => {
  const script = new URL("terminal_script.ts", import.meta.url).pathname;
  const deno = `${Deno.execPath()} run --no-check --no-config --quiet --allow-ffi ${script}`;
  const rounds = times(8, 60);
  const moments = Array.from({ length: rounds }, () => (0.3 + random() * 0.5).toFixed(3));
  const { stdout } = await recipe().command("sh", {
    args: [
      "-c",
      `before=$(stty -g)
      for after in ${moments.join(" ")}; do
        timeout --foreground -s KILL $after ${deno}
        for i in $(seq 50); do
          now=$(stty -g)
          test "$now" = "$before" && echo same && continue 2
          sleep 0.1
        done
        echo "killed after $after: $now instead of $before"
        stty "$before"
      done`,
    ],
    terminal: true,
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).output();
  const lines = decode(stdout).split(/\r?\n/).filter((line) => /same|killed after/.test(line));
  const wrong = lines.filter((line) => line !== "same").length;
  note("terminal", "put back", { moments: rounds, "not put back": wrong });
  assertEquals(lines, Array.from({ length: rounds }, () => "same"), `SEED=${seed}`);
});

test(
  "the next script removes the groups of a killed script",
  async () => {
    const box = recipe(unshare("pid"), limits({}));
    assert((await box.command("true").output()).success);
    const marker = newMarker();
    const process = start("busy_script.ts", ["limits", "5", marker]);
    await whenReady(process);
    const groups = () =>
      Array.from(Deno.readDirSync("/sys/fs/cgroup/pids"), ({ name }) => name)
        .filter((name) => name.includes(`-${process.pid}-`));
    await until(() => groups().length > 0);
    process.kill("SIGKILL");
    await isOver(process);
    assertEquals(await survivors(marker), []);
    await sweep();
    assertEquals(groups(), []);
  },
  notRoot,
);
