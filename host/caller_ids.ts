/**
 * The ids of a caller who is not known yet, as numbers in a plan. No id of a user or group is so
 * large, and as texts they have ten digits, as many as any id takes with zeros in front of it, which
 * the kernel accepts.
 *
 * @module
 */

import { Slot, type SlotCell, Struct } from "../ffi/call.ts";

/** Stands for the user id of the caller. */
export const CALLER_UID = 2 ** 32 + 1;

/** Stands for the group id of the caller. */
export const CALLER_GID = 2 ** 32 + 2;

/** The digits of each id in a text. */
export const UID_DIGITS: Slot = new Slot("uid", 10);
/** The digits of the group id. */
export const GID_DIGITS: Slot = new Slot("gid", 10);

const SLOTS = { [CALLER_UID]: UID_DIGITS, [CALLER_GID]: GID_DIGITS };

/** Whether a number stands for an id of the caller. */
export function isCallersId(value: number | bigint): boolean {
  return value === CALLER_UID || value === CALLER_GID;
}

/** Returns the text, as a structure with slots where the ids of the caller are in it. */
export function textWithIds(text: string): string | Struct {
  const cells: SlotCell[] = [];
  for (const { 0: digits, index } of text.matchAll(ANY)) {
    cells.push({ offset: index, slot: SLOTS[Number(digits)]! });
  }
  if (cells.length === 0) return text;
  const shown = text.replaceAll(ANY, (digits) => SLOTS[Number(digits)]!.text);
  return new Struct(new TextEncoder().encode(text), JSON.stringify(shown), [], cells);
}

const ANY = new RegExp(`\\b(?:${CALLER_UID}|${CALLER_GID})\\b`, "g");
