/**
 * Lowers `protect` for a machine that is not known yet. Nothing can be looked for there, so the names
 * are protected directly in the directory, and what that does not hold is refused, or said by the
 * page of boxes.
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
import { isWithin, normalize } from "../../recipe/path.ts";
import { KEPT_BOXES, PROTECTED_NAMES } from "../../recipe/protected_names.ts";
import type { ProtectStep } from "../../recipe/steps/protect.ts";
import type { PlanBuilder } from "../builder.ts";
import { touches } from "../mount_table.ts";
import { mountOnItself, openBelow } from "../pins.ts";
import { holdMissingNames } from "./late_placeholders.ts";
import { type NameNode, nameTree } from "./name_tree.ts";

/** Lowers `protect` for a box. */
export function protectLate(step: ProtectStep, plan: PlanBuilder): void {
  const source = normalize(step.source);
  const { names = PROTECTED_NAMES } = step;
  if (source === "/" || source === "/home") {
    plan.refuse(
      `whose home directories are in ${source} is known only where the box runs; name the ` +
        "directories that the program may write to",
    );
  }
  if (names.includes(KEPT_BOXES) && BOXES.test(source)) {
    plan.refuse(
      `${source} has boxes that ramekin executes outside of the sandbox, so no program may write ` +
        "there; leave it out, or protect nothing (protect: false, --no-protect)",
    );
  }
  refuseOthers(step, source, plan);
  const tree = nameTree(source, names, (step.except ?? []).map(normalize));
  plan.access.record({ kind: "write", path: source });
  holdMissingNames(plan, source, tree);
  const target = plan.path(step.target);
  target.openBase();
  plan.skippable(`${source} is not a directory`, (end) => {
    // A file that is named itself is meant to be changed.
    const directory = target.open(O_PATH | O_DIRECTORY, {
      accept: ["ENOENT", "ENOTDIR"],
      onAccepted: end,
    });
    for (const node of tree) keep(plan, directory, node, undefined);
  });
  for (const path of namesOf(tree)) {
    plan.mounted({
      target: `${target.canonical}/${path}`,
      type: "bind",
      source: `${source}/${path}`,
      readOnly: true,
      certain: false,
      keepsBelow: true,
    });
  }
}

/** Refuses a directory that the program could change by another path, or what is in or around it. */
function refuseOthers({ target }: ProtectStep, source: string, plan: PlanBuilder): void {
  const { nextRoot } = plan.cursor;
  for (const mount of plan.state.mounts.visible()) {
    const { origin, readOnly } = mount;
    if (origin === undefined || readOnly || !touches(origin, source)) continue;
    if (nextRoot !== undefined && !isWithin(mount.target, nextRoot)) continue;
    const isSame = isWithin(origin, source)
      ? mount.target === below(normalize(target), origin.slice(source.length))
      : below(mount.target, source.slice(origin === "/" ? 0 : origin.length)) === normalize(target);
    if (isSame) continue;
    plan.refuse(
      `${origin} is shown at ${mount.target} too, where a box protects nothing; show it once`,
    );
  }
}

function below(directory: string, rest: string): string {
  return directory === "/" && rest !== "" ? rest : directory + rest;
}

/** The directory of the boxes that are kept, in any home directory. */
const BOXES = /\/\.cache\/ramekin(\/|$)/;

function namesOf(nodes: readonly NameNode[]): readonly string[] {
  return nodes.flatMap(({ path, isName, children }) => isName ? [path] : namesOf(children));
}

/**
 * Makes what has a name read-only, and pins the directories on the way.
 *
 * @param lost where the directory around it is made read-only, as a name is missing that may not be made
 */
function keep(plan: PlanBuilder, directory: Fd, node: NameNode, lost: Label | undefined): void {
  const { path, isName, mayBeMade, children } = node;
  const [closed, done] = [new Label(`${path} is kept`), new Label(`${path} is done`)];
  const open = (flags: number, missing: Label | undefined) =>
    openBelow(plan, directory, path, { flags, ...(missing && { missing }), fixes: WAYS });
  const opened = open(0, mayBeMade ? done : lost ?? done);
  if (isName) {
    refuseLinks(plan, directory, path, opened);
    mountOnItself(plan, opened, path, { readOnly: true });
  } else {
    // What is no directory could be replaced by one. A file .git says where the directory is.
    open(O_DIRECTORY, closed);
    mountOnItself(plan, opened, path);
    for (const child of children) keep(plan, directory, child, closed);
    plan.call(getpid(), { onSuccess: done });
    plan.place(closed);
    mountOnItself(plan, open(0, undefined), path, { readOnly: true });
  }
  plan.place(done);
}

const WAYS = {
  ELOOP:
    "it is a symbolic link, or is behind one; a box does not look where that leads: protect the " +
    "file that it leads to, and leave this name out (protect: [names], --protect=NAMES)",
  EACCES: "its owner may not search the directory, and a program could change that: chmod u+rwx",
};

/** Fails for a file that has another name. */
function refuseLinks(plan: PlanBuilder, directory: Fd, path: string, opened: ResultOf): void {
  const [file, single] = [new Label(`${path} is a file`), new Label(`${path} has one name`)];
  const stat = statxOutput();
  openBelow(plan, directory, path, { flags: O_DIRECTORY, missing: file });
  plan.call(getpid(), { onSuccess: single });
  plan.place(file);
  plan.call(statx(opened, "", AT_EMPTY_PATH, STATX_NLINK, stat));
  const verdict = {
    name: "protect",
    text: `<${path}>.nlink`,
    answer: stat,
    read: () => ({ errno: ERRNO.EINVAL, words: undefined }),
  };
  const links = new FieldAddress(stat, NLINK, "&statx.nlink");
  plan.call({ ...compareWord(links, new Named(1, "1")), verdict }, {
    fixes: {
      EINVAL:
        "it has another name, a hard link, by which it could be changed; copy it to a file of " +
        "its own, or leave its name out",
    },
  });
  plan.place(single);
}

/** The offset of the number of links in struct statx. */
const NLINK = 16;
