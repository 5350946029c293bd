/**
 * Deno's flags for permissions, as grants.
 *
 * @module
 */

import type { PermissionOptions } from "../../mod.ts";
import { GRANTED_HOSTS, parseGrantedHost } from "../../proxy/granted_host.ts";
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

/** The permissions that the flags grant; those without a flag are denied. */
export function grantsOf(given: Arguments): PermissionOptions {
  const grants: Record<string, boolean | readonly string[]> = {};
  for (const [grant, { name, value }] of Object.entries(PERMISSION_FLAGS)) {
    if (!given.has(name)) continue;
    const list = value === undefined ? undefined : listOf(given, name);
    if (grant === "net") requireNetwork(list ?? []);
    grants[grant] = list ?? true;
  }
  return grants;
}

/**
 * Checks that ramekin itself may reach the hosts that a program is to reach through it, because Deno
 * cannot ask for the permission while the program runs.
 */
export function requireNetwork(hosts: readonly string[]): void {
  for (const text of hosts) {
    if (parseGrantedHost(text) === undefined) {
      throw new UsageError(`--allow-net=${text}: this is not ${GRANTED_HOSTS}`);
    }
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
  return values.flatMap((value) => value!.split(",")).filter((word) => word !== "");
}
