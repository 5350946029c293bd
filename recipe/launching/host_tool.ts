/**
 * Tools of the host's that the script runs for a container: each as a container of no steps.
 *
 * @module
 */

import {
  environmentBlock,
  environmentStrings,
  environmentVariable,
} from "../../ffi/environment.ts";
import { DEFAULT_PATH, type Order } from "./order.ts";
import { resources } from "./resources.ts";

/** How such a tool is run: with the script's environment, and looked for in its PATH. */
export function hostTool(
  program: string,
  args: readonly string[],
  stdio: Order["stdio"],
): Order {
  return {
    program,
    args,
    environment: environmentBlock(environmentStrings(), new Map()),
    searchPath: environmentVariable("PATH") ?? DEFAULT_PATH,
    cwd: undefined,
    uid: undefined,
    gid: undefined,
    stdio,
    terminal: undefined,
    resources: resources(false),
  };
}
