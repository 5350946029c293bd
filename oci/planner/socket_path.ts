/**
 * Where the planner listens.
 *
 * @module
 */

import { stateDirectory } from "../runtime.ts";

/** Returns the path of the socket, which the dispatcher of the installed command finds too. */
export function plannerSocket(): string {
  return `${stateDirectory()}/ramekin-planner`;
}
