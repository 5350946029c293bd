/**
 * Deno's flags for permissions, as grants.
 *
 * @module
 */

import type { PermissionOptions } from "../../mod.ts";
import { GRANTED_HOSTS, parseGrantedHost } from "../../recipe/granted_host.ts";
import type { Arguments } from "./arguments.ts";
import { type Flag, UsageError } from "./usage.ts";

/** The permissions that have a flag. */
export type GrantName = "read" | "write" | "net" | "env" | "run" | "sys";

/** The flags, as Deno has them. */
export const PERMISSION_FLAGS: Readonly<Record<GrantName, Flag>> = {
  read: {
    name: "allow-read",
    letter: "R",
    value: "PATHS",
    optionalValue: true,
    repeated: true,
    completes: "file",
    summary: "let files and directories be read",
  },
  write: {
    name: "allow-write",
    letter: "W",
    value: "PATHS",
    optionalValue: true,
    repeated: true,
    completes: "file",
    summary: "let files and directories be changed",
  },
  net: {
    name: "allow-net",
    letter: "N",
    value: "HOSTS",
    optionalValue: true,
    repeated: true,
    check: hostListOf,
    summary: "let it use the network: all of the host's, or *.example.org:443 and no others",
  },
  env: {
    name: "allow-env",
    letter: "E",
    value: "NAMES",
    optionalValue: true,
    repeated: true,
    completes: "variable",
    summary: "pass variables of the environment: HOME, or AWS_* for all that begin so",
  },
  run: {
    name: "allow-run",
    value: "PROGRAMS",
    optionalValue: true,
    repeated: true,
    summary: "let it start only these programs, or with --allow-sys use all of the machine",
  },
  sys: {
    name: "allow-sys",
    letter: "S",
    summary:
      "let it use keys and virtual sockets, and run on after ramekin; with --allow-run, all " +
      "of the machine: devices, users, other processes",
  },
};

/** The permissions that can be denied, each with its option in a script. */
const DENIALS = { read: "denyRead", write: "denyWrite", net: "denyNet", env: "denyEnv" } as const;

/** A permission that can be denied. */
export type DeniedName = keyof typeof DENIALS;

/** The flags that deny, as Deno has them; they win over those that allow. */
export const DENIAL_FLAGS: Readonly<Record<DeniedName, Flag>> = {
  read: {
    name: "deny-read",
    value: "PATHS",
    optionalValue: true,
    repeated: true,
    completes: "file",
    summary: "hide files and directories; without a value, all that are not listed",
  },
  write: {
    name: "deny-write",
    value: "PATHS",
    optionalValue: true,
    repeated: true,
    completes: "file",
    summary: "keep files and directories from being changed",
  },
  net: {
    name: "deny-net",
    value: "HOSTS",
    optionalValue: true,
    repeated: true,
    check: hostListOf,
    summary: "deny hosts that --allow-net=HOSTS includes",
  },
  env: {
    name: "deny-env",
    value: "NAMES",
    optionalValue: true,
    repeated: true,
    completes: "variable",
    summary: "keep back variables of the environment: HOME, or AWS_*",
  },
};

/** The flag for all permissions. */
export const ALLOW_ALL: Flag = {
  name: "allow-all",
  letter: "A",
  summary: "grant all that the recipe asks for",
};

/** The flag of a sandbox for unix sockets. */
export const UNIX_SOCKETS: Flag = {
  name: "unix-sockets",
  summary: "let it make unix sockets, and reach those in the directories that it may read",
};

/** The flag of a sandbox for set-user-ID files. */
export const SETUID_FILES: Flag = {
  name: "setuid-files",
  summary: "let it make files that run as their owner or group, as package managers do",
};

/** The flag of a sandbox for 32-bit programs. */
export const NARROW_PROGRAMS: Flag = {
  name: "32-bit",
  summary: "let it run 32-bit programs, which are killed otherwise (SIGSYS)",
};

/** The flag of a sandbox for containers whose /proc is covered. */
export const WEAKER_PROC: Flag = {
  name: "weaker-proc",
  summary: "show it the /proc outside, with all processes there: for containers as those of Docker",
};

/** The flag of a sandbox without the caller's groups. */
export const DROP_GROUPS: Flag = {
  name: "drop-groups",
  summary: "drop your supplementary groups: needs newgidmap and a range in /etc/subgid",
};

/** The flag of a sandbox in which others can be made. */
export const NEST: Flag = {
  name: "nest",
  summary: "let it make user namespaces, for sandboxes in it (--weaker-proc, bwrap)",
};

/**
 * The permissions that the flags grant, and those that they deny.
 *
 * @param others whether those without a flag are granted
 */
export function grantsOf(given: Arguments, others = false): PermissionOptions {
  const grants: Record<string, boolean | readonly string[]> = {};
  for (const [grant, { name, value }] of Object.entries(PERMISSION_FLAGS)) {
    if (!others && !given.has(name)) continue;
    const list = value === undefined ? undefined : grantedList(given, grant as GrantName, others);
    grants[grant] = list ?? true;
  }
  for (const [denied, option] of Object.entries(DENIALS)) {
    const list = deniedList(given, denied as DeniedName);
    if (list.length > 0) grants[option] = list;
  }
  const { net } = grants;
  if (typeof net === "object") {
    const socket = net.find(isSocket);
    if (socket !== undefined) {
      const path = socketPath(socket);
      throw new UsageError(
        `--allow-net=${socket}: a recipe shows a unix socket by a bind(), which ` +
          `--allow-read=${path} --allow-write=${path} grant`,
      );
    }
    requireNetwork(net);
  }
  return grants;
}

/** Whether a flag denies something. */
export function hasDenials(given: Arguments): boolean {
  return Object.values(DENIAL_FLAGS).some(({ name }) => given.has(name));
}

/**
 * What is listed of a permission; `undefined` where all of it is granted. Without a value, a flag
 * that denies leaves what is listed, as it does in Deno.
 *
 * @param others whether all of it is granted without a flag
 */
export function grantedList(
  given: Arguments,
  grant: GrantName,
  others = false,
): readonly string[] | undefined {
  const { name } = PERMISSION_FLAGS[grant];
  const isAll = others || given.values(name).includes(undefined);
  const isDenied = grant in DENIAL_FLAGS &&
    given.values(DENIAL_FLAGS[grant as DeniedName].name).includes(undefined);
  return isAll && !isDenied ? undefined : listed(given, grant, name);
}

/** What is listed of what is denied. */
export function deniedList(given: Arguments, denied: DeniedName): readonly string[] {
  return listed(given, denied, DENIAL_FLAGS[denied].name);
}

function listed(given: Arguments, kind: GrantName, flag: string): readonly string[] {
  const values = given.values(flag).flatMap((value) => value ?? []);
  return values.flatMap((value) => kind === "net" ? hostListOf(value, flag) : wordsIn(value));
}

/** The hosts of one value of a flag. */
function hostListOf(value: string, flag: string): readonly string[] {
  return wordsIn(value).flatMap((host) => hostsOf(host, flag));
}

function wordsIn(value: string): readonly string[] {
  return value.split(",").filter((word) => word !== "");
}

/** The hosts that an entry stands for: as in Deno, `:8080` is this machine's port. */
function hostsOf(text: string, flag: string): readonly string[] {
  const port = /^:\d+$/.test(text) ? text : undefined;
  const hosts = port === undefined ? [text] : THIS_MACHINE.map((host) => host + port);
  for (const host of hosts) {
    if (isSocket(host) || parseGrantedHost(host) !== undefined) continue;
    throw new UsageError(`--${flag}=${text}: this is not ${GRANTED_HOSTS}`);
  }
  return hosts;
}

/** What Deno reads a port without a host as. */
const THIS_MACHINE = ["0.0.0.0", "127.0.0.1", "localhost"];

/** Whether an entry of a list of hosts is a unix socket. */
export function isSocket(host: string): boolean {
  return host.startsWith(UNIX);
}

/** Returns the path of such an entry. */
export function socketPath(host: string): string {
  return host.slice(UNIX.length);
}

const UNIX = "unix:";

/**
 * Checks that ramekin itself may reach the hosts that a program is to reach through it, because Deno
 * cannot ask for the permission while the program runs.
 */
export function requireNetwork(hosts: readonly string[]): void {
  for (const text of hosts) {
    // Deno answers for one host: a name of a wildcard, an address of a range.
    const host = text.replace(/^\*\./, "any.").replace(/\/\d+(?=:|$)/, "");
    if (Deno.permissions.querySync({ name: "net", host }).state === "granted") continue;
    throw new Deno.errors.NotCapable(
      `a program reaches ${text} through ramekin, which needs --allow-net for it`,
    );
  }
}

/** The values of a flag, with commas or repeated; `undefined` if it is given without any, for all. */
export function listOf(given: Arguments, flag: string): readonly string[] | undefined {
  const values = given.values(flag);
  if (values.includes(undefined)) return undefined;
  return values.flatMap((value) => wordsIn(value!));
}
