/**
 * The step `userNetwork`: a network for the containers of ordinary users. See pasta(1) and
 * slirp4netns(1).
 *
 * @module
 */

import { boolean, oneOf, optional } from "../../schema.ts";
import { type StepSchema, stepSchema } from "../../step_schema.ts";

/** A program that forwards packets. */
export type UserNetworkProgram = "pasta" | "slirp4netns";

/** Connects the container with the network of the script. */
export interface UserNetworkStep extends UserNetworkOptions {
  /** The name of the step. */
  readonly step: "userNetwork";
  /** The program that forwards the packets; without it, pasta, or slirp4netns where pasta is not installed or fails. */
  readonly program?: UserNetworkProgram;
}

/** Options of {@linkcode userNetwork}. */
export interface UserNetworkOptions {
  /**
   * Whether names are resolved also where this machine's resolver listens on a loopback address, as
   * systemd-resolved does at 127.0.0.53, which the container has not: its /etc/resolv.conf then
   * names 10.0.2.3, from where queries are forwarded to the resolver.
   *
   * @default {true}
   */
  readonly dns?: boolean;
}

/**
 * Connects the container with the network of the script, without privilege: pasta or slirp4netns
 * forwards the packets of an interface `tap0` by sockets of its own. The container does not reach
 * services on the host's loopback interface. The program ends with the container and with the
 * script. It is confined by itself: it sees no files of the host but /etc and /run, and no variable
 * of the script but PATH, and a filter limits its system calls. It needs /dev/net/tun, which on some machines only root may open.
 *
 * Where this machine's resolver listens on a loopback address, a file is mounted over the host's
 * /etc/resolv.conf in the container, wherever it is shown by then; binds of it come later, or just
 * before. A root that has a file of its own keeps it.
 *
 * @throws {RecipeError} when it is planned without `unshare("net")` before it, with
 * `dieWithParent(null)`, or where this machine's resolver listens on a loopback address, without
 * `unshare("mount")` and mapped ids before it
 * @throws {UnsupportedError} when it is run where none of the programs is installed, or the program
 * fails, as without /dev/net/tun; the message includes its output
 *
 * @example
 * ```ts
 * import { loopback, mapRoot, recipe, unshare, userNetwork } from "@ramekin/ramekin";
 *
 * const box = recipe(unshare("user", "mount", "net"), mapRoot(), loopback(), userNetwork());
 * console.log(box.plan().toString());
 * ```
 */
export function userNetwork(
  program?: UserNetworkProgram,
  options: UserNetworkOptions = {},
): UserNetworkStep {
  return { step: "userNetwork", ...(program !== undefined && { program }), ...options };
}

/** The programs, in the order in which they are tried. */
export const USER_NETWORK_PROGRAMS: readonly UserNetworkProgram[] = ["pasta", "slirp4netns"];

/** What the data of `userNetwork` may be. */
export const userNetworkSchema: StepSchema<UserNetworkStep> = stepSchema(
  "userNetwork",
  () => ({ program: optional(oneOf(USER_NETWORK_PROGRAMS)), dns: optional(boolean()) }),
);
