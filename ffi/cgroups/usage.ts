/**
 * The resources that the processes of a group use.
 *
 * @module
 */

import type { GroupDirectory } from "./plan.ts";
import { readEntry, readFile, readNumber } from "./files.ts";
import type { Controller } from "./hierarchies.ts";

/** What the processes of a group use, and used until now; `undefined` if no controller counts it. */
export interface Usage {
  /** Bytes of memory, page cache included. */
  readonly memory: number | undefined;
  /** The peak of the bytes of memory. */
  readonly memoryPeak: number | undefined;
  /** Processor time in seconds. */
  readonly cpu: number | undefined;
  /** The number of processes and threads. */
  readonly pids: number | undefined;
  /** Bytes read from block devices. */
  readonly ioRead: number | undefined;
  /** Bytes written to block devices. */
  readonly ioWritten: number | undefined;
}

/** Reads the usage from the controllers of these directories. */
export function usageOf(directories: readonly GroupDirectory[]): Usage {
  const of = (controller: Controller) =>
    directories.find(({ controllers }) => controllers.has(controller));
  return {
    ...memoryOf(of("memory")),
    cpu: cpuOf(of("cpuacct"), directories.find(({ version }) => version === 2)),
    pids: numberOf(of("pids"), "pids.current"),
    ...ioOf(of("io")),
  };
}

function memoryOf(group: GroupDirectory | undefined): Pick<Usage, "memory" | "memoryPeak"> {
  return group?.version === 1
    ? {
      memory: numberOf(group, "memory.usage_in_bytes"),
      memoryPeak: numberOf(group, "memory.max_usage_in_bytes"),
    }
    : { memory: numberOf(group, "memory.current"), memoryPeak: numberOf(group, "memory.peak") };
}

/** Version 2 counts processor time for every group, also without a controller. */
function cpuOf(
  old: GroupDirectory | undefined,
  unified: GroupDirectory | undefined,
): number | undefined {
  const nanoseconds = numberOf(old, "cpuacct.usage");
  if (nanoseconds !== undefined) return nanoseconds / 1e9;
  const microseconds = unified && readEntry(`${unified.directory}/cpu.stat`, "usage_usec");
  return microseconds === undefined ? undefined : microseconds / 1e6;
}

function ioOf(group: GroupDirectory | undefined): Pick<Usage, "ioRead" | "ioWritten"> {
  if (group === undefined) return { ioRead: undefined, ioWritten: undefined };
  const { directory, version } = group;
  if (version === 2) {
    const text = readFile(`${directory}/io.stat`);
    return { ioRead: sum(text, /\brbytes=(\d+)/g), ioWritten: sum(text, /\bwbytes=(\d+)/g) };
  }
  const text = readFile(`${directory}/blkio.throttle.io_service_bytes`);
  return { ioRead: sum(text, /\bRead (\d+)/g), ioWritten: sum(text, /\bWrite (\d+)/g) };
}

function numberOf(group: GroupDirectory | undefined, file: string): number | undefined {
  return group && readNumber(`${group.directory}/${file}`);
}

function sum(text: string | undefined, numbers: RegExp): number | undefined {
  return text?.matchAll(numbers).reduce((sum, [, number]) => sum + Number(number), 0);
}
