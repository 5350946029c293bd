/**
 * Names in a directory that are held in the container of a box, where nothing can be looked for
 * before: each is made read-only or covered, whatever it turns out to be.
 *
 * @module
 */

import { type Fd, FieldAddress, Named, type ResultOf } from "../../ffi/call.ts";
import { O_DIRECTORY, O_PATH } from "../../ffi/calls/files.ts";
import { compareWord } from "../../ffi/calls/futex.ts";
import { AT_EMPTY_PATH } from "../../ffi/calls/mounts.ts";
import { getpid } from "../../ffi/calls/processes.ts";
import { statx, STATX_NLINK, statxOutput } from "../../ffi/calls/statx.ts";
import { Label } from "../../ffi/engine/program.ts";
import { ERRNO } from "../../ffi/errno.ts";
import type { PlanBuilder } from "../builder.ts";
import { mountOnItself, openBelow } from "../pins.ts";
import { coverWithEmpty } from "./empty_files.ts";
import type { NameNode } from "./name_tree.ts";

/** A directory of the host, where the container shows it. */
export interface LateDirectory {
  readonly source: string;
  readonly target: string;
  /** Whether it can be changed there, so that the directories on the way to a name are pinned. */
  readonly isChangeable: boolean;
}

/**
 * Holds names in a directory.
 *
 * @param empty what they are covered with; without it they are made read-only
 */
export function holdNames(
  plan: PlanBuilder,
  { source, target: path, isChangeable }: LateDirectory,
  tree: readonly NameNode[],
  empty?: ResultOf,
): void {
  const target = plan.path(path);
  target.openBase();
  plan.skippable(`${source} is not a directory`, (end) => {
    // A file that is named itself is meant to be changed.
    const directory = target.open(O_PATH | O_DIRECTORY, {
      accept: ["ENOENT", "ENOTDIR"],
      onAccepted: end,
    });
    const names = new LateNames(plan, directory, isChangeable, empty);
    for (const node of tree) names.hold(node, undefined);
  });
  for (const name of namesOf(tree)) {
    plan.mounted({
      target: `${target.canonical}/${name}`,
      readOnly: true,
      certain: false,
      ...(empty === undefined
        ? { type: "bind", source: `${source}/${name}`, keepsBelow: true }
        : { type: "mask" }),
    });
  }
}

function namesOf(nodes: readonly NameNode[]): readonly string[] {
  return nodes.flatMap(({ path, isName, children }) => isName ? [path] : namesOf(children));
}

/** The names in one directory. */
class LateNames {
  readonly #plan: PlanBuilder;
  readonly #directory: Fd;
  readonly #pins: boolean;
  readonly #empty: ResultOf | undefined;

  constructor(plan: PlanBuilder, directory: Fd, pins: boolean, empty: ResultOf | undefined) {
    this.#plan = plan;
    this.#directory = directory;
    this.#pins = pins;
    this.#empty = empty;
  }

  /**
   * Holds what has a name, and pins the directories on the way.
   *
   * @param lost where the directory around it is made read-only, as a name is missing that may not be made
   */
  hold(node: NameNode, lost: Label | undefined): void {
    const { path, isName, mayBeMade, children } = node;
    const [closed, done] = [new Label(`${path} is kept`), new Label(`${path} is done`)];
    const opened = this.#open(path, 0, mayBeMade ? done : lost ?? done);
    if (isName) this.#finish(path, opened);
    else {
      // What is no directory could be replaced by one. A file .git says where the directory is.
      this.#open(path, O_DIRECTORY, this.#pins ? closed : done);
      if (this.#pins) mountOnItself(this.#plan, opened, path);
      for (const child of children) this.hold(child, this.#pins ? closed : undefined);
      if (this.#pins) {
        this.#plan.call(getpid(), { onSuccess: done });
        this.#plan.place(closed);
        mountOnItself(this.#plan, this.#open(path, 0, undefined), path, { readOnly: true });
      }
    }
    this.#plan.place(done);
  }

  #finish(path: string, opened: ResultOf): void {
    this.#refuseLinks(path, opened);
    if (this.#empty === undefined) {
      return mountOnItself(this.#plan, opened, path, { readOnly: true });
    }
    coverWithEmpty(this.#plan, opened, path, this.#empty);
    this.#plan.release(opened);
  }

  #open(path: string, flags: number, missing: Label | undefined): ResultOf {
    return openBelow(this.#plan, this.#directory, path, {
      flags,
      ...(missing && { missing }),
      fixes: {
        ELOOP:
          "it is a symbolic link, or is behind one, and a box does not look where that leads; " +
          "name the file that it leads to instead",
        EACCES:
          "its owner may not search the directory, and a program could change that: chmod u+rwx",
      },
    });
  }

  /** Fails for a file that has another name. */
  #refuseLinks(path: string, opened: ResultOf): void {
    const [file, single] = [new Label(`${path} is a file`), new Label(`${path} has one name`)];
    const stat = statxOutput();
    this.#open(path, O_DIRECTORY, file);
    this.#plan.call(getpid(), { onSuccess: single });
    this.#plan.place(file);
    this.#plan.call(statx(opened, "", AT_EMPTY_PATH, STATX_NLINK, stat));
    const verdict = {
      name: "nlink",
      text: `<${path}>.nlink`,
      answer: stat,
      read: () => ({ errno: ERRNO.EINVAL, words: undefined }),
    };
    const links = new FieldAddress(stat, NLINK, "&statx.nlink");
    this.#plan.call({ ...compareWord(links, new Named(1, "1")), verdict }, {
      fixes: {
        EINVAL:
          "it has another name, a hard link, by which it could be changed or read; copy it to " +
          "a file of its own, or leave its name out",
      },
    });
    this.#plan.place(single);
  }
}

/** The offset of the number of links in struct statx. */
const NLINK = 16;
