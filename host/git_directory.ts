/**
 * What git reads of a repository. See gitrepository-layout(5).
 *
 * @module
 */

import { Output, ResultOf } from "../ffi/call.ts";
import {
  at_fdcwd,
  close,
  O_CLOEXEC,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_RDONLY,
  openat,
  read,
} from "../ffi/calls/files.ts";
import { Label } from "../ffi/engine/program.ts";
import { syscalls } from "../ffi/syscalls.ts";
import { nameOf, normalize, parentOf } from "../recipe/path.ts";

/**
 * Whether git takes this for a repository: .git, or a directory that looks like one, or that does
 * once a program has moved back what it has moved away.
 */
export function isGitDirectory(path: string, entries: ReadonlyMap<string, number>): boolean {
  if (nameOf(path).endsWith(".git")) return true;
  const found = LAYOUT.filter((name) => entries.has(name)).length;
  const isWithin = path.includes(".git/modules/") || path.includes(".git/worktrees/");
  return found >= 2 && entries.has("HEAD") || found >= 3 || isWithin && found > 0;
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

/** Returns the directory that a file names: .git of a worktree or submodule, or commondir. */
export function pointerIn(file: string): string | undefined {
  const text = textOf(file)?.trim().replace(/^gitdir:\s*/, "");
  return text === undefined || text === "" || text.includes("\n") ? undefined : resolve(file, text);
}

/** A path that a configuration names, and what a file there holds that git reads as none. */
interface Named {
  readonly path: string;
  readonly text?: string;
}

/**
 * Returns the paths that a configuration names, whose commands git runs.
 *
 * @param worktree what the path of the hooks is relative to
 * @param home what `~` is
 */
export function namedInConfig(
  file: string,
  worktree: string,
  home: string | undefined,
): readonly Named[] {
  const named: Named[] = [];
  const settings = (textOf(file) ?? "").matchAll(
    /^\s*(?:\[[^\]\n]*\]\s*)?(hookspath|path)\s*=\s*"?([^"\n#;]+)/gim,
  );
  for (const [, key, value] of settings) {
    // An included file is relative to the one that includes it.
    let path = value!.trim();
    if (path.startsWith("~/") && home !== undefined) path = home + path.slice(1);
    if (key!.toLowerCase() === "path") named.push({ path: resolve(file, path), text: "" });
    else named.push({ path: resolve(`${worktree}/.git`, path) });
  }
  return named;
}

/** Configurations are smaller; of a larger one, the beginning is read. */
const MOST = 64 * 1024;

/** Reads a regular file; a pipe has nothing in it (O_NONBLOCK), and a link is not followed. */
function textOf(file: string): string | undefined {
  const flags = O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC;
  const opened = openat(at_fdcwd, file, flags, 0);
  const fd = new ResultOf(opened, "fd");
  const [text, end, closing] = [new Output(MOST, "&text"), new Label("end"), new Label("closing")];
  const got = read(fd, text, MOST);
  const outcome = syscalls([
    { call: opened, accept: UNREADABLE, onAccepted: end },
    { call: got, accept: UNREADABLE, onAccepted: closing },
    closing,
    { call: close(fd) },
    end,
  ]);
  const size = outcome.result(opened) < 0n ? -1 : Number(outcome.result(got));
  if (size < 0) return undefined;
  const { buffer, byteOffset } = outcome.output(text);
  return new TextDecoder().decode(new Uint8Array(buffer, byteOffset, size));
}

const UNREADABLE = ["ENOENT", "ENOTDIR", "EACCES", "ELOOP", "EISDIR", "EAGAIN", "ENXIO"] as const;

/** Returns a path that a file names, from the directory that the file is in. */
function resolve(file: string, path: string): string {
  const parts = path.startsWith("/") ? [] : parentOf(file).split("/");
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  return normalize(`/${parts.join("/")}`);
}
