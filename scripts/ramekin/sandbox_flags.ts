/**
 * The flags that set the options of `sandbox()`, for errors: who writes flags knows no options.
 *
 * @module
 */

import { RamekinError, type SandboxOptions } from "../../mod.ts";
import { UsageError } from "./usage.ts";

/** The flag of each option; `undefined` for what is set by several, or by none. */
const FLAG_OF: Readonly<Record<keyof SandboxOptions, string | undefined>> = {
  architectures: "32-bit",
  bind: "bind",
  changes: undefined,
  cwd: "cwd",
  degrade: "degrade",
  denyNet: "deny-net",
  denyRead: "deny-read",
  denyWrite: "deny-write",
  devices: "allow-device",
  dropGroups: "drop-groups",
  env: "allow-env",
  gpus: "gpus",
  hostname: "hostname",
  limits: undefined,
  maxOutput: undefined,
  nest: "nest",
  net: "allow-net",
  openFiles: "open-files",
  overlay: "overlay",
  protect: "protect",
  read: "allow-read",
  root: "root",
  setEnv: "setenv",
  setuidFiles: "setuid-files",
  shm: "shm-size",
  timeout: "timeout",
  tmp: "tmp-size",
  tmpfs: "tmpfs",
  tryRead: "try-read",
  unixSockets: "unix-sockets",
  weakerProc: "weaker-proc",
  write: "allow-write",
};

/** The flags of the fields of `limits`, which are in the texts of its errors. */
const FLAGS: Readonly<Record<string, string | undefined>> = {
  ...FLAG_OF,
  cpus: "cpus",
  memory: "memory",
  pids: "pids",
  swap: "swap",
};

/**
 * Makes a sandbox; an error of an option is one of its flag.
 *
 * @throws {UsageError} that names the flag
 */
export function byFlags<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof RamekinError) || error.step !== "sandbox") throw error;
    const flag = FLAGS[error.field ?? ""];
    // Other options are named in quotes.
    const issue = error.issue.replaceAll(
      /"(\w+)"/g,
      (text, name) => Object.hasOwn(FLAGS, name) && FLAGS[name] ? `--${FLAGS[name]}` : text,
    );
    throw new UsageError(flag === undefined ? issue : `--${flag}: ${issue}`);
  }
}
