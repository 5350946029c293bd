/**
 * The resolver of this machine: /etc/resolv.conf.
 *
 * @module
 */

import { ifThere } from "../ffi/missing.ts";
import { withRegularFile } from "../ffi/files/regular_file.ts";

/** The file that names the servers, for every program (resolv.conf(5)). */
export const RESOLV_CONF = "/etc/resolv.conf";

/** No resolver reads more. */
const MOST_BYTES = 64 * 1024;

/** Returns the text of /etc/resolv.conf; an empty one where it cannot be read. */
export function readResolvConf(): string {
  const read = () => withRegularFile(RESOLV_CONF, (file) => file.readAt(0, MOST_BYTES));
  return new TextDecoder().decode(ifThere(read, ["EACCES"]) ?? new Uint8Array());
}
