/**
 * The system calls that take paths, and what they do with the files: for who looks at calls from
 * outside.
 *
 * @module
 */

/** What a call does with a file. */
export type FileUse = "read" | "write" | "execute";

/** An argument of a call that is a path. */
export interface PathArgument {
  /** The index of the argument. */
  readonly path: number;
  /** The index of the descriptor that a relative path begins at; left out for the working directory. */
  readonly directory?: number;
  /** What is done with the file; `"open"` where flags tell. */
  readonly use: FileUse | "open" | "openHow";
  /** The index of these flags. */
  readonly flags?: number;
}

const read = (path: number, directory?: number): PathArgument => of("read", path, directory);
const write = (path: number, directory?: number): PathArgument => of("write", path, directory);

function of(use: FileUse, path: number, directory: number | undefined): PathArgument {
  return { path, use, ...(directory !== undefined && { directory }) };
}

/** The calls, by name. Those that another one of the same kind always comes before are left out. */
export const PATH_CALLS: Readonly<Record<string, readonly PathArgument[]>> = {
  open: [{ path: 0, use: "open", flags: 1 }],
  openat: [{ path: 1, directory: 0, use: "open", flags: 2 }],
  openat2: [{ path: 1, directory: 0, use: "openHow", flags: 2 }],
  creat: [write(0)],
  stat: [read(0)],
  lstat: [read(0)],
  newfstatat: [read(1, 0)],
  statx: [read(1, 0)],
  access: [read(0)],
  faccessat: [read(1, 0)],
  faccessat2: [read(1, 0)],
  readlink: [read(0)],
  readlinkat: [read(1, 0)],
  chdir: [read(0)],
  execve: [of("execute", 0, undefined)],
  execveat: [of("execute", 1, 0)],
  mkdir: [write(0)],
  mkdirat: [write(1, 0)],
  mknod: [write(0)],
  mknodat: [write(1, 0)],
  rmdir: [write(0)],
  unlink: [write(0)],
  unlinkat: [write(1, 0)],
  rename: [write(0), write(1)],
  renameat: [write(1, 0), write(3, 2)],
  renameat2: [write(1, 0), write(3, 2)],
  link: [write(1)],
  linkat: [write(3, 2)],
  symlink: [write(1)],
  symlinkat: [write(2, 1)],
  truncate: [write(0)],
  chmod: [write(0)],
  fchmodat: [write(1, 0)],
  fchmodat2: [write(1, 0)],
  chown: [write(0)],
  lchown: [write(0)],
  fchownat: [write(1, 0)],
  utime: [write(0)],
  utimes: [write(0)],
  utimensat: [write(1, 0)],
};

/** The calls by which programs reach others over a network. */
const NETWORK_CALLS = ["connect", "sendto", "sendmmsg"] as const;

/** The calls that {@linkcode import("./observe.ts").observing} is to ask about. */
export const OBSERVED_CALLS: readonly string[] = [...Object.keys(PATH_CALLS), ...NETWORK_CALLS];
