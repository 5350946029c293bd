/** Containers that are paused when their script ends. */

import { assert, assertEquals } from "@std/assert";
import { hierarchies } from "../../ffi/cgroups/hierarchies.ts";
import { planCgroup } from "../../ffi/cgroups/plan.ts";
import { limits, type Recipe, recipe, unmount, unshare, UnsupportedError } from "../../mod.ts";
import { decode, isAlive, until } from "../other_scripts.ts";
import { claim } from "../leftovers.ts";
import { root, test } from "../support.ts";

/** Why there are no groups for this user. */
function lacksGroups(): string | undefined {
  try {
    planCgroup({});
    return undefined;
  } catch (error) {
    if (!(error instanceof UnsupportedError)) throw error;
    return "needs a control group";
  }
}

const has = (version: 1 | 2) => hierarchies().some((one) => one.version === version);

/** What is left of the hierarchies for a script, by taking away the others. */
function withOnly(version: 1 | 2): Recipe {
  const others = hierarchies().filter((one) => one.version !== version);
  return recipe(unshare("mount"), ...others.map(({ top }) => unmount(top, { detach: true })));
}

interface Place {
  readonly name: string;
  readonly box: () => Recipe;
  readonly skip?: string | undefined;
}

const isBoth = has(1) && has(2) ? undefined : "needs both versions of control groups";

const PLACES: readonly Place[] = [
  { name: "as they are", box: () => recipe(), skip: lacksGroups() },
  ...([1, 2] as const).map((version): Place => ({
    name: `of version ${version} alone`,
    box: () => withOnly(version),
    skip: root ? isBoth ?? lacksGroups() : "needs root",
  })),
];

const ENDS = {
  "is killed": `Deno.kill(Deno.pid, "SIGKILL");`,
  "exits": "Deno.exit();",
  "throws": `throw new Error("no soup");`,
};

/** Runs a script in one of the places, with its output as lines. */
async function run(box: Recipe, code: string): Promise<string[]> {
  const directory = Deno.makeTempDirSync();
  try {
    Deno.chmodSync(directory, 0o755);
    const module = JSON.stringify(import.meta.resolve("../../mod.ts"));
    const path = `${directory}/script.ts`;
    Deno.writeTextFileSync(path, `import * as ramekin from ${module};\n${code}`);
    const args = ["run", "--no-check", "--no-config", "-q", "-A", path];
    const container = box.command(Deno.execPath(), { args, stdout: "piped", stderr: "null" })
      .spawn();
    claim(container.pid);
    return decode((await container.output()).stdout).trim().split("\n");
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

/** The next script with the same groups removes those of one that has ended. */
async function sweep(box: Recipe, script: string): Promise<void> {
  const code = `ramekin.recipe(ramekin.limits({})).command("true").outputSync();`;
  // A script in a group of its own makes groups beside it.
  const left = () =>
    hierarchies().flatMap(({ own }) => own.endsWith("-script") ? [own, `${own}/..`] : [own])
      .flatMap((directory) => [...Deno.readDirSync(directory)].map(({ name }) => name))
      .some((name) => name.includes(`-${script}-`) && !name.endsWith("-script"));
  // Its processes leave them shortly after their end.
  for (let attempt = 0; attempt < 20 && left(); attempt++) await run(box, code);
  assert(!left());
}

/** A paused container with two processes; prints the pids of the script, and of all its children. */
const PAUSED = `
  const own = Deno.uid() === 0 ? [ramekin.unshare("pid")]
    : [ramekin.unshare("user", "pid"), ramekin.mapRoot()];
  const box = ramekin.recipe(...own, ramekin.limits({}), ...(globalThis.more ?? []));
  const streams = { stdin: "null", stdout: "piped", stderr: "null" };
  const container = box.command("sh", { args: ["-c", "sleep 1000 & echo; sleep 1000"], ...streams })
    .spawn();
  await container.stdout.getReader().read();
  await container.pause();
  const children = (pid) =>
    Deno.readTextFileSync("/proc/" + pid + "/task/" + pid + "/children").trim().split(" ");
  console.log([Deno.pid, ...children(Deno.pid), ...children(container.pid)].join("\\n"));
`;

for (const { name, box, skip } of PLACES) {
  for (const [how, end] of Object.entries(ENDS)) {
    test(`a paused container ends with a script that ${how}, with groups ${name}`, async () => {
      const [script, ...pids] = await run(box(), PAUSED + end);
      // The container's two or three processes, and the one that thaws them.
      assert(pids.length >= 3, pids.join());
      await until(() => !pids.some((pid) => isAlive(Number(pid))));
      await sweep(box(), script!);
    }, skip);
  }

  test(`one that outlives its script is not paused for good, with groups ${name}`, async () => {
    const more = `globalThis.more = [ramekin.dieWithParent(null)];`;
    const [script, first] = await run(box(), more + PAUSED + ENDS["is killed"]);
    const pid = Number(first);
    assert(isAlive(pid));
    // A frozen process of version 1 does not end.
    Deno.kill(pid, "SIGKILL");
    await until(() => !isAlive(pid));
    await sweep(box(), script!);
  }, skip);
}

/** A worker that pauses its container and is terminated; prints the script and the container. */
const IN_WORKER = `
  const code = \`
    import { limits, recipe, unshare } from ${JSON.stringify(import.meta.resolve("../../mod.ts"))};
    const streams = { stdin: "null", stdout: "null", stderr: "null" };
    const command = recipe(unshare("pid"), limits({})).command("sleep", { args: ["1000"], ...streams });
    const container = command.spawn();
    await container.pause();
    self.postMessage(container.pid);
  \`;
  const url = URL.createObjectURL(new Blob([code], { type: "application/javascript" }));
  const worker = new Worker(url, { type: "module" });
  const pid = await new Promise((resolve) => worker.onmessage = ({ data }) => resolve(data));
  worker.terminate();
  while (!/^State:\\s+Z/m.test(Deno.readTextFileSync("/proc/" + pid + "/status"))) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  console.log(Deno.pid);
  console.log("ended");
`;

for (const { name, box, skip } of PLACES) {
  test(`a paused container ends with its worker, with groups ${name}`, async () => {
    const [script, result] = await run(box(), IN_WORKER);
    assertEquals(result, "ended");
    await sweep(box(), script!);
  }, root ? skip : "needs root");
}

/** The children of every thread of this process. */
function children(): string[] {
  return [...Deno.readDirSync("/proc/self/task")].flatMap(({ name }) =>
    Deno.readTextFileSync(`/proc/self/task/${name}/children`).split(" ").filter(Boolean)
  );
}

test(
  "what thaws a paused container is told of every end from the moment at which it is paused",
  async () => {
    for (let i = 0; i < 20; i++) {
      await using container = recipe(limits({})).command("sleep", { args: ["1000"] }).spawn();
      await container.pause();
      const guards = children().filter((pid) => Number(pid) !== container.pid);
      // It leads a session of its own once it is set up.
      const sessions = guards.map((pid) =>
        Deno.readTextFileSync(`/proc/${pid}/stat`).replace(/.*\) /, "").split(" ")[3]
      );
      assertEquals(guards.length, 1);
      assertEquals(sessions, guards);
    }
  },
  lacksGroups(),
);

test("a pause leaves no process behind, however often it is repeated", async () => {
  await using container = recipe(limits({})).command("sleep", { args: ["1000"] }).spawn();
  for (let i = 0; i < 3; i++) {
    await container.pause();
    await container.pause();
    container.resume();
    container.resume();
  }
  await container.pause();
  await container[Symbol.asyncDispose]();
  assertEquals((await container.status).signal, "SIGKILL");
}, lacksGroups());
