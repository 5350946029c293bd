/**
 * A script that makes one container, and waits in one call of the launch for a second:
 * `slow_script.ts SHAPE CALL MARKER`. With "list" as the call, it prints the numbers of the calls
 * in which it can wait.
 */

import type { Call } from "../../ffi/call.ts";
import { ppoll } from "../../ffi/calls/processes.ts";
import { assemble, recordOffset, type SyscallProgram } from "../../ffi/engine/program.ts";
import { engine } from "../../ffi/engine/engine.ts";
import { PermissionSet } from "../../permissions/permission_set.ts";
import { execSpec } from "../../launch/exec.ts";
import { Launcher } from "../../launch/launcher.ts";
import { planRecipe } from "../../plan/plan_recipe.ts";
import { SHAPES } from "./shapes.ts";

const [name, call, marker] = Deno.args as [string, string, string];

/**
 * The calls that no wait may replace: without them, calls for the container would change the script
 * or the host.
 */
const NEEDED = ["clone", "clone3", "unshare", "setns", "exit_group"];

/** Returns the calls that can be left out, without repeated ones. */
function places(calls: readonly Call[]): number[] {
  return [...calls.keys()].filter((index) =>
    !NEEDED.includes(calls[index]!.name) && calls[index]!.name !== calls[index - 1]?.name
  );
}

/** Replaces a call by a wait of a second. */
function stayIn(program: SyscallProgram, index: number): void {
  const wait = assemble([{ call: ppoll([], undefined) }], engine().architecture);
  const view = new DataView(program.bytes.buffer, program.bytes.byteOffset);
  const record = recordOffset(index);
  const template = new DataView(wait.bytes.buffer);
  view.setInt32(record, template.getInt32(recordOffset(0), true), true);
  view.setInt32(record + 4, 0, true);
  const [first, second] = [record + 32, record + 80];
  program.bytes.fill(0, first, second);
  const relocations = program.relocations as number[];
  for (let i = relocations.length - 1; i >= 0; i--) {
    if (relocations[i]! >= first && relocations[i]! < second) relocations.splice(i, 1);
  }
  // The timeout is stored in the cells of arguments that the call does not have.
  view.setBigInt64(first + 16, BigInt(first + 32), true);
  relocations.push(first + 16);
  view.setBigInt64(first + 32, 1n, true);
}

const { box, permissions, timeout } = SHAPES[name]!;
const gate = permissions && { network: new PermissionSet(permissions).network };
const launcher = new Launcher(planRecipe(box.steps, gate));
const spec = execSpec("sleep", {
  args: ["1000", `0.${marker}`],
  environment: { inherited: [], changes: new Map() },
  searchPath: "/usr/bin:/bin",
  timeLimit: timeout,
});

const print = (text: string) => Deno.stdout.writeSync(new TextEncoder().encode(text));
if (call !== "list") print("ready\n");
launcher.spawn(spec, (program) => {
  if (call === "list") {
    print(JSON.stringify(places(program.calls)));
    Deno.exit();
  }
  stayIn(program, Number(call));
});
