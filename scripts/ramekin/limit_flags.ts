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
  {
    name: "memory",
    value: "SIZE",
    check: sizeOf,
    summary: "the memory of all its processes: 512m, 2g",
  },
  {
    name: "swap",
    value: "SIZE",
    check: sizeOf,
    summary: "the swap that they may use beside it: 0, 1g",
  },
  {
    name: "cpus",
    value: "NUMBER",
    check: numberOf,
    summary: "how many processors' time it may use: 1.5",
  },
  {
    name: "pids",
    value: "NUMBER",
    check: numberOf,
    summary: "how many processes and threads it may have, which is 4096",
  },
  {
    name: "timeout",
    value: "TIME",
    check: timeOf,
    summary: "end it after this time: 30s, 5m, 2h",
  },
  {
    name: "open-files",
    value: "NUMBER",
    check: numberOf,
    summary: "how many files a process may have open",
  },
  {
    name: "tmp-size",
    value: "SIZE",
    check: fileSizeOf,
    summary: "the size of /tmp, which is 25% of memory: 512m, unlimited",
  },
  {
    name: "shm-size",
    value: "SIZE",
    check: fileSizeOf,
    summary: "the size of /dev/shm, which is 64m",
  },
];

/** The options of a sandbox that limit it. */
export type LimitOptions = Pick<
  SandboxOptions,
  "limits" | "timeout" | "openFiles" | "tmp" | "shm"
>;

/** The options of a sandbox that the flags ask for. */
export function limitsOf(given: Arguments): LimitOptions {
  const read = <T>(flag: string, how: (text: string, flag: string) => T) => {
    const text = given.value(flag);
    return text === undefined ? undefined : how(text, flag);
  };
  const [memory, swap] = [read("memory", sizeOf), read("swap", sizeOf)];
  const [cpus, pids] = [read("cpus", numberOf), read("pids", numberOf)];
  const [openFiles, timeout] = [read("open-files", numberOf), read("timeout", timeOf)];
  const [tmp, shm] = [read("tmp-size", fileSizeOf), read("shm-size", fileSizeOf)];
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

function numberOf(text: string, flag: string): Count {
  if (text === "unlimited") return text;
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  throw new UsageError(`--${flag}=${text}: this is not a number, or "unlimited"`);
}

/** A size as the steps take it, which is looked at here so that the error names the flag. */
function sizeOf(text: string, flag: string): string {
  if (text !== "unlimited") bytesOf(text, flag);
  return text;
}

/** The same for files in memory, which may be a part of it. */
function fileSizeOf(text: string, flag: string): string {
  return /^\d+%$/.test(text) ? text : sizeOf(text, flag);
}

/** The time in milliseconds. */
function timeOf(text: string, flag: string): Count {
  return text === "unlimited" ? text : millisecondsOf(text, flag);
}
