/**
 * What git reads of a repository. See gitrepository-layout(5) and git-config(1).
 *
 * @module
 */

import { Output, ResultOf } from "../ffi/call.ts";
import {
  at_fdcwd,
  close,
  O_CLOEXEC,
  O_NOCTTY,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_RDONLY,
  openat,
  read,
  S_IFLNK,
  S_IFREG,
} from "../ffi/calls/files.ts";
import { perEngine } from "../ffi/engine/per_engine.ts";
import { Label } from "../ffi/engine/program.ts";
import { decodeName } from "../ffi/file_name.ts";
import { withRegularFile } from "../ffi/files/regular_file.ts";
import { ifThere } from "../ffi/missing.ts";
import { isWithin, nameOf, parentOf } from "../recipe/path.ts";
import { type DirectoryList, look } from "./directory_lists.ts";
import { KeptTable, PATH_MAX } from "./kept_table.ts";

/** Whether this is the name of a directory of git; upper and lower case are the same to git. */
export function isGitName(name: string): boolean {
  return name.length === 4 && name.toLowerCase() === ".git";
}

/**
 * Whether git takes this for a repository: .git, or a directory that looks like one, or that does
 * once a program has moved back what it has moved away. Its configuration stays, as it is protected.
 */
export function isGitDirectory(path: string, entries: DirectoryList): boolean {
  if (nameOf(path).toLowerCase().endsWith(".git")) return true;
  const found = LAYOUT.filter((name) => entries.has(name)).length;
  const isWithin = /\.git\/(modules|worktrees)\//i.test(path);
  return found >= 2 && entries.has("HEAD") || found >= 3 || isWithin && found > 0 ||
    entries.get("config") === S_IFREG &&
      textOf(`${path}/config`)?.includes("repositoryformatversion") === true;
}

/** What is in every repository, or in most. */
const LAYOUT = [
  "HEAD",
  "commondir",
  "description",
  "hooks",
  "info",
  "objects",
  "packed-refs",
  "refs",
];

/** The directories in .git in which there are other directories of git. */
const WITH_REPOSITORIES: ReadonlySet<string> = new Set(["modules", "worktrees"]);

/** The many directories of a repository with nothing but objects and references. */
const CONTENTS = /\/objects\/([0-9a-f]{2}|info|pack)$|\/refs\/(heads|remotes|tags)$|\/logs\/refs$/;

/**
 * Whether there can be a repository in a directory that is in a directory of git. What a program has
 * made does not count: looking like a repository takes nothing out of what is looked through.
 */
export function mayHoldRepositories(path: string): boolean {
  return isGitName(nameOf(parentOf(path)))
    ? WITH_REPOSITORIES.has(nameOf(path))
    : !CONTENTS.test(path);
}

/** Whether there are repositories in a directory of this name, where it is in one of git. */
export function holdsRepositories(name: string): boolean {
  return WITH_REPOSITORIES.has(name);
}

/** Returns the directory that a file names: .git of a worktree or submodule, gitdir, or commondir. */
export function pointerIn(file: string): string | undefined {
  const text = textOf(file)?.trim().replace(/^gitdir:\s*/, "");
  return text === undefined || text === "" || text.includes("\n")
    ? undefined
    : from(parentOf(file), text);
}

/** What a configuration says of other files. */
export interface GitConfig {
  /** Configurations that are included, on whatever condition. */
  readonly includes: readonly string[];
  /** Directories of hooks, or with hooks; a relative path is one from each worktree. */
  readonly hooks: readonly string[];
  /** Worktrees; a relative path is one from the directory of git. */
  readonly worktrees: readonly string[];
  /** Its size, as a text. */
  readonly size: number;
}

/** A setting: in a line of its own, or after the name of its section. */
const SETTING =
  /^[ \t]*(?:\[(?:"(?:\\.|[^"\\\n])*"|[^\]"\n])*\][ \t]*)?(hookspath|path|templatedir|worktree)[ \t]*=[ \t]*(.*)$/gim;

/**
 * Reads a configuration; one that is not there says nothing.
 *
 * @param file the path by which git reads it, from whose directory it includes others
 * @param home what `~` is
 */
export function readGitConfig(file: string, home: string | undefined): GitConfig {
  const [includes, hooks, worktrees]: [string[], string[], string[]] = [[], [], []];
  const text = (textOf(file) ?? "").replaceAll("\\\n", "");
  for (const [, key, value] of text.matchAll(SETTING)) {
    let path = valueIn(value!);
    if (path === "") continue;
    if (path.startsWith("~/") && home !== undefined) path = home + path.slice(1);
    const name = key!.toLowerCase();
    // New repositories get the hooks of a template.
    if (name === "hookspath" || name === "templatedir") hooks.push(path);
    else if (name === "worktree") worktrees.push(path);
    else includes.push(from(parentOf(file), path));
  }
  return { includes, hooks, worktrees, size: text.length };
}

/** Returns the value in a line, without quotes and comments. */
function valueIn(line: string): string {
  let [value, isQuoted] = ["", false];
  for (let at = 0; at < line.length; at++) {
    const letter = line[at]!;
    if (letter === '"') isQuoted = !isQuoted;
    else if (letter === "\\") value += line[++at] ?? "";
    else if (!isQuoted && (letter === "#" || letter === ";")) break;
    else value += letter;
  }
  return value.trim();
}

/** Configurations are smaller; of a larger one, the beginning is read. */
const MOST = 64 * 1024;

/** The directories of the kernel, whose files do things when they are read. */
const KERNEL = ["/dev", "/proc", "/sys"];

/**
 * Reads a regular file: anybody may have named it, or put a link in its place. The kernel's files
 * have no size.
 */
function textOf(path: string): string | undefined {
  const status = look(path);
  if (status?.type === S_IFLNK) return textBehindLink(path);
  if (status?.type !== S_IFREG || KERNEL.some((own) => isWithin(path, own))) return undefined;
  return status.size === 0 ? "" : textOfRegular(path);
}

function textBehindLink(path: string): string | undefined {
  const readBehind = () =>
    withRegularFile(path, (file) => {
      if (KERNEL.some((directory) => isWithin(file.path, directory))) return undefined;
      return decodeName(file.readAt(0, MOST));
    });
  return ifThere(readBehind, UNREADABLE);
}

function textOfRegular(path: string): string | undefined {
  const table = reading();
  const size = table.run(path) < 0 ? -1 : table.result(READ);
  if (size < 0) return undefined;
  const { buffer, byteOffset } = table.outputs[0]!;
  return decodeName(new Uint8Array(buffer, byteOffset, size));
}

/** The number of the call that reads, in the table. */
const READ = 1;

/** Reads a file; a pipe has nothing in it (O_NONBLOCK), and a link is not followed. */
const reading = perEngine(() => {
  const [path, text] = [new Output(PATH_MAX, "&path"), new Output(MOST, "&text")];
  const flags = O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC;
  const opened = openat(at_fdcwd, path, flags, 0);
  const [fd, closing, end] = [new ResultOf(opened, "fd"), new Label("closing"), new Label("end")];
  return new KeptTable(path, [text], [
    { call: opened, accept: UNREADABLE, onAccepted: end },
    { call: read(fd, text, MOST), accept: UNREADABLE, onFailure: closing },
    closing,
    { call: close(fd) },
    end,
  ]);
});

const UNREADABLE = [
  "ENOENT",
  "ENOTDIR",
  "EACCES",
  "ELOOP",
  "EISDIR",
  "EAGAIN",
  "ENXIO",
  "ENAMETOOLONG",
] as const;

/** Returns a path that is relative to a directory; the links on its way are not followed yet. */
export function from(directory: string, path: string): string {
  return path.startsWith("/") ? path : `${directory}/${path}`;
}
