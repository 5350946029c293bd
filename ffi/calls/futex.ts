/**
 * Words of memory that the kernel looks at. See futex(2).
 *
 * @module
 */

import { type Call, call, Named } from "../call.ts";

const FUTEX_CMP_REQUEUE_PRIVATE = new Named(4 | 128, "FUTEX_CMP_REQUEUE_PRIVATE");

/** Looks whether a word of memory has a value, and does nothing else: `EAGAIN` where it has not. */
export function compareWord(word: Named, value: Named): Call {
  return call("futex", word, FUTEX_CMP_REQUEUE_PRIVATE, 0, 0, word, value);
}
