/**
 * A script that runs a program in a sandbox, with the module in one file, and passes on what it has
 * collected of its output.
 */

import type * as ramekin from "../../mod.ts";

const file = new URL("../../dist/ramekin.js", import.meta.url).href;
const { OutputLimitError, sandbox } = await import(file) as typeof ramekin;

const [project, program, ...args] = Deno.args as [string, string, ...string[]];
const box = sandbox({ write: [project], cwd: project });
const isCollected = !Deno.stdout.isTerminal() && Deno.env.get("STREAMS") !== "inherit";
const stream = isCollected ? "piped" : "inherit";
const command = box.command(program, { args, stdin: "inherit", stdout: stream, stderr: "inherit" });
try {
  if (isCollected) {
    const { code, stdout } = await command.output();
    Deno.stdout.writeSync(stdout);
    Deno.exitCode = code;
  } else {
    Deno.exitCode = (await command.spawn().status).code;
  }
} catch (error) {
  if (!(error instanceof OutputLimitError)) throw error;
  Deno.exitCode = 125;
}
