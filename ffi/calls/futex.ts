/**
 * Words of memory that the kernel compares. See futex(2).
 *
 * @module
 */

import {
  type Call,
  call,
  type FieldAddress,
  Named,
  type Output,
  type OutputField,
  type ResultOf,
} from "../call.ts";

const FUTEX_CMP_REQUEUE_PRIVATE = new Named(4 | 128, "FUTEX_CMP_REQUEUE_PRIVATE");

/**
 * Compares a word of memory with a value, and does nothing else: `EAGAIN` where they differ. The
 * memory may be what an earlier call has filled: its first four bytes are compared.
 */
export function compareWord(
  word: Named | Output | FieldAddress,
  value: Named | OutputField | ResultOf,
): Call {
  return call("futex", word, FUTEX_CMP_REQUEUE_PRIVATE, 0, 0, word, value);
}
