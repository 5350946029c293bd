/**
 * The verb `planner`.
 *
 * @module
 */

import { buildOf } from "../build.ts";
import type { FlagTable, Given } from "../command_line.ts";
import { OciError } from "../errors.ts";
import { Planner } from "../planner/serve.ts";
import { plannerSocket } from "../planner/socket_path.ts";
import type { Runtime } from "../runtime.ts";

export const flags: FlagTable = { values: [], switches: [] };

/** Serves until SIGTERM or SIGINT. */
export async function run(_runtime: Runtime, { words }: Given): Promise<number> {
  if (words.length > 0) throw new OciError(`${words[0]}: one word too many`);
  const planner = new Planner(plannerSocket(), buildOf(new URL(Deno.mainModule).pathname));
  // They are the planner's own, and none of its containers'.
  for (const name of ["NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID"]) Deno.env.delete(name);
  Deno.chdir("/");
  const stop = () => planner.stop();
  const signals = ["SIGTERM", "SIGINT"] as const;
  for (const signal of signals) Deno.addSignalListener(signal, stop);
  await planner.serve();
  return 0;
}
