/** A root that is anybody's: its links lead out of it in every way there is. */

import { linux, mkdir, type Step, symlink, tmpfs, writeFile } from "../../mod.ts";
import { inDirectory } from "../support.ts";

/** What no container is to see. */
export const SECRET = "the secret\n";

/** The directories of a test. */
export interface Places {
  /** What the container is to have nothing to do with. */
  readonly outside: string;
  /** Its root. */
  readonly root: string;
  /** The links that are in the root, by their names. */
  readonly links: Readonly<Record<string, string>>;
  /** What the root holds before an attempt, where it is a directory of the host. */
  pristine?: string;
}

/** What a link leads to: a directory, a file, or nothing. */
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

/** What a link is to lead to. */
export const kindOf = (link: string): LinkKind => link.startsWith("file") ? "file" : "directory";

/** What the root has at the places that its links lead to where it is the root. */
export function directoriesOf({ outside }: Pick<Places, "outside">): string[] {
  return [outside, "/outside"];
}

const DIRECTORIES = ["/usr", "/proc", "/target", "/small"];
const FILES = ["/file", "/small/file"];

/** Makes the root in a directory of the host, where an attempt has changed it. */
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

/** The same root, on a filesystem of the recipe's. */
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

/** All that a directory holds; with what tells whether it was ever touched, if that is wanted. */
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

/** What a container is to leave as it is. */
export function hostState({ outside }: Places): string {
  return treeOf(outside, true) + Deno.readTextFileSync("/proc/self/mountinfo");
}

/** A test with a hostile root, and what lies outside of it. */
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

/** Whether anything is there, a link that dangles included. */
export function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}
