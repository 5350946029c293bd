/**
 * The permissions of a recipe, similar to those of a Deno worker.
 *
 * @module
 */

import {
  boolean,
  either,
  lazy,
  list,
  object,
  oneOf,
  optional,
  path,
  type Schema,
  schema,
  type Schemas,
  text,
} from "../recipe/schema.ts";
import { quoted } from "../recipe/shown.ts";
import { variablePattern } from "../recipe/variable_pattern.ts";
import { GRANTED_HOSTS, parseGrantedHost } from "../recipe/granted_host.ts";

/**
 * The access to the host of a recipe and its program: none (`"none"`), that of the script's own
 * Deno permissions (`"inherit"`), or the listed permissions.
 *
 * Permissions are checked before each start of the program, against paths without symbolic links.
 * These paths are then opened without following links, so that no other file can take their place.
 * A directory includes everything in it, sockets too: a program can connect to a socket in a
 * directory that it can only read.
 *
 * @example A recipe within its permissions, and one beyond them
 * ```ts
 * import { PermissionError, sandbox } from "@ramekin/ramekin";
 *
 * const read = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc"];
 * const modest = sandbox({ read: ["/etc/hosts"] });
 * console.log(modest.command("true", { permissions: { read } }).outputSync().success); // true
 * const greedy = sandbox({ write: ["/etc/hosts"] });
 * try {
 *   greedy.command("true", { permissions: { read } }).outputSync();
 * } catch (error) {
 *   if (error instanceof PermissionError) console.log(error.grant, error.value); // write /etc/hosts
 * }
 * ```
 */
export type Permissions = "inherit" | "none" | PermissionOptions;

/**
 * Permissions by kind: all (`true`), none (`false`), those of the script (`"inherit"`), or a list.
 * A kind that is left out is not granted, as for a Deno worker. What is denied wins over all of them.
 *
 * A recipe that shares the host's processes, ids, devices, root's capabilities or the script's
 * terminal could do whatever any program can, so these need `run: true` and `sys: true` together.
 */
export interface PermissionOptions {
  /** Files and directories to read. Symbolic links are followed when the recipe is planned. */
  readonly read?: "inherit" | boolean | readonly string[];
  /** Files and directories to change. */
  readonly write?: "inherit" | boolean | readonly string[];
  /**
   * The network. All values but `true` (the host's network) need a recipe with a network of its
   * own, `unshare("net")`. With `false` it has no interface that is up, with `"loopback"` the
   * loopback interface. With a list of hosts the script is a proxy to these, which programs find by
   * `HTTP_PROXY` and similar variables.
   *
   * An entry is a name (`"example.org"`), a name with all names below it (`"*.example.org"`), an
   * address (`"127.0.0.1"`, `"[::1]"`) or a range of addresses (`"10.0.0.0/8"`, `"[fd00::]/8"`), with
   * one port (`"example.org:443"`) or all.
   *
   * A name leads to its public addresses, and to others only if the list has them too: with
   * `["git.example:443"]`, a `git.example` in a private network is not reached, and with
   * `["git.example:443", "10.0.0.0/8:443"]` it is. `"localhost"` is this machine.
   */
  readonly net?: "inherit" | "loopback" | boolean | readonly string[];
  /**
   * Variables of the script's environment that are passed on, `"AWS_*"` all that begin so. Others are
   * left out without an error; PATH then has a default, and LANG is `C.UTF-8`.
   */
  readonly env?: "inherit" | boolean | readonly string[];
  /**
   * Programs that a command may start, by the names that it uses. Without a list, a command may
   * start any program: it can only be a file that the recipe may access.
   */
  readonly run?: "inherit" | boolean | readonly string[];
  /**
   * What no namespace keeps from a program: keys, virtual sockets and the like, unless `seccomp()`
   * denies the calls, and running on after the script, unless `init()` ties it to the script. With
   * `run: true`, everything that is not a file, a network or a variable.
   */
  readonly sys?: "inherit" | boolean;
  /** Files and directories that are not granted, whatever `read` says; nor is what they are in. */
  readonly denyRead?: readonly string[];
  /** The same for `write`. */
  readonly denyWrite?: readonly string[];
  /**
   * Hosts that are not reached, whatever the list of `net` says: in its notation, and also where a
   * name leads to such an address. Without a list, they deny the host's network.
   */
  readonly denyNet?: readonly string[];
  /** Variables that are not passed on, whatever `env` says. */
  readonly denyEnv?: readonly string[];
}

/** The schemas of the options. */
const permissionFields = lazy((): Schemas<PermissionOptions> => ({
  read: grantOf(path()),
  write: grantOf(path()),
  net: grantOf(host(), ["inherit", "loopback"]),
  env: grantOf(variablePattern()),
  run: grantOf(text({ min: 1 })),
  sys: optional(either(oneOf(["inherit"]), boolean())),
  denyRead: optional(list(path())),
  denyWrite: optional(list(path())),
  denyNet: optional(list(host())),
  denyEnv: optional(list(variablePattern())),
}));

/** Returns the schema of a command's option `permissions`. */
export function permissionsSchema(): Schema {
  const word = oneOf(["inherit", "none"]);
  const lists = object(permissionFields());
  return optional(schema(
    `"inherit", "none", or an object of permissions`,
    (value) => typeof value === "string" ? word.issue(value) : lists.issue(value),
  ));
}

function grantOf(item: Schema, words: readonly string[] = ["inherit"]): Schema {
  const items = list(item);
  const all = either(oneOf(words), either(boolean(), items));
  // What is wrong with an entry is said of the list, and not of all that could be there.
  return optional(
    schema(all.expected, (value) => (Array.isArray(value) ? items : all).issue(value)),
  );
}

function host(): Schema {
  return text({
    expected: GRANTED_HOSTS,
    min: 1,
    issue: (text) =>
      parseGrantedHost(text) === undefined ? `${quoted(text)} is not ${GRANTED_HOSTS}` : undefined,
  });
}
