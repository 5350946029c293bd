/**
 * The step `userNetwork`: a network for the containers of ordinary users. See slirp4netns(1) and
 * pasta(1).
 *
 * @module
 */

import { oneOf, optional } from "../../schema.ts";
import { type StepSchema, stepSchema } from "../../step_schema.ts";

/** A program that forwards packets. */
export type UserNetworkProgram = "slirp4netns" | "pasta";

/** Connects the container with the network of the script. */
export interface UserNetworkStep {
  /** The name of the step. */
  readonly step: "userNetwork";
  /** The program that forwards the packets; without it, the first one that is installed. */
  readonly program?: UserNetworkProgram;
}

/**
 * Connects the container with the network of the script, without privilege: slirp4netns or pasta
 * forwards the packets of an interface `tap0` by sockets of its own. The container does not reach
 * services on the host's loopback interface. The program ends with the container and with the
 * script. It needs /dev/net/tun, which on some machines only root may open.
 *
 * @throws {RecipeError} when it is planned without `unshare("net")` before it, or with
 * `dieWithParent(null)`
 * @throws {UnsupportedError} when it is run where none of the programs is installed, or the program
 * fails, as without /dev/net/tun; the message includes its output
 *
 * @example
 * ```ts
 * import { loopback, mapRoot, recipe, unshare, userNetwork } from "@ramekin/ramekin";
 *
 * const box = recipe(unshare("user", "net"), mapRoot(), loopback(), userNetwork());
 * console.log(box.plan().toString());
 * ```
 */
export function userNetwork(program?: UserNetworkProgram): UserNetworkStep {
  return { step: "userNetwork", ...(program === undefined ? {} : { program }) };
}

/** The programs, in the order in which they are tried. */
export const USER_NETWORK_PROGRAMS: readonly UserNetworkProgram[] = ["slirp4netns", "pasta"];

/** What the data of `userNetwork` may be. */
export const userNetworkSchema: StepSchema<UserNetworkStep> = stepSchema(
  "userNetwork",
  () => ({ program: optional(oneOf(USER_NETWORK_PROGRAMS)) }),
);
