/** An untrusted root, whose links lead out of it in every way. */

import { linux, mkdir, type Step, symlink, tmpfs, writeFile } from "../../mod.ts";
import { inDirectory } from "../support.ts";

/** A text that no container may read. */
export const SECRET = "the secret\n";

/** The directories of a test. */
export interface Places {
  /** The directory outside, which the container must not access. */
  readonly outside: string;
  /** Its root. */
  readonly root: string;
  /** The links in the root, by their names. */
  readonly links: Readonly<Record<string, string>>;
  /** The files of the root before an attempt, if it is a directory of the host. */
  pristine?: string;
}

/** The target of a link: a directory, a file, or nothing. */
export type LinkKind = "directory" | "file";

/** The links of a hostile root, with a directory and a file outside that the script has open. */
function linksTo(outside: string, directory: number, file: number): Record<string, string> {
  const climbing = `${"../".repeat(20)}${outside.slice(1)}`;
  return {
    absolute: outside,
    relative: climbing,
    beside: "../outside",
    dangling: `${outside}/none`,
    dangling_relative: "../outside/none",
    looping: "looping",
    fd: `/proc/self/fd/${directory}`,
    by_root: `/proc/self/root${outside}`,
    file_absolute: `${outside}/file`,
    file_relative: `${climbing}/file`,
    file_looping: "file_looping",
    file_fd: `/proc/self/fd/${file}`,
  };
}

/** The type of target that a link needs. */
export const kindOf = (link: string): LinkKind => link.startsWith("file") ? "file" : "directory";

/** Returns the directories that links lead to: that outside, and the same path within the root. */
export function directoriesOf({ outside }: Pick<Places, "outside">): string[] {
  return [outside, "/outside"];
}

const DIRECTORIES = ["/usr", "/proc", "/target", "/small"];
const FILES = ["/file", "/small/file"];

/** Makes the root in a directory of the host again, if an attempt has changed it. */
export function restoreRoot(places: Places): void {
  if (places.pristine !== undefined && places.pristine === treeOf(places.root, false)) return;
  makeRoot(places);
  places.pristine = treeOf(places.root, false);
}

function makeRoot({ outside, root, links }: Places): void {
  Deno.removeSync(root, { recursive: true });
  for (const name of ["", ...DIRECTORIES]) Deno.mkdirSync(root + name);
  for (const name of FILES) Deno.writeTextFileSync(root + name, "inside\n");
  for (const directory of directoriesOf({ outside })) {
    Deno.mkdirSync(root + directory, { recursive: true });
    Deno.writeTextFileSync(`${root}${directory}/file`, "inside\n");
  }
  for (const [name, to] of [...Object.entries(links), ...Object.entries(USR)]) {
    Deno.symlinkSync(to, `${root}/${name}`);
  }
}

/** The same root, on a filesystem of the recipe. */
export function rootSteps(places: Places): Step[] {
  const { root, links } = places;
  return [
    tmpfs(root),
    ...[...DIRECTORIES, ...directoriesOf(places)].map((name) => mkdir(root + name)),
    ...FILES.map((name) => writeFile(root + name, "inside\n")),
    ...directoriesOf(places).map((name) => writeFile(`${root}${name}/file`, "inside\n")),
    ...[...Object.entries(links), ...Object.entries(USR)].map(([name, to]) =>
      symlink(to, `${root}/${name}`)
    ),
  ];
}

/** The links by which programs find their libraries. */
export const USR = { bin: "usr/bin", lib: "usr/lib", lib64: "usr/lib64" };

/** Lists all files of a directory, with their inodes and times if `touched`. */
export function treeOf(path: string, touched: boolean): string {
  const { mode, uid, gid, isFile, isSymlink, isDirectory, ...more } = Deno.lstatSync(path);
  const content = isFile ? Deno.readTextFileSync(path) : isSymlink ? Deno.readLinkSync(path) : "";
  const { ino, mtime, ctime } = more;
  const times = touched ? [ino, mtime?.getTime(), ctime?.getTime()] : [];
  const names = isDirectory ? [...Deno.readDirSync(path)].map(({ name }) => name).sort() : [];
  return [
    [path, mode, uid, gid, content, ...times].join(),
    ...names.map((name) => treeOf(`${path}/${name}`, touched)),
  ].join("\n");
}

/** Returns what a container must not change. */
export function hostState({ outside }: Places): string {
  return treeOf(outside, true) + Deno.readTextFileSync("/proc/self/mountinfo");
}

/** A test with a hostile root and files outside of it. */
export function onHostileRoot(body: (places: Places) => void): () => void {
  return inDirectory((directory) => {
    const [outside, root] = [`${directory}/outside`, `${directory}/root`];
    for (const path of [root, outside, `${outside}/upper`, `${outside}/work`]) Deno.mkdirSync(path);
    Deno.writeTextFileSync(`${outside}/file`, SECRET);
    using openDirectory = linux.open(outside);
    using openFile = linux.open(`${outside}/file`);
    body({ outside, root, links: linksTo(outside, openDirectory.number, openFile.number) });
  });
}

/** Whether the path exists, dangling links included. */
export function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}
