/**
 * The word that somebody probably meant.
 *
 * @module
 */

/** Longer words than this have no nearest one: comparing takes the product of two lengths. */
const LONGEST = 64;

/** How much of a word a part of it has to be, and an abbreviation of it (`mnt` for `mount`). */
const [PART, ABBREVIATION] = [0.4, 0.6];

/**
 * Returns the word that was probably meant: the one with the fewest wrong letters, at most a third
 * of them; else the one that is a part of the word, or that the word is a part of (`"TERM"` and
 * `"SIGTERM"`).
 */
export function nearest(word: string, words: readonly string[]): string | undefined {
  if (word.length > LONGEST) return undefined;
  const wanted = word.toLowerCase();
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of words) {
    if (Math.abs(candidate.length - wanted.length) >= bestDistance) continue;
    const distance = editDistance(wanted, candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best ?? overlapping(wanted, words);
}

/** Returns `; did you mean "name"?`, or nothing where no word is near. */
export function suggestion(word: string, words: readonly string[]): string {
  const near = nearest(word, words);
  return near === undefined ? "" : `; did you mean "${near}"?`;
}

/** The word that has most in common with another, as a part of it; `undefined` where two have. */
function overlapping(wanted: string, words: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestOverlap = PART;
  for (const candidate of words) {
    const [short, long] = candidate.length < wanted.length
      ? [candidate.toLowerCase(), wanted]
      : [wanted, candidate.toLowerCase()];
    const overlap = short.length / long.length;
    if (short.length < 3 || overlap < bestOverlap) continue;
    if (!long.includes(short) && !(overlap >= ABBREVIATION && abbreviates(short, long))) continue;
    best = overlap === bestOverlap ? undefined : candidate;
    bestOverlap = overlap;
  }
  return best;
}

/** Whether the word begins with the same letter and has the other letters in the same order. */
function abbreviates(short: string, word: string): boolean {
  let at = 0;
  for (const letter of word) if (letter === short[at]) at++;
  return at === short.length && short[0] === word[0];
}

/** How many letters have to be changed, added, removed, or swapped with the next. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  let rowBefore: number[] = [];
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
        ? rowBefore[j - 2]! + 1
        : Infinity;
      next.push(Math.min(replaced, swapped, row[j]! + 1, next[j - 1]! + 1));
    }
    [rowBefore, row] = [row, next];
  }
  return row[b.length]!;
}
