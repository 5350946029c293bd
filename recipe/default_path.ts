/**
 * Where programs are looked for by default.
 *
 * @module
 */

/** Where programs are looked for when there is no PATH. */
export const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
