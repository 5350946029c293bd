/**
 * Words of memory that the kernel compares. See futex(2).
 *
 * @module
 */

import { type Call, call, Named } from "../call.ts";

const FUTEX_CMP_REQUEUE_PRIVATE = new Named(4 | 128, "FUTEX_CMP_REQUEUE_PRIVATE");

/** Compares a word of memory with a value, and does nothing else: `EAGAIN` if they differ. */
export function compareWord(word: Named, value: Named): Call {
  return call("futex", word, FUTEX_CMP_REQUEUE_PRIVATE, 0, 0, word, value);
}
