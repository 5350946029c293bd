/** What a test could leave on the machine: looked at before it, and again after it. */

import { linux } from "../../mod.ts";

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
    // An ordinary user may not open the files of an undumpable process in /proc, its own neither.
    "state": new Set(linux.prctl(linux.PR_GET_DUMPABLE) === 1 ? [] : ["undumpable"]),
  };
}

/**
 * What is there that was not there before, or `undefined` when nothing is. What the kernel takes
 * away in its own time is given a moment.
 */
export async function leftovers(before: Inventory): Promise<string | undefined> {
  let found: string[] = [];
  for (let attempt = 0; attempt < 100; attempt++) {
    found = Object.entries(takeInventory()).flatMap(([kind, things]) =>
      [...things.difference(before[kind]!)].map((thing) => `${kind}: ${thing}`)
    );
    if (found.length === 0) return undefined;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return found.join("\n");
}

/** The children of every thread, with those that have ended and nobody has waited for. */
function childProcesses(): string[] {
  return names("/proc/self/task").flatMap((thread) =>
    (read(`/proc/self/task/${thread}/children`) ?? "").split(" ").filter((pid) => pid !== "")
  ).map((pid) => `${pid} ${read(`/proc/${pid}/stat`)?.match(/\(.*\) \w/)?.[0] ?? ""}`);
}

function openFiles(): string[] {
  return names("/proc/self/fd").flatMap((number) => {
    try {
      const target = Deno.readLinkSync(`/proc/self/fd/${number}`);
      // The folder that is being read here is open too.
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
        .filter((name) => isFolder(`${hierarchy}${group}/${name}`))
        .map((name) => `${hierarchy}${group}/${name}`)
    );
  });
}

function names(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].map(({ name }) => name);
  } catch {
    return [];
  }
}

function isFolder(path: string): boolean {
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
