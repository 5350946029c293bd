/**
 * The flags that limit how much of the machine a sandbox may use.
 *
 * @module
 */

import type { Limits, SandboxOptions } from "../../mod.ts";
import type { Arguments } from "./arguments.ts";
import { bytesOf, millisecondsOf } from "./units.ts";
import { type Flag, UsageError } from "./usage.ts";

/** A number, or what lifts a limit. */
type Count = number | "unlimited";

/** The flags, by their names. */
export const LIMIT_FLAGS: readonly Flag[] = [
  { name: "memory", value: "SIZE", summary: "the memory of all its processes: 512m, 2g" },
  { name: "swap", value: "SIZE", summary: "the swap that they may use beside it: 0, 1g" },
  { name: "cpus", value: "NUMBER", summary: "how many processors' time it may use: 1.5" },
  {
    name: "pids",
    value: "NUMBER",
    summary: "how many processes and threads it may have, which is 4096",
  },
  { name: "timeout", value: "TIME", summary: "end it after this time: 30s, 5m, 2h" },
  { name: "open-files", value: "NUMBER", summary: "how many files a process may have open" },
  {
    name: "tmp-size",
    value: "SIZE",
    summary: "the size of /tmp, which is 25% of memory: 512m, unlimited",
  },
  { name: "shm-size", value: "SIZE", summary: "the size of /dev/shm, which is 64m" },
];

/** The options of a sandbox that limit it. */
export type LimitOptions = Pick<
  SandboxOptions,
  "limits" | "timeout" | "openFiles" | "tmp" | "shm"
>;

/** The options of a sandbox that the flags ask for. */
export function limitsOf(given: Arguments): LimitOptions {
  const [memory, swap] = [sizeOf(given, "memory"), sizeOf(given, "swap")];
  const [cpus, pids] = [numberOf(given, "cpus"), numberOf(given, "pids")];
  const [openFiles, timeout] = [numberOf(given, "open-files"), timeOf(given)];
  const [tmp, shm] = [fileSizeOf(given, "tmp-size"), fileSizeOf(given, "shm-size")];
  const limits: Limits = {
    ...(memory !== undefined && { memory }),
    ...(swap !== undefined && { swap }),
    ...(cpus !== undefined && { cpus }),
    ...(pids !== undefined && { pids }),
  };
  return {
    ...(Object.keys(limits).length > 0 && { limits }),
    ...(timeout !== undefined && { timeout }),
    ...(openFiles !== undefined && { openFiles }),
    ...(tmp !== undefined && { tmp }),
    ...(shm !== undefined && { shm }),
  };
}

function numberOf(given: Arguments, flag: string): Count | undefined {
  const value = given.value(flag);
  if (value === undefined || value === "unlimited") return value;
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value);
  throw new UsageError(`--${flag}=${value}: this is not a number, or "unlimited"`);
}

/** A size as the steps take it, which is looked at here so that the error names the flag. */
function sizeOf(given: Arguments, flag: string): string | undefined {
  const value = given.value(flag);
  if (value !== undefined && value !== "unlimited") bytesOf(value, flag);
  return value;
}

/** The same for files in memory, which may be a part of it. */
function fileSizeOf(given: Arguments, flag: string): string | undefined {
  const value = given.value(flag);
  return value !== undefined && /^\d+%$/.test(value) ? value : sizeOf(given, flag);
}

/** The time in milliseconds. */
function timeOf(given: Arguments): Count | undefined {
  const value = given.value("timeout");
  return value === undefined || value === "unlimited" ? value : millisecondsOf(value, "timeout");
}
