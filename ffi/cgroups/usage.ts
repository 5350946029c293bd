/**
 * What the processes of a group use.
 *
 * @module
 */

import type { GroupDirectory } from "./plan.ts";
import { readEntry, readFile, readNumber } from "./files.ts";
import type { Controller } from "./hierarchies.ts";

/** What the processes of a group use, and have used; `undefined` where no controller counts it. */
export interface Usage {
  /** Bytes of memory, page cache included. */
  readonly memory: number | undefined;
  /** The most bytes of memory that there have been. */
  readonly memoryPeak: number | undefined;
  /** Seconds of time on processors. */
  readonly cpu: number | undefined;
  /** How many processes and threads there are. */
  readonly pids: number | undefined;
  /** Bytes read from block devices. */
  readonly ioRead: number | undefined;
  /** Bytes written to block devices. */
  readonly ioWritten: number | undefined;
}

/** Asks the controllers of these directories. */
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

function memoryOf(place: GroupDirectory | undefined): Pick<Usage, "memory" | "memoryPeak"> {
  return place?.version === 1
    ? {
      memory: numberOf(place, "memory.usage_in_bytes"),
      memoryPeak: numberOf(place, "memory.max_usage_in_bytes"),
    }
    : { memory: numberOf(place, "memory.current"), memoryPeak: numberOf(place, "memory.peak") };
}

/** Version 2 counts time for every group, with or without a controller. */
function cpuOf(
  old: GroupDirectory | undefined,
  unified: GroupDirectory | undefined,
): number | undefined {
  const nanoseconds = numberOf(old, "cpuacct.usage");
  if (nanoseconds !== undefined) return nanoseconds / 1e9;
  const microseconds = unified && readEntry(`${unified.directory}/cpu.stat`, "usage_usec");
  return microseconds === undefined ? undefined : microseconds / 1e6;
}

function ioOf(place: GroupDirectory | undefined): Pick<Usage, "ioRead" | "ioWritten"> {
  if (place === undefined) return { ioRead: undefined, ioWritten: undefined };
  const { directory, version } = place;
  if (version === 2) {
    const text = readFile(`${directory}/io.stat`);
    return { ioRead: sum(text, /\brbytes=(\d+)/g), ioWritten: sum(text, /\bwbytes=(\d+)/g) };
  }
  const text = readFile(`${directory}/blkio.throttle.io_service_bytes`);
  return { ioRead: sum(text, /\bRead (\d+)/g), ioWritten: sum(text, /\bWrite (\d+)/g) };
}

function numberOf(place: GroupDirectory | undefined, file: string): number | undefined {
  return place && readNumber(`${place.directory}/${file}`);
}

function sum(text: string | undefined, numbers: RegExp): number | undefined {
  return text?.matchAll(numbers).reduce((sum, [, number]) => sum + Number(number), 0);
}
