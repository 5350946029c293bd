/**
 * The ids that an ordinary user may map beside the own ones. See subuid(5) and subgid(5).
 *
 * @module
 */

/** A range of ids. */
export interface SubordinateRange {
  readonly first: number;
  readonly count: number;
}

/** Returns the first group that /etc/subgid grants to a user; `undefined` if it grants none. */
export function subordinateGroup(
  read: (path: string) => string,
  uid: number,
): number | undefined {
  // Groups are granted to users, not to groups.
  const user = userName(read("/etc/passwd"), uid);
  return subordinateRanges(read("/etc/subgid"), user, uid)[0]?.first;
}

/** The name of a user, as passwd(5) has it. */
export function userName(passwd: string, uid: number): string | undefined {
  const line = passwd.split("\n").find((line) => line.split(":")[2] === String(uid));
  return line?.split(":")[0];
}

/** The ranges that a text of subuid(5) gives a user, by name or by number. */
export function subordinateRanges(
  text: string,
  user: string | undefined,
  uid: number,
): readonly SubordinateRange[] {
  const ranges: SubordinateRange[] = [];
  for (const line of text.split("\n")) {
    const [owner, first, count] = line.split(":");
    if (owner !== user && owner !== String(uid)) continue;
    const range = { first: Number(first), count: Number(count) };
    if (Number.isSafeInteger(range.first) && range.count > 0) ranges.push(range);
  }
  return ranges;
}
