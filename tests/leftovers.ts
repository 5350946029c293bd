/**
 * An inventory of what a test could leave on the machine, which is taken before and after it.
 * Others use the machine at the same time, so it has only what this process or its scripts can have
 * made: its children, files and memory, control groups that are named after it, and mounts,
 * interfaces and files at the paths and names of the tests.
 *
 * @module
 */

import { scriptsName } from "../ffi/cgroups/naming.ts";
import { Engine } from "../ffi/engine/engine.ts";
import { linux } from "../mod.ts";

/** An inventory by kind; each item is a line. */
export type Inventory = Readonly<Record<string, ReadonlySet<string>>>;

/** Lists what this process has, and what it can have made on the machine. */
export function takeInventory(): Inventory {
  return {
    "child process": new Set(childProcesses()),
    "open file": new Set(openFiles()),
    // Those of the machine are root's, whose tests run at the same time.
    "mount": new Set(isRoot ? mounts() : []),
    "network interface": new Set(isRoot ? interfaces() : []),
    "cgroup": new Set(groups()),
    "file": new Set(
      DIRECTORIES.flatMap((directory) => names(directory).map((name) => `${directory}/${name}`)),
    ),
    "mapping": new Set(Array.from({ length: mappings }, (_, index) => `${index + 1} of engines'`)),
    "state": new Set(states()),
  };
}

/** How often it is looked: the kernel takes its time on a busy machine, and 30 seconds are enough. */
const PATIENCE = 1500;

/**
 * Returns what is new since the inventory, or `undefined`. Waits a little for what the kernel
 * removes with a delay.
 *
 * @param kept what may be new
 */
export async function leftovers(before: Inventory, kept?: RegExp): Promise<string | undefined> {
  const look = () => newSince(before).filter((line) => kept?.test(line) !== true);
  let found = look();
  for (let attempt = 0; found.length > 0 && attempt < PATIENCE; attempt++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    found = look();
  }
  return found.length === 0 ? undefined : found.join("\n");
}

/** Returns the same, but blocks the script's thread. */
export function leftNow(before: Inventory, attempts = PATIENCE): readonly string[] {
  let found = newSince(before);
  for (let attempt = 0; found.length > 0 && attempt < attempts; attempt++) {
    rest();
    found = newSince(before);
  }
  return found;
}

/** Blocks this thread for a moment. */
export function rest(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
}

function newSince(before: Inventory): string[] {
  return Object.entries(takeInventory()).flatMap(([kind, things]) =>
    [...things].filter((thing) => !isKnown(kind, thing, before[kind]!))
      .map((thing) => `${kind}: ${thing}`)
  );
}

/** Whether it was there before; a process in another state is the same. */
function isKnown(kind: string, thing: string, before: ReadonlySet<string>): boolean {
  if (kind !== "child process" || before.has(thing)) return before.has(thing);
  const pid = thing.split(" ")[0];
  return [...before].some((known) => known.split(" ")[0] === pid);
}

/** The directory for temporary files of this process's tests. */
const TEMPORARY = temporaryDirectory();

/** Makes it, and sets it for `Deno.makeTempDir()`, here and in the tests' scripts. */
function temporaryDirectory(): string {
  const before = Deno.env.get("TMPDIR");
  if (before !== undefined && /\/ramekin-tests-\w+$/.test(before)) return before;
  // A killed run leaves its directory, and its number comes again.
  const directory = Deno.makeTempDirSync({ prefix: "ramekin-tests-" });
  Deno.chmodSync(directory, 0o1777);
  Deno.env.set("TMPDIR", directory);
  addEventListener("unload", () => {
    if (before === undefined) Deno.env.delete("TMPDIR");
    else Deno.env.set("TMPDIR", before);
    // Its files are not removed: they could be on a mount of something else.
    if (names(directory).length === 0) Deno.removeSync(directory);
  });
  return directory;
}

const isRoot = Deno.uid() === 0;

/** Where recipes of the tests mount and make files; only root may in the first. */
const DIRECTORIES = isRoot ? ["/mnt", TEMPORARY] : [TEMPORARY];

/** The number of allocations of engines that were not released. */
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

/** The children of every thread, zombies included. */
function childProcesses(): string[] {
  return names("/proc/self/task").flatMap((thread) =>
    (read(`/proc/self/task/${thread}/children`) ?? "").split(" ").filter((pid) => pid !== "")
  ).map((pid) => `${pid} ${read(`/proc/${pid}/stat`)?.match(/\(.*\) \w/)?.[0] ?? ""}`);
}

/** The state of this process that a launch changes temporarily. */
function states(): string[] {
  const blocked = read("/proc/thread-self/status")?.match(/^SigBlk:\s*(\w+)/m)?.[1];
  // An unprivileged user may not open /proc files of an undumpable process, not even of its own.
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

/**
 * Directories of the host in which only a step that fails to stay in its root mounts, at any depth.
 */
const UNTOUCHED = [
  ...DIRECTORIES,
  "/bin",
  "/dev",
  "/etc",
  "/lib",
  "/proc",
  "/sbin",
  "/sys",
  "/usr",
];

/** Directories on which steps mount, and in which others have mounts too. */
const SHARED = ["/", "/home", "/opt", "/root", "/run", "/srv", "/tmp", "/var", "/var/tmp"];

/** The mounts of this namespace that are where the tests mount. */
function mounts(): string[] {
  return lines("/proc/self/mountinfo").filter((line) => {
    const point = line.split(" ")[4]!;
    return SHARED.includes(point) || UNTOUCHED.some((path) => `${point}/`.startsWith(`${path}/`));
  });
}

/** The names of interfaces of tests, and the kernel's default names. */
const INTERFACE =
  /^(veth\d+|eth0\.1|a|b|box|br0|far|holder|inner|lan|m|near|tap0|uplink|wan|wire|x|y)$/;

function interfaces(): string[] {
  return lines("/proc/net/dev").slice(2).map((line) => line.split(":")[0]!.trim())
    .filter((name) => INTERFACE.test(name));
}

/** The processes whose control groups are listed. */
const scripts = new Set([Deno.pid]);

/** Adds the control groups of a script that a test has started to the inventory. */
export function claim(script: number): void {
  scripts.add(script);
}

/**
 * Returns the control groups of those scripts, beside or below this process's own, in every
 * hierarchy with the usual mount point. The group that a script itself is in does not count.
 */
function groups(): string[] {
  const pidNamespace = ownersPart()?.[1];
  return lines("/proc/self/cgroup").flatMap((line) => {
    const [, controllers, group] = line.split(":") as [string, string, string];
    const hierarchies = controllers === ""
      ? ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"]
      : [`/sys/fs/cgroup/${controllers.replace("name=", "")}`];
    return hierarchies.flatMap((hierarchy) => [`${hierarchy}${group}`, `${hierarchy}${group}/..`])
      .flatMap((directory) =>
        names(directory).filter((name) => {
          const [, namespace, pid, , rest] = partsOf(name) ?? [];
          return namespace === pidNamespace && scripts.has(Number(pid)) && rest !== "script";
        }).map((name) => `${directory}/${name}`)
      );
  });
}

/** The parts of a group's name: the pid namespace, the pid and the start time of its script. */
function partsOf(name: string): readonly string[] | null {
  return /^ramekin-(\d+)-(\d+)-(\d+)-(\w+)$/.exec(name);
}

function ownersPart(): readonly string[] | null {
  try {
    return partsOf(scriptsName());
  } catch {
    // Without /proc, a script makes no groups.
    return null;
  }
}

function names(directory: string): string[] {
  try {
    return [...Deno.readDirSync(directory)].map(({ name }) => name);
  } catch {
    return [];
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
