/**
 * Lowers a `bind` with `entries`: some of the files of a directory.
 *
 * @module
 */

import { O_PATH, symlinkat } from "../../ffi/calls/files.ts";
import { isWithin, normalize } from "../../recipe/path.ts";
import type { BindStep } from "../../recipe/steps/bind.ts";
import type { PlanBuilder } from "../builder.ts";
import { HostPath } from "../host_path.ts";
import { coverWithEmpty, withEmptyFiles } from "./empty_files.ts";

/** The permission of everybody to read a file (inode(7)). */
const S_IROTH = 0o004;

/** What to do where an entry is gone that was found. */
export const ENTRY_GONE = "was there when the recipe was planned, and is gone; run it again";

/**
 * Shows each of the entries that there are and that all users may read.
 *
 * @param show shows one of them
 */
export function lowerEntries(
  { entries = [], hide = [], ...step }: BindStep,
  plan: PlanBuilder,
  show: (step: BindStep) => void,
): void {
  if (!plan.host.isHere) return lowerLateEntries({ entries, hide, ...step }, plan, show);
  const source = plan.source(step.source, step.optional);
  if (!(source instanceof HostPath)) {
    return plan.refuse(
      `"entries" are those of a directory of the host, and ${step.source} is none`,
    );
  }
  // Of the root the names follow the slash.
  const [directory, target] = [source.resolved.path, normalize(step.target)]
    .map((path) => path === "/" ? "" : path) as [string, string];
  const found = (patterns: readonly string[]) =>
    new Set(patterns.flatMap((pattern) => namesOf(pattern.split("/"), directory, plan)));
  const names = [...found(entries)];
  const shown = new Set<string>();
  const links = linksAmong(names, directory, plan);
  for (const name of names) {
    const path = `${target}/${name}`;
    const link = links.get(name);
    if (link !== undefined && plan.state.mounts.mountAbove(path).own) {
      plan.access.recordLink(path);
      plan.path(path).makeParent();
      plan.path(path).inParent((parent, last) => plan.call(symlinkat(link, parent, last)));
    } else if (isPublic(`${directory}/${name}`, plan)) {
      plan.forFound(() => show({ ...step, source: `${directory}/${name}`, target: path }));
      shown.add(name);
    }
  }
  const hidden = [...found(hide)].filter((name) =>
    [...shown].some((other) => isWithin(name, other))
  );
  if (hidden.length === 0) return;
  plan.forFound(() => cover(hidden.map((name) => `${target}/${name}`), plan));
}

/**
 * Shows the entries of a machine that is not known yet, where they are there: those with a name, as
 * what a pattern stands for is not known, so that nothing of it is shown.
 */
function lowerLateEntries(
  { entries = [], hide = [], ...step }: BindStep,
  plan: PlanBuilder,
  show: (step: BindStep) => void,
): void {
  const [directory, target] = [normalize(step.source), normalize(step.target)]
    .map((path) => path === "/" ? "" : path) as [string, string];
  for (const name of entries.filter((entry) => !entry.includes("*"))) {
    if (hide.some((pattern) => mayLieIn(pattern, name))) {
      plan.refuse(
        `what is hidden in ${name} is known only where the box runs; leave the entry out`,
      );
    }
    show({
      ...step,
      optional: true,
      source: `${directory}/${name}`,
      target: `${target}/${name}`,
    });
  }
}

/** Whether a pattern may stand for an entry, or for what is in it. */
function mayLieIn(pattern: string, entry: string): boolean {
  const parts = pattern.split("/");
  return entry.split("/").every((name, at) => {
    const words = parts[at]?.split("*").map((word) => word.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
    return words !== undefined && new RegExp(`^${words.join(".*")}$`).test(name);
  });
}

/** Covers files with empty ones. */
function cover(paths: readonly string[], plan: PlanBuilder): void {
  withEmptyFiles(plan, (empty) => {
    for (const path of paths) {
      const target = plan.path(path);
      const place = target.open(O_PATH, { fixes: { ENOENT: `${path} ${ENTRY_GONE}` } });
      coverWithEmpty(plan, place, path, empty);
      plan.release(place);
      plan.mounted({ target: target.canonical, type: "mask", readOnly: true });
    }
  });
}

/** Returns the paths in the directory that an entry stands for. */
function namesOf(
  [first, ...rest]: readonly string[],
  directory: string,
  plan: PlanBuilder,
): readonly string[] {
  const found = plan.facts.namesIn(directory || "/", first!);
  if (rest.length === 0) return found;
  return found.flatMap((name) =>
    namesOf(rest, `${directory}/${name}`, plan).map((more) => `${name}/${more}`)
  );
}

/**
 * Returns the entries that are symbolic links into others of them, such as /bin into /usr, with what
 * they contain: a link takes less time than a mount.
 */
function linksAmong(
  names: readonly string[],
  directory: string,
  plan: PlanBuilder,
): ReadonlyMap<string, string> {
  const found = names.map((name) => {
    const asked = `${directory}/${name}`;
    const { path, attributes } = plan.facts.resolve(asked);
    return { name, asked, path, isThere: attributes !== undefined };
  });
  const shown = found.filter(({ asked, path }) => asked === path);
  return new Map(
    found.filter(({ asked, path, isThere }) =>
      isThere && asked !== path && shown.some((other) => isWithin(path, other.path))
    ).map(({ name, path }) => {
      const up = "../".repeat(name.split("/").length - 1);
      return [name, up + path.slice(directory.length + 1)];
    }),
  );
}

function isPublic(path: string, plan: PlanBuilder): boolean {
  const { attributes } = plan.facts.resolve(path);
  return attributes !== undefined && (attributes.mode & S_IROTH) !== 0;
}
