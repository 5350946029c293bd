/**
 * Scripts that a shell starts, with what a program may take over from them: streams, umask, ignored
 * signals, limits.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { decode } from "../other_scripts.ts";

const MOD = new URL("../../mod.ts", import.meta.url).href;

/** A script, started by a shell as it stands between the two. */
export interface Start {
  /** What the shell does before. */
  readonly before?: string;
  /** The command that the shell executes, with the script as its arguments. */
  readonly by?: string;
  /** The redirections. */
  readonly redirected?: string;
  readonly cwd?: string;
}

const PRELUDE = `
  import * as ramekin from "${MOD}";
  const { sandbox, recipe } = ramekin;
  const sh = (box, script, options) => box.command("sh", { args: ["-c", script], ...options });
  const inside = (box, script) =>
    new TextDecoder().decode(sh(box, script, { stderr: "inherit" }).outputSync().stdout);
  const print = (text) => Deno.stdout.writeSync(new TextEncoder().encode(text));
`;

/** Runs a script to its end, and returns its code and output. */
export function started(
  code: string,
  { before = "", by = "", redirected = "", cwd = "/" }: Start = {},
): { code: number; stdout: string; stderr: string } {
  const file = Deno.makeTempFileSync({ suffix: ".ts" });
  try {
    Deno.writeTextFileSync(file, PRELUDE + code);
    const deno = [Deno.execPath(), "run", "-A", "--no-check", "--no-config", "--quiet", file];
    const { code: status, stdout, stderr } = new Deno.Command("sh", {
      args: ["-c", `${before}\n${by} "$@" ${redirected}`, "sh", ...deno],
      env: { NO_COLOR: "1" },
      cwd,
    }).outputSync();
    return { code: status, stdout: decode(stdout), stderr: decode(stderr) };
  } finally {
    Deno.removeSync(file);
  }
}

/** Returns what a successful script prints. */
export function printed(code: string, start: Start = {}): string {
  const { code: status, stdout, stderr } = started(code, start);
  assertEquals([status, stderr], [0, ""]);
  return stdout;
}
