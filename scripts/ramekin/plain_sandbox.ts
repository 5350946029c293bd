/**
 * Sandboxes whose flags need no further module, as most: `dist/sandbox.js` has what they need, and is
 * half of the command.
 *
 * @module
 */

/**
 * A flag, with its value. What runs on by itself needs a supervisor, and the names of devices may be
 * those of files in YAML.
 */
const FLAG = /^(--(?!(?:allow-device|detach|supervisor)\b)[a-z0-9-]+|-[A-Z])(=.*)?$/s;

/** Whether the command line runs such a sandbox. */
export function isPlainSandbox([subcommand, ...words]: readonly string[]): boolean {
  const end = words.indexOf("--");
  const flags = end === -1 ? words : words.slice(0, end);
  return subcommand === "sandbox" && flags.every((flag) => FLAG.test(flag));
}
