/**
 * The running containers of all scripts of this user. There is no list of them: a script is a
 * process that has mapped the engine, and has a pidfd of each of its containers. One that may
 * outlive its script has a marker, too. A box is a process of an executable with a note.
 *
 * @module
 */

import { at_fdcwd, O_NONBLOCK } from "../ffi/calls/files.ts";
import { namesIn } from "../ffi/files/read_dir.ts";
import { ifThere } from "../ffi/missing.ts";
import { readLinks } from "../ffi/files/read_links.ts";
import { pidsIn } from "../ffi/proc/process_ids.ts";
import { processIdentity, startOf, statField } from "../ffi/proc/process_identity.ts";
import { namespaces } from "../ffi/proc/process_namespaces.ts";
import { allPids, HIDDEN_PROCESS } from "../ffi/proc/proc_dir.ts";
import { readBeginningText, readWholeText } from "../ffi/files/read_file.ts";
import { isMarker, readMarker } from "../launch/marker.ts";
import { isNamesFile, readName } from "../launch/names.ts";
import { boxContainers, mayBeBox } from "./box_launchers.ts";
import { canHaveMade, isOwn } from "./trust.ts";
import { NAMESPACE_KINDS, type NamespaceKind } from "../recipe/namespaces.ts";

/** A running container. */
export interface RunningContainer {
  /** The pid of its first process, as this script sees it. */
  readonly pid: number;
  /** The pid of its program, which is the first process unless that is an init. */
  readonly program: number;
  /** Its name: the one that its script has given it, or that of its program. */
  readonly name: string;
  /**
   * Whether the script has given it the name, by the program that it runs; a name of the program
   * itself can be any.
   */
  readonly namedBy: "script" | "program";
  /** The command line of its program. */
  readonly command: string;
  /** The pid of the script, or the box, that has made it; `undefined` if the container has outlived it. */
  readonly script: number | undefined;
  /**
   * Whether its script is this user's, outside of all containers, and no more restricted than this
   * process. What another process says of its containers can be anything, their names first. With
   * no_new_privs another script may be under Landlock, which cannot be seen, and is not believed.
   */
  readonly own: boolean;
  /** The ids of the namespaces that it does not share with the script. */
  readonly namespaces: Readonly<Partial<Record<NamespaceKind, number>>>;
  /** Its cgroup in each hierarchy, as paths; empty if it is in the script's. */
  readonly cgroup: readonly string[];
  /** The time since its start, in seconds. */
  readonly uptime: number;
}

/**
 * Returns the running containers in the order of their pids: those of all scripts whose
 * /proc/PID/maps this process may read, which are its user's, or all for root.
 *
 * @throws {SyscallError} `ENOENT` if there is no /proc
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { recipe } from "@ramekin/ramekin";
 * import { runningContainers } from "@ramekin/ramekin/host";
 * import { assertEquals } from "@std/assert";
 *
 * await using container = recipe().command("sleep", { args: ["10"] }).spawn();
 * const own = runningContainers().filter(({ script }) => script === Deno.pid);
 * assertEquals(own.map(({ pid }) => pid), [container.hostPid]);
 * ```
 */
export function runningContainers(): RunningContainer[] {
  const pids = allPids();
  const parents = parentsOf(pids);
  const looks = pids.map(lookAt);
  const scripts = looks.filter(({ isScript }) => isScript);
  const children = scripts.flatMap(({ pid }) =>
    childrenOf(pid, parents).map((child) => ({ ...child, script: pid, source: pid }))
  );
  const boxes = looks.filter(({ isBox }) => isBox).map(({ pid }) => pid);
  const ofBoxes = boxContainers(boxes, parents)
    .map(({ pid, box, name }) => ({ pid, name, script: box, source: box }));
  const known = new Set(children.map(({ pid }) => pid));
  const marked = looks.filter((look) => look.isMarker).flatMap(({ pid: source }) => {
    const found = ifThere(() => readMarker(source), HIDDEN_PROCESS);
    if (found === undefined || known.has(found.pid) || !canHaveMade(source, found.pid)) return [];
    return [{ ...found, script: undefined, source }];
  });
  return [...children, ...ofBoxes, ...marked]
    .flatMap((child) => containerOf(child, parents) ?? [])
    .sort((a, b) => a.pid - b.pid);
}

/**
 * How much is read of a process's mappings, and how many descriptors of one are looked at that is not
 * this user's own: any program can have so many that whoever looks is busy for minutes.
 */
const [MOST_OF_MAPS, MOST_DESCRIPTORS] = [1 << 20, 1 << 12];

/** How many files with names are read of such a one: a script and each of its Workers has one. */
const MOST_NAMES = 64;

/** What a process may be, by the files that it has mapped. */
function lookAt(pid: number) {
  const maps = ifThere(
    () => readBeginningText(at_fdcwd, `/proc/${pid}/maps`, MOST_OF_MAPS),
    HIDDEN_PROCESS,
  ) ?? "";
  return {
    pid,
    isScript: maps.includes("/memfd:ramekin-engine"),
    isMarker: isMarker(maps),
    isBox: mayBeBox(maps),
  };
}

/** A child of a script, and the name that the script has given it. */
interface Child {
  readonly pid: number;
  readonly name: string | undefined;
}

/** Returns the children of a script of which it has a pidfd that the engine has opened. */
function childrenOf(script: number, parents: ReadonlyMap<number, number | undefined>): Child[] {
  const all = ifThere(() => namesIn(`/proc/${script}/fdinfo`), HIDDEN_PROCESS) ?? [];
  const fds = all.length > MOST_DESCRIPTORS && !isOwn(script)
    ? all.slice(0, MOST_DESCRIPTORS)
    : all;
  const paths = fds.map((fd) => `/proc/${script}/fd/${fd}`);
  const links = readLinks(paths);
  const named = paths.filter((_, index) => isNamesFile(links[index]));
  const files = named.length > MOST_NAMES && !isOwn(script) ? named.slice(0, MOST_NAMES) : named;
  const found = fds.flatMap((fd): Child[] => {
    const text = textOf(script, `fdinfo/${fd}`) ?? "";
    const pid = Number(/^Pid:\s*(\d+)$/m.exec(text)?.[1] ?? 0);
    const flags = parseInt(/^flags:\s*([0-7]+)$/m.exec(text)?.[1] ?? "0", 8);
    // Deno opens pidfds of its own children with PIDFD_NONBLOCK, the engine does not.
    if (parents.get(pid) !== script || (flags & O_NONBLOCK) !== 0) return [];
    const pids = /^NSpid:(.*)$/m.exec(text)?.[1]?.trim().split(/\s+/) ?? [];
    const names = files.map((file) =>
      ifThere(() => readName(file, Number(fd), pids), HIDDEN_PROCESS)
    );
    return [{ pid, name: names.find((name) => name !== undefined) }];
  });
  // A script may have several of a child, as attach() has its own: the one with the name counts.
  const ordered = [...found].sort((a, b) =>
    Number(b.name === undefined) - Number(a.name === undefined)
  );
  return [...new Map(ordered.map((child) => [child.pid, child])).values()];
}

/** A container as its script or its marker has it, and the pid of that, which is where it was made. */
interface Found extends Child {
  readonly script: number | undefined;
  readonly source: number;
}

function containerOf(
  { script, source, pid, name }: Found,
  parents: ReadonlyMap<number, number | undefined>,
): RunningContainer | undefined {
  return ifThere(() => {
    const stat = readWholeText(at_fdcwd, `/proc/${pid}/stat`);
    const program = programOf(pid, parents);
    const [own, others] = [namespaces(pid), namespaces(source)];
    const kinds = NAMESPACE_KINDS.filter((kind) => own[kind] !== others[kind]);
    const groups = cgroupOf(pid);
    return {
      pid,
      program,
      name: name ?? readWholeText(at_fdcwd, `/proc/${program}/comm`).trimEnd(),
      namedBy: name === undefined ? "program" : "script",
      command: commandOf(program),
      script,
      own: isOwn(source),
      namespaces: Object.fromEntries(kinds.map((kind) => [kind, own[kind]])),
      cgroup: groups.join() === cgroupOf(source).join() ? [] : groups,
      uptime: Math.max(0, bootedFor() - startOf(stat) / TICKS),
    };
  }, HIDDEN_PROCESS);
}

/**
 * Returns the pid of a container's program: its first process, or the child that its init has made
 * before all others.
 */
export function programOf(
  pid: number,
  parents?: ReadonlyMap<number, number | undefined>,
): number {
  const [image] = readLinks([`/proc/${pid}/exe`]);
  if (image?.startsWith("/memfd:ramekin-init") !== true) return pid;
  const children = [...parents ?? parentsOf(allPids())].flatMap(([child, parent]) =>
    parent === pid ? [child] : []
  );
  const [first] = children.flatMap((child) => ifThere(() => ageOf(child), HIDDEN_PROCESS) ?? [])
    .sort((a, b) => a.started - b.started || a.inside - b.inside);
  return first?.pid ?? pid;
}

/** Returns what orders processes by age: the time is too coarse for those that start at once. */
function ageOf(pid: number): { pid: number; started: number; inside: number } {
  return { pid, started: processIdentity(pid).started, inside: pidsIn(pid).at(-1)! };
}

function commandOf(pid: number): string {
  const words = readWholeText(at_fdcwd, `/proc/${pid}/cmdline`).replace(/\0+$/, "");
  return words.replaceAll("\0", " ");
}

/** Returns the cgroups of a process, one for each hierarchy. */
function cgroupOf(pid: number): string[] {
  const lines = readWholeText(at_fdcwd, `/proc/${pid}/cgroup`).trimEnd().split("\n");
  return [...new Set(lines.map((line) => line.split(":").slice(2).join(":")))];
}

/** The unit of times in /proc on all architectures, per second (USER_HZ). */
const TICKS = 100;

function bootedFor(): number {
  return parseFloat(readWholeText(at_fdcwd, "/proc/uptime"));
}

function parentsOf(pids: readonly number[]): ReadonlyMap<number, number | undefined> {
  return new Map(pids.map((pid) => [pid, parentOf(pid)]));
}

function parentOf(pid: number): number | undefined {
  const stat = textOf(pid, "stat");
  return stat === undefined ? undefined : Number(statField(stat, 4));
}

function textOf(pid: number, file: string): string | undefined {
  return ifThere(() => readWholeText(at_fdcwd, `/proc/${pid}/${file}`), HIDDEN_PROCESS);
}
