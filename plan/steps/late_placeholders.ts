/**
 * Placeholders of a box (launch/placeholders.ts has those of a script): its launcher makes empty
 * directories where names are missing, so that there is something to mount on, shares them with other
 * containers by a lock, and removes them when its container has ended.
 *
 * @module
 */

import {
  type Call,
  type Fd,
  FieldAddress,
  Named,
  Output,
  OutputField,
  ResultOf,
} from "../../ffi/call.ts";
import {
  at_fdcwd,
  AT_REMOVEDIR,
  close,
  faccessat,
  flock,
  LOCK_EX,
  LOCK_NB,
  LOCK_SH,
  mkdirat,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  openat2,
  pread64,
  RESOLVE_BENEATH,
  RESOLVE_NO_SYMLINKS,
  S_IFDIR,
  S_IFREG,
  umask,
  unlinkat,
  W_OK,
  write,
} from "../../ffi/calls/files.ts";
import { compareWord } from "../../ffi/calls/futex.ts";
import { AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW } from "../../ffi/calls/mounts.ts";
import {
  statx,
  STATX_INO,
  STATX_MODE,
  STATX_NLINK,
  STATX_SIZE,
  STATX_TYPE,
  STATX_UID,
  statxOutput,
} from "../../ffi/calls/statx.ts";
import { geteuid } from "../../ffi/calls/users.ts";
import { Label } from "../../ffi/engine/program.ts";
import type { PlanBuilder } from "../builder.ts";
import { nameOf } from "../../recipe/path.ts";
import type { NameNode } from "./name_tree.ts";

/** Offsets in struct statx. */
const [NLINK, UID, MODE, INODE, SIZE] = [16, 20, 28, 32, 40];

/** Modes by which a placeholder is known again: nobody makes such an empty directory otherwise. */
const [DIRECTORY_MODE, FILE_MODE] = [0o555, 0o644];

const FIXES = {
  EACCES: "a name is missing in a directory in which it cannot be made now, and a program could " +
    "change that: chmod u+rwx",
  EDQUOT: "there is no room for an empty directory in place of a name that is missing",
  EROFS: "it is on a filesystem that cannot be written; show it read-only",
  ENOSPC: "there is no room for an empty directory in place of a name that is missing",
};

/** A placeholder that the launcher may have made. */
interface Made {
  readonly node: NameNode;
  readonly parent: Fd;
  readonly fd: ResultOf;
}

/** Has the launcher hold the names that are missing and may not be made. */
export function holdMissingNames(
  plan: PlanBuilder,
  source: string,
  tree: readonly NameNode[],
): void {
  const nodes = tree.filter(holdsMissing);
  if (nodes.length > 0) new LatePlaceholders(plan).hold(source, nodes);
}

/** Whether there may be a placeholder for it, or in it. */
function holdsMissing({ mayBeMade, children }: NameNode): boolean {
  return !mayBeMade || children.some(holdsMissing);
}

const BENEATH = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;

/** The placeholders in one directory. */
class LatePlaceholders {
  readonly #plan: PlanBuilder;
  readonly #made: Made[] = [];
  /** What statx(2) has returned last. */
  readonly #stat: Output = statxOutput();

  constructor(plan: PlanBuilder) {
    this.#plan = plan;
  }

  /** Adds the calls that make them, and those that remove them. */
  hold(source: string, nodes: readonly NameNode[]): void {
    const { launcherParts } = this.#plan;
    const end = new Label(`the names in ${source} are held`);
    const how = { flags: O_PATH | O_DIRECTORY | O_CLOEXEC, resolve: RESOLVE_NO_SYMLINKS };
    const opened = this.#plan.callBefore(openat2(at_fdcwd, source, how), {
      accept: ["ENOENT", "ENOTDIR"],
      onAccepted: end,
    });
    // The modes are those by which placeholders are known.
    const cleared = this.#plan.callBefore(umask(0));
    const directory = new ResultOf(opened, `<${source}>`);
    for (const node of nodes) this.#holdName(directory, node);
    this.#plan.callBefore(umask(new ResultOf(cleared, "umask")));
    launcherParts.push(end);
    for (const made of this.#made.reverse()) this.#remove(made);
  }

  /** Holds a name, or those in it where it is there. */
  #holdName(parent: Fd, node: NameNode): void {
    const { path, mayBeMade, text, children } = node;
    const [again, denied, other, next] = ["again", "denied", "no placeholder", "held"]
      .map((word) => new Label(`${path}: ${word}`)) as [Label, Label, Label, Label];
    this.#plan.launcherParts.push(again);
    if (!mayBeMade) this.#make(parent, node);
    const fd = this.#open(parent, node, mayBeMade ? next : denied, next);
    if (!mayBeMade) {
      const add: PlanBuilder["callBefore"] = (call, edges) => this.#plan.callBefore(call, edges);
      add(statx(fd, "", AT_EMPTY_PATH, STATX_TYPE | STATX_MODE, this.#stat));
      add(compareField(this.#stat, MODE, modeOf(text)), { accept: ["EAGAIN"], onAccepted: other });
      // The last one that has it removes it, under a lock.
      add(flock(fd, LOCK_SH));
      add(statx(fd, "", AT_EMPTY_PATH, STATX_NLINK, this.#stat));
      add(compareField(this.#stat, NLINK, new Named(0, "0")), {
        accept: ["EAGAIN"],
        onAccepted: next,
        onZero: again,
      });
      this.#made.push({ node, parent, fd });
      this.#plan.launcherParts.push(denied);
      this.#refuseClosed(parent, node, again, next);
    }
    this.#plan.launcherParts.push(other);
    for (const child of children.filter(holdsMissing)) this.#holdName(fd, child);
    this.#plan.launcherParts.push(next);
  }

  /** Makes a placeholder, unless there is something already, or it may not. */
  #make(parent: Fd, { path, text }: NameNode): void {
    const there = new Label(`${path} is there`);
    const made = this.#plan.callBefore(makingIn(parent, nameOf(path), text), {
      accept: ["EEXIST", "EACCES"],
      onAccepted: there,
      fixes: FIXES,
    });
    if (text !== undefined) {
      const fd = new ResultOf(made, `<${path}>`);
      const bytes = new TextEncoder().encode(text);
      if (bytes.length > 0) this.#plan.callBefore(write(fd, bytes, bytes.length), { fixes: FIXES });
      this.#plan.callBefore(close(fd));
    }
    this.#plan.launcherParts.push(there);
  }

  /**
   * Opens what has a name, which another container may remove in this moment.
   *
   * @param other where to go on if it is of another type than a placeholder, or nobody may read it
   */
  #open(parent: Fd, { path, text }: NameNode, missing: Label, other: Label): ResultOf {
    const how = { flags: O_PATH | O_NOFOLLOW | O_CLOEXEC, resolve: BENEATH };
    const found = openat2(parent, nameOf(path), how);
    this.#plan.callBefore(found, { accept: ["ENOENT"], onAccepted: missing });
    const opened = text === undefined
      ? openat2(new ResultOf(found, `<${path}>`), ".", {
        flags: O_RDONLY | O_DIRECTORY | O_CLOEXEC,
        resolve: BENEATH,
      })
      : openat2(parent, nameOf(path), {
        flags: O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
        resolve: BENEATH,
      });
    this.#plan.callBefore(opened, {
      accept: ["ENOTDIR", "ELOOP", "EACCES", "ENXIO"],
      onAccepted: other,
      fixes: { ENOENT: "another container has removed it in this moment; run it again" },
    });
    return new ResultOf(opened, `<${path}>`);
  }

  /**
   * Adds calls for a name that could not be made: in a directory of another user a program can make it
   * no more than the box, but one of the user's own it could open for itself.
   */
  #refuseClosed(parent: Fd, { path, text }: NameNode, again: Label, next: Label): void {
    const add: PlanBuilder["callBefore"] = (call, edges) => this.#plan.callBefore(call, edges);
    const last = new Label(`${path}: a last try`);
    // Something else than the mode may keep from it, such as Landlock: it is tried once more then.
    add(faccessat(parent, ".", W_OK), { accept: ["EACCES"], onZero: last });
    add(statx(parent, "", AT_EMPTY_PATH, STATX_UID, this.#stat));
    const user = add(geteuid());
    add(compareField(this.#stat, UID, new ResultOf(user, "euid")), {
      accept: ["EAGAIN"],
      onAccepted: next,
    });
    this.#plan.launcherParts.push(last);
    add(makingIn(parent, nameOf(path), text), {
      accept: ["EEXIST"],
      onAccepted: again,
      onZero: again,
      onSuccess: again,
      fixes: FIXES,
    });
  }

  /** Removes a placeholder that no other container has, and that nobody has written to. */
  #remove({ node: { path, text }, parent, fd }: Made): void {
    const next = new Label(`${path} stays`);
    const name = nameOf(path);
    const add = (call: Call) =>
      this.#plan.callAtEnd(call, { accept: ["EAGAIN"], onAccepted: next, onFailure: next });
    const { stat, named } = { stat: this.#stat, named: statxOutput() };
    // What was never opened has the number 0, of another file.
    const mask = STATX_TYPE | STATX_MODE | STATX_NLINK | STATX_SIZE | STATX_INO;
    add(statx(fd, "", AT_EMPTY_PATH, mask, stat));
    add(compareField(stat, MODE, modeOf(text)));
    add(statx(parent, name, AT_SYMLINK_NOFOLLOW, STATX_INO, named));
    add(compareField(stat, INODE, new OutputField(named, INODE, "inode")));
    if (text !== undefined) {
      add(compareField(stat, NLINK, new Named(1, "1")));
      add(compareField(stat, SIZE, new Named(text.length, String(text.length))));
      const content = new Output(4, "&content");
      add(pread64(fd, content, content.size, 0));
      const word = new Uint8Array(4);
      new TextEncoder().encodeInto(text, word);
      add(compareWord(content, new Named(new DataView(word.buffer).getInt32(0, true), "the text")));
    }
    add(flock(fd, LOCK_EX | LOCK_NB));
    add(unlinkat(parent, name, text === undefined ? AT_REMOVEDIR : 0));
    this.#plan.finalParts.push(next);
  }
}

/** Makes a directory, or a file and opens it. */
function makingIn(parent: Fd, name: string, text: string | undefined): Call {
  if (text === undefined) return mkdirat(parent, name, DIRECTORY_MODE);
  const flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  return openat2(parent, name, { flags, mode: FILE_MODE, resolve: BENEATH });
}

/** The word of a mode with the type of the file. */
function modeOf(text: string | undefined): Named {
  return text === undefined
    ? new Named(S_IFDIR | DIRECTORY_MODE, "S_IFDIR|0555")
    : new Named(S_IFREG | FILE_MODE, "S_IFREG|0644");
}

function compareField(stat: Output, offset: number, value: Named | OutputField | ResultOf): Call {
  return compareWord(new FieldAddress(stat, offset, "&statx"), value);
}
