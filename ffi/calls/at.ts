/**
 * The directory where the lookup of a path starts.
 *
 * @module
 */

import { type Fd, Named } from "../call.ts";
import { AT_FDCWD } from "./constants/at.ts";

/** `AT_FDCWD`, with its name: the working directory. */
export const at_fdcwd: Named = new Named(AT_FDCWD, "AT_FDCWD");

/** A directory as an argument; {@linkcode AT_FDCWD} is shown by its name. */
export function at(directory: Fd): Fd {
  return directory === AT_FDCWD ? at_fdcwd : directory;
}
