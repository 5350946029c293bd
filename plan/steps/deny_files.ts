/**
 * Lowers the step `denyFiles`: looks for the files in each directory of the host that is shown.
 *
 * @module
 */

import type { ResultOf } from "../../ffi/call.ts";
import {
  at_fdcwd,
  O_CLOEXEC,
  O_PATH,
  openat2,
  RESOLVE_NO_SYMLINKS,
} from "../../ffi/calls/files.ts";
import type { FoundName } from "../../host/name_question.ts";
import type { FileType } from "../../host/resolve_path.ts";
import { isWithin, normalize } from "../../recipe/path.ts";
import type { DenyFilesStep } from "../../recipe/steps/deny_files.ts";
import type { PlanBuilder } from "../builder.ts";
import { type PlannedMount, touches } from "../mount_table.ts";
import { mountOnItself, pinParents } from "../pins.ts";
import { coverWithEmpty, withEmptyFiles } from "./empty_files.ts";
import { holdNames } from "./late_names.ts";
import { holdMissingNames } from "./late_placeholders.ts";
import { pathTree } from "./name_tree.ts";
import { scanNames } from "../scan_names.ts";
import { ShownDirectory } from "./shown_directory.ts";

/** Lowers `denyFiles`. */
export function lowerDenyFiles({ read = [], write = [] }: DenyFilesStep, plan: PlanBuilder): void {
  plan.needs("mount", "they would be hidden on the host");
  if (!plan.state.mounts.atHostRoot) {
    plan.refuse("there is no path of the host's any more; put it before pivotRoot()");
  }
  const { unknownSource } = plan.state;
  if (unknownSource !== undefined) {
    plan.refuse(
      `which files of the host ${unknownSource} shows is not known from the steps before; name the ` +
        "directory of the host instead, or put denyFiles() before that step",
    );
  }
  if (!plan.host.isHere) requireNoLinks([...read, ...write], plan);
  const [hidden, kept] = [placesOf(read, plan), placesOf(write, plan)];
  const trees = shownTrees(plan, [...hidden, ...kept]);
  const deny = (empty?: ResultOf) => {
    for (const tree of trees) {
      const within = new DenialsIn(tree, trees, plan);
      if (empty !== undefined) within.hide(hidden, empty);
      // What is thrown away changes nothing.
      if (!tree.readOnly && !tree.discards) within.keep(kept);
    }
  };
  if (hidden.length === 0) deny();
  else withEmptyFiles(plan, deny);
  // What is open may be below a mount now.
  plan.directories.closeAll();
}

/** Has a box fail where a path leads over a link: it is denied by what it is, and not by where it leads. */
function requireNoLinks(paths: readonly string[], plan: PlanBuilder): void {
  const how = { flags: O_PATH | O_CLOEXEC, resolve: RESOLVE_NO_SYMLINKS };
  for (const path of new Set(paths.map(normalize))) {
    plan.callBefore(openat2(at_fdcwd, path, how), {
      // What nobody can reach is shown to nobody.
      accept: ["ENOENT", "ENOTDIR", "EACCES"],
      fixes: {
        ELOOP:
          "the path is denied by its name alone, and a symbolic link is on the way; name the " +
          "file that it leads to (realpath)",
      },
    });
  }
}

/** A file of the host that is denied: where its path leads, and the symbolic links on the way. */
interface DeniedPlace {
  readonly end: string;
  readonly links: readonly string[];
}

function placesOf(paths: readonly string[], plan: PlanBuilder): readonly DeniedPlace[] {
  return paths.flatMap((path) => {
    const asked = normalize(path);
    if (asked === "/") plan.refuse("the root itself cannot be denied; leave out what shows it");
    const { path: end } = plan.facts.resolve(asked);
    const links = end === asked ? [] : plan.facts.followLinks(asked).links;
    const others = plan.facts.otherNames.of(end).map((end): DeniedPlace => ({ end, links: [] }));
    return [{ end, links }, ...others];
  });
}

/** A file or directory of the host that the container shows. */
interface ShownTree {
  /** Its path on the host, without symbolic links. */
  readonly origin: string;
  readonly type: FileType | "unknown";
  readonly target: string;
  readonly readOnly: boolean;
  /** Whether its changes are thrown away. */
  readonly discards: boolean;
  /** Whether changes go elsewhere: what is made there is not on the host. */
  readonly holdsChanges: boolean;
}

/** Returns what is shown of the host, the innermost first: what is around it then has the mounts in it. */
function shownTrees(
  plan: PlanBuilder,
  denied: readonly DeniedPlace[],
): readonly ShownTree[] {
  const { nextRoot } = plan.cursor;
  const trees: ShownTree[] = [];
  for (const mount of plan.state.mounts.visible()) {
    const { origin, target, readOnly, own } = mount;
    const isOverlay = mount.type === "overlay";
    if (nextRoot !== undefined && !isWithin(target, nextRoot)) continue;
    if (origin === undefined) refuseLayers(mount, denied, plan);
    if (origin === undefined) continue;
    const { type } = plan.facts.resolve(origin);
    if (type === undefined) continue;
    const [discards, holdsChanges] = [isOverlay && own, isOverlay && !own];
    trees.push({ origin, type, target, readOnly, discards, holdsChanges });
  }
  return trees.sort((a, b) => b.target.length - a.target.length);
}

function refuseLayers(
  { target, layers, origin }: PlannedMount,
  denied: readonly DeniedPlace[],
  plan: PlanBuilder,
): void {
  // What an overlay certainly shows of the host is looked through as other mounts are.
  if (origin !== undefined) return;
  for (const { path } of layers) {
    const layer = plan.facts.resolve(path).path;
    const found = denied.find(({ end }) => touches(end, layer));
    if (found === undefined) continue;
    plan.refuse(
      `${found.end} is in a layer of the overlay at ${target}; maskPaths() and readonlyPaths() ` +
        "take its path in there",
    );
  }
}

/** What is denied in one tree. */
class DenialsIn {
  readonly #tree: ShownTree;
  readonly #trees: readonly ShownTree[];
  readonly #plan: PlanBuilder;
  readonly #shown: ShownDirectory;

  constructor(tree: ShownTree, trees: readonly ShownTree[], plan: PlanBuilder) {
    this.#tree = tree;
    this.#trees = trees;
    this.#plan = plan;
    this.#shown = new ShownDirectory(plan, tree.origin, tree.target);
  }

  /** Mounts empty files and directories over what is denied. */
  hide(denied: readonly DeniedPlace[], empty: ResultOf): void {
    const { target, readOnly } = this.#tree;
    if (this.#isWhole(denied)) {
      const place = this.#openWhole();
      coverWithEmpty(this.#plan, place, target, empty);
      this.#plan.release(place);
      return this.#plan.mounted({ target, type: "mask", readOnly: true });
    }
    if (!this.#plan.host.isHere) return this.#holdLate(denied, empty);
    this.#find(denied, "read", ({ path }) => this.#shown.hide(path, empty, readOnly));
  }

  /** Makes what is denied read-only. */
  keep(denied: readonly DeniedPlace[]): void {
    const { target, origin } = this.#tree;
    if (this.#isWhole(denied)) {
      mountOnItself(this.#plan, this.#openWhole(), target, { readOnly: true });
      const kept = { type: "bind", source: origin, origin, readOnly: true, keepsBelow: true };
      return this.#plan.mounted({ target, ...kept });
    }
    if (!this.#plan.host.isHere) return this.#holdLate(denied);
    this.#find(denied, "changed", (file) => this.#shown.keep(file));
  }

  /** Holds what is denied on a machine that is not known yet, and covers it where that is given. */
  #holdLate(denied: readonly DeniedPlace[], empty?: ResultOf): void {
    const { origin: source, target, readOnly, discards, holdsChanges } = this.#tree;
    const paths = this.#shownOf(denied.map(({ end }) => end));
    if (paths.length === 0) return;
    const isChangeable = !readOnly && !discards;
    const mayBeMade = !isChangeable || holdsChanges;
    const start = source === "/" ? 1 : source.length + 1;
    const tree = pathTree(paths.map((path) => path.slice(start)), mayBeMade);
    const plan = this.#plan;
    if (!mayBeMade) plan.access.record({ kind: "write", path: source });
    holdMissingNames(plan, source, tree);
    pinParents(plan, plan.path(target));
    holdNames(plan, { source, target, isChangeable }, tree, empty);
  }

  /** Whether the tree is denied, or in a directory that is. */
  #isWhole(denied: readonly DeniedPlace[]): boolean {
    return denied.some(({ end }) => isWithin(this.#tree.origin, end));
  }

  #openWhole(): ResultOf {
    const path = this.#plan.path(this.#tree.target);
    pinParents(this.#plan, path);
    return path.open(O_PATH);
  }

  /** Calls `write` for each denied file in a directory, and keeps the links on its way. */
  #find(
    denied: readonly DeniedPlace[],
    done: string,
    write: (file: FoundName) => void,
  ): void {
    const { origin, type, target, readOnly, discards, holdsChanges } = this.#tree;
    if (type !== "directory") return;
    const paths = this.#shownOf(denied.map(({ end }) => end));
    const links = readOnly || discards ? [] : this.#shownOf(denied.flatMap(({ links }) => links));
    if (paths.length + links.length === 0) return;
    const plan = this.#plan;
    const { found, missing } = scanNames(plan, {
      directory: origin,
      names: [],
      absent: [],
      paths,
      except: [],
      uid: plan.state.caller.euid,
    });
    pinParents(plan, plan.path(target));
    plan.directories.closeAll();
    for (const file of found) {
      if (file.path === origin) {
        plan.refuse(
          `${origin} may not be searched by its owner, and a program could change that; run ` +
            `"chmod u+rwx ${origin}" before`,
        );
      }
      if (file.isShared) {
        plan.refuse(
          `${file.path} has another name, a hard link, by which it could be ${done}; copy it to ` +
            "a file of its own, or deny the directories of both",
        );
      }
      write(file);
    }
    for (const path of links) this.#shown.keep({ path, isLink: true });
    // Nobody makes a file in what can only be read, or of what is thrown away or held.
    if (readOnly || discards || holdsChanges || missing.length === 0) return;
    plan.access.record({ kind: "write", path: origin });
    for (const name of missing) {
      plan.placeholders.push({ ...name, stepIndex: plan.cursor.index });
      this.#shown.keep({ path: name.path, isLink: false });
    }
  }

  /** Returns the paths of the host that are shown in this tree, and not in one within it. */
  #shownOf(paths: readonly string[]): readonly string[] {
    return [...new Set(paths)].filter((path) => {
      if (!isWithin(path, this.#tree.origin) || !this.#shown.has(path)) return false;
      const target = this.#shown.targetOf(path);
      return this.#trees.find((tree) => isWithin(target, tree.target)) === this.#tree;
    });
  }
}
