/**
 * Launches each recipe of the fault tests once, for a tracer around this script. Before a launch it
 * checks for a file with a name that marks the launch, and prints the plan as a line of JSON.
 */

import { RecipeError, SyscallError, UnsupportedError } from "../../mod.ts";
import { HUB, STEP_RECIPES } from "../faults/step_recipes.ts";
import { MARK, type TracedLaunch } from "./traced_launch.ts";

for (const [name, make] of Object.entries(STEP_RECIPES)) {
  await using hub = HUB.command("sleep", { args: ["infinity"] }).spawn();
  try {
    const command = make(hub).command("/bin/true");
    const calls = command.plan().entries.filter(({ by }) => by === "container")
      .map(({ call, unless }) => ({ call, unless }));
    mark(name);
    // A proxy takes the event loop.
    const { success } = name === "proxy" ? await command.output() : command.outputSync();
    mark("nothing");
    report({ name, calls, lacks: success ? undefined : "the program has failed" });
  } catch (error) {
    mark("nothing");
    if (![SyscallError, RecipeError, UnsupportedError].some((kind) => error instanceof kind)) {
      throw error;
    }
    report({ name, calls: [], lacks: (error as Error).message });
  }
}

function mark(name: string): void {
  try {
    Deno.lstatSync(MARK + name);
  } catch {
    // The file does not exist; the tracer sees its name.
  }
}

function report(launch: TracedLaunch): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(launch)}\n`));
}
