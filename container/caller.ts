/**
 * Who runs the script, as far as plans depend on it.
 *
 * @module
 */

import { capabilityOutput, capget, getegid, geteuid } from "../ffi/calls/users.ts";
import { isLoaded } from "../ffi/engine/engine.ts";
import { Routine } from "../ffi/engine/routine.ts";

const [UID, GID, CAPABILITIES] = [geteuid(), getegid(), capabilityOutput()];
const ASKING = new Routine([], [{ call: UID }, { call: GID }, { call: capget(CAPABILITIES) }]);

/**
 * The ids and capabilities of the calling thread, to be compared with what they are later:
 * `undefined` as long as nothing has asked the kernel for anything.
 */
export function callerSignature(): string | undefined {
  if (!isLoaded()) return undefined;
  const result = ASKING.run();
  const words = result.output(CAPABILITIES);
  let signature = `${result.result(UID)} ${result.result(GID)}`;
  for (let at = 0; at < words.byteLength; at += 4) signature += ` ${words.getUint32(at, true)}`;
  return signature;
}
