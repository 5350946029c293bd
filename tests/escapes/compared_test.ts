/** The probes of docs/compared.md, in Ramekin alone: all are held. */

import { assertEquals } from "@std/assert";
import { GROUPS, PRELUDE, type Probe } from "../../bench/sandboxes/probes.ts";
import { BOX_TOOL, NONE } from "../../bench/sandboxes/tools.ts";
import { attempt, refusal } from "../../bench/sandboxes/tries.ts";
import { makeWorld, SECRET, users, type World } from "../../bench/sandboxes/world.ts";
import { buildBox } from "../../box/mod.ts";
import { sandbox } from "../../mod.ts";
import { test } from "../support.ts";

/** The user of the suite. */
const user = users().at(-1)!;

const quick = GROUPS.map(({ title, probes }) => ({
  title,
  probes: probes.filter(({ heavy }) => heavy !== true),
}));

/** Whether the program got what it was after, in a sandbox of this script. */
function comesThrough({ attack, came }: Probe, world: World): boolean {
  const { project } = world;
  const args = ["-e", PRELUDE + attack(world)];
  const { stdout } = sandbox({ write: [project], cwd: project })
    .command("perl", { args, stderr: "null" }).outputSync();
  return came?.(world) ?? new TextDecoder().decode(stdout).includes("through");
}

test("without a sandbox, what is tried on files gets through", async () => {
  await using world = await makeWorld(user);
  for (const probe of quick.slice(0, 2).flatMap(({ probes }) => probes)) {
    assertEquals(await attempt(NONE, probe, world), "through", probe.name);
  }
});

for (const { title, probes } of quick) {
  test(`${title}: what other sandboxes are compared by is held`, async () => {
    await using world = await makeWorld(user);
    Deno.env.set("API_TOKEN", SECRET);
    try {
      const plain = probes.filter(({ start }) => start === undefined);
      const through = plain.filter((probe) => comesThrough(probe, world));
      assertEquals(through.map(({ name }) => name), []);
    } finally {
      Deno.env.delete("API_TOKEN");
    }
  });
}

test("what a program gets from how its tool is started and ended is held, by a box", async () => {
  await using world = await makeWorld(user);
  const path = `${world.directory}/box`;
  Deno.writeFileSync(
    path,
    buildBox(sandbox({ write: [world.project], protect: false }), { cwd: "caller" }),
  );
  Deno.chmodSync(path, 0o755);
  assertEquals(await refusal(BOX_TOOL, world), undefined);
  const through: string[] = [];
  for (const probe of quick.flatMap(({ probes }) => probes)) {
    if (probe.start === undefined) continue;
    if (await attempt(BOX_TOOL, probe, world) === "through") through.push(probe.name);
  }
  assertEquals(through, []);
});
