/** The plan that is shown is the plan that runs, with any permissions. */

import { assert, assertEquals } from "@std/assert";
import { type CommandOptions, type Recipe, sandbox, UnsupportedError } from "../../mod.ts";
import { HUB, STEP_RECIPES } from "../faults/step_recipes.ts";
import { test } from "../support.ts";
import { type PlannedCall, processesOf, type TracedLaunch } from "./traced_launch.ts";

const ALL = { read: true, write: true, net: true, env: true, run: true, sys: true } as const;

/** Returns the calls of a command with these permissions, by step or part. */
function planOf(box: Recipe, permissions?: CommandOptions["permissions"]) {
  const options = permissions === undefined ? {} : { permissions };
  const { entries } = box.command("/bin/true", options).plan();
  return entries.map((entry) => ({ ...entry, call: withoutNames(entry.call) }));
}

/** Returns the plan, or what this machine lacks for it. */
function planOrLack(box: Recipe, permissions?: CommandOptions["permissions"]) {
  try {
    return planOf(box, permissions);
  } catch (error) {
    if (error instanceof UnsupportedError) return error.message;
    throw error;
  }
}

/** Removes the random names of control groups, and the number of variables. */
function withoutNames(call: string): string {
  return call.replace(/ramekin-[\w-]+/g, "GROUP").replace(/\[\d+ variables?\]/, "[]");
}

test("permissions change no call of any step", async () => {
  await using hub = HUB.command("sleep", { args: ["infinity"] }).spawn();
  for (const [name, make] of Object.entries(STEP_RECIPES)) {
    const box = make(hub);
    assertEquals(planOrLack(box, ALL), planOrLack(box), name);
  }
});

test("permissions that grant what is needed, and no more, change no call", () => {
  const box = sandbox({ read: ["/etc"], write: ["/tmp"] });
  const paths = (kind: "read" | "write") =>
    box.needs().flatMap((need) => need.kind === kind ? [need.path] : []);
  const granted = { read: paths("read"), write: paths("write") };
  assertEquals(planOf(box, granted), planOf(box));
  assertEquals(planOf(box, { ...granted, env: ["LANG"], run: ["/bin/true"] }), planOf(box));
});

test("a network that is granted in part adds the calls that set it up, and changes nothing else", () => {
  const box = sandbox();
  const all = box.needs().flatMap((need) => need.kind === "read" ? [need.path] : []);
  const plain = planOf(box).map(({ call }) => call);
  for (const net of ["loopback", ["example.org:443"]] as const) {
    const served = planOf(box, { ...ALL, read: [...all, "/"], net }).map(({ call }) => call);
    assert(served.length > plain.length);
    assertEquals(plain.filter((call) => !served.includes(call)), []);
  }
});

const nameOf = (call: string) => call.slice(0, call.indexOf("("));

/** Whether the traced calls are those of a plan, but for some that depend on a condition. */
function isTraceOf(planned: readonly PlannedCall[], seen: readonly string[]): boolean {
  /** How many traced calls the planned ones so far can be. */
  let made: ReadonlySet<number> = new Set([0]);
  for (const { call, unless } of planned) {
    const next = new Set(unless === undefined ? [] : made);
    for (const count of made) if (seen[count] === nameOf(call)) next.add(count + 1);
    made = next;
  }
  return made.has(seen.length);
}

test("the calls that strace(1) traces are those of the plan, one by one", async () => {
  const directory = Deno.makeTempDirSync();
  try {
    const trace = `${directory}/trace`;
    const { stdout, stderr, success } = await new Deno.Command("strace", {
      args: ["-f", "-qq", "-o", trace, Deno.execPath(), "run", "-A", "--no-check", SCRIPT],
      stdout: "piped",
      stderr: "piped",
    }).output();
    assert(success, new TextDecoder().decode(stderr));
    const seen = processesOf(Deno.readTextFileSync(trace));
    let compared = 0;
    for (const line of new TextDecoder().decode(stdout).trim().split("\n")) {
      const { name, calls, lacks } = JSON.parse(line) as TracedLaunch;
      if (lacks !== undefined) continue;
      // What runs beside the container's one process, its tool or its marker, is traced too.
      const processes = ["userNetwork", "dieWithParent"].includes(name) ? 1 : Infinity;
      const traced = seen.get(name)!.slice(0, processes).flat();
      const texts = calls.map(({ call, unless = "" }) => `${call} ${unless}`).join("\n");
      assert(isTraceOf(calls, traced), `${name}: ${traced.join(" ")}\nare not\n${texts}`);
      compared++;
    }
    assert(compared > 40, `${compared} recipes are compared`);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}, noTracer());

const SCRIPT = import.meta.resolve("./launches_script.ts");

/** Why there is no tracer here. */
function noTracer(): string | undefined {
  try {
    const { success } = new Deno.Command("strace", { args: ["-o", "/dev/null", "true"] })
      .outputSync();
    return success ? undefined : "needs strace(1), which may trace here";
  } catch {
    return "needs strace(1)";
  }
}
