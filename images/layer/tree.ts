/**
 * The tree that layers make, kept in memory while they are unpacked into an empty directory: where
 * the name of a file leads is found here, links and all, and no lookup of the kernel's follows one.
 *
 * @module
 */

import { ArchiveError } from "./errors.ts";
import type { Attributes } from "./tar/entry.ts";

/** What a file of the tree is, as far as names are concerned. */
export type NodeKind = "directory" | "symlink" | "other";

/** As many links may lie on the way to a file (path_resolution(7)). */
const MOST_LINKS = 40;
/** PATH_MAX without its NUL: no longer name can be opened, and no link leads further. */
export const LONGEST = 4095;

/** A directory that nothing describes. */
const PLAIN: Attributes = {
  uid: 0,
  gid: 0,
  mode: 0o755,
  mtime: { seconds: 0, nanoseconds: 0 },
  xattrs: [],
};

/** A file of the tree. */
export class TreeNode {
  /** The files in a directory, by name. */
  readonly children: Map<string, TreeNode> | undefined;
  /** What a directory gets at the end. */
  attributes: Attributes = PLAIN;
  /** Whether it could not be made, and is left out. */
  absent = false;

  /** How many letters its path has. */
  readonly #length: number;

  /**
   * A file, which is in the tree once its parent has it.
   *
   * @throws {ArchiveError} if its path is longer than any path
   */
  constructor(
    readonly kind: NodeKind,
    readonly name: string,
    readonly parent: TreeNode | undefined,
    /** The last layer that has said something of it, or of what lies in it. */
    public layer: number,
    readonly target = "",
  ) {
    this.children = kind === "directory" ? new Map() : undefined;
    this.#length = parent === undefined ? 0 : parent.#length + name.length + 1;
    // Links make paths longer than the names in archives are, one link after the other.
    if (this.#length > LONGEST) throw tooLong(this.#length);
  }

  /** Its path from the root, which is ".". */
  get path(): string {
    if (this.parent === undefined) return ".";
    const above = this.parent.path;
    return above === "." ? this.name : `${above}/${this.name}`;
  }

  /** Whether it is in the tree. */
  get isThere(): boolean {
    if (this.parent === undefined) return true;
    return this.parent.children!.get(this.name) === this && this.parent.isThere;
  }
}

/** How far a name leads. */
export interface Lookup {
  /** The last directory on the way that there is. */
  readonly directory: TreeNode;
  /** The names behind it that there are not. */
  readonly missing: readonly string[];
  /** Why it leads no further: a file that is no directory lies on the way, or too many links. */
  readonly blocked: string | undefined;
}

/** The tree of an image. */
export class Tree {
  readonly root = new TreeNode("directory", "", undefined, 0);
  /** The number of the layer that is being unpacked. */
  layer = 0;

  /** Follows the way to a directory, with the links on it. No way leads out of the root. */
  lookUp(parts: readonly string[]): Lookup {
    const way = [this.root];
    const blocked = (what: string) => ({ directory: way.at(-1)!, missing: [], blocked: what });
    const missing: string[] = [];
    const left = parts.toReversed();
    for (let links = 0; left.length > 0;) {
      const part = left.pop()!;
      if (part === "" || part === ".") continue;
      if (part === "..") {
        if (missing.length > 0) missing.pop();
        else if (way.length > 1) way.pop();
        continue;
      }
      const child = missing.length > 0 ? undefined : way.at(-1)!.children!.get(part);
      if (child === undefined) missing.push(part);
      else if (child.kind === "directory") way.push(child);
      else if (child.kind === "symlink") {
        if (++links > MOST_LINKS) return blocked(`more than ${MOST_LINKS} links lie on the way`);
        if (child.target.startsWith("/")) way.length = 1;
        left.push(...child.target.split("/").reverse());
      } else return blocked(`${JSON.stringify(child.path)} is on the way, and no directory`);
    }
    return { directory: way.at(-1)!, missing, blocked: undefined };
  }

  /** The directory that a name leads to, if there is one. */
  findDirectory(parts: readonly string[]): TreeNode | undefined {
    const { directory, missing, blocked } = this.lookUp(parts);
    return missing.length > 0 || blocked !== undefined ? undefined : directory;
  }

  /** The file of this name, of which the last part is no way: a link is that link. */
  find(parts: readonly string[]): TreeNode | undefined {
    const name = parts.at(-1);
    if (name === undefined) return this.root;
    return this.findDirectory(parts.slice(0, -1))?.children?.get(name);
  }

  /** Puts a file into a directory where there is none of this name. */
  add(kind: NodeKind, name: string, parent: TreeNode, target = ""): TreeNode {
    const node = new TreeNode(kind, name, parent, -1, target);
    parent.children!.set(name, node);
    this.touch(node);
    return node;
  }

  /** Takes a file out, with all that lies in it; returns it. */
  take(node: TreeNode): TreeNode {
    node.parent!.children!.delete(node.name);
    return node;
  }

  /** Notes that the layer has said something of a file, and so of the directories around it. */
  touch(node: TreeNode): void {
    for (let at: TreeNode | undefined = node; at && at.layer !== this.layer; at = at.parent) {
      at.layer = this.layer;
    }
  }

  /** The files of lower layers that a whiteout hides: the outermost of each. */
  *hidden(node: TreeNode, itself: boolean): Generator<TreeNode> {
    if (itself && node.layer !== this.layer) {
      yield node;
      return;
    }
    for (const child of [...node.children?.values() ?? []]) yield* this.hidden(child, true);
  }
}

/**
 * The parts of a name in an archive. `..` is taken back by words, as umoci and tar(1) do, and what
 * would climb out of the root stays in it.
 *
 * @throws {ArchiveError} if the name is longer than any path
 */
export function partsOf(name: string): string[] {
  if (name.length > LONGEST) throw tooLong(name.length);
  const parts: string[] = [];
  for (const part of name.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts;
}

/** All files in and below a directory, the deepest first. */
export function* deepestFirst(node: TreeNode): Generator<TreeNode> {
  // By hand, as a tree may be deeper than a stack.
  const way: { readonly node: TreeNode; readonly rest: Iterator<TreeNode> }[] = [];
  const enter = (node: TreeNode) => {
    way.push({ node, rest: [...node.children?.values() ?? []].values() });
  };
  enter(node);
  while (way.length > 0) {
    const { node, rest } = way.at(-1)!;
    const next = rest.next();
    if (!next.done) enter(next.value);
    else {
      way.pop();
      yield node;
    }
  }
}

function tooLong(length: number): ArchiveError {
  return new ArchiveError(`a name has ${length} letters, and a path at most ${LONGEST}`);
}
