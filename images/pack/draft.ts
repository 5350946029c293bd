/**
 * An image that is being made of steps: its files, how its program is started, and what is told of the
 * steps that are no part of it.
 *
 * @module
 */

import type { Refusals } from "../../export/refusals.ts";
import { isWithin, normalize, parentOf } from "../../recipe/path.ts";
import { quoted } from "../../recipe/shown.ts";
import type { Step } from "../../recipe/steps.ts";
import type { CopyRule } from "./copy_rule.ts";
import { looked, realPath } from "./looked_at.ts";
import { PathIssue } from "./path_issue.ts";
import type { PackRoot } from "./root.ts";
import { type FileOwner, PackedTree } from "./tree.ts";

/** A step, or a part of one, that is no part of the image. */
export interface NotPacked {
  /** The number of the step, the first being 1. */
  readonly step: number;
  /** Its name: `"tmpfs"`. */
  readonly name: string;
  /** Why, or who says it instead. */
  readonly why: string;
}

/** What is mounted in the container, and not in the image. */
interface Mounted {
  readonly path: string;
  readonly step: number;
}

/** What the steps have said so far. */
export class ImageDraft {
  readonly tree: PackedTree;
  readonly env: Record<string, string> = {};
  cwd: string | undefined;
  user: string | undefined;
  #owner: FileOwner | undefined = { uid: 0, gid: 0 };
  readonly notPacked: NotPacked[] = [];
  /** Whether the root is entered, and paths are those of the image. */
  entered: boolean;
  readonly #root: PackRoot;
  readonly #copy: CopyRule;
  readonly #refusals: Refusals;
  #mounts: Mounted[] = [];
  #step: Step | undefined;
  #at = 0;

  constructor(root: PackRoot, copy: CopyRule, refusals: Refusals) {
    this.tree = new PackedTree(root.source, root.mode);
    this.entered = root.place === undefined;
    this.#root = root;
    this.#copy = copy;
    this.#refusals = refusals;
  }

  /**
   * Whose the files are that are made.
   *
   * @throws {PathIssue} where the user is known by a name, as the ids of one are those of a run
   */
  get owner(): FileOwner {
    if (this.#owner !== undefined) return this.#owner;
    throw new PathIssue(
      `it makes a file of ${
        quoted(this.user!)
      }, whose ids are those of a run: give setUser() ids, ` +
        "or make the file before",
    );
  }

  set owner(owner: FileOwner | undefined) {
    this.#owner = owner;
  }

  /** Reads a step by this function, which says what it is in the image. */
  read(step: Step, at: number, read: () => void): void {
    this.#step = step;
    this.#at = at;
    try {
      read();
    } catch (error) {
      if (!(error instanceof PathIssue)) throw error;
      this.refuse(error.message);
    }
  }

  /** Refuses the step. */
  refuse(why: string): void {
    this.#refusals.step(this.#step!, this.#at, why);
  }

  /** Says that the step, or a part of it, is no part of the image. */
  leaveOut(why: string): void {
    this.notPacked.push({ step: this.#at + 1, name: this.#step!.step, why });
  }

  /** Where the root is now. */
  get place(): string {
    return this.entered ? "/" : this.#root.place!;
  }

  /** Whether a path is where the root is put together. */
  isRoot(path: string): boolean {
    return !this.entered && normalize(path) === this.place;
  }

  /** Where a path is in the image; `undefined` for one of this machine. */
  inside(path: string): string | undefined {
    const normal = normalize(path);
    if (this.entered) return normal;
    const { place } = this;
    return isWithin(normal, place) ? normalize(normal.slice(place.length)) : undefined;
  }

  /** Does something with the files of the image, unless the path leads to none of them. */
  change(path: string, change: (path: string) => void): void {
    const inside = this.inside(path);
    if (inside === undefined) {
      return this.leaveOut(`${path} is outside of the directory that becomes the root`);
    }
    const mount = this.#mounts.findLast((mount) => isWithin(inside, mount.path));
    if (mount !== undefined) {
      return this.leaveOut(`${path} is on what step ${mount.step} mounts`);
    }
    change(inside);
  }

  /**
   * Says that something is mounted.
   *
   * @param mode that of the directory for it in the image; without one, what it is mounted on may be a
   * file, and the image has the directory around it
   */
  mount(path: string, why: string, mode?: number): void {
    const inside = this.inside(path);
    this.leaveOut(why);
    if (inside === undefined || inside === "/") return;
    if (!this.#mounts.some((mount) => isWithin(inside, mount.path))) {
      if (mode === undefined) this.tree.makeMountPoint(parentOf(inside), 0o755);
      else this.tree.makeMountPoint(inside, mode);
    }
    this.#mounts.push({ path: inside, step: this.#at + 1 });
  }

  /** Forgets what is mounted at a path. */
  unmount(path: string): void {
    const inside = this.inside(path);
    this.#mounts = this.#mounts.filter((mount) => mount.path !== inside);
  }

  /** Copies a file or directory of this machine, if that was asked for. */
  copy(source: string, target: string): void {
    const path = realPath(source);
    if (path === undefined) throw new PathIssue(`there is no ${source} on this machine`);
    const { type } = looked(path)!;
    if (type === "other") return this.mount(target, `${source} is a device, a pipe or a socket`);
    this.change(target, (inside) => this.tree.copy(inside, path));
  }

  /** Whether a file of this machine is copied. */
  mayCopy(source: string): boolean {
    return this.#copy.allows(realPath(source) ?? source);
  }

  /** Whether a path is one of this machine's. */
  isHere(source: string): boolean {
    if (this.#root.place === undefined) return true;
    return !this.entered && !isWithin(normalize(source), this.place);
  }
}
