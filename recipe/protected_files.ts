/**
 * What a sandbox protects in the directories that a program may write to.
 *
 * @module
 */

import { isWithin } from "./path.ts";
import { protect, type ProtectStep } from "./steps/protect.ts";

/**
 * Protects what is run or trusted outside by its name, but what is asked for by its own path.
 *
 * @param written the paths to be written, each with its path in the container
 * @param isInner whether a path lies in another one that is to be written, and so is looked through
 */
export function protectedFiles(
  written: ReadonlyMap<string, string>,
  isInner: (path: string) => boolean,
  names: boolean | readonly string[] = true,
): readonly ProtectStep[] {
  if (names === false || names !== true && names.length === 0) return [];
  return [...written].filter(([path]) => !isInner(path)).map(([path, target]) => {
    const except = [...written.keys()].filter((other) => other !== path && isWithin(other, path));
    return protect(path, target, {
      ...(names !== true && { names }),
      ...(except.length > 0 && { except }),
    });
  });
}
