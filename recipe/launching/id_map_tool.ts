/**
 * newuidmap(1) and newgidmap(1): they write the id maps of an ordinary user, as /etc/subuid and
 * /etc/subgid allow.
 *
 * @module
 */

import { UnsupportedError } from "../../ffi/errors.ts";
import { collectSync } from "../running/collect_sync.ts";
import { Draft } from "../drafting/draft.ts";
import { hostTool } from "./host_tool.ts";
import type { Launched } from "./launched.ts";
import type { Order } from "./order.ts";
import { StandardStreams } from "../running/stdio.ts";

/** Runs such a tool to its end. */
export function runIdMapTool(
  launch: (draft: Draft, order: Order) => Launched,
  tool: string,
  args: readonly string[],
): void {
  const streams = new StandardStreams(["null", "null", "piped"]);
  let launched: Launched;
  try {
    launched = launch(new Draft([]), hostTool(tool, args, streams.theirs));
  } catch (error) {
    streams.close();
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new UnsupportedError(
      `an ordinary user needs ${tool} to map more than the own id (Debian: uidmap); ` +
        "install it, or use mapRoot()",
      { cause: error },
    );
  }
  const { success, stderr } = collectSync(launched, streams.release(), undefined);
  if (success) return;
  throw new UnsupportedError(
    `${tool} ${args.join(" ")}: ${new TextDecoder().decode(stderr).trim()}\n` +
      "  /etc/subuid and /etc/subgid say which ids an ordinary user may map: see subuid(5)",
  );
}
