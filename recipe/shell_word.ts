/**
 * Words as a person types them in a shell: what is told to be typed may have a stranger's names in it.
 *
 * @module
 */

/** Returns the text as one word of a shell, in quotes where it would be more than that. */
export function shellWord(text: string): string {
  return /^[\w%+,./:=@^-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
