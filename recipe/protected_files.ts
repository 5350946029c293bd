/**
 * What a sandbox protects in the directories that a program may write to.
 *
 * @module
 */

import { isWithin } from "./path.ts";
import { protect, type ProtectStep } from "./steps/protect.ts";

/** A directory of this machine that is to be written, and where it is while the root is made. */
export interface WrittenDirectory {
  readonly source: string;
  readonly target: string;
  /** Whether it lies in another one that is to be written, and is looked through with that. */
  readonly isInner: boolean;
}

/**
 * Protects what is run or trusted outside by its name, but what is asked for by its own path.
 */
export function protectedFiles(
  written: readonly WrittenDirectory[],
  names: boolean | readonly string[] = true,
): readonly ProtectStep[] {
  if (names === false || names !== true && names.length === 0) return [];
  const sources = [...new Set(written.map(({ source }) => source))];
  return written.filter(({ isInner }) => !isInner).map(({ source, target }) => {
    const except = sources.filter((other) => other !== source && isWithin(other, source));
    return protect(source, target, {
      ...(names !== true && { names }),
      ...(except.length > 0 && { except }),
    });
  });
}
