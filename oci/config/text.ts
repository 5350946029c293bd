/**
 * config.json as a text. It has unsigned numbers of 64 bits, of which JavaScript's numbers are exact
 * to 2^53 only.
 *
 * @module
 */

import type { Config } from "../spec.ts";

/** RLIM_INFINITY, as JavaScript rounds it and as it is. */
const [ROUNDED, INFINITY] = [String(2 ** 64), String(2n ** 64n - 1n)];

/**
 * Parses config.json; large numbers of filters become texts.
 *
 * @throws {SyntaxError} if it is not JSON, or no object
 */
export function parseConfig(text: string): Config {
  // In a text of JSON, the quotes around a name are escaped.
  const exact = text.replaceAll(
    /"(value|valueTwo)"\s*:\s*(\d{16,20})(?=[\s,}])/g,
    (_, name, value) => `"${name}":"0x${BigInt(value).toString(16)}"`,
  );
  const config: unknown = JSON.parse(exact);
  if (typeof config !== "object" || config === null) throw new SyntaxError("it is no object");
  return config as Config;
}

/** Returns the text of a config.json. */
export function configText(config: Config): string {
  const text = JSON.stringify(config, null, 2)
    .replaceAll(new RegExp(`"(soft|hard)": ${ROUNDED}`, "g"), `"$1": ${INFINITY}`)
    .replaceAll(
      /"(value|valueTwo)": "(0x[0-9a-f]+|\d+)"/g,
      (_, name, value) => `"${name}": ${BigInt(value)}`,
    );
  return `${text}\n`;
}
