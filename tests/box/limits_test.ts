/** Boxes that make a control group of their container's. */

import { assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { buildBox } from "../../box/mod.ts";
import { type Controller, hierarchies } from "../../ffi/cgroups/hierarchies.ts";
import { sweep } from "../../ffi/cgroups/naming.ts";
import { planCgroup } from "../../ffi/cgroups/plan.ts";
import {
  init,
  type Limits,
  limits,
  mapIds,
  mapRoot,
  proc,
  recipe,
  RecipeError,
  sandbox,
  unshare,
  UnsupportedError,
} from "../../mod.ts";
import { decode, until } from "../other_scripts.ts";
import { notRoot, root, test } from "../support.ts";
import { failedRecords } from "./failed_records.ts";
import { BoxFile } from "./support.ts";

const BASE = recipe(unshare("user", "mount", "pid"), mapRoot(), proc());
const LIMITS: Limits = { memory: "64m", pids: 50, cpus: 0.5, cpuWeight: 50, cpuset: "0" };
const limited = (given: Limits = LIMITS) => BASE.with(limits(given));

const noGroups = lacking();

/** Returns why there can be no such group here. */
function lacking(): string | undefined {
  if (!root) return notRoot;
  try {
    planCgroup({ memory: 2 ** 26, pids: 50, cpus: 0.5, cpuWeight: 50, cpuset: "0" });
    return undefined;
  } catch (error) {
    if (!(error instanceof UnsupportedError)) throw error;
    return error.message;
  }
}

/** The directory of a hierarchy in which boxes make groups. */
function above(controller: Controller): string {
  const found = hierarchies();
  const place = found.find(({ controllers }) => controllers.has(controller)) ??
    found.find(({ version }) => version === 2);
  return place!.own;
}

function groupsOfBoxes(): readonly string[] {
  return hierarchies().flatMap(({ own }) =>
    Array.from(Deno.readDirSync(own), ({ name }) => `${own}/${name}`)
  ).filter((path) => path.includes("/ramekin-box-"));
}

test("the container of a box is in a group with its limits, which goes with it", async () => {
  for (const container of [limited(), limited().with(init()), sandbox({ limits: LIMITS })]) {
    using box = new BoxFile(container);
    const process = box.spawn(["sh", "-c", "echo ready; read line; exit 4"], { stdin: "piped" });
    const reader = process.stdout.getReader();
    assertEquals(decode((await reader.read()).value!), "ready\n");
    const name = `ramekin-box-${String(process.pid).padStart(10, "0")}`;
    const valueOf = (controller: Controller, ...files: string[]) =>
      files.flatMap((file) => {
        try {
          return Deno.readTextFileSync(`${above(controller)}/${name}/${file}`).trim();
        } catch {
          return [];
        }
      })[0];
    assertEquals(valueOf("memory", "memory.limit_in_bytes", "memory.max"), String(64 * 2 ** 20));
    assertEquals(valueOf("pids", "pids.max"), "50");
    assertMatch(valueOf("cpu", "cpu.cfs_quota_us", "cpu.max")!, /^50000/);
    assertEquals(valueOf("cpuset", "cpuset.cpus"), "0");
    const inside = valueOf("pids", "cgroup.procs")!.split("\n").length;
    assertEquals(inside > 0, true);
    const writer = process.stdin.getWriter();
    await writer.close();
    assertEquals((await process.status).code, 4);
    await reader.cancel();
    await process.stderr.cancel();
    assertEquals(groupsOfBoxes(), []);
  }
}, noGroups);

test("a program that needs more memory than it may have is killed", async () => {
  using box = new BoxFile(limited({ memory: "32m" }));
  assertEquals((await box.run(["tail", "/dev/zero"])).code, 137);
  assertEquals(groupsOfBoxes(), []);
}, noGroups);

test("no group is left of a box whose container or program cannot be made", async () => {
  using box = new BoxFile(limited());
  assertEquals((await box.run(["nonesuch"])).code, 127);
  using failing = new BoxFile(limited().with({ step: "tmpfs", target: "/nonesuch" }));
  assertEquals((await failing.run(["true"])).code, 125);
  using invalid = new BoxFile(limited({ cpuset: "65535" }));
  const { code, stderr } = await invalid.run(["true"]);
  assertEquals(code, 125);
  assertStringIncludes(stderr, "box: step 4 (limits): write(");
  assertEquals(groupsOfBoxes(), []);
}, noGroups);

test("what a killed box has left is removed by a script, and by the next box", async () => {
  using box = new BoxFile(limited({ pids: 50 }));
  const process = box.spawn(["sh", "-c", "echo ready; exec sleep 60"]);
  const reader = process.stdout.getReader();
  await reader.read();
  sweep(above("pids"));
  assertEquals(groupsOfBoxes().length, 1);
  process.kill("SIGKILL");
  await process.status;
  await reader.cancel();
  await process.stderr.cancel();
  await until(() => {
    sweep(above("pids"));
    return groupsOfBoxes().length === 0;
  });
}, noGroups);

test("an ordinary user's box needs a group that was given to the user", async () => {
  const delegated = `${above("pids")}/ramekin-test-delegated`;
  Deno.mkdirSync(delegated);
  try {
    for (const path of [delegated, ...["cgroup.procs", "tasks"].map((n) => `${delegated}/${n}`)]) {
      Deno.chownSync(path, 65534, 65534);
    }
    using box = new BoxFile(limited({ pids: 50 }));
    const script = `echo $$ >"$1/cgroup.procs"
      exec setpriv --reuid 65534 --regid 65534 --clear-groups "$0" grep pids: /proc/self/cgroup`;
    const { code, stdout, stderr } = await new Deno.Command("sh", {
      args: ["-c", script, box.path, delegated],
    }).output();
    assertEquals([code, decode(stderr)], [0, ""]);
    assertMatch(decode(stdout), /\/ramekin-test-delegated\/ramekin-box-\d{10}\n$/);
  } finally {
    Deno.removeSync(delegated);
  }
}, noGroups ?? (isOld("pids") ? undefined : "the controller pids is in cgroup v2 here"));

function isOld(controller: Controller): boolean {
  return hierarchies().some(({ version, controllers }) =>
    version === 1 && controllers.has(controller)
  );
}

test("a box says how it gets a group where it may make none", async () => {
  using box = new BoxFile(limited({ pids: 50 }));
  const { code, stderr } = await box.run(["true"], root ? { uid: 65534, gid: 65534 } : {});
  assertEquals(code, 125, stderr);
  assertMatch(stderr, /^box: step 4 \(limits\): .* failed: E[A-Z]+\n {2}/);
  assertStringIncludes(stderr, "systemd-run --user --scope -p Delegate=yes ./box");
}, hierarchies().length === 0 ? "there are no control groups here" : undefined);

test("each call for a group is made to fail, and told; what is made is removed", () => {
  const container = limited({ pids: 50, cpuset: "0" });
  // What removes it can leave it.
  for (
    const { name, text, code, stderr, expected } of failedRecords(container, "step 4 (limits)")
  ) {
    const left = groupsOfBoxes();
    for (const group of left) Deno.removeSync(group);
    // The calls for another version of control groups are not made here.
    if (code === 0) continue;
    assertEquals([code, stderr], [125, expected], name);
    assertEquals(left, [], text);
  }
}, noGroups);

test("a group that a box could not empty, or share with its launcher, is refused", () => {
  const refused = (steps: Parameters<typeof recipe>, says: string) => {
    const error = assertThrows(() => buildBox(recipe(...steps)), RecipeError);
    assertEquals(error.step, "limits");
    assertStringIncludes(error.message, says);
    assertStringIncludes(error.message, "systemd-run --scope");
  };
  refused([unshare("user"), mapRoot(), limits(LIMITS)], 'add unshare("pid")');
  const uids = [{ inside: 0, outside: 100_000, count: 10 }];
  refused([unshare("user", "pid"), mapIds({ uids, gids: uids }), limits({})], "shares its memory");
});
