/**
 * `ramekin sandbox`: runs an untrusted program with what Deno's flags allow it.
 *
 * @module
 */

import { isWithin } from "../../recipe/path.ts";
import { includesVariable } from "../../recipe/variable_pattern.ts";
import { environment } from "../../host.ts";
import {
  type CommandOptions,
  type Container,
  linux,
  type Permissions,
  protect,
  PROTECTED_NAMES,
  type Recipe,
  recipe,
  RecipeError,
  sandbox,
  type SandboxOptions,
} from "../../mod.ts";
import type { Arguments } from "./arguments.ts";
import { auditOf } from "./audit.ts";
import { DEGRADE, reportDegradation } from "./degrade.ts";
import { type FileOptions, filesOf, type PathReading } from "./file_flags.ts";
import { absolutePath, deniedPath, existingPath } from "./flag_paths.ts";
import {
  deniedList,
  DROP_GROUPS,
  grantedList,
  type GrantName,
  isSocket,
  listOf,
  NARROW_PROGRAMS,
  NEST,
  PERMISSION_FLAGS,
  requireNetwork,
  SETUID_FILES,
  socketPath,
  UNIX_SOCKETS,
  WEAKER_PROC,
} from "./permission_flags.ts";
import { limitsOf } from "./limit_flags.ts";
import { runProgram } from "./run_program.ts";
import { byFlags } from "./sandbox_flags.ts";
import { reportOf } from "./status_fd.ts";
import { UsageError } from "./usage.ts";
import { verboseOf } from "./verbose.ts";

/** The files that a sandbox shows. */
export type ShownPaths = Required<Pick<SandboxOptions, "read" | "write">> & FileOptions;

/** Runs the program in the sandbox that the flags describe. */
export async function runSandbox(
  given: Arguments,
  options: SandboxOptions & ShownPaths = optionsOf(given),
): Promise<number> {
  return await runIn(given, options, sandboxOf(given, options));
}

/** The sandbox, and what is told where it holds less than it should. */
export function sandboxOf(given: Arguments, options: SandboxOptions): Recipe {
  const box = byFlags(() => sandbox(options));
  if (box.degraded !== undefined) reportDegradation(given, box.degraded);
  return box;
}

/** Runs the program in a sandbox with these options. */
export async function runIn(
  given: Arguments,
  options: SandboxOptions & ShownPaths,
  box: Recipe,
): Promise<number> {
  const report = reportOf(given);
  const place = placeIn(given, options);
  using audit = auditOf(given);
  const make = (program: string, command: CommandOptions) =>
    box.command(program, {
      ...command,
      ...place,
      audit: audit !== undefined,
    });
  const ended = (container: Container) => {
    audit?.report(container.denials.list);
  };
  const verbose = verboseOf(given, box);
  const name = given.value("name");
  return await runProgram(given.program, make, { report, ended, name, verbose });
}

/** What the program has of whoever calls the command, and what it is granted. */
export function placeIn(
  given: Arguments,
  options: SandboxOptions & ShownPaths,
): Pick<CommandOptions, "cwd" | "env" | "permissions"> {
  const permissions = permissionsOf(given);
  return { ...inheritedBy(given, options), ...(permissions !== undefined && { permissions }) };
}

/** The directory and the terminal of whoever calls the command, as far as the program has them. */
export function inheritedBy(
  given: Arguments,
  options: SandboxOptions & ShownPaths,
): Pick<CommandOptions, "cwd" | "env"> {
  const cwd = options.cwd === undefined ? visibleDirectory(options) : undefined;
  const terminal = includesVariable(deniedList(given, "env"), "TERM")
    ? undefined
    : environment()["TERM"];
  return {
    ...(cwd !== undefined && { cwd }),
    ...(terminal !== undefined && { env: { TERM: terminal } }),
  };
}

/** How words of the flags are read: here, or for a machine that is not known. */
export interface FlagReading extends PathReading {
  /** The same of a path that is denied. */
  denied(path: string, flag: string): string;
  /** Returns the names of all variables. */
  variables(): readonly string[];
  /** Returns the names of the variables that are allowed and not denied, of which there are some. */
  without(allowed: readonly string[], denied: readonly string[]): readonly string[];
}

/** The options of the sandbox that the flags ask for. */
export function optionsOf(
  given: Arguments,
  reading: FlagReading = HERE,
): SandboxOptions & ShownPaths {
  const all = given.has("allow-all");
  const allowed = (grant: GrantName, everything: () => readonly string[]) =>
    grantedList(given, grant, all) ?? everything();
  const paths = (grant: "read" | "write", everything: () => readonly string[]) =>
    allowed(grant, everything).map((path) =>
      reading.path(path, `--${PERMISSION_FLAGS[grant].name}=${path}`)
    );
  const denied = (kind: "read" | "write") =>
    deniedList(given, kind).map((path) => reading.denied(path, `--deny-${kind}=${path}`));
  // A sandbox has a /tmp of its own, which programs write to; to be written, it is the host's.
  const read = paths("read", () => all ? everywhere() : ["/"]);
  const write = paths("write", everywhere);
  const sockets = socketsOf(given);
  const files = filesOf(given, reading);
  return {
    read: [...read, ...sockets],
    write,
    ...files,
    denyRead: denied("read"),
    denyWrite: denied("write"),
    net: grantedList(given, "net", all) === undefined ? "host" : "none",
    env: variablesOf(given, allowed("env", () => reading.variables()), reading),
    protect: protectedBy(given),
    ...limitsOf(given),
    ...placeOf(given, reading),
    ...((all || given.has(UNIX_SOCKETS.name) || onlySockets(sockets, read, write, files)) &&
      { unixSockets: true }),
    ...(given.has(NARROW_PROGRAMS.name) && { architectures: NARROW_ARCHITECTURES }),
    ...(given.has(WEAKER_PROC.name) && { weakerProc: true }),
    ...(given.has(DEGRADE.name) && { degrade: true }),
    ...(given.has(NEST.name) && { nest: true }),
    ...(given.has(DROP_GROUPS.name) && { dropGroups: true }),
    setuidFiles: all || given.has(SETUID_FILES.name),
  };
}

/** Those of 32 bits; a machine passes over those that it does not have. */
const NARROW_ARCHITECTURES = ["SCMP_ARCH_X86", "SCMP_ARCH_ARM"] as const;

/** The unix sockets of `--allow-net=unix:PATH`. */
function socketsOf(given: Arguments): readonly string[] {
  return (grantedList(given, "net") ?? []).filter(isSocket).map((host) => {
    const path = socketPath(host);
    const flag = `--allow-net=${host}`;
    if (!path.startsWith("/")) {
      throw new UsageError(`${flag}: the path of a socket has to begin with /`);
    }
    const whole = existingPath(path, flag);
    // Anything else would be shown by a flag that is about connections.
    const { mode } = linux.statx(linux.AT_FDCWD, whole);
    if ((mode & linux.S_IFMT) === linux.S_IFSOCK) return whole;
    throw new UsageError(`${flag}: this is no unix socket`);
  });
}

/**
 * Whether a sandbox that is shown these sockets may make unix sockets. The kernel denies all of them
 * or none, so that a program with other files could reach the sockets that are among those.
 */
function onlySockets(
  sockets: readonly string[],
  read: readonly string[],
  write: readonly string[],
  { tryRead = [], bind = [], overlay = [], root }: FileOptions,
): boolean {
  if (sockets.length === 0) return false;
  const [other] = [...read, ...write, ...tryRead, ...bind.map(([path]) => path), ...overlay]
    .concat(root ?? []);
  if (other === undefined) return true;
  throw new UsageError(
    `--allow-net=unix:${sockets[0]}: with it, the program could also reach the unix sockets in ` +
      `${other}; --unix-sockets allows that`,
  );
}

/** The variables that are allowed and not denied: by their names, if some are denied. */
function variablesOf(
  given: Arguments,
  allowed: readonly string[],
  reading: FlagReading,
): readonly string[] {
  const denied = deniedList(given, "env");
  return denied.length === 0 ? allowed : reading.without(allowed, denied);
}

/** The names that are protected: the usual ones, and those that are listed. */
function protectedBy(given: Arguments): boolean | readonly string[] {
  const listed = listOf(given, "protect") ?? [];
  listed.forEach(checkName);
  const usual = !given.has("no-protect");
  return listed.length === 0 ? usual : [...(usual ? PROTECTED_NAMES : []), ...listed];
}

/** Refuses a name that the step would refuse, by its flag. */
function checkName(name: string): void {
  try {
    recipe(protect("/", "/", { names: [name] }));
  } catch (error) {
    if (!(error instanceof RecipeError)) throw error;
    throw new UsageError(
      `--protect=${name}: this is no name, and no end of a path such as .git/hooks`,
    );
  }
}

/** Where the program is, by its name and directory, and the variables that are set. */
function placeOf(
  given: Arguments,
  reading: FlagReading,
): Pick<SandboxOptions, "hostname" | "cwd" | "setEnv"> {
  const [hostname, cwd] = [given.value("hostname"), given.value("cwd")];
  const variables = given.values("setenv").map((text): readonly [string, string] => {
    const [, name, value] = /^([^=]+)=(.*)$/s.exec(text!) ?? [];
    if (name === undefined) {
      throw new UsageError(`--setenv=${text}: this is not a variable with its value, NAME=VALUE`);
    }
    return [name, value!];
  });
  return {
    ...(hostname !== undefined && { hostname }),
    ...(cwd !== undefined && { cwd: reading.optional(cwd, `--cwd=${cwd}`) }),
    ...(variables.length > 0 && { setEnv: Object.fromEntries(variables) }),
  };
}

/** All files that can be changed; /tmp must be listed, because the sandbox has its own otherwise. */
function everywhere(): readonly string[] {
  return ["/", "/tmp"];
}

/** The permissions for a list of hosts, which are reached through this script and no other way. */
export function permissionsOf(given: Arguments): Permissions | undefined {
  const listed = grantedList(given, "net", given.has("allow-all"));
  const denyNet = deniedList(given, "net");
  if (listed === undefined) {
    if (denyNet.length === 0) return undefined;
    throw new UsageError(
      `--deny-net=${denyNet[0]}: the network of this machine cannot be held to hosts; list those ` +
        "that the program may reach: --allow-net=HOSTS",
    );
  }
  const hosts = listed.filter((host) => !isSocket(host));
  const sockets = denyNet.filter(isSocket);
  if (sockets[0] !== undefined) {
    throw new UsageError(
      `--deny-net=${sockets[0]}: --deny-read=${socketPath(sockets[0])} hides a socket`,
    );
  }
  if (hosts.length === 0) return undefined;
  requireNetwork(hosts);
  return { read: true, write: true, env: true, run: true, sys: true, net: hosts, denyNet };
}

/** As flags are read for a script. */
export const HERE: FlagReading = {
  path: existingPath,
  optional: absolutePath,
  denied: deniedPath,
  variables: () => Object.keys(environment()),
  without: (allowed, denied) =>
    Object.keys(environment()).filter((name) =>
      includesVariable(allowed, name) && !includesVariable(denied, name)
    ),
};

/** The working directory, if it is there for the program: shown, or around something that is. */
export function visibleDirectory(
  { read, write, tryRead = [], bind = [], overlay = [], tmpfs = [], root }: ShownPaths,
): string | undefined {
  const directory = Deno.cwd();
  const isOwn = OWN.some((path) => isWithin(directory, path));
  // An empty directory hides what is below it, but for what is shown in it.
  const hiding = tmpfs.filter((path) => path !== directory && isWithin(directory, path));
  const shown = [...read, ...write, ...tryRead, ...overlay]
    .concat(bind.map(([, target]) => target), root === undefined ? ["/usr"] : [])
    .filter((path) => hiding.every((empty) => isWithin(path, empty)));
  const isThere =
    shown.some((path) =>
      isWithin(path, directory) || (isWithin(directory, path) && (path !== "/" || !isOwn))
    ) || tmpfs.some((path) => isWithin(path, directory));
  return isThere ? directory : undefined;
}

/** The directories that a sandbox has of its own, even if it is shown all files. */
const OWN = ["/dev", "/proc", "/run", "/sys", "/tmp"];
