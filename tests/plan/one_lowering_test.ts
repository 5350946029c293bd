/** The plan that is shown is the plan that runs, whatever the permissions are. */

import { assert, assertEquals } from "@std/assert";
import {
  type CommandOptions,
  type Recipe,
  sandbox,
  type Step,
  UnsupportedError,
} from "../../mod.ts";
import { HUB, STEP_RECIPES } from "../faults/step_recipes.ts";
import { test } from "../support.ts";
import { type PlannedCall, processesOf, type TracedLaunch } from "./traced_launch.ts";

const ALL = { read: true, write: true, net: true, env: true, run: true, sys: true } as const;

/** The calls of a command with these permissions, by what they serve. */
function planOf(box: Recipe, permissions?: CommandOptions["permissions"]) {
  const options = permissions === undefined ? {} : { permissions };
  const { entries } = box.command("/bin/true", options).plan();
  return entries.map((entry) => ({ ...entry, call: withoutNames(entry.call) }));
}

/** The plan, or what this machine lacks for it. */
function planOrLack(box: Recipe, permissions?: CommandOptions["permissions"]) {
  try {
    return planOf(box, permissions);
  } catch (error) {
    if (error instanceof UnsupportedError) return error.message;
    throw error;
  }
}

/** Control groups have random names, and permissions say how many variables are handed on. */
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

test("a network that is granted in part adds what serves it, and changes nothing else", () => {
  const box = sandbox();
  const all = box.needs().flatMap((need) => need.kind === "read" ? [need.path] : []);
  const plain = planOf(box).map(({ call }) => call);
  for (const net of ["loopback", ["example.org:443"]] as const) {
    const served = planOf(box, { ...ALL, read: [...all, "/"], net }).map(({ call }) => call);
    assert(served.length > plain.length);
    assertEquals(plain.filter((call) => !served.includes(call)), []);
  }
});

/**
 * Calls of steps that need not be made, as it shows in the container which of two is wanted. All
 * others are made.
 */
const BRANCHES: Readonly<Partial<Record<Step["step"], readonly string[]>>> = {
  // A directory's rights are a rule as they are; a file's are fewer.
  landlock: ["writev", "read", "landlock_add_rule"],
  // A file is covered by a file, a directory by a directory: here one of each.
  maskPaths: ["open_tree", "move_mount"],
  // What was mounted is a directory; the others are for a file.
  unmount: ["openat2", "fchdir", "umount2", "close"],
};

const nameOf = (call: string) => call.slice(0, call.indexOf("("));

/** The calls of a plan that were not seen; an error where something was seen that is not in it. */
function unseen(planned: readonly PlannedCall[], seen: readonly string[]): PlannedCall[] {
  let made = 0;
  const left = planned.filter(({ call }) => {
    if (nameOf(call) !== seen[made]) return true;
    made++;
    return false;
  });
  assertEquals(seen.slice(made), [], "calls that the plan does not have, or in another order");
  return left;
}

test("what strace(1) sees of a container is what its plan says, call by call", async () => {
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
      const skipped = unseen(calls, seen.get(name)!.flat()).filter(({ ofStep }) => ofStep);
      assertEquals(
        skipped.map(({ call }) => nameOf(call)).sort(),
        [...BRANCHES[name as Step["step"]] ?? []].sort(),
        name,
      );
      compared++;
    }
    assert(compared > 40, `${compared} recipes are compared`);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}, noTracer());

const SCRIPT = import.meta.resolve("./launches_script.ts");

/** Why there is no tracer, where there is none. */
function noTracer(): string | undefined {
  try {
    const { success } = new Deno.Command("strace", { args: ["-o", "/dev/null", "true"] })
      .outputSync();
    return success ? undefined : "needs strace(1), which may trace here";
  } catch {
    return "needs strace(1)";
  }
}
