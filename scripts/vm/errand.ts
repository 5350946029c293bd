/**
 * What a machine is started for: the project as it is now, added to a copy of the base, and the part
 * of the suite that runs there.
 *
 * @module
 */

import { Archive } from "./archive.ts";
import { type Base, cacheDirectory } from "./initramfs.ts";

const PROJECT = new URL("../../", import.meta.url).pathname.replace(/\/$/, "");

/** A user who runs the suite in a machine. */
export type User = "root" | "nobody";

/** What is done in the machine. */
export interface Errand {
  /** The arguments of `deno`. */
  readonly args: readonly string[];
  /** The users who run it, one after the other. */
  readonly users: readonly User[];
  /** A shell instead of the suite. */
  readonly shell: boolean;
}

/** Deno's cache for the machines, which have no network to fetch anything. */
const DENO_DIR = `${cacheDirectory()}/deno`;

/**
 * Loads every test and runs none, so that Deno keeps what it has fetched and compiled. A test that
 * cannot be loaded is reported by the machine.
 */
export async function fillDenoCache(): Promise<void> {
  await new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--no-check", "--quiet", "--filter", "no test has this name", "tests/"],
    cwd: PROJECT,
    env: { DENO_DIR },
  }).output();
}

/** Writes a first root at the path: the base, the project and the errand. */
export function writeRoot(base: Base, path: string, errand: Errand): void {
  Deno.copyFileSync(base.archive, path);
  using archive = new Archive(path);
  archive.file("vm/init", Deno.readFileSync(`${PROJECT}/scripts/vm/init.sh`), 0o755);
  for (const home of ["root", "home/nobody"]) archive.tree(`${home}/.cache/deno`, DENO_DIR);
  // In the directory where it lies here, because Deno's cache goes by the path.
  archive.tree(PROJECT.slice(1), PROJECT, (path) => !/\/(\.[^/]+|node_modules)$/.test(path));
  if (errand.shell) {
    // A serial line does not know how large the terminal at its end is.
    const { rows, columns } = Deno.consoleSize();
    archive.file("vm/shell", `rows ${rows} columns ${columns}\n`);
  }
  for (const user of errand.users) archive.file(`vm/${user}`, scriptOf(errand.args));
}

/** The errand, as a script of the shell. */
function scriptOf(args: readonly string[]): string {
  const quoted = ["deno", ...args].map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
  return `cd '${PROJECT}' && exec ${quoted.join(" ")}\n`;
}
