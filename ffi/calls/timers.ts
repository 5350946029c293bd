/**
 * Timers of a process. See timer_create(2).
 *
 * @module
 */

import { type Call, call, constant, Named, type Output, OutputField, Struct } from "../call.ts";
import { timespecOf } from "../timespec.ts";
import { SIGNALS } from "./processes.ts";

/** The clock that nobody sets. See clock_gettime(2). */
const CLOCK_MONOTONIC: Named = new Named(1, "CLOCK_MONOTONIC");

/** struct sigevent (linux/signal.h): the value, the signal, how it is told. SIGEV_SIGNAL is 0. */
const SIGEVENT = { signal: 8, size: 64 } as const;

/**
 * Makes a timer that sends a signal to this process. A new process does not have it, and execve(2)
 * ends it. See timer_create(2).
 *
 * @param timer 4 bytes for its number
 */
export function timer_create(signal: number, timer: Output): Call {
  const bytes = new Uint8Array(SIGEVENT.size);
  new DataView(bytes.buffer).setInt32(SIGEVENT.signal, signal, true);
  const event = new Struct(bytes, () => `{${constant(signal, SIGNALS).text}}`);
  return call("timer_create", CLOCK_MONOTONIC, event, timer);
}

/** struct itimerspec: the interval and the first time, each in seconds and nanoseconds. */
const ITIMERSPEC = { interval: 0, first: 16, size: 32 } as const;

/** Sets a timer, in milliseconds; without an interval it tells once. See timer_settime(2). */
export function timer_settime(timer: Output, first: number, interval = 0): Call {
  const bytes = new Uint8Array(ITIMERSPEC.size);
  const view = new DataView(bytes.buffer);
  const put = (offset: number, milliseconds: number, least: number) => {
    const { seconds, nanoseconds } = timespecOf(milliseconds);
    view.setBigInt64(offset, BigInt(seconds), true);
    // 0 would turn it off.
    const rest = Math.max(nanoseconds, milliseconds === 0 ? least : 0);
    view.setBigInt64(offset + 8, BigInt(rest), true);
  };
  put(ITIMERSPEC.first, first, 1);
  put(ITIMERSPEC.interval, interval, 0);
  const text = interval === 0 ? `{${first} ms}` : `{${first} ms, each ${interval} ms}`;
  return call("timer_settime", numberOf(timer), 0, new Struct(bytes, text), null);
}

/** Removes a timer. See timer_delete(2). */
export function timer_delete(timer: Output): Call {
  return call("timer_delete", numberOf(timer));
}

function numberOf(timer: Output): OutputField {
  return new OutputField(timer, 0, "timer");
}
