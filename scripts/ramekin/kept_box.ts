/**
 * Boxes that `ramekin sandbox` keeps in the user's cache directory, where Deno lets it write there
 * (`--allow-write=$HOME/.cache/ramekin`). This module is loaded before all others, and executes a kept
 * box in place of Deno.
 *
 * A box holds no fact of the machine, so that a kept one is never out of date. Behind it, its file has
 * a key: the flags, the working directory and what has built it. What is checked beside the key is that
 * nobody else can have written the file, and that the flags name no file that a box shows otherwise
 * than a script: behind a symbolic link, or with something mounted below it.
 *
 * @module
 */

import { BUILD } from "./build_id.ts";
import { EarlyLibc } from "./early_libc.ts";

/** A box that is kept, or may be. */
export class KeptBox {
  /** The directory of all kept boxes. */
  readonly directory: string;
  /** The file of this one. */
  readonly path: string;
  /** What the file ends with. */
  readonly key: Uint8Array<ArrayBuffer>;
  /** The flags of the sandbox. */
  readonly flags: readonly string[];
  readonly #program: readonly string[];
  readonly #libc: EarlyLibc;

  /** Use {@linkcode findKeptBox}. */
  constructor(libc: EarlyLibc, directory: string, { flags, program }: SandboxCommand) {
    const cwd = Deno.cwd();
    this.directory = directory;
    // A name that two of them have is no harm: the key tells them apart.
    this.path = `${directory}/${encodeURIComponent([cwd, ...flags].join(" ")).slice(-200)}`;
    this.key = new TextEncoder().encode(JSON.stringify([BUILD, cwd, ...flags]));
    this.flags = flags;
    this.#program = program;
    this.#libc = libc;
  }

  /** Whether nobody else can write what is in the directory, which is there. */
  isSafe(): boolean {
    return isSafeDirectory(this.directory, this.#libc.user());
  }

  /** Executes it in place of this process. Returns whether it may be built, where it is not there. */
  execute(): boolean {
    let file: number | undefined;
    try {
      const { isFile, uid, mode, size } = Deno.lstatSync(this.path);
      const isOurs = isFile && uid === this.#libc.user() && !mayOthersWrite(mode);
      if (!isOurs || !this.isSafe()) return true;
      file = this.#libc.open(this.path);
      const end = this.#libc.read(file, Math.max(0, size - this.key.length));
      if (end.length !== this.key.length || end.some((byte, at) => byte !== this.key[at])) {
        return true;
      }
      // The key alone says that there can be no box. On some filesystems nothing can be executed.
      if (size > end.length) this.#libc.execute(file, ["ramekin", ...this.#program]);
      return false;
    } catch (error) {
      return error instanceof Deno.errors.NotFound;
    } finally {
      if (file !== undefined) this.#libc.close(file);
    }
  }
}

interface SandboxCommand {
  readonly flags: readonly string[];
  readonly program: readonly string[];
}

/** Returns the kept box for a command line; `undefined` where none may be used. */
export function findKeptBox(words: readonly string[]): KeptBox | undefined {
  const command = sandboxIn(words);
  // A terminal is handed to a program by a script.
  if (command === undefined || (Deno.stdin.isTerminal() && Deno.stdout.isTerminal())) return;
  try {
    const libc = new EarlyLibc();
    const home = libc.variable("HOME");
    if (home === undefined || !home.startsWith("/")) return;
    // PROTECTED_NAMES has it: a sandbox cannot write boxes for others.
    const path = `${home}/.cache/ramekin/boxes`;
    if (Deno.permissions.querySync({ name: "write", path }).state !== "granted") return;
    const mayRun = mayHaveProgram(command) && showsAlike(command.flags, libc);
    return mayRun ? new KeptBox(libc, path, command) : undefined;
  } catch {
    // Whatever is wrong here, the script tells.
    return;
  }
}

/**
/**
 * A flag with a value or without, as the help writes it; not one that the script is for, or that shows
 * files otherwise than at their own paths.
 */
const FLAG =
  /^(--(?!(?:audit|bind|degrade|detach|drop-groups|name|nest|overlay|root|status-fd|try-read|verbose)\b)[a-z0-9-]+|-[A-Z])(=.*)?$/s;
/** Those that name files. */
const FILES = /^(?:--allow-read|--allow-write|-R|-W)=(.*)$/s;

function sandboxIn([subcommand, ...words]: readonly string[]): SandboxCommand | undefined {
  const end = words.indexOf("--");
  if (BUILD === "" || subcommand !== "sandbox" || end < 0) return;
  const [flags, program] = [words.slice(0, end), words.slice(end + 1)];
  const isPlain = program[0] !== undefined && program[0] !== "" &&
    flags.every((flag) => FLAG.test(flag));
  return isPlain ? { flags, program } : undefined;
}

/** Directories whose programs every sandbox has. */
const SYSTEM = ["/usr", "/bin", "/sbin", "/lib", "/lib64", "/nix", "/gnu", "/run/current-system"];
/** Those in which it looks for a program. */
const SEARCHED = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
/** Flags by which it looks elsewhere, or sees more than they name. */
const ELSEWHERE =
  /^(?:-[ARWE]|--allow-(?:all|read|write|env)|(?:-E|--allow-env|--cwd|--setenv)=.*)$/s;

/** Whether the sandbox may have the program: of one that it lacks, the script says what shows it. */
function mayHaveProgram({ flags, program: [name = ""] }: SandboxCommand): boolean {
  if (flags.some((flag) => ELSEWHERE.test(flag))) return true;
  if (!name.includes("/")) return SEARCHED.some((directory) => isThere(`${directory}/${name}`));
  const path = absolute(name);
  const shown = [...SYSTEM, ...namedFiles(flags)];
  return isThere(path) && shown.some((around) => `${path}/`.startsWith(`${around}/`));
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** The files that the flags name. */
function namedFiles(flags: readonly string[]): readonly string[] {
  return flags.flatMap((flag) => FILES.exec(flag)?.[1]?.split(",") ?? [])
    .filter((path) => path !== "").map(absolute);
}

function absolute(path: string): string {
  return withoutDots(path.startsWith("/") ? path : `${Deno.cwd()}/${path}`);
}

/** Whether a box shows the files that the flags name as a script does. */
function showsAlike(flags: readonly string[], libc: EarlyLibc): boolean {
  const paths = namedFiles(flags);
  if (paths.length === 0) return true;
  // A path that is missing is an error, and the script's to tell.
  if (paths.some((path) => Deno.realPathSync(path) !== path)) return false;
  const table = libc.open("/proc/self/mountinfo");
  const mounts = mountPoints(new TextDecoder().decode(libc.read(table, 0)));
  libc.close(table);
  return !mounts.some((mount) => paths.some((path) => mount.startsWith(`${path}/`)));
}

/** Leaves out what says nothing: `./a/` is `a`. With `..` in it, it differs from every real path. */
function withoutDots(path: string): string {
  return path.replace(/(\/\.?)+(?=\/|$)/g, "") || "/";
}

/** The mount points of a table. See proc_pid_mountinfo(5). */
function mountPoints(table: string): readonly string[] {
  return table.split("\n").flatMap((line) => line.split(" ")[4] ?? [])
    .map((path) =>
      path.replace(/\\(\d{3})/g, (_, octal) => String.fromCharCode(parseInt(octal, 8)))
    );
}

/**
 * Whether nobody but this user and root can put a file into a directory, or another directory in its
 * place. In a sticky one around it only owners move what is in it.
 */
function isSafeDirectory(directory: string, user: number): boolean {
  const real = Deno.realPathSync(directory);
  for (let path = real;; path = path.slice(0, path.lastIndexOf("/"))) {
    const { uid, mode } = Deno.statSync(path || "/");
    const isSticky = path !== real && ((mode ?? 0) & 0o1000) !== 0;
    if ((uid !== user && uid !== 0) || (mayOthersWrite(mode) && !isSticky)) return false;
    if (path === "" || path === "/") return true;
  }
}

function mayOthersWrite(mode: number | null): boolean {
  return ((mode ?? 0o777) & 0o022) !== 0;
}
