/**
 * Paths that a shell would have changed.
 *
 * @module
 */

/** What the error of a path that is not there says more, if it has a ~ or a $ of the shell's. */
export function unexpanded(path: string): string {
  return /^~|\$/.test(path)
    ? "; a shell expands ~ and $HOME, a recipe does not: write the path itself"
    : "";
}
