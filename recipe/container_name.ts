/**
 * The names that a container can be given: they are also words of a shell and names of files, and no
 * pids.
 *
 * @module
 */

const NAME = /^(?!\d+$)[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** What such a name is made of. */
export const CONTAINER_NAME = 'letters, digits, ".", "_" and "-", 64 at most, not digits alone';

/** Whether a container can be given this name. */
export function isContainerName(name: string): boolean {
  return NAME.test(name);
}
