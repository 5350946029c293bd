/**
 * What a recipe may be granted of the host, in the manner of a Deno worker's permissions.
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
 * What a recipe and its program may reach of the host: nothing (`"none"`), what the script itself
 * may by its Deno permissions (`"inherit"`), or what is listed.
 *
 * It is decided each time before the program is started, and on paths as they are without symbolic
 * links; those are then opened without following any, so that nothing can be put in their place. A
 * directory is granted with all that lies in it: also sockets, which can be spoken to where a directory
 * can only be read.
 *
 * @example A recipe that reads what it may, and one that wants more
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
 * PermissionSet one by one: all (`true`), none (`false`), what the script may (`"inherit"`), or a list.
 * What is left out is not granted, as with a Deno worker.
 *
 * A recipe that shares the host's processes, ids, devices or root's rights could do all that any
 * program can, so these take `run: true` and `sys: true` together.
 */
export interface PermissionOptions {
  /** Files and directories that may be read. Symbolic links are followed when the recipe is planned. */
  readonly read?: "inherit" | boolean | readonly string[];
  /** Files and directories that may be changed. */
  readonly write?: "inherit" | boolean | readonly string[];
  /**
   * The network. All but `true` (the host's network) take a recipe with a network of its own,
   * `unshare("net")`. In it there is with `false` nothing, and with `"loopback"` the loopback
   * interface. With a list of hosts (`"example.org:443"`, without a port all of them), this script
   * passes on what goes to them: a proxy, which programs find by `HTTP_PROXY` and the like.
   */
  readonly net?: "inherit" | "loopback" | boolean | readonly string[];
  /**
   * Variables of the script's environment that are handed on. Others are left out, without an
   * error: PATH then names the usual directories, and LANG is `C.UTF-8`.
   */
  readonly env?: "inherit" | boolean | readonly string[];
  /**
   * Programs that a command may start, by the words that it uses. The grants are about what a recipe
   * brings with it, so the program that a command names may be started, unless there is a list.
   */
  readonly run?: "inherit" | boolean | readonly string[];
  /** With `run: true`, all that is no file, network or variable. */
  readonly sys?: "inherit" | boolean;
}

/** What each of the options may be. */
const permissionFields = lazy((): Schemas<PermissionOptions> => ({
  read: grantOf(path()),
  write: grantOf(path()),
  net: optional(either(oneOf(["inherit", "loopback"]), either(boolean(), list(host())))),
  env: grantOf(variableName()),
  run: grantOf(text({ min: 1 })),
  sys: optional(either(oneOf(["inherit"]), boolean())),
}));

/** The schema of a command's option `permissions`. */
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
