/**
 * `deno task compared`: tries the probes in Ramekin and in the peers that are installed, and writes
 * `docs/compared.md`. Root tries them as an ordinary user too.
 *
 * @module
 */

import { formatted } from "../../scripts/docs/format.ts";
import { print } from "../report.ts";
import { keyOf, pageOf, type Results } from "./page.ts";
import { GROUPS } from "./probes.ts";
import { NONE, OWN, PEERS, type Tool } from "./tools.ts";
import { attempt, type Outcome, refusal } from "./tries.ts";
import { makeWorld, type User, users, type World } from "./world.ts";

async function resultsOf(user: User): Promise<Results> {
  const refusals = new Map<string, string>(), outcomes = new Map<string, Outcome>();
  await using plain = await makeWorld(user);
  const tried = new Set<string>();
  for (const probe of GROUPS.flatMap(({ probes }) => probes)) {
    if (await attempt(NONE, probe, plain) === "through") tried.add(probe.name);
  }
  for (const tool of [...OWN, ...PEERS]) {
    await using world = await makeWorld(user);
    const reason = await refusalOf(tool, world);
    print(`${user.name}, ${tool.name}: ${reason ?? "runs"}`);
    if (reason !== undefined) {
      refusals.set(tool.name, reason);
      continue;
    }
    for (const probe of GROUPS.flatMap(({ probes }) => probes)) {
      if (!tried.has(probe.name)) continue;
      const outcome = await attempt(tool, probe, world);
      outcomes.set(keyOf(tool, probe), outcome);
      if (outcome === "through") print(`  through: ${probe.name}`);
    }
  }
  return { user, refusals, outcomes };
}

async function refusalOf(tool: Tool, world: World): Promise<string | undefined> {
  if (tool.version() === undefined) return "not installed";
  tool.prepare?.(world);
  return await refusal(tool, world);
}

if (import.meta.main) {
  const results: Results[] = [];
  for (const user of users()) results.push(await resultsOf(user));
  const kernel = Deno.osRelease().match(/^\d+\.\d+/)![0];
  const page = new URL("../../docs/compared.md", import.meta.url);
  Deno.writeTextFileSync(page, await formatted(pageOf(results, kernel)));
}
