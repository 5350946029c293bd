/**
 * A directory of the host as the container shows it, in which files are protected or hidden.
 *
 * @module
 */

import type { ResultOf } from "../../ffi/call.ts";
import { O_DIRECTORY, O_NOFOLLOW } from "../../ffi/calls/files.ts";
import type { Label } from "../../ffi/engine/program.ts";
import type { FoundName } from "../../host/name_question.ts";
import type { PlanBuilder } from "../builder.ts";
import { mountOnItself, openBelow, parentsOf } from "../pins.ts";
import { coverWithEmpty } from "./empty_files.ts";

/** A directory of the host, and where the container shows it. */
export class ShownDirectory {
  readonly #plan: PlanBuilder;
  readonly #source: string;
  /** Where the container shows it. */
  readonly target: string;
  readonly #pinned = new Set<string>();
  readonly #kept = new Set<string>();
  readonly #hidden = new Set<string>();

  /** The paths are without symbolic links, each in its own tree. */
  constructor(plan: PlanBuilder, source: string, target: string) {
    this.#plan = plan;
    this.#source = source;
    this.target = target;
  }

  /** Whether the file is shown, and not covered by a filesystem of the recipe's. */
  has(source: string): boolean {
    const { own, target } = this.#plan.state.mounts.mountOf(this.targetOf(source));
    // An overlay shows the directory itself.
    return !own || target === this.target;
  }

  /** Whether changes of the file go elsewhere, so that it is not made on the host. */
  holdsChanges(source: string): boolean {
    return this.#plan.state.mounts.mountOf(this.targetOf(source)).type === "overlay";
  }

  /** Returns the path at which the container shows a file. */
  targetOf(source: string): string {
    return `${this.#root}/${this.#nameOf(source)}`;
  }

  /** Makes a file read-only, and pins the directories on the way to it. */
  keep({ path: source, isLink }: Pick<FoundName, "path" | "isLink">): void {
    const path = this.#nameOf(source);
    // A directory that is read-only keeps all that is in it.
    if (isIn(path, this.#kept) || isIn(path, this.#hidden)) return;
    this.#plan.forFound(() =>
      this.#whereReachable(path, (end) => {
        this.#pinParents(path, end);
        const opened = this.#open(path, isLink ? O_NOFOLLOW : 0, end);
        mountOnItself(this.#plan, opened, path, { readOnly: true });
      })
    );
    this.#kept.add(path);
    const target = this.targetOf(source);
    this.#plan.mounted({ target, type: "bind", source, readOnly: true, keepsBelow: true });
  }

  /**
   * Mounts an empty file or directory over a file.
   *
   * @param isFixed whether the directories on the way cannot be moved away anyhow
   */
  hide(source: string, empty: ResultOf, isFixed: boolean): void {
    const path = this.#nameOf(source);
    if (isIn(path, this.#hidden)) return;
    this.#plan.forFound(() =>
      this.#whereReachable(path, (end) => {
        if (!isFixed) this.#pinParents(path, end);
        const opened = this.#open(path, 0, end);
        coverWithEmpty(this.#plan, opened, path, empty);
        this.#plan.release(opened);
      })
    );
    this.#hidden.add(path);
    this.#plan.mounted({ target: this.targetOf(source), type: "mask", readOnly: true });
  }

  /**
   * Adds calls for a file that are skipped where a directory of another user may not be searched:
   * root of a user namespace is an ordinary user there, and so is its program.
   */
  #whereReachable(path: string, write: (end: Label | undefined) => void): void {
    if (!this.#isOthers(path)) return write(undefined);
    // It has to be open after these calls too.
    this.#plan.directories.at(this.target);
    this.#plan.skippable(`${path} is out of reach`, write);
  }

  /**
   * Whether a directory on the way is another user's and closed to others, and none after it is the
   * caller's own, which a program could have closed.
   */
  #isOthers(path: string): boolean {
    const { caller, inUserNamespace, joined } = this.#plan.state;
    // Others have no more in the container than on the host, and root alone finds files there.
    if (caller.euid !== 0 || !inUserNamespace || joined.has("user")) return false;
    if (this.#plan.cursor.includes("mapIds")) return false;
    const around = parentsOf(path).map((parent) => {
      const whole = this.#source === "/" ? `/${parent}` : `${this.#source}/${parent}`;
      return this.#plan.facts.resolve(whole).attributes;
    });
    const first = around.findIndex((attributes) =>
      attributes !== undefined && attributes.uid !== 0 && (attributes.mode & 0o001) === 0
    );
    return first >= 0 && around.slice(first).every((attributes) => attributes?.uid !== 0);
  }

  #pinParents(path: string, unreachable: Label | undefined): void {
    for (const parent of parentsOf(path)) {
      if (this.#pinned.has(parent) || isIn(parent, this.#kept)) continue;
      this.#pinned.add(parent);
      mountOnItself(this.#plan, this.#open(parent, O_DIRECTORY, unreachable), parent);
    }
  }

  /** Returns the path from the directory. */
  #nameOf(source: string): string {
    return source.slice(this.#source === "/" ? 1 : this.#source.length + 1);
  }

  get #root(): string {
    return this.target === "/" ? "" : this.target;
  }

  #open(path: string, flags: number, unreachable: Label | undefined): ResultOf {
    const gone = `${path} was there when the recipe was planned, and is not any more; run it again`;
    return openBelow(this.#plan, this.#plan.directories.at(this.target), path, {
      flags,
      unreachable,
      fixes: { ENOENT: gone },
    });
  }
}

/** Whether a relative path, or a directory on its way, is among them. */
function isIn(path: string, paths: ReadonlySet<string>): boolean {
  return paths.has(path) || parentsOf(path).some((parent) => paths.has(parent));
}
