/**
 * Whose files a path names, told from the steps alone: the recipe's, where one of its steps has
 * mounted a filesystem of its own there, or the host's, bound into the container or not.
 *
 * @module
 */

interface Mount {
  readonly target: string;
  readonly own: boolean;
}

/** The mounts that the steps have made so far. */
export class Ground {
  #mounts: readonly Mount[] = [{ target: "/", own: false }];

  /** A step has mounted something here: a filesystem of its own, or files of the host. */
  mounted(target: string, own: boolean): void {
    this.#mounts = [...this.#mounts, { target: normalize(target), own }];
  }

  /** The topmost mount here is gone. */
  unmounted(target: string): void {
    const at = this.#mounts.findLastIndex((mount) => mount.target === normalize(target));
    if (at > 0) this.#mounts = this.#mounts.toSpliced(at, 1);
  }

  /** Whether a step of the recipe has mounted something exactly here. */
  isMountPoint(target: string): boolean {
    return this.#mounts.findLastIndex((mount) => mount.target === normalize(target)) > 0;
  }

  /** Whether the path lies on a filesystem that the recipe has made. */
  isOwn(path: string): boolean {
    return this.#mountOf(normalize(path)).own;
  }

  /** The root has become this directory. */
  enter(root: string): void {
    const folder = normalize(root);
    if (folder === "/") return;
    const { own } = this.#mountOf(folder);
    const inside = this.#mounts
      .filter(({ target }) => target !== folder && isWithin(target, folder))
      .map(({ target, own }) => ({ target: target.slice(folder.length), own }));
    this.#mounts = [{ target: "/", own }, ...inside];
  }

  /** The mount that the path lies on: of the deepest, the one mounted last. */
  #mountOf(path: string): Mount {
    return this.#mounts
      .filter(({ target }) => isWithin(path, target))
      .reduce((best, mount) => mount.target.length >= best.target.length ? mount : best);
  }
}

/** The path without doubled slashes, `.` and a slash at its end. */
export function normalize(path: string): string {
  return "/" + path.split("/").filter((part) => part !== "" && part !== ".").join("/");
}

/** Whether a normalized path is the folder or lies in it. */
export function isWithin(path: string, folder: string): boolean {
  return folder === "/" || path === folder || path.startsWith(`${folder}/`);
}

/** The folder that a normalized path lies in. */
export function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

/** The last part of a normalized path. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
