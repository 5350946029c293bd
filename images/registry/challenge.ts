/**
 * Challenges: what a registry asks for before it answers. See RFC 9110, section 11.6.1.
 *
 * @module
 */

/** How to prove who one is. */
export interface Challenge {
  /** The scheme, in small letters: `bearer`, `basic`. */
  readonly scheme: string;
  /** Its parameters, with their names in small letters. */
  readonly parameters: Readonly<Record<string, string>>;
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const PARAMETER = new RegExp(
  `^\\s*(${TOKEN})\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|(${TOKEN}))\\s*,?`,
);
const SCHEME = new RegExp(`^[\\s,]*(${TOKEN})(?:\\s+|$)`);

/** Parses the header `WWW-Authenticate`, of which there may be several challenges. */
export function parseChallenges(header: string): readonly Challenge[] {
  const challenges: Challenge[] = [];
  let rest = header;
  for (let scheme = SCHEME.exec(rest); scheme !== null; scheme = SCHEME.exec(rest)) {
    rest = rest.slice(scheme[0].length);
    const parameters: Record<string, string> = {};
    for (let found = PARAMETER.exec(rest); found !== null; found = PARAMETER.exec(rest)) {
      parameters[found[1]!.toLowerCase()] = found[3] ?? found[2]!.replace(/\\(.)/g, "$1");
      rest = rest.slice(found[0].length);
    }
    challenges.push({ scheme: scheme[1]!.toLowerCase(), parameters });
  }
  return challenges;
}
