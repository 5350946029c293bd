/**
 * The control group of a box's container, as records. A box cannot read in which group it is, so a
 * process of a cgroup namespace of its own mounts the hierarchies: their roots are the groups of
 * that process then, which are the launcher's (cgroup_namespaces(7)). Nothing has to be mounted on
 * the machine, and no capability is needed.
 *
 * A controller is looked for in cgroup v1 first, where one that is bound is missing in v2.
 *
 * @module
 */

import {
  type Call,
  call,
  Named,
  Output,
  OutputField,
  ResultOf,
  Slot,
  Struct,
} from "../ffi/call.ts";
import { EFD_CLOEXEC } from "../ffi/calls/events.ts";
import {
  at_fdcwd,
  AT_REMOVEDIR,
  close,
  dup3,
  eventfd2,
  flock,
  LOCK_NB,
  LOCK_SH,
  mkdirat,
  O_CLOEXEC,
  O_DIRECTORY,
  O_PATH,
  O_RDONLY,
  O_WRONLY,
  openat,
  read,
  unlinkat,
  write,
} from "../ffi/calls/files.ts";
import { compareWord } from "../ffi/calls/futex.ts";
import {
  fsconfig,
  FSCONFIG_CMD_CREATE,
  FSCONFIG_SET_FLAG,
  fsmount,
  FSMOUNT_CLOEXEC,
  fsopen,
  FSOPEN_CLOEXEC,
} from "../ffi/calls/mounts.ts";
import {
  clone,
  CLONE_FILES,
  CLONE_NEWCGROUP,
  CLONE_NEWNS,
  CLONE_NEWUSER,
  CLONE_VFORK,
  CLONE_VM,
} from "../ffi/calls/namespaces.ts";
import { exit_group, ppoll } from "../ffi/calls/processes.ts";
import { writeText, writeTextTo } from "../ffi/calls/write_text.ts";
import type { Controller } from "../ffi/cgroups/hierarchies.ts";
import {
  CONTROLLER_OF,
  type GroupLimits,
  limitsIn,
  settingsOf1,
  settingsOf2,
} from "../ffi/cgroups/limits.ts";
import { type Edges, END, Label } from "../ffi/engine/program.ts";
import type { ErrnoName } from "../ffi/errno.ts";
import type { Fixes } from "../ffi/fix.ts";
import type { PlanBuilder } from "../plan/builder.ts";
import { namespaceFixes } from "../plan/namespace_fixes.ts";
import { EXIT_CHILD } from "../plan/process.ts";
import type { ProgramWriter } from "./program_writer.ts";

/** The digits of the launcher's pid, which the code of the box fills in. */
export const PID_DIGITS: Slot = new Slot("pid", 10);

/** The name of the group: a script that finds it without a lock removes it (naming.ts). */
const NAME: Struct = new Struct(
  new TextEncoder().encode(`ramekin-box-${"0".repeat(10)}\0`),
  '"ramekin-box-PID"',
  [],
  [{ offset: "ramekin-box-".length, slot: PID_DIGITS }],
);

/** The group into which the launcher moves itself where its own may have no process. */
const LAUNCHERS = "ramekin-launcher";

/** How another program limits a box. */
const SCOPE = "systemd-run --scope -p MemoryMax=64M ./box";

const SYSTEMD_RUN = "run the box in a group that is delegated to this user: systemd-run --user " +
  "--scope -p Delegate=yes ./box, or have root limit it: " + SCOPE;

/** What it means that no group can be made. */
const NO_GROUP: Fixes = {
  EACCES: `the control group of the box belongs to another user; ${SYSTEMD_RUN}`,
  EPERM: `control groups may not be changed here; ${SYSTEMD_RUN}`,
  EROFS: `control groups cannot be changed here; ${SYSTEMD_RUN}`,
  ENOTDIR: "this machine has no control groups, or hides them",
  EAGAIN: "there are as many groups as cgroup.max.descendants allows",
};

/** A hierarchy that may be there. */
interface FoundHierarchy {
  /** Its group of the launcher; no directory where there is no such hierarchy. */
  readonly root: ResultOf;
  /** The file cgroup.procs of the container's group; no file that can be written otherwise. */
  readonly entry: ResultOf;
}

/** Returns why a box cannot make the control group of a plan; `undefined` if it can, or has none. */
export function groupIssue({ limits, state, syncPoints }: PlanBuilder): string | undefined {
  if (limits === undefined) return undefined;
  if (!state.unshared.has("pid")) {
    return "a box ends what its program leaves running only with a pid namespace, and the control " +
      'group has to be empty then; add unshare("pid"), or run the box in a group: ' + SCOPE;
  }
  if (syncPoints.length > 0) {
    return "the launcher of a box shares its memory with a container that it does something for " +
      "(veth(), mapIds() and the like), and would be killed with it; run the box in a group: " +
      SCOPE;
  }
  return undefined;
}

/** The control group of a box's container. */
export class BoxGroup {
  readonly #limits: GroupLimits;
  readonly #stepIndex: number;
  readonly #unified: FoundHierarchy;
  readonly #old: ReadonlyMap<Controller, FoundHierarchy>;
  readonly #reserved: readonly Call[];
  readonly #ownUser: boolean;
  readonly #cloneFixes: Fixes;

  constructor(plan: PlanBuilder, { limits, stepIndex }: NonNullable<PlanBuilder["limits"]>) {
    this.#limits = limits;
    this.#stepIndex = stepIndex;
    // Root mounts without.
    this.#ownUser = plan.state.caller.euid !== 0;
    const kinds = ["mount", "cgroup", ...(this.#ownUser ? ["user"] as const : [])] as const;
    this.#cloneFixes = namespaceFixes(new Set(kinds), plan.host, false);
    const reserved: Call[] = [];
    const reserve = (name: string): FoundHierarchy => {
      // The results of calls that were not made are 0, the standard input. These are neither a
      // directory nor a file that takes a byte until another file has their number.
      const root = eventfd2(0, EFD_CLOEXEC);
      const entry = openat(at_fdcwd, "/", O_PATH | O_CLOEXEC);
      reserved.push(root, entry);
      return {
        root: new ResultOf(root, `<${name}>`),
        entry: new ResultOf(entry, "<cgroup.procs>"),
      };
    };
    this.#unified = reserve("cgroup2");
    const needed = new Set(limitsIn(limits).map((limit) => CONTROLLER_OF[limit]));
    this.#old = new Map(Array.from(needed, (name) => [name, reserve(wordOf(name))]));
    this.#reserved = reserved;
  }

  /** The files to which the container writes to enter the group; not all can be written. */
  get entries(): readonly ResultOf[] {
    return [this.#unified, ...this.#old.values()].map(({ entry }) => entry);
  }

  /** Writes the calls that make it, which come before the container. */
  make(writer: ProgramWriter): void {
    const records = new Records(writer, this.#stepIndex);
    for (const call of this.#reserved) records.add(call);
    this.#mount(records);
    const locks = this.#hierarchies.map(({ root }) => lockMaking(records, root));
    for (const { root } of this.#hierarchies) records.add(removing(root), { accept: NOT_LEFT });
    for (const [controller, hierarchy] of this.#old) this.#limit(records, controller, hierarchy);
    if (this.#old.size === 0) this.#makeUnified(records);
    this.#enterUnified(records);
    for (const lock of locks) records.add(close(lock), { accept: ["EBADF"] });
  }

  /** Writes the calls that remove it, which come when the container has ended. */
  remove(writer: ProgramWriter): void {
    const records = new Records(writer, this.#stepIndex);
    for (const { root } of this.#hierarchies) {
      const gone = new Label("the group is gone");
      for (const wait of PATIENCE) {
        if (wait > 0) records.add(ppoll([], wait), { accept: ["EINTR"], onFailure: gone });
        const edges = { accept: ["EBUSY"], onZero: gone, onFailure: gone } as const;
        records.add(removing(root), edges);
      }
      records.place(gone);
    }
  }

  get #hierarchies(): readonly FoundHierarchy[] {
    return [this.#unified, ...this.#old.values()];
  }

  /** Has a process that shares the descriptors mount the hierarchies that there are. */
  #mount(records: Records): void {
    const [child, made] = [new Label("the process that mounts"), new Label("it has ended")];
    const [pid, status] = [new Output(4, "&pid"), new Output(4, "&status")];
    const flags = CLONE_VM | CLONE_VFORK | CLONE_FILES | CLONE_NEWNS | CLONE_NEWCGROUP |
      (this.#ownUser ? CLONE_NEWUSER : 0);
    records.add(clone(flags, pid), { onZero: child, onSuccess: made, fixes: this.#cloneFixes });
    records.place(child);
    records.inChild = true;
    mountInto(records, this.#unified, "cgroup2", [], this.#cloneFixes);
    for (const [controller, hierarchy] of this.#old) {
      const word = wordOf(controller);
      mountInto(records, hierarchy, "cgroup", [word], this.#cloneFixes);
      // systemd binds these two together.
      if (word === "cpu") {
        mountInto(records, hierarchy, "cgroup", [word, "cpuacct"], this.#cloneFixes);
      }
    }
    records.add(exit_group(0));
    records.inChild = false;
    records.place(made);
    records.add(call("wait4", new OutputField(pid, 0, "pid"), status, 0, null));
    records.add(compareWord(status, new Named(0, "0")));
  }

  /** Makes the group of a controller, and sets its limits. */
  #limit(records: Records, controller: Controller, { root, entry }: FoundHierarchy): void {
    const [unified, next] = [new Label("in cgroup v2"), new Label("it is limited")];
    const limits = limitsIn(this.#limits).filter((limit) => CONTROLLER_OF[limit] === controller);
    const elsewhere = { accept: ["ENOTDIR"], onAccepted: unified } as const;
    records.add(mkdirat(root, NAME, 0o755), { ...elsewhere, fixes: NO_GROUP });
    const group = openGroup(records, root);
    if (controller === "cpuset") inheritNodes(records, root, group);
    for (const limit of limits) {
      const settings = settingsOf1(limit, this.#limits);
      for (const { file, value } of settings ?? settingsOf2(limit, this.#limits)) {
        const fixes = settings === undefined ? { ENOENT: onlyIn2(limit) } : SETTING;
        writeSetting(records, group, file, value, fixes);
      }
    }
    enter(records, group, entry, next);
    records.place(unified);
    this.#makeUnified(records);
    this.#enable(records, controller);
    const inUnified = openGroup(records, this.#unified.root);
    for (const limit of limits) {
      for (const { file, value } of settingsOf2(limit, this.#limits)) {
        writeSetting(records, inUnified, file, value, SETTING);
      }
    }
    records.place(next);
  }

  /** Makes the group of cgroup v2, if no other controller has made it. */
  #makeUnified(records: Records): void {
    records.add(mkdirat(this.#unified.root, NAME, 0o755), {
      // Without a limit it need not be there.
      accept: this.#old.size === 0 ? ["EEXIST", "ENOTDIR"] : ["EEXIST"],
      fixes: NO_GROUP,
    });
  }

  /**
   * Has the launcher's group give a controller to the container's. It can do so only while there is no
   * process in it, so the launcher moves into another one where it is alone (cgroups(7)).
   */
  #enable(records: Records, controller: Controller): void {
    const { root } = this.#unified;
    const [busy, others, enabled] = ["busy", "others", "enabled"].map((text) => new Label(text));
    const opened = openat(root, "cgroup.subtree_control", O_WRONLY | O_CLOEXEC);
    records.add(opened, { fixes: NO_GROUP });
    const control = new ResultOf(opened, "<cgroup.subtree_control>");
    const write = (edges: Edges) =>
      records.add(writeTextTo(control, `+${controller}`), {
        ...edges,
        fixes: {
          ENOENT: `the control group of the box has not been given "${controller}"; ${SYSTEMD_RUN}`,
          EBUSY: `there are other processes in the control group of the box; ${SYSTEMD_RUN}`,
        },
      });
    write({ accept: ["EBUSY"], onAccepted: busy, onSuccess: enabled });
    records.place(busy!);
    records.add(mkdirat(root, LAUNCHERS, 0o755), { accept: ["EEXIST"], fixes: NO_GROUP });
    move(records, root, `${LAUNCHERS}/cgroup.procs`);
    write({ accept: ["EBUSY"], onAccepted: others, onSuccess: enabled });
    records.place(others!);
    move(records, root, "cgroup.procs");
    records.add(unlinkat(root, LAUNCHERS, AT_REMOVEDIR), { accept: ["ENOENT", "EBUSY"] });
    write({});
    records.place(enabled!);
  }

  #enterUnified(records: Records): void {
    const none = new Label("there is no such group");
    const { root, entry } = this.#unified;
    const group = openGroup(records, root, { accept: ["ENOENT", "ENOTDIR"], onAccepted: none });
    enter(records, group, entry, none);
    records.place(none);
  }
}

/** Adds records of the step. */
class Records {
  /** Whether a process that the launcher has made for this makes the calls. */
  inChild = false;
  readonly #writer: ProgramWriter;
  readonly #stepIndex: number;

  constructor(writer: ProgramWriter, stepIndex: number) {
    this.#writer = writer;
    this.#stepIndex = stepIndex;
  }

  add(call: Call, options: Edges & { readonly fixes?: Fixes } = {}): Call {
    const onFailure = this.inChild ? EXIT_CHILD : END;
    return this.#writer.add(call, { onFailure, stepIndex: this.#stepIndex, ...options });
  }

  place(label: Label): void {
    this.#writer.place(label);
  }
}

/** The name of a controller in cgroup v1. */
function wordOf(controller: Controller): string {
  return controller === "io" ? "blkio" : controller;
}

/** What a hierarchy answers that there is not, or not with these controllers alone. */
const NO_HIERARCHY: readonly ErrnoName[] = [
  "EBADF",
  "EPERM",
  "EBUSY",
  "EINVAL",
  "ENOENT",
  "ENODEV",
  "EOPNOTSUPP",
];

/** Mounts a hierarchy and gives the mount the number of the root; nothing where it is not there. */
function mountInto(
  records: Records,
  { root }: FoundHierarchy,
  type: string,
  controllers: readonly string[],
  fixes: Fixes,
): void {
  const accept = NO_HIERARCHY;
  const opened = records.add(fsopen(type, FSOPEN_CLOEXEC), { accept: ["ENODEV"], fixes });
  const context = new ResultOf(opened, `<${type}>`);
  for (const word of controllers) {
    records.add(fsconfig(context, FSCONFIG_SET_FLAG, word, null, 0), { accept });
  }
  records.add(fsconfig(context, FSCONFIG_CMD_CREATE, null, null, 0), { accept });
  const mounted = records.add(fsmount(context, FSMOUNT_CLOEXEC, 0), { accept });
  // The results of all these may be errnos.
  records.add(dup3(new ResultOf(mounted, "<mount>"), root, O_CLOEXEC), { accept: ["EBADF"] });
}

/** Keeps scripts from removing a group that is not locked yet (locks.ts). */
function lockMaking(records: Records, root: ResultOf): ResultOf {
  const opened = openat(root, "cgroup.procs", O_RDONLY | O_CLOEXEC);
  records.add(opened, { accept: ["ENOTDIR", "EACCES"] });
  const lock = new ResultOf(opened, "<cgroup.procs>");
  records.add(flock(lock, LOCK_SH | LOCK_NB), { accept: ["EAGAIN", "EBADF"] });
  return lock;
}

/** Opens the container's group, and locks it, so that no script takes it for one that was left. */
function openGroup(records: Records, root: ResultOf, edges: Edges = {}): ResultOf {
  const opened = openat(root, NAME, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  records.add(opened, edges);
  const group = new ResultOf(opened, "<group>");
  records.add(flock(group, LOCK_SH | LOCK_NB), { accept: ["EAGAIN"] });
  return group;
}

function writeSetting(
  records: Records,
  group: ResultOf,
  file: string,
  value: string,
  fixes: Fixes,
): void {
  const [opened, written, closed] = writeText(group, file, value);
  records.add(opened, { fixes });
  records.add(written, { fixes });
  records.add(closed);
}

/** What errnos mean of the files of a group. */
const SETTING: Fixes = {
  ENOENT: "this kernel does not have this limit, or its group has not",
  EINVAL:
    "the kernel does not take this value: of a block device, that of a whole disk alone; of " +
    "time, no more than the group around has",
  ENODEV: "there is no such block device",
  EACCES: "the group around does not have all of these processors",
};

function onlyIn2(limit: keyof GroupLimits): string {
  return limit === "swap"
    ? 'cgroup v1 limits the sum of memory and swap; give "memory" too'
    : "cgroup v1 has no such limit; boot with systemd.unified_cgroup_hierarchy=1";
}

/** A group of version 1 starts without memory nodes, and takes no process then. */
function inheritNodes(records: Records, root: ResultOf, group: ResultOf): void {
  const nodes = new Output(256, "&nodes");
  const opened = records.add(openat(root, "cpuset.mems", O_RDONLY | O_CLOEXEC));
  const got = records.add(read(new ResultOf(opened, "<cpuset.mems>"), nodes, nodes.size));
  const made = records.add(openat(group, "cpuset.mems", O_WRONLY | O_CLOEXEC));
  records.add(write(new ResultOf(made, "<cpuset.mems>"), nodes, new ResultOf(got, "size")));
}

/** Gives the file by which the group is entered the number of the entry. */
function enter(records: Records, group: ResultOf, entry: ResultOf, next: Label): void {
  const opened = records.add(openat(group, "cgroup.procs", O_WRONLY | O_CLOEXEC));
  const procs = new ResultOf(opened, "<cgroup.procs>");
  records.add(dup3(procs, entry, O_CLOEXEC), { onSuccess: next });
}

/** Moves the launcher by a file cgroup.procs. */
function move(records: Records, root: ResultOf, file: string): void {
  for (const call of writeText(root, file, "0")) records.add(call, { fixes: NO_GROUP });
}

/** Removes the group; while its processes end it is busy. */
function removing(root: ResultOf): Call {
  return unlinkat(root, NAME, AT_REMOVEDIR);
}

/** What is no matter before a group is made: one that a killed box with this pid has left goes. */
const NOT_LEFT: readonly ErrnoName[] = ["ENOENT", "ENOTDIR", "EBUSY", "EACCES", "EPERM", "EROFS"];

/** The waits between attempts to remove the group while processes end, in milliseconds. */
const PATIENCE = [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];
