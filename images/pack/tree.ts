/**
 * The files of an image that is being made: new ones, and copies of this machine's, over those of a base.
 * Paths are looked up as in the image: its own links are followed, and none leads out of it.
 *
 * @module
 */

import { parentOf } from "../../recipe/path.ts";
import { looked, type LookedAt } from "./looked_at.ts";
import { PathIssue } from "./path_issue.ts";

/** Whose a new file is, and who may do what with it. */
export interface FileOwner {
  readonly uid: number;
  readonly gid: number;
}

/** A new regular file. Where mode and owner are left out, they are those of the base's file there. */
export interface NewFile {
  readonly kind: "file";
  readonly bytes: Uint8Array;
  readonly mode: number | undefined;
  readonly owner: FileOwner | undefined;
  /** The mode of the base's file as it is unpacked, for where its layers name it over a link. */
  readonly unpackedMode?: number | undefined;
}

/** A new symbolic link. */
export interface NewLink extends FileOwner {
  readonly kind: "symlink";
  readonly target: string;
}

/** A new device or pipe. */
export interface NewNode extends FileOwner {
  readonly kind: "character" | "block" | "fifo";
  readonly major: number;
  readonly minor: number;
  readonly mode: number;
}

/** A copy of a file of this machine. */
export interface CopiedFile {
  readonly kind: "copy";
  readonly path: string;
}

/** Where a directory's other files come from: the base, or a directory of this machine. */
export interface DirectorySource {
  readonly kind: "base" | "copy";
  /** The directory at which that began, and the path from there. */
  readonly root: string;
  readonly path: string;
  /** Whether copies keep their owners; they are root's otherwise. */
  readonly keepsOwners?: boolean;
}

/** A file of the base, or one in a directory that is copied. */
interface KeptFile extends LookedAt {
  readonly kind: "kept";
  readonly isBase: boolean;
}

/** What is in a directory, and is no directory itself. */
export type NewEntry = NewFile | NewLink | NewNode | CopiedFile;

/** A directory of the image. */
export class PackedDirectory {
  readonly kind = "directory";
  /** What is new in it, and the directories that were looked into. */
  readonly children: Map<string, NewEntry | PackedDirectory> = new Map();
  readonly source: DirectorySource | undefined;
  /** Whether it hides the base's files in the directory of its name. */
  readonly opaque: boolean;
  /** Its permissions and owner, in place of those that it has by its source. */
  mode: number | undefined;
  readonly owner: FileOwner | undefined;
  /** Its mode in the base as that is unpacked, for where no layer names it. */
  readonly unpackedMode: number | undefined;

  constructor(
    { source, mode, owner, unpackedMode, opaque = false }: {
      readonly source?: DirectorySource;
      readonly mode?: number;
      readonly owner?: FileOwner;
      readonly unpackedMode?: number;
      readonly opaque?: boolean;
    },
  ) {
    this.source = source;
    this.unpackedMode = unpackedMode;
    this.mode = mode;
    this.owner = owner;
    this.opaque = opaque;
  }

  /** Whether something of it is in the layer. */
  get isChanged(): boolean {
    if (this.source?.kind !== "base" || this.mode !== undefined) return true;
    return [...this.children.values()].some((child) =>
      child.kind !== "directory" || child.isChanged
    );
  }
}

/** Where a path leads. */
interface Found {
  /** The directory it is in, unless the path ends with a directory on the way: the root, "..". */
  readonly parent: PackedDirectory | undefined;
  readonly name: string;
  readonly entry: PackedDirectory | NewEntry | KeptFile | undefined;
}

/** The most links on a way, as the kernel has it. */
const LINKS = 40;

const ROOT: FileOwner = { uid: 0, gid: 0 };

/** The tree of an image's files. */
export class PackedTree {
  readonly root: PackedDirectory;

  /**
   * @param source what is in the root at first; nothing without one
   * @param mode that of the root, which is then 0755 without one
   */
  constructor(source?: DirectorySource, mode = 0o755) {
    this.root = new PackedDirectory(source === undefined ? { mode, owner: ROOT } : { source });
  }

  /** Makes a directory and its parents, unless it is there. */
  makeDirectory(path: string, mode: number | undefined, owner: FileOwner): void {
    const { parent, name, entry } = this.#find(path, { make: owner });
    if (entry === undefined) {
      parent!.children.set(name, new PackedDirectory({ mode: mode ?? 0o755, owner }));
    } else if (entry.kind !== "directory") throw new PathIssue(`${path} is no directory`);
    else if (mode !== undefined) entry.mode = mode;
  }

  /** Makes a directory for something to be mounted on, if nothing is there. */
  makeMountPoint(path: string, mode: number): void {
    const { parent, name, entry } = this.#find(path, { make: ROOT });
    if (entry === undefined) parent!.children.set(name, new PackedDirectory({ mode, owner: ROOT }));
  }

  /** Writes a file; one that is there keeps its permissions and its owner. */
  writeFile(path: string, bytes: Uint8Array, mode: number | undefined, owner: FileOwner): void {
    const { parent, name, entry } = this.#find(path);
    if (entry?.kind === "directory") throw new PathIssue(`${path} is a directory`);
    const before: ReturnType<typeof attributesOf> = entry === undefined
      ? { mode: 0o644, owner }
      : attributesOf(path, entry);
    parent!.children.set(name, {
      kind: "file",
      bytes,
      mode: mode ?? before.mode,
      owner: before.owner,
      unpackedMode: before.unpackedMode,
    });
  }

  /**
   * Adds a link, a device or a pipe.
   *
   * @param keep whether what is there already stays
   */
  add(path: string, entry: NewLink | NewNode, keep: boolean): void {
    const { parent, name, entry: there } = this.#find(path, { follow: false });
    if (there === undefined) parent!.children.set(name, entry);
    else if (!keep) throw new PathIssue(`${path} exists already`);
  }

  /** Copies a file or a directory of this machine, by a path without links, in place of what is there. */
  copy(path: string, source: string): void {
    const { parent, name, entry } = this.#find(path, { make: ROOT });
    const isDirectory = looked(source)!.type === "directory";
    if (entry !== undefined && (entry.kind === "directory") !== isDirectory) {
      throw new PathIssue(
        isDirectory
          ? `${source} is a directory, and ${path} is none`
          : `${path} is a directory, and ${source} is none`,
      );
    }
    if (parent === undefined) throw new PathIssue(`nothing can be copied over ${path}`);
    if (!isDirectory) {
      parent.children.set(name, { kind: "copy", path: source });
      return;
    }
    const opaque = entry?.kind === "directory" && (entry.opaque || entry.source?.kind === "base");
    const copied = { kind: "copy", root: source, path: "." } as const;
    parent.children.set(name, new PackedDirectory({ source: copied, opaque }));
  }

  /**
   * Follows a path.
   *
   * @param follow whether a link at its end is followed
   * @param make whose the directories on the way are that are missing; they are an error without it
   * @throws {PathIssue} where it leads through what is no directory
   */
  #find(
    path: string,
    { follow = true, make }: { readonly follow?: boolean; readonly make?: FileOwner } = {},
  ): Found {
    const way: [PackedDirectory, ...PackedDirectory[]] = [this.root];
    let [rest, links] = [partsOf(path), 0];
    while (rest.length > 0) {
      const [name, ...further] = rest as [string, ...string[]];
      rest = further;
      if (name === "..") {
        if (way.length > 1) way.pop();
        continue;
      }
      const parent = way.at(-1)!;
      const entry = childOf(parent, name);
      const target = entry === undefined ? undefined : targetOf(entry);
      if (target !== undefined && (further.length > 0 || follow)) {
        if (++links > LINKS) throw new PathIssue(`${path} leads over too many links`);
        if (target.startsWith("/")) way.length = 1;
        rest = [...partsOf(target), ...further];
        continue;
      }
      if (further.length === 0) return { parent, name, entry };
      way.push(directoryOf(path, parent, name, entry, make));
    }
    return { parent: undefined, name: "", entry: way.at(-1)! };
  }
}

/** The directory on the way of a path, which is made if it may be. */
function directoryOf(
  path: string,
  parent: PackedDirectory,
  name: string,
  entry: Found["entry"],
  make: FileOwner | undefined,
): PackedDirectory {
  if (entry?.kind === "directory") return entry;
  if (entry !== undefined) throw new PathIssue(`${path} leads through a file: ${name}`);
  if (make === undefined) {
    throw new PathIssue(`there is no directory ${parentOf(path)}; mkdir() makes it`);
  }
  const made = new PackedDirectory({ mode: 0o755, owner: make });
  parent.children.set(name, made);
  return made;
}

function childOf(directory: PackedDirectory, name: string): Found["entry"] {
  const known = directory.children.get(name);
  const { source } = directory;
  if (known !== undefined || source === undefined) return known;
  const found = looked(`${source.root}/${source.path}/${name}`);
  if (found === undefined) return undefined;
  if (found.type !== "directory") {
    return { ...found, kind: "kept", isBase: source.kind === "base" };
  }
  const path = source.path === "." ? name : `${source.path}/${name}`;
  const child = new PackedDirectory({
    source: { ...source, path },
    unpackedMode: found.mode & 0o7777,
  });
  directory.children.set(name, child);
  return child;
}

function targetOf(entry: NonNullable<Found["entry"]>): string | undefined {
  if (entry.kind === "symlink" || entry.kind === "kept") return entry.target;
  return entry.kind === "copy" ? looked(entry.path)?.target : undefined;
}

/** The permissions and the owner of a regular file that is written over. */
function attributesOf(
  path: string,
  entry: NewEntry | KeptFile,
): Pick<NewFile, "mode" | "owner" | "unpackedMode"> {
  if (entry.kind === "file") return entry;
  if (entry.kind === "copy") return { mode: looked(entry.path)!.mode & 0o777, owner: ROOT };
  if (entry.kind === "kept" && entry.type === "file") {
    const { isBase, mode } = entry;
    return isBase
      ? { mode: undefined, owner: undefined, unpackedMode: mode & 0o777 }
      : { mode: mode & 0o777, owner: ROOT };
  }
  throw new PathIssue(`${path} is no regular file`);
}

function partsOf(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}
