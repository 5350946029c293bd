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
  variableName,
} from "../recipe/schema.ts";
import { quoted } from "../recipe/shown.ts";
import { parseHost } from "../proxy/host.ts";

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
 * A kind that is left out is not granted, as for a Deno worker.
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
   * loopback interface. With a list of hosts (`"example.org:443"`; without a port, all ports) the
   * script is a proxy to these hosts, which programs find by `HTTP_PROXY` and similar variables.
   */
  readonly net?: "inherit" | "loopback" | boolean | readonly string[];
  /**
   * Variables of the script's environment that are passed on. Others are left out without an error;
   * PATH then has a default, and LANG is `C.UTF-8`.
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
}

/** The schemas of the options. */
const permissionFields = lazy((): Schemas<PermissionOptions> => ({
  read: grantOf(path()),
  write: grantOf(path()),
  net: optional(either(oneOf(["inherit", "loopback"]), either(boolean(), list(host())))),
  env: grantOf(variableName()),
  run: grantOf(text({ min: 1 })),
  sys: optional(either(oneOf(["inherit"]), boolean())),
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

function grantOf(item: Schema): Schema {
  return optional(either(oneOf(["inherit"]), either(boolean(), list(item))));
}

function host(): Schema {
  const expected = `a host with or without a port, such as "example.org:443"`;
  return text({
    expected,
    min: 1,
    issue: (text) =>
      parseHost(text) === undefined ? `${quoted(text)} is not ${expected}` : undefined,
  });
}
