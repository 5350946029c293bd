/** Signals of the OCI runtime, to no process that only has the number of another. */

import { assertEquals } from "@std/assert";
import { SIGNALS } from "../../ffi/calls/processes.ts";
import { processIdentity } from "../../ffi/proc/process_identity.ts";
import { signalFound, signalProcess } from "../../oci/signal.ts";
import { test } from "../support.ts";

test("a process that has got the number of another one is not signaled", async () => {
  const child = new Deno.Command("sleep", { args: ["600"] }).spawn();
  const { pid, started } = processIdentity(child.pid);
  signalProcess({ pid, started: started - 1 }, SIGNALS.SIGKILL);
  // It is not found again: its number was that of a process which has ended.
  const answers = [[pid], []];
  assertEquals(signalFound(() => answers.shift()!, SIGNALS.SIGKILL), [pid]);
  // A signal that it survives would end this test otherwise.
  signalProcess({ pid, started }, SIGNALS.SIGTERM);
  assertEquals((await child.status).signal, "SIGTERM");
  signalProcess({ pid, started }, SIGNALS.SIGTERM);
});
