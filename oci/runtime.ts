/**
 * What every verb of the runtime knows: where containers are recorded, and the flags before the
 * verb.
 *
 * @module
 */

import { escapeControls } from "../ffi/control_characters.ts";
import { type FlagTable, type Given, isSet, valueOf } from "./command_line.ts";
import { OciError } from "./errors.ts";

/** The flags before a verb. */
export const GLOBAL_FLAGS: FlagTable = {
  values: ["root", "log", "log-format", "log-level", "cgroup-manager", "rootless"],
  switches: ["debug", "systemd-cgroup", "version", "help"],
  letters: { v: "version", h: "help" },
  endsAtWord: 1,
};

/** The settings of one call of the runtime. */
export interface Runtime {
  /** The directory with a directory for each container. */
  readonly root: string;
  /** The file for failures, if there is one. */
  readonly log: string | undefined;
  readonly logFormat: "text" | "json";
  /** Whether containers get control groups. */
  readonly cgroups: boolean;
}

/** Reads the global flags. */
export function runtimeOf(given: Given): Runtime {
  const manager = valueOf(given, "cgroup-manager");
  if (isSet(given, "systemd-cgroup") || manager === "systemd") {
    throw new OciError(
      "units of systemd are not supported as control groups: nobody is asked for them over D-Bus; " +
        "use --cgroup-manager=cgroupfs, or without the flag --systemd-cgroup",
    );
  }
  if (manager !== undefined && manager !== "cgroupfs" && manager !== "disabled") {
    throw new OciError(`unknown cgroup manager ${manager}`);
  }
  const format = valueOf(given, "log-format");
  return {
    root: valueOf(given, "root") ?? `${stateDirectory()}/ramekin`,
    log: valueOf(given, "log")?.replace(/^file:/, ""),
    logFormat: format === "json" ? "json" : "text",
    cgroups: manager !== "disabled",
  };
}

/**
 * The directory of what is there until the machine restarts. Root of a user has its own. One of another
 * user, which su(1) leaves to root, is passed over: who can write there would have hooks run.
 */
export function stateDirectory(): string {
  const own = Deno.env.get("XDG_RUNTIME_DIR");
  return own !== undefined && own !== "" && isOwn(own) ? own : "/run";
}

function isOwn(directory: string): boolean {
  try {
    return Deno.statSync(directory).uid === Deno.uid();
  } catch {
    return false;
  }
}

/** Writes a failure where engines read it: a line in the log, and the same words to stderr. */
export function reportFailure(runtime: Pick<Runtime, "log" | "logFormat">, words: string): void {
  writeAll(Deno.stderr, logFailure(runtime, words));
}

/** Writes a failure in the log, and returns what is for stderr. */
export function logFailure(runtime: Pick<Runtime, "log" | "logFormat">, words: string): string {
  writeLog(runtime, "error", words);
  return said(words);
}

/** Writes what has failed and changes nothing: a line in the log, and the same words to stderr. */
export function reportWarning(runtime: Pick<Runtime, "log" | "logFormat">, words: string): void {
  writeLog(runtime, "warning", words);
  writeAll(Deno.stderr, said(`warning: ${words}`));
}

/**
 * Writes a line in the log, if there is one. Engines that read it want one line for a failure, and
 * nothing besides.
 */
function writeLog(
  { log, logFormat }: Pick<Runtime, "log" | "logFormat">,
  level: "error" | "warning",
  words: string,
): void {
  if (log === undefined) return;
  const time = new Date().toISOString();
  const line = logFormat === "json"
    ? JSON.stringify({ level, msg: words, time })
    : `time="${time}" level=${level} msg=${JSON.stringify(words)}`;
  try {
    Deno.writeTextFileSync(log, `${line}\n`, { append: true });
  } catch {
    // A failure is said on stderr.
  }
}

/** Returns the line for stderr; words can be those of the container. */
function said(words: string): string {
  return `ramekin: ${escapeControls(words)}\n`;
}

/** Writes a text. */
export function writeAll(to: { writeSync(bytes: Uint8Array): number }, text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += to.writeSync(bytes.subarray(at));
}
