/**
 * What the installed command and the planner have to be of alike.
 *
 * @module
 */

/** The numbers of FNV-1a with 32 bits. */
const [BASIS, PRIME] = [0x811c9dc5, 0x01000193];

/**
 * Returns a word for the contents of the runtime's module: files of other versions have another one.
 * It guards against nothing else, so that no library for digests is loaded with the runtime.
 */
export function buildOf(module: string): string {
  const bytes = Deno.readFileSync(module);
  let [forwards, backwards] = [BASIS, BASIS];
  for (let at = 0, end = bytes.length; at < end; at++) {
    forwards = Math.imul(forwards ^ bytes[at]!, PRIME);
    backwards = Math.imul(backwards ^ bytes[end - 1 - at]!, PRIME);
  }
  const words = [forwards, backwards].map((word) => (word >>> 0).toString(16).padStart(8, "0"));
  return words.join("");
}
