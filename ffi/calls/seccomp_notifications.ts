/**
 * The listener of a filter of system calls: what it is asked, and how it answers. See
 * seccomp_unotify(2).
 *
 * @module
 */

import { type Call, call, Named, Output, Slot, Struct } from "../call.ts";

/** The requests of ioctl(2) on a listener. */
const REQUEST = {
  SECCOMP_IOCTL_NOTIF_RECV: 0xc050_2100,
  SECCOMP_IOCTL_NOTIF_SEND: 0xc018_2101,
  SECCOMP_IOCTL_NOTIF_ID_VALID: 0x4008_2102,
  SECCOMP_IOCTL_NOTIF_SET_FLAGS: 0x4008_2104,
} as const;

/** The call is made. */
const SECCOMP_USER_NOTIF_FLAG_CONTINUE = 1;

/** The kernel wakes listener and program on one processor, as they wait for each other. */
const SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP = 1;

/** Offsets in struct seccomp_notif. */
const NOTIFICATION = { id: 0, pid: 8, data: 16, size: 80 } as const;

/** A call that a program is about to make. */
export interface NotifiedCall {
  /** By which it is answered: two halves of 32 bits. */
  readonly id: readonly [number, number];
  /** The thread, as the listener sees it. */
  readonly pid: number;
  /** Its number. */
  readonly number: number;
  /** Its arguments. */
  readonly args: readonly bigint[];
  /** Its struct seccomp_data. */
  readonly data: DataView;
}

/** Memory for struct seccomp_notif, which the kernel wants empty. */
export function notificationOutput(): Output {
  return new Output(NOTIFICATION.size, "&notification");
}

/** Takes the next call. */
export function receiveNotification(listener: number, notification: Output): Call {
  return request(listener, "SECCOMP_IOCTL_NOTIF_RECV", notification);
}

/** Reads a call; `undefined` where the thread was killed before it was taken. */
export function readNotification(view: DataView): NotifiedCall | undefined {
  const id = [view.getUint32(NOTIFICATION.id, true), view.getUint32(NOTIFICATION.id + 4, true)];
  if (id[0] === 0 && id[1] === 0) return undefined;
  // The memory is the next call's too.
  const start = view.byteOffset + NOTIFICATION.data;
  const data = new DataView(view.buffer.slice(start, start + 64) as ArrayBuffer);
  return {
    id: id as [number, number],
    pid: view.getUint32(NOTIFICATION.pid, true),
    number: data.getInt32(0, true),
    args: Array.from({ length: 6 }, (_, index) => data.getBigUint64(16 + index * 8, true)),
    data,
  };
}

/** The slots of an answer: the two halves of the id, the negative errno or 0, and the flags. */
export const ANSWER = {
  low: new Slot("low", 4),
  high: new Slot("high", 4),
  error: new Slot("error", 4),
  flags: new Slot("flags", 4),
} as const;

/** Answers a call. */
export function answerNotification(listener: number): Call {
  const response = new Struct(new Uint8Array(24), "&answer", [], [
    { offset: 0, slot: ANSWER.low },
    { offset: 4, slot: ANSWER.high },
    { offset: 16, slot: ANSWER.error },
    { offset: 20, slot: ANSWER.flags },
  ]);
  return request(listener, "SECCOMP_IOCTL_NOTIF_SEND", response);
}

/** Returns the values of {@linkcode ANSWER}: an errno, or none where the call is made. */
export function answerValues(
  { id: [low, high] }: NotifiedCall,
  errno: number | undefined,
): readonly [number, number, number, number] {
  return errno === undefined
    ? [low, high, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE]
    : [low, high, -errno, 0];
}

/** Asks whether the thread of a call still waits; its two slots are those of the id. */
export function isNotificationValid(listener: number): Call {
  const id = new Struct(new Uint8Array(8), "&id", [], [
    { offset: 0, slot: ANSWER.low },
    { offset: 4, slot: ANSWER.high },
  ]);
  return request(listener, "SECCOMP_IOCTL_NOTIF_ID_VALID", id);
}

/** Has the kernel wake both sides on one processor (Linux 6.6). */
export function wakeOnOneProcessor(listener: number): Call {
  return call(
    "ioctl",
    listener,
    named("SECCOMP_IOCTL_NOTIF_SET_FLAGS"),
    SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP,
  );
}

function request(listener: number, name: keyof typeof REQUEST, about: Output | Struct): Call {
  return call("ioctl", listener, named(name), about);
}

function named(name: keyof typeof REQUEST): Named {
  return new Named(REQUEST[name], name);
}
