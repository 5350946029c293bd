/**
 * The environment of this process.
 *
 * @module
 */

import { environmentStrings, stringAt } from "../ffi/environment.ts";

/** Variables by their names. */
export type Variables = Readonly<Record<string, string>>;

/** The environment of this process; `--allow-env` is not needed. */
export function environment(): Variables {
  return Object.fromEntries(
    environmentStrings().map(stringAt).flatMap((string) => {
      const at = string.indexOf("=");
      return at > 0 ? [[string.slice(0, at), string.slice(at + 1)]] : [];
    }),
  );
}
