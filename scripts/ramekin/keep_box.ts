/**
 * Builds a box for `ramekin sandbox`, and keeps it.
 *
 * @module
 */

import { buildBox } from "../../box/mod.ts";
import { RamekinError } from "../../mod.ts";
import { readArguments } from "./arguments.ts";
import { boxedSandbox, IN_BOX } from "./box_flags.ts";
import { isDetached } from "./detach_flags.ts";
import type { KeptBox } from "./kept_box.ts";
import { HERE, optionsOf, visibleDirectory } from "./sandbox.ts";
import { SUBCOMMANDS } from "./subcommands.ts";
import { UsageError } from "./usage.ts";

/** How many boxes are kept. Those that were built first go first. */
const MOST = 256;

/**
 * Builds the box and keeps it; returns whether it is there now. What a box cannot do is noted, so that
 * it is not tried again.
 */
export function keepBox(kept: KeptBox): boolean {
  try {
    Deno.mkdirSync(kept.directory, { recursive: true, mode: 0o700 });
    if (!kept.isSafe()) return false;
    const bytes = bytesOf(kept.flags);
    write(kept, new Uint8Array([...bytes ?? [], ...kept.key]));
    forgetOldest(kept.directory);
    return bytes !== undefined;
  } catch {
    // A full disk, or files that are not there any more: the script goes on without a box.
    return false;
  }
}

/** Returns the box; `undefined` where there can be none, whose reason the script finds and tells. */
function bytesOf(flags: readonly string[]): Uint8Array<ArrayBuffer> | undefined {
  try {
    const subcommand = SUBCOMMANDS.find(({ name }) => name === "sandbox")!;
    const given = readArguments(flags, subcommand);
    if (isDetached(given)) return undefined;
    // It is for this machine and directory, and the paths are of those.
    const box = boxedSandbox(given, { ...IN_BOX, path: HERE.path, optional: HERE.optional });
    if (box.steps.some(({ step }) => OF_SCRIPTS.has(step))) return undefined;
    const isThere = visibleDirectory(optionsOf(given, HERE)) !== undefined;
    return buildBox(box, { cwd: isThere ? "caller" : "root" });
  } catch (error) {
    if (error instanceof UsageError || error instanceof RamekinError) return undefined;
    throw error;
  }
}

/**
 * Steps of which a script does more: of its group it tells what was used up, and why there can be none;
 * and it protects and denies what it finds.
 */
const OF_SCRIPTS: ReadonlySet<string> = new Set(["limits", "protect", "denyFiles"]);

/** Writes a file whole, so that another process never executes a part of it. */
function write({ directory, path }: KeptBox, bytes: Uint8Array<ArrayBuffer>): void {
  const name = `${directory}/.${crypto.randomUUID()}`;
  try {
    Deno.writeFileSync(name, bytes, { mode: 0o700, createNew: true });
    Deno.renameSync(name, path);
  } catch (error) {
    Deno.removeSync(name);
    throw error;
  }
}

function forgetOldest(directory: string): void {
  const files = Array.from(Deno.readDirSync(directory), ({ name }) => `${directory}/${name}`);
  if (files.length <= MOST) return;
  const ages = files.map((path) => ({ path, time: Deno.statSync(path).mtime?.getTime() ?? 0 }));
  ages.sort((one, other) => one.time - other.time);
  // Some at a time, so that not each further box has all of them looked at.
  for (const { path } of ages.slice(0, files.length - MOST / 2)) Deno.removeSync(path);
}
