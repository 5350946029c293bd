/**
 * The root that steps put together and enter: where it is until then, and what is in it at first.
 *
 * @module
 */

import type { Refusals } from "../../export/refusals.ts";
import { normalize } from "../../recipe/path.ts";
import type { Step } from "../../recipe/steps.ts";
import { ROOT_PLACE } from "../../recipe/steps/root_directory.ts";
import type { CopyRule } from "./copy_rule.ts";
import { realPath } from "./looked_at.ts";
import type { DirectorySource } from "./tree.ts";

/** The root of an image that is being made. */
export interface PackRoot {
  /** The directory that becomes the root; none where all steps are about the files of a base. */
  readonly place: string | undefined;
  /** What is in it at first. */
  readonly source?: DirectorySource;
  /** Its permissions, where a `tmpfs` says them. */
  readonly mode?: number | undefined;
}

/** What a root is made from. */
export interface RootRequest {
  readonly steps: readonly Step[];
  /** The unpacked files of the base. */
  readonly base: string | undefined;
  readonly copy: CopyRule;
  /** Whether copies of a whole root keep their owners. */
  readonly keepsOwners: boolean;
  readonly refusals: Refusals;
}

/** The step that enters a root, and what was in its place. */
interface EnteredRoot {
  readonly place: string;
  /** The directory of this machine that it is, or that its overlay lies over. */
  readonly directory?: string;
  /** The step that says so. */
  readonly at: number;
  readonly mode?: number | undefined;
  /** What the root is that is none of the files of one directory. */
  readonly issue?: string;
}

/** Finds the root that the steps enter, and refuses one of which no image can be made. */
export function packRoot(request: RootRequest): PackRoot {
  const { steps, base, copy, keepsOwners, refusals } = request;
  const root = enteredRoot(steps, refusals);
  const source = base === undefined ? undefined : { kind: "base", root: base, path: "." } as const;
  if (root === undefined) {
    if (source !== undefined) return { place: undefined, source };
    refusals.recipe(
      "it makes no root, and there is no image whose files are the root: name one (--from=IMAGE), " +
        "or begin with tmpfs() and pivotRoot(), or root()",
    );
    return { place: "/" };
  }
  const { place, directory, at, issue, mode } = root;
  const refuse = (why: string) => {
    refusals.step(steps[at]!, at, why);
    return { place };
  };
  if (issue !== undefined) return refuse(issue);
  // The steps of image.root() lay an overlay over the files of the base.
  const isBase = directory === undefined || directory === base;
  if (source !== undefined) {
    return isBase ? { place, source } : refuse(
      `the root is ${directory}, and --from names another one: leave one of them out`,
    );
  }
  if (directory === undefined) return { place, mode };
  const path = realPath(directory);
  if (path === undefined) return refuse(`there is no ${directory} on this machine`);
  if (!copy.allows(path)) {
    return refuse(
      `the root is ${directory} of this machine, which is copied with --copy=${directory}`,
    );
  }
  return { place, source: { kind: "copy", root: path, path: ".", keepsOwners } };
}

function enteredRoot(steps: readonly Step[], refusals: Refusals): EnteredRoot | undefined {
  const entering = steps.flatMap((step, at) => {
    return ["pivotRoot", "chroot", "root"].includes(step.step) ? [at] : [];
  });
  const [first, second] = entering;
  if (first === undefined) return undefined;
  if (second !== undefined) {
    refusals.step(steps[second]!, second, "an image has one root, and an earlier step enters it");
  }
  const step = steps[first]!;
  if (step.step === "root") return { place: ROOT_PLACE, directory: step.directory, at: first };
  if (step.step !== "pivotRoot" && step.step !== "chroot") return undefined;
  const place = normalize(step.path);
  const at = steps.slice(0, first).findLastIndex((step) =>
    ["tmpfs", "bind", "overlay", "mount"].includes(step.step) && "target" in step &&
    typeof step.target === "string" && normalize(step.target) === place
  );
  return { place, ...mountedRoot(place, steps[at], at, first) };
}

/** What is mounted where the root is put together. */
function mountedRoot(
  place: string,
  step: Step | undefined,
  at: number,
  entered: number,
): Omit<EnteredRoot, "place"> {
  if (step === undefined) return { directory: place, at: entered };
  if (step.step === "tmpfs") return { at, mode: step.mode };
  if (step.step === "bind") {
    const issue = "an image is made of the whole directory, and not of some of its entries";
    return step.entries === undefined ? { directory: step.source, at } : { at, issue };
  }
  if (step.step === "overlay") {
    const { lower, upper } = step;
    if (upper === undefined && lower.length === 1) return { directory: lower[0]!, at };
    const issue = upper === undefined
      ? "an image is made of one lower directory"
      : 'what is in "upper" over an image is packed by ramekin commit';
    return { at, issue };
  }
  return { at, issue: "the root is a filesystem that is mounted when the recipe runs" };
}
