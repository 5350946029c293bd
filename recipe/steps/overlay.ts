/**
 * The step `overlay`: folders laid over one another. See Documentation/filesystems/overlayfs.rst.
 *
 * @module
 */

import { ResultOf } from "../../ffi/call.ts";
import {
  at_fdcwd,
  chdir,
  fchdir,
  mkdirat,
  O_CLOEXEC,
  O_DIRECTORY,
  O_PATH,
  openat,
} from "../../ffi/calls/files.ts";
import { mount, MS_NODEV, MS_NOSUID } from "../../ffi/calls/mounts.ts";
import type { Draft } from "../draft.ts";
import { absolutePath, boolean, list, optional } from "../fields.ts";
import { isWithin, normalize } from "../ground.ts";
import { makeMountPoint, mountAt, needsMountPoint } from "../place.ts";
import type { StepDefinition } from "../step.ts";

/** Lays folders over one another. */
export interface OverlayStep extends OverlayOptions {
  /** Which step it is. */
  readonly step: "overlay";
  /** The folder where they are seen as one. */
  readonly target: string;
}

/** Options of {@linkcode overlay}. */
export interface OverlayOptions {
  /** The folders that are read, the topmost first. */
  readonly lower: readonly string[];
  /** The folder that takes what is written. */
  readonly upper?: string;
  /** An empty folder beside `upper`, on the same filesystem, which the kernel needs for itself. */
  readonly work?: string;
  /** Whether what is written goes to memory and is thrown away, in place of `upper` and `work`. */
  readonly discard?: boolean;
}

/**
 * Lays folders over one another: what is written goes to `upper`, or with `discard` to memory, and
 * the lower folders stay as they are. With neither, the overlay can only be read, and needs two
 * lower folders. Needs `unshare("mount")` before it; in a user namespace, Linux 5.11.
 *
 * @example Change the host's files, and throw the changes away
 * ```ts
 * import { mapRoot, overlay, recipe, unshare } from "@ramekin/ramekin";
 *
 * const box = recipe(
 *   unshare("user", "mount"),
 *   mapRoot(),
 *   overlay("/mnt", { lower: ["/mnt"], discard: true }),
 * );
 * console.log((await box.command("touch", { args: ["/mnt/a"] }).output()).success); // true
 * ```
 */
export function overlay(target: string, options: OverlayOptions): OverlayStep {
  return { step: "overlay", target, ...options };
}

/** How `overlay` is checked and planned. */
export const overlayDefinition: StepDefinition<OverlayStep> = {
  step: "overlay",
  fields: {
    target: absolutePath(),
    lower: list(absolutePath(), 1),
    upper: optional(absolutePath()),
    work: optional(absolutePath()),
    discard: optional(boolean()),
  },
  complaint({ lower, upper, work, discard }) {
    if ((upper === undefined) !== (work === undefined)) return `"upper" and "work" go together`;
    if (upper !== undefined && discard === true) return `"discard" takes the place of "upper"`;
    if (upper === undefined && discard !== true && lower.length < 2) {
      return `without "upper" or "discard" there have to be two lower folders`;
    }
    return undefined;
  },
  plan(step, draft) {
    draft.needs("mount", "it would be mounted on the host");
    if (step.discard === true) return discardingOverlay(draft, step);
    const { target, lower, upper, work } = step;
    mountAt(draft, "overlay", target, "overlay", 0, overlayData(draft, lower, upper, work));
  },
};

/** An overlay whose upper folder lies in a tmpfs that it covers itself. */
function discardingOverlay(draft: Draft, { target, lower }: OverlayStep): void {
  if (needsMountPoint(draft, target)) makeMountPoint(draft, target, "folder");
  const folder = normalize(target);
  const here = draft.call(openat(at_fdcwd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC, 0));
  // From here the target's own files can be reached when the tmpfs covers them.
  draft.call(chdir(folder));
  draft.call(mount("tmpfs", folder, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755"));
  const [upper, work] = [`${folder}/upper`, `${folder}/work`];
  draft.call(mkdirat(at_fdcwd, upper, 0o755));
  draft.call(mkdirat(at_fdcwd, work, 0o755));
  const reachable = lower.map(normalize).map((path) =>
    isWithin(path, folder) ? `.${path.slice(folder === "/" ? 0 : folder.length)}` : path
  );
  const data = overlayData(draft, reachable, upper, work);
  draft.call(mount("overlay", folder, "overlay", 0, data));
  draft.call(fchdir(new ResultOf(here, "here")));
  draft.ground.mounted(folder, true);
}

function overlayData(
  draft: Draft,
  lower: readonly string[],
  upper: string | undefined,
  work: string | undefined,
): string {
  return [
    `lowerdir=${lower.map((path) => escaped(path).replaceAll(":", "\\:")).join(":")}`,
    ...(upper === undefined ? [] : [`upperdir=${escaped(upper)}`]),
    ...(work === undefined ? [] : [`workdir=${escaped(work)}`]),
    // In a user namespace the trusted.* attributes, the default, cannot be written.
    ...(draft.own.has("user") ? ["userxattr"] : []),
  ].join(",");
}

/** Commas part the options, and a backslash keeps them from it. */
function escaped(path: string): string {
  return path.replace(/[\\,]/g, "\\$&");
}
