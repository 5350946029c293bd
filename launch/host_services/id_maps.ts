/**
 * Runs newuidmap(1) and newgidmap(1), which write the id maps that /etc/subuid and /etc/subgid
 * allow an unprivileged user.
 *
 * @module
 */

import { UnsupportedError } from "../../ffi/errors.ts";
import { collectSync } from "../collect.ts";
import type { ExecSpec } from "../exec.ts";
import type { LaunchedProcess } from "../launched_process.ts";
import { StandardStreams } from "../stdio.ts";
import { hostTool } from "./host_tool.ts";

/** Runs one of the tools to its end. */
export function runIdMapTool(
  spawn: (spec: ExecSpec) => LaunchedProcess,
  tool: string,
  args: readonly string[],
): void {
  const streams = new StandardStreams(["null", "null", "piped"]);
  let launched: LaunchedProcess;
  try {
    launched = spawn(hostTool(tool, args, streams.theirs));
  } catch (error) {
    streams.close();
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new UnsupportedError(
      `an ordinary user needs ${tool} to map more than their own id (Debian: uidmap); ` +
        "install it, or use mapRoot()",
      { cause: error },
    );
  }
  const { success, stderr } = collectSync(launched, streams.release(), undefined);
  if (success) return;
  throw new UnsupportedError(
    `${tool} ${args.join(" ")}: ${new TextDecoder().decode(stderr).trim()}`,
    {
      advice: ["/etc/subuid and /etc/subgid say which ids an ordinary user may map: see subuid(5)"],
    },
  );
}
