/**
 * `ramekin sandbox`: runs an untrusted program with what Deno's flags allow it.
 *
 * @module
 */

import { isWithin, normalize } from "../../recipe/path.ts";
import { environment } from "../../host.ts";
import {
  linux,
  type Permissions,
  PROTECTED_NAMES,
  sandbox,
  type SandboxOptions,
  SyscallError,
} from "../../mod.ts";
import type { Arguments } from "./arguments.ts";
import { listOf, requireNetwork, SETUID_FILES, UNIX_SOCKETS } from "./permission_flags.ts";
import { runProgram } from "./run_program.ts";
import { UsageError } from "./usage.ts";

/** The files that a sandbox shows. */
type ShownPaths = Required<Pick<SandboxOptions, "read" | "write">>;

/** Runs the program. */
export async function run(given: Arguments): Promise<number> {
  const options = optionsOf(given);
  const box = sandbox(options);
  const cwd = visibleDirectory(options);
  const terminal = environment()["TERM"];
  const permissions = permissionsOf(given);
  return await runProgram(given.program, (program, command) =>
    box.command(program, {
      ...command,
      ...(cwd !== undefined && { cwd }),
      ...(terminal !== undefined && { env: { TERM: terminal } }),
      ...(permissions !== undefined && { permissions }),
    }));
}

/** The options of the sandbox that the flags ask for. */
function optionsOf(given: Arguments): SandboxOptions & ShownPaths {
  const all = given.has("allow-all");
  const listed = (flag: string, everything: () => readonly string[]) => {
    if (all) return everything();
    return given.has(flag) ? listOf(given, flag) ?? everything() : [];
  };
  return {
    // A sandbox has a /tmp of its own, which programs write to; to be written, it is the host's.
    read: listed("allow-read", () => all ? everywhere() : ["/"]).map((path) =>
      absolutePath(path, "allow-read")
    ),
    write: listed("allow-write", everywhere).map((path) => absolutePath(path, "allow-write")),
    net: all || (given.has("allow-net") && listOf(given, "allow-net") === undefined)
      ? "host"
      : "none",
    env: listed("allow-env", () => Object.keys(environment())),
    protect: protectedBy(given),
    ...sizesOf(given),
    ...((all || given.has(UNIX_SOCKETS.name)) && { unixSockets: true }),
    setuidFiles: all || given.has(SETUID_FILES.name),
  };
}

/** The names that are protected: the usual ones, and those that are listed. */
function protectedBy(given: Arguments): boolean | readonly string[] {
  const listed = listOf(given, "protect") ?? [];
  const usual = !given.has("no-protect");
  return listed.length === 0 ? usual : [...(usual ? PROTECTED_NAMES : []), ...listed];
}

/** The sizes of the directories in memory that are given. */
function sizesOf(given: Arguments): Pick<SandboxOptions, "tmp" | "shm"> {
  const [tmp, shm] = [given.value("tmp"), given.value("shm")];
  return { ...(tmp !== undefined && { tmp }), ...(shm !== undefined && { shm }) };
}

/** All files that can be changed; /tmp must be listed, because the sandbox has its own otherwise. */
function everywhere(): readonly string[] {
  return ["/", "/tmp"];
}

/** The permissions for a list of hosts, which are reached through this script and no other way. */
function permissionsOf(given: Arguments): Permissions | undefined {
  const hosts = given.has("allow-net") && !given.has("allow-all")
    ? listOf(given, "allow-net")
    : undefined;
  if (hosts === undefined) return undefined;
  requireNetwork(hosts);
  return { read: true, write: true, env: true, run: true, sys: true, net: hosts };
}

/** The path from the root; the file must exist. */
function absolutePath(path: string, flag: string): string {
  // Links are left to the sandbox: an earlier program may have made them. Deno's own flags take `..`
  // by the words of the path too.
  const whole = withoutClimbing(path.startsWith("/") ? path : `${Deno.cwd()}/${path}`);
  try {
    // Deno.statSync() needs all permissions for /proc, /sys and /dev.
    linux.statx(linux.AT_FDCWD, whole);
  } catch (error) {
    if (!(error instanceof SyscallError) || !MISSING.includes(error.code)) throw error;
    throw new UsageError(`--${flag}=${path}: ${missing(path)}`);
  }
  return whole;
}

const MISSING = ["ENOENT", "ENOTDIR"];

function missing(path: string): string {
  if (path.startsWith("~")) {
    return "there is no such file; a shell expands ~ only at the start of a word: write $HOME";
  }
  return path.includes("$")
    ? "there is no such file; a shell expands $ only outside of single quotes"
    : "there is no such file; make it first, or name its directory";
}

/** Returns the path with each `..` and the name before it left out. */
function withoutClimbing(path: string): string {
  const parts: string[] = [];
  for (const part of normalize(path).slice(1).split("/")) {
    if (part === "..") parts.pop();
    else parts.push(part);
  }
  return `/${parts.join("/")}`;
}

/** The working directory, if it is there for the program: shown, or around something that is. */
function visibleDirectory({ read, write }: ShownPaths): string | undefined {
  const directory = Deno.cwd();
  const isOwn = OWN.some((path) => isWithin(directory, path));
  const isThere = [...read, ...write, "/usr"].some((path) =>
    isWithin(path, directory) || (isWithin(directory, path) && (path !== "/" || !isOwn))
  );
  return isThere ? directory : undefined;
}

/** The directories that a sandbox has of its own, even if it is shown all files. */
const OWN = ["/dev", "/proc", "/run", "/sys", "/tmp"];
