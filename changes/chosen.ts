/**
 * Which changes are made: those that are asked for, without those in conflict or protected.
 *
 * @module
 */

import { isWithin } from "../recipe/path.ts";
import type { Change } from "./change.ts";
import type { FoundChange } from "./compare.ts";
import { ChangesError } from "./errors.ts";

/** Options of `Held.commit()`. */
export interface CommitOptions {
  /**
   * What is done about files that were changed on the host meanwhile: nothing is made at all, they
   * are left as they are, or they are overwritten.
   *
   * @default {"refuse"}
   */
  readonly conflicts?: "refuse" | "leave" | "overwrite";
  /**
   * What is done about files that are protected or denied: nothing is made at all, they are left as
   * they are, or they are changed too.
   *
   * @default {"refuse"}
   */
  readonly protected?: "refuse" | "leave" | "commit";
}

/** A change, and the directory that it is in. */
export interface Located {
  readonly index: number;
  readonly found: FoundChange;
  readonly change: Change;
}

/** Returns the changes at these paths and below, and of the directories that they need. */
export function withParents(all: readonly Located[], paths: readonly string[]): readonly Located[] {
  const asked = all.filter(({ change }) => paths.some((path) => isWithin(change.path, path)));
  return all.filter((one) =>
    asked.includes(one) ||
    one.change.after?.kind === "directory" && one.change.before?.kind !== "directory" &&
      asked.some(({ change }) => isWithin(change.path, one.change.path))
  );
}

/** Parts the changes into those that are made, and those that are left. */
export function sorted(
  changes: readonly Located[],
  { conflicts = "refuse", protected: guarded = "refuse" }: CommitOptions,
): { readonly made: readonly Located[]; readonly left: readonly Located[] } {
  const inConflict = changes.filter(({ change }) => change.conflict !== undefined);
  const areProtected = changes.filter(({ change }) => change.protectedBy !== undefined);
  if (conflicts === "refuse" && inConflict.length > 0) {
    throw refusal(inConflict, "conflict", "was changed on the host meanwhile", [
      'commit(paths, { conflicts: "leave" }) makes the others, and "overwrite" all of them',
    ]);
  }
  if (guarded === "refuse" && areProtected.length > 0) {
    throw refusal(areProtected, "protected", "is protected", [
      'commit(paths, { protected: "leave" }) makes the others, and "commit" all of them',
    ]);
  }
  const barred = [
    ...(conflicts === "leave" ? inConflict : []),
    ...(guarded === "leave" ? areProtected : []),
  ];
  // Without a directory there is nothing in it.
  const isLeft = (one: Located) =>
    barred.some(({ change }) => isWithin(one.change.path, change.path));
  return { made: changes.filter((one) => !isLeft(one)), left: changes.filter(isLeft) };
}

function refusal(
  changes: readonly Located[],
  code: "conflict" | "protected",
  what: string,
  advice: readonly string[],
): ChangesError {
  const [first] = changes;
  const more = changes.length === 1 ? "" : `, and ${changes.length - 1} more`;
  return new ChangesError(`nothing is changed, as ${first!.change.path} ${what}${more}`, {
    code,
    advice,
    changes: changes.map(({ change }) => change),
  });
}
