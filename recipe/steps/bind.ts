/**
 * The step `bind`: files of the host, seen in the container. See open_tree(2), mount_setattr(2)
 * and move_mount(2).
 *
 * @module
 */

import { ResultOf } from "../../ffi/call.ts";
import { close, O_CLOEXEC, O_DIRECTORY, O_PATH, openat } from "../../ffi/calls/files.ts";
import {
  AT_EMPTY_PATH,
  AT_RECURSIVE,
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NOEXEC,
  MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_NOSYMFOLLOW,
  MOUNT_ATTR_RDONLY,
  mount_setattr,
  move_mount,
  MOVE_MOUNT_F_EMPTY_PATH,
  MOVE_MOUNT_T_EMPTY_PATH,
  open_tree,
  OPEN_TREE_CLOEXEC,
  OPEN_TREE_CLONE,
} from "../../ffi/calls/mounts.ts";
import { Label } from "../../ffi/program.ts";
import type { Draft } from "../drafting/draft.ts";
import { absolutePath, boolean, list, oneOf, optional, path } from "../fields.ts";
import type { Gate } from "../gate/gate.ts";
import { normalize } from "../drafting/ground.ts";
import { attachAt, makeMountPoint, needsMountPoint, openAt } from "../drafting/place.ts";
import type { StepDefinition } from "../step.ts";

/** What a bound file must not be used for. */
export type BindRestriction = "nosuid" | "nodev" | "noexec" | "nosymfollow";

const RESTRICTIONS: Readonly<Record<BindRestriction, number>> = {
  nosuid: MOUNT_ATTR_NOSUID,
  nodev: MOUNT_ATTR_NODEV,
  noexec: MOUNT_ATTR_NOEXEC,
  nosymfollow: MOUNT_ATTR_NOSYMFOLLOW,
};

/** Shows a folder or file of the host in the container. */
export interface BindStep extends BindOptions {
  /** Which step it is. */
  readonly step: "bind";
  /** What is shown. */
  readonly source: string;
  /** Where it is shown. */
  readonly target: string;
}

/** Options of {@linkcode bind}. */
export interface BindOptions {
  /** Whether it can only be read: it and, where `recursive`, all that is mounted below it. */
  readonly readOnly?: boolean;
  /**
   * Whether what is mounted below the source is shown too. An ordinary user cannot leave it away,
   * as that could uncover what the mounts hide (mount_namespaces(7)).
   *
   * @default {true}
   */
  readonly recursive?: boolean;
  /** Whether the step is left out when the source does not exist. */
  readonly optional?: boolean;
  /** What the files must not be used for, as mount(8) calls it. */
  readonly restrict?: readonly BindRestriction[];
}

/**
 * Shows a folder or file of the host in the container: at the same place, or at another. A mount
 * point that is missing is made on filesystems that the recipe has mounted, and an error elsewhere.
 * Needs `unshare("mount")` before it, and Linux 5.2; with `readOnly` or `restrict`, Linux 5.12.
 *
 * @throws {RecipeError} when it is planned without `unshare("mount")` before it, or onto `/`
 * @throws {SyscallError} when it is run: `ENOENT` where the source does not exist, or the mount
 * point on a filesystem of the host's, `EACCES` where a folder on the way may not be searched,
 * `EINVAL` for a folder on a file or a file on a folder, and for an ordinary user who leaves away
 * mounts below the source
 *
 * @example
 * ```ts
 * import { bind, mapRoot, recipe, unshare } from "@ramekin/ramekin";
 *
 * const box = recipe(
 *   unshare("user", "mount"),
 *   mapRoot(),
 *   bind("/usr", "/usr", { readOnly: true }),
 * );
 * const { success } = await box.command("touch", { args: ["/usr/a"], stderr: "null" }).output();
 * console.log(success); // false
 * ```
 */
export function bind(source: string, target: string = source, options: BindOptions = {}): BindStep {
  return { step: "bind", source, target, ...options };
}

/** How `bind` is checked and planned. */
export const bindDefinition: StepDefinition<BindStep> = {
  step: "bind",
  get fields() {
    return {
      source: path(),
      target: absolutePath(),
      readOnly: optional(boolean()),
      recursive: optional(boolean()),
      optional: optional(boolean()),
      restrict: optional(list(oneOf(Object.keys(RESTRICTIONS)))),
    };
  },
  plan(step, draft) {
    draft.needs("mount", "it would be mounted on the host");
    const path = draft.gate === undefined ? step.source : gatedSource(draft.gate, step);
    if (path === undefined) return draft.container.ground.mounted(step.target, false, false);
    const missing = new Label("the source is missing");
    const recursive = step.recursive === false ? 0 : AT_RECURSIVE;
    const source = openSource(draft, { ...step, source: path }, missing);
    const cloned = open_tree(
      source,
      "",
      OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | recursive,
    );
    const tree = new ResultOf(draft.call(cloned), "tree");
    const attributes = (step.restrict ?? []).reduce(
      (sum, word) => sum | RESTRICTIONS[word],
      step.readOnly === true ? MOUNT_ATTR_RDONLY : 0,
    );
    if (attributes !== 0) {
      const set = { attr_set: attributes };
      draft.call(mount_setattr(tree, "", AT_EMPTY_PATH | recursive, set));
    }
    if (isOnItself(draft, { ...step, source: path })) {
      draft.call(move_mount(tree, "", source, "", ONTO_FOLDER));
    } else {
      if (needsMountPoint(draft, step.target)) makeMountPointLike(draft, source, step.target);
      attachAt(draft, tree, step.target);
    }
    draft.call(close(tree));
    draft.call(close(source));
    draft.place(missing);
    draft.container.ground.mounted(step.target, false, step.optional !== true);
  },
};

const ONTO_FOLDER = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;

/**
 * Whether it is mounted on what it shows, in a root to come: that is looked for once then, so that
 * nobody can change meanwhile what its path leads to.
 */
function isOnItself(draft: Draft, { source, target }: BindStep): boolean {
  return normalize(source) === normalize(target) && draft.sequence.rootOf(target) !== undefined;
}

/** Notes what is shown, and answers where to open it; `undefined` where it is missing and may be. */
function gatedSource(
  gate: Gate,
  { source, readOnly, optional, restrict }: BindStep,
): string | undefined {
  const path = gate.places.sourceOf(source);
  if (path === undefined) {
    gate.reachesAll();
    return source;
  }
  const noDevices = restrict?.includes("nodev");
  return gate.shows(path, { readOnly, noDevices, optional }) === "missing" ? undefined : path;
}

/** Opens what is to be shown; where that is missing and may be, goes on at the label. */
function openSource(
  draft: Draft,
  { source, optional }: BindStep,
  missing: Label,
): ResultOf {
  const edges = optional === true ? { accept: ["ENOENT"], onAccepted: missing } as const : {};
  return openAt(draft, source, O_PATH, 0, edges);
}

/** Makes a folder to mount a folder on, or a file to mount anything else on. */
function makeMountPointLike(draft: Draft, source: ResultOf, target: string): void {
  const isFile = new Label("the source is no folder");
  const made = new Label("the mount point is there");
  const opened = draft.call(openat(source, ".", O_PATH | O_DIRECTORY | O_CLOEXEC, 0), {
    accept: ["ENOTDIR"],
    onAccepted: isFile,
  });
  makeMountPoint(draft, target, "folder");
  draft.call(close(new ResultOf(opened, "folder")), { onZero: made });
  draft.place(isFile);
  makeMountPoint(draft, target, "file");
  draft.place(made);
}
