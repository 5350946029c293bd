/**
 * A time namespace has clocks of its own for the time since boot: here the machine seems to have
 * run for 1000 days more. The time of day cannot differ. See time_namespaces(7).
 *
 * Prints:
 *
 *     Outside, up for ... seconds.
 *     Inside, up for ... seconds.
 *     That is 1000 days more.
 */
// deno-lint-ignore-file no-console

import { mapRoot, recipe, timeOffset, unshare } from "../mod.ts";

const DAY = 24 * 60 * 60;
const host = recipe();
const older = recipe(unshare("user", "time"), mapRoot(), timeOffset({ boottime: 1000 * DAY }));

async function uptime(where: typeof host): Promise<number> {
  const { stdout } = await where.command("cat", { args: ["/proc/uptime"] }).output();
  return parseFloat(new TextDecoder().decode(stdout));
}

const [outside, inside] = [await uptime(host), await uptime(older)];
console.log(`Outside, up for ${outside} seconds.`);
console.log(`Inside, up for ${inside} seconds.`);
console.log(`That is ${Math.round((inside - outside) / DAY)} days more.`);
