/**
 * What a test could leave on the machine: looked at before it, and again after it. Others use the
 * machine meanwhile, so only what this process, or a script that it has started, can have made
 * counts: its own children, files and memory, groups that are named after it, and mounts, interfaces
 * and files where the tests make theirs.
 *
 * @module
 */

import { scriptsName } from "../ffi/cgroups/naming.ts";
import { Engine } from "../ffi/engine/engine.ts";
import { linux } from "../mod.ts";

/** What there is, by kind: each thing as one line. */
export type Inventory = Readonly<Record<string, ReadonlySet<string>>>;

/** Lists what this process has, and what it can have made on the machine. */
export function takeInventory(): Inventory {
  return {
    "child process": new Set(childProcesses()),
    "open file": new Set(openFiles()),
    "mount": new Set(mounts()),
    "network interface": new Set(interfaces()),
    "cgroup": new Set(groups()),
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
export function leftNow(before: Inventory, attempts = 100): readonly string[] {
  let found = newSince(before);
  for (let attempt = 0; found.length > 0 && attempt < attempts; attempt++) {
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

/** The directory for temporary files that the tests of this process share, and no one else. */
const TEMPORARY = temporaryDirectory();

/** Makes it, and has `Deno.makeTempDir()` and its like use it, here and in the tests' scripts. */
function temporaryDirectory(): string {
  const before = Deno.env.get("TMPDIR");
  if (before !== undefined && /\/ramekin-tests-\d+$/.test(before)) return before;
  const directory = `${before ?? "/tmp"}/ramekin-tests-${Deno.pid}`;
  Deno.mkdirSync(directory, { recursive: true });
  Deno.chmodSync(directory, 0o1777);
  Deno.env.set("TMPDIR", directory);
  addEventListener("unload", () => {
    if (before === undefined) Deno.env.delete("TMPDIR");
    else Deno.env.set("TMPDIR", before);
    // What is left in it stays: it could be a mount, through which nothing must be removed.
    if (names(directory).length === 0) Deno.removeSync(directory);
  });
  return directory;
}

/** Where the recipes of the tests mount, and make files. */
const DIRECTORIES = ["/mnt", TEMPORARY];

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

/** Directories of the host in which nothing but a step gone wrong mounts, at any depth. */
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

/** Those on which steps mount, and in which others keep mounts of theirs. */
const SHARED = ["/", "/home", "/opt", "/root", "/run", "/srv", "/tmp", "/var", "/var/tmp"];

/** The mounts of this namespace that are where the tests mount. */
function mounts(): string[] {
  return lines("/proc/self/mountinfo").filter((line) => {
    const point = line.split(" ")[4]!;
    return SHARED.includes(point) || UNTOUCHED.some((path) => `${point}/`.startsWith(`${path}/`));
  });
}

/** The names that tests give interfaces, and the kernel those for which there is none. */
const INTERFACE =
  /^(veth\d+|eth0\.1|a|b|box|br0|far|holder|inner|lan|m|near|tap0|uplink|wan|wire|x|y)$/;

function interfaces(): string[] {
  return lines("/proc/net/dev").slice(2).map((line) => line.split(":")[0]!.trim())
    .filter((name) => INTERFACE.test(name));
}

/** The processes whose groups are looked for. */
const scripts = new Set([Deno.pid]);

/** Counts the groups of a script that a test has started among those that nothing may leave. */
export function claim(script: number): void {
  scripts.add(script);
}

/**
 * The groups of those scripts, beside this process's own group or below it, in every hierarchy that
 * is mounted where usual. The group that a script itself has moved to is none that it leaves.
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

/** What the name of a group tells: the pid namespace, the pid and the start of its script. */
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
