/**
 * A value of a recipe's variable as it is written on a command line.
 *
 * @module
 */

import { UsageError } from "./usage.ts";

/**
 * Reads `NAME=VALUE`.
 *
 * @throws {UsageError} if it is not of that form
 */
export function settingOf(text: string): readonly [name: string, value: string] {
  const at = text.indexOf("=");
  if (at < 1) throw new UsageError(`--set=${text} is not of the form --set NAME=VALUE`);
  return [text.slice(0, at), text.slice(at + 1)];
}
