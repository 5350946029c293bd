/**
 * Descriptors that tell events. See epoll(7), signalfd(2), timerfd_create(2).
 *
 * @module
 */

import { type Call, call, constant, type Fd, flags, Output, Struct } from "../call.ts";
import type { Architecture } from "../syscall_numbers.ts";
import {
  CLOCK_BOOTTIME,
  CLOCK_MONOTONIC,
  CLOCK_REALTIME,
  EPOLL_CLOEXEC,
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  EPOLL_CTL_MOD,
  EPOLL_EVENTS,
  SFD_CLOEXEC,
  SFD_NONBLOCK,
  TFD_CLOEXEC,
  TFD_NONBLOCK,
  TFD_TIMER_ABSTIME,
} from "./constants/events.ts";

export * from "./constants/events.ts";

const SIGSET_SIZE = 8;

/** Makes a descriptor that watches others. See epoll_create1(2). */
export function epoll_create1(flagBits: number): Call {
  return call("epoll_create1", flags(flagBits, { EPOLL_CLOEXEC }));
}

/** What a descriptor is watched for, or what has happened: struct epoll_event. */
export interface EpollEvent {
  /** `EPOLLIN`, `EPOLLOUT` ... */
  readonly events: number;
  /** What tells the descriptor: often its own number. */
  readonly data: number;
}

/** The layout of struct epoll_event: packed on x86_64 alone (EPOLL_PACKED of linux/eventpoll.h). */
function epollLayout(architecture: Architecture): { data: number; size: number } {
  return architecture === "x86_64" ? { data: 4, size: 12 } : { data: 8, size: 16 };
}

/** Watches a descriptor, changes what it is watched for, or lets it be. See epoll_ctl(2). */
export function epoll_ctl(
  epoll: Fd,
  operation: number,
  fd: Fd,
  event: EpollEvent,
  architecture: Architecture,
): Call {
  const { data, size } = epollLayout(architecture);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, event.events, true);
  view.setUint32(data, event.data, true);
  const text = () => `{${flags(event.events, EPOLL_EVENTS).text}, ${event.data}}`;
  const struct = new Struct(bytes, text);
  const named = constant(operation, { EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD });
  return call("epoll_ctl", epoll, named, fd, struct);
}

/** Memory for events. */
export function epollOutput(count: number, architecture: Architecture): Output {
  return new Output(count * epollLayout(architecture).size, "&events");
}

/** Waits for events, for some milliseconds or, with -1, without end. See epoll_wait(2). */
export function epoll_pwait(
  epoll: Fd,
  events: Output,
  milliseconds: number,
  architecture: Architecture,
): Call {
  const count = events.size / epollLayout(architecture).size;
  return call("epoll_pwait", epoll, events, count, milliseconds, null, SIGSET_SIZE);
}

/** What epoll_pwait(2) has told, whose result is how many events there are. */
export function readEpollEvents(
  events: DataView,
  count: number,
  architecture: Architecture,
): EpollEvent[] {
  const { data, size } = epollLayout(architecture);
  return Array.from({ length: count }, (_, index) => ({
    events: events.getUint32(index * size, true),
    data: events.getUint32(index * size + data, true),
  }));
}

/** Makes a descriptor that signals are read from, or changes which (fd -1). See signalfd(2). */
export function signalfd4(fd: Fd, signals: readonly number[], flagBits: number): Call {
  const mask = signals.reduce((bits, signal) => bits | 1n << BigInt(signal - 1), 0n);
  const set = new Uint8Array(new BigUint64Array([mask]).buffer);
  const struct = new Struct(set, `[${signals.join(", ")}]`);
  return call("signalfd4", fd, struct, SIGSET_SIZE, flags(flagBits, { SFD_NONBLOCK, SFD_CLOEXEC }));
}

/** Makes a descriptor that tells of time. See timerfd_create(2). */
export function timerfd_create(clock: number, flagBits: number): Call {
  const named = constant(clock, { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME });
  return call("timerfd_create", named, flags(flagBits, { TFD_NONBLOCK, TFD_CLOEXEC }));
}

/** When a timer goes off, in milliseconds; both 0 stops it. */
export interface TimerSetting {
  /** The first time. */
  readonly value: number;
  /** Between the times after it; 0 for none. */
  readonly interval: number;
}

/** Sets a timer. See timerfd_settime(2). */
export function timerfd_settime(timer: Fd, flagBits: number, setting: TimerSetting): Call {
  const { interval, value } = setting;
  // struct itimerspec has the interval first.
  const words = [interval, value].flatMap((milliseconds) => [
    BigInt(Math.floor(milliseconds / 1000)),
    BigInt(Math.round((milliseconds % 1000) * 1e6)),
  ]);
  const bytes = new Uint8Array(new BigInt64Array(words).buffer);
  const struct = new Struct(bytes, `{every ${interval} ms, in ${value} ms}`);
  return call("timerfd_settime", timer, flags(flagBits, { TFD_TIMER_ABSTIME }), struct, null);
}
