/**
 * The default of PATH.
 *
 * @module
 */

/** The directories in which programs are searched for when PATH is not set. */
export const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
