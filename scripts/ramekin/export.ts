/**
 * `ramekin export`: writes a recipe for who runs containers. It makes no system call of its own where
 * Deno may write files, so that it runs on any machine that Deno runs on.
 *
 * @module
 */

import {
  type BundleFile,
  type Caller,
  exportOci,
  exportSystemd,
  type SystemdOptions,
} from "../../export/mod.ts";
import { RESTARTS } from "../../export/systemd/export_systemd.ts";
import { linux } from "../../mod.ts";
import type { Arguments } from "./arguments.ts";
import { type DataFile, dataFile } from "./data_file.ts";
import { writable } from "./file_error.ts";
import { mayWrite, writeBytes } from "./files.ts";
import { inputName, STDIN } from "./input.ts";
import { printJson } from "./output.ts";
import { UsageError } from "./usage.ts";

/** Writes the files of the format. */
export async function run(given: Arguments): Promise<number> {
  const [format, path] = given.operands;
  if (format !== "oci" && format !== "systemd") {
    throw new UsageError(`there is no format "${format}"; there are oci and systemd`);
  }
  if (path === undefined) throw new UsageError("RECIPE is missing");
  const output = given.value("output");
  if (output === undefined) {
    throw new UsageError("-o=DIRECTORY is missing: where the files are written to");
  }
  const unused = FLAGS_OF[format === "oci" ? "systemd" : "oci"].find((name) => given.has(name));
  if (unused !== undefined) throw new UsageError(`--${unused} is not for ${format}`);
  const prepared = format === "oci"
    ? { format, runner: runnerOf(given.value("for")) } as const
    : { format, ...unitOptions(given, nameOf(path)) } as const;
  const read = await dataFile(path, given.values("set").map((value) => value!));
  const directory = absolute(output);
  if (isThere(directory) && !Deno.statSync(directory).isDirectory) {
    throw new UsageError(`-o=${directory}: it is a file, and a directory is needed`);
  }
  const program = given.program as [string, ...string[]]; // readArguments() has seen to it
  const files = prepared.format === "oci"
    ? writeOci(given, read, program, directory, prepared.runner)
    : writeSystemd(prepared, read, program, directory);
  if (given.has("json")) printJson({ format, files });
  return 0;
}

/** The flags of one format alone. */
const FLAGS_OF = { oci: ["terminal"], systemd: ["restart", "user"] } as const;

/** Writes a bundle, and returns the paths of its files. */
function writeOci(
  given: Arguments,
  { recipe, located }: DataFile,
  program: [string, ...string[]],
  directory: string,
  runner: "root" | Caller,
): readonly string[] {
  const { files } = located(() =>
    exportOci(recipe, {
      program,
      bundle: directory,
      for: runner,
      terminal: given.has("terminal"),
    })
  );
  if (isThere(directory) && !isEmpty(directory)) {
    throw new UsageError(`-o=${directory}: files are there already; a bundle gets a new directory`);
  }
  if (!isThere(directory)) makeDirectory(directory, 0o755);
  for (const file of files) writeFile(`${directory}/${file.path}`, file);
  return files.map(({ path }) => `${directory}/${path}`);
}

/** What the flags say of a unit, which has the name of its recipe. */
interface UnitOptions extends Pick<SystemdOptions, "restart" | "user"> {
  readonly name: string;
  readonly runner: "root" | "user";
}

function unitOptions(given: Arguments, name: string): UnitOptions {
  if (!/^[\w:.-]+$/.test(name)) {
    throw new UsageError(`${name}.service cannot be the name of a unit: rename the recipe`);
  }
  const runner = given.value("for") ?? "user";
  if (runner !== "root" && runner !== "user") {
    throw new UsageError(`--for=${runner}: it is root or user for systemd`);
  }
  const user = given.value("user");
  const restart = RESTARTS.find((known) => known === (given.value("restart") ?? "no"));
  if (restart === undefined) {
    throw new UsageError(`--restart=${given.value("restart")}: it is ${RESTARTS.join(", ")}`);
  }
  return { name, runner, restart, ...(user !== undefined && { user }) };
}

/** Writes a unit and its box, and returns their paths. */
function writeSystemd(
  { name, runner, restart, user }: UnitOptions,
  { recipe, located }: DataFile,
  program: [string, ...string[]],
  directory: string,
): readonly string[] {
  const { unit, box } = located(() =>
    exportSystemd(recipe, {
      program,
      box: `${directory}/${name}`,
      for: runner,
      ...(restart !== undefined && { restart }),
      ...(user !== undefined && { user }),
    })
  );
  if (!isThere(directory)) makeDirectory(directory, 0o755);
  write(`${directory}/${name}`, box, 0o755);
  write(`${directory}/${name}.service`, new TextEncoder().encode(unit), 0o644);
  return [`${directory}/${name}.service`, `${directory}/${name}`];
}

/** Who runs a bundle: this user, unless a flag says otherwise. */
function runnerOf(value: string | undefined): "root" | Caller {
  if (value === "root") return "root";
  if (value !== undefined) {
    const [, uid, gid] = /^(\d+):(\d+)$/.exec(value) ?? [];
    if (uid === undefined) throw new UsageError(`--for=${value}: it is root or UID:GID for oci`);
    return { uid: Number(uid), gid: Number(gid) };
  }
  const may = (name: "sys" | "ffi") => Deno.permissions.querySync({ name }).state === "granted";
  if (may("sys")) return { uid: Deno.uid() ?? 0, gid: Deno.gid() ?? 0 };
  if (may("ffi")) return { uid: linux.geteuid(), gid: linux.getegid() };
  throw new UsageError("--for=UID:GID is missing: who runs the container");
}

/** The name of a recipe without its end; of one that has none, as it comes by the standard input, box. */
function nameOf(path: string): string {
  if (inputName(path) === STDIN) return "box";
  return path.slice(path.lastIndexOf("/") + 1).replace(/\.\w+$/, "");
}

function absolute(path: string): string {
  const whole = path.startsWith("/") ? path : `${Deno.cwd()}/${path}`;
  return whole.replace(/(?<=.)\/+$/, "");
}

function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function isEmpty(path: string): boolean {
  for (const _ of Deno.readDirSync(path)) return false;
  return true;
}

function writeFile(path: string, { type, text = "", mode = 0o644 }: BundleFile): void {
  if (type === "directory") return makeDirectory(path, mode);
  if (type === "file") return write(path, new TextEncoder().encode(text), mode);
  // Deno makes links for who may write everywhere alone.
  if (mayWrite()) Deno.symlinkSync(text, path);
  else linux.symlinkat(text, linux.AT_FDCWD, path);
}

function makeDirectory(path: string, mode: number): void {
  if (!mayWrite(path)) {
    return withoutUmask(() => writable(path, () => linux.mkdirat(linux.AT_FDCWD, path, mode)));
  }
  writable(path, () => Deno.mkdirSync(path));
  if (Deno.build.os !== "windows") Deno.chmodSync(path, mode);
}

function write(path: string, bytes: Uint8Array<ArrayBuffer>, mode: number): void {
  if (!mayWrite(path)) return withoutUmask(() => writeBytes(path, bytes, mode));
  writable(path, () => Deno.writeFileSync(path, bytes));
  if (Deno.build.os !== "windows") Deno.chmodSync(path, mode);
}

/** What the caller keeps from new files says nothing about those of a container. */
function withoutUmask(make: () => void): void {
  const old = linux.umask(0);
  try {
    make();
  } finally {
    linux.umask(old);
  }
}
