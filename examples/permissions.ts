/**
 * A recipe can come from somebody whom one does not trust. It can be asked what it needs of this
 * machine, and is held to what it is granted before anything runs, in the manner of a Deno worker.
 *
 * Prints:
 *
 *     It needs read /etc/hosts, for step ... (bind)
 *     Where that is granted, it counts ... lines.
 *     Where it is not:
 *         step ... (bind): not granted: read /etc/hosts
 *           --allow-read=/etc/hosts, or { read: ["/etc/hosts"] }, grants it
 *     Held to what this script may: no grant to read
 *     One that would write there: no grant to write
 */

// deno-lint-ignore-file no-console

import { describeAccess, PermissionError, type Permissions, type Recipe, sandbox } from "../mod.ts";

/** Programs, and those of their files in /etc that they cannot do without. */
const system = sandbox().needs().flatMap((need) => need.kind === "read" ? [need.path] : []);

/** What somebody has sent: it reads a file of this machine. */
const sent = sandbox({ read: ["/etc/hosts"] });
for (const need of sent.needs()) {
  if (need.kind === "read" && !system.includes(need.path)) {
    console.log("It needs", describeAccess(need));
  }
}

function run(box: Recipe, permissions: Permissions): string {
  const args = ["-c", "wc -l < /etc/hosts"];
  const { stdout } = box.command("sh", { args, permissions }).outputSync();
  return new TextDecoder().decode(stdout).trim();
}

function refusal(box: Recipe, permissions: Permissions): PermissionError {
  try {
    run(box, permissions);
  } catch (error) {
    if (error instanceof PermissionError) return error;
    throw error;
  }
  throw new Error("it has run");
}

const granted = { read: [...system, "/etc/hosts"] };
console.log(`Where that is granted, it counts ${run(sent, granted)} lines.`);
console.log("Where it is not:");
console.log(refusal(sent, { read: system }).message.replaceAll(/^/gm, "    "));
console.log("Held to what this script may: no grant to", refusal(sent, "inherit").grant);
const greedy = sandbox({ write: ["/etc/hosts"] });
console.log("One that would write there: no grant to", refusal(greedy, granted).grant);
