/** What a test could leave on the machine: looked at before it, and again after it. */

import { Engine } from "../ffi/engine/engine.ts";
import { linux } from "../mod.ts";

/** What there is, by kind: each thing as one line. */
export type Inventory = Readonly<Record<string, ReadonlySet<string>>>;

/** Looks at this process and what it can see of the machine. */
export function takeInventory(): Inventory {
  return {
    "child process": new Set(childProcesses()),
    "open file": new Set(openFiles()),
    "mount": new Set(lines("/proc/self/mountinfo")),
    "network interface": new Set(
      lines("/proc/net/dev").slice(2).map((line) => line.split(":")[0]!.trim()),
    ),
    "cgroup": new Set(childGroups()),
    "file": new Set(
      DIRECTORIES.flatMap((directory) => names(directory).map((name) => `${directory}/${name}`)),
    ),
    "mapping": new Set(Array.from({ length: mappings }, (_, index) => `${index + 1} of engines'`)),
    "state": new Set(states()),
  };
}

/**
 * What is there that was not there before, or `undefined` when nothing is. What the kernel takes
 * away in its own time is given a moment.
 */
export async function leftovers(before: Inventory): Promise<string | undefined> {
  let found = newSince(before);
  for (let attempt = 0; found.length > 0 && attempt < 100; attempt++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    found = newSince(before);
  }
  return found.length === 0 ? undefined : found.join("\n");
}

/** The same, while the script's thread waits: nothing of its own changes meanwhile. */
export function leftNow(before: Inventory): readonly string[] {
  let found = newSince(before);
  for (let attempt = 0; found.length > 0 && attempt < 100; attempt++) {
    rest();
    found = newSince(before);
  }
  return found;
}

/** Has this thread wait for a moment. */
export function rest(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
}

function newSince(before: Inventory): string[] {
  return Object.entries(takeInventory()).flatMap(([kind, things]) =>
    [...things].filter((thing) => !isKnown(kind, thing, before[kind]!))
      .map((thing) => `${kind}: ${thing}`)
  );
}

/** Whether it was there before; a process that has changed is the same one still. */
function isKnown(kind: string, thing: string, before: ReadonlySet<string>): boolean {
  if (kind !== "child process" || before.has(thing)) return before.has(thing);
  const pid = thing.split(" ")[0];
  return [...before].some((known) => known.split(" ")[0] === pid);
}

/** The directory of the host on which the recipes of the tests mount, and make files. */
const DIRECTORIES = ["/mnt"];

/** How often engines have allocated memory, less how often they have given it back. */
let mappings = 0;

const { allocate, release } = Engine.prototype;
Engine.prototype.allocate = function (...args) {
  const memory = allocate.apply(this, args);
  mappings++;
  return memory;
};
Engine.prototype.release = function (memory) {
  release.call(this, memory);
  mappings--;
};

/** The children of every thread, with those that have ended and nobody has waited for. */
function childProcesses(): string[] {
  return names("/proc/self/task").flatMap((thread) =>
    (read(`/proc/self/task/${thread}/children`) ?? "").split(" ").filter((pid) => pid !== "")
  ).map((pid) => `${pid} ${read(`/proc/${pid}/stat`)?.match(/\(.*\) \w/)?.[0] ?? ""}`);
}

/** What a launch changes of this process for a while. */
function states(): string[] {
  const blocked = read("/proc/thread-self/status")?.match(/^SigBlk:\s*(\w+)/m)?.[1];
  // An ordinary user may not open the files of an undumpable process in /proc, its own neither.
  const dumpable = linux.prctl(linux.PR_GET_DUMPABLE) === 1;
  return [`blocked signals ${blocked}`, ...(dumpable ? [] : ["undumpable"])];
}

function openFiles(): string[] {
  return names("/proc/self/fd").flatMap((number) => {
    try {
      const target = Deno.readLinkSync(`/proc/self/fd/${number}`);
      // The directory that is being read here is open too.
      return target.endsWith("/fd") ? [] : [`${number} ${target}`];
    } catch {
      return [];
    }
  });
}

/** The control groups below this process's own, in every hierarchy that is mounted where usual. */
function childGroups(): string[] {
  return lines("/proc/self/cgroup").flatMap((line) => {
    const [, controllers, group] = line.split(":") as [string, string, string];
    const hierarchies = controllers === ""
      ? ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"]
      : [`/sys/fs/cgroup/${controllers.replace("name=", "")}`];
    return hierarchies.flatMap((hierarchy) =>
      names(hierarchy + group)
        .filter((name) => isDirectory(`${hierarchy}${group}/${name}`))
        .map((name) => `${hierarchy}${group}/${name}`)
    );
  });
}

function names(directory: string): string[] {
  try {
    return [...Deno.readDirSync(directory)].map(({ name }) => name);
  } catch {
    return [];
  }
}

function isDirectory(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

function lines(path: string): string[] {
  return (read(path) ?? "").split("\n").filter((line) => line !== "");
}

function read(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return undefined;
  }
}
