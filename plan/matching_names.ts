/**
 * The names in a directory of the host that a plan has asked for by patterns.
 *
 * @module
 */

/** The names in a directory. */
export class MatchingNames {
  #names: ReadonlySet<string>;
  readonly #matching = new Map<string, readonly string[]>();

  /** Those of all these names. */
  constructor(names: ReadonlySet<string>) {
    this.#names = names;
  }

  /** Returns the names that match, with `*` for any text. */
  matching(pattern: string): readonly string[] {
    let names = this.#matching.get(pattern);
    if (names === undefined) this.#matching.set(pattern, names = matchesIn(this.#names, pattern));
    return names;
  }

  /** Whether the same ones match among the names of now; others may come and go. */
  hold(now: ReadonlySet<string>): boolean {
    if (now === this.#names) return true;
    const isSame = this.#matching.entries().every(([pattern, names]) =>
      matchesIn(now, pattern).join("/") === names.join("/")
    );
    if (isSame) this.#names = now;
    return isSame;
  }
}

function matchesIn(names: ReadonlySet<string>, pattern: string): readonly string[] {
  if (!pattern.includes("*")) return names.has(pattern) ? [pattern] : [];
  const parts = pattern.split("*").map((part) => RegExp.escape(part));
  const whole = new RegExp(`^${parts.join(".*")}$`, "su");
  return [...names].filter((name) => whole.test(name));
}
