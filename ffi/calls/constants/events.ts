/**
 * The flags of descriptors that tell events. See linux/eventpoll.h and linux/timerfd.h.
 *
 * @module
 */

/** execve(2) closes the descriptor. */
export const EPOLL_CLOEXEC = 0o2000000;
/** Adds a descriptor. */
export const EPOLL_CTL_ADD = 1;
/** Removes a descriptor. */
export const EPOLL_CTL_DEL = 2;
/** Changes what a descriptor is watched for. */
export const EPOLL_CTL_MOD = 3;

/** There is something to read. */
export const EPOLLIN = 0x1;
/** There is something exceptional. */
export const EPOLLPRI = 0x2;
/** Writing would not block. */
export const EPOLLOUT = 0x4;
/** There is an error. */
export const EPOLLERR = 0x8;
/** The other side is gone. */
export const EPOLLHUP = 0x10;
/** The other side writes no more. */
export const EPOLLRDHUP = 0x2000;
/** Wakes one of those who wait. */
export const EPOLLEXCLUSIVE = 0x10000000;
/** Watches until the first event. */
export const EPOLLONESHOT = 0x40000000;
/** Tells changes, not states. */
export const EPOLLET = 0x80000000;

/** The events of epoll_ctl(2), by name. */
export const EPOLL_EVENTS: Readonly<Record<string, number>> = {
  EPOLLIN,
  EPOLLPRI,
  EPOLLOUT,
  EPOLLERR,
  EPOLLHUP,
  EPOLLRDHUP,
  EPOLLEXCLUSIVE,
  EPOLLONESHOT,
  EPOLLET,
};

/** Every read takes one. */
export const EFD_SEMAPHORE = 0x1;
/** Nothing is waited for. */
export const EFD_NONBLOCK = 0o4000;
/** execve(2) closes the descriptor. */
export const EFD_CLOEXEC = 0o2000000;
/** Nothing is waited for. */
export const SFD_NONBLOCK = 0o4000;
/** execve(2) closes the descriptor. */
export const SFD_CLOEXEC = 0o2000000;
/** Nothing is waited for. */
export const TFD_NONBLOCK = 0o4000;
/** execve(2) closes the descriptor. */
export const TFD_CLOEXEC = 0o2000000;
/** The first time is a moment of the clock, not a while from now. */
export const TFD_TIMER_ABSTIME = 0x1;
/** The time of day. */
export const CLOCK_REALTIME = 0;
/** The time since the machine was started, without sleep. */
export const CLOCK_MONOTONIC = 1;
/** The time since the machine was started. */
export const CLOCK_BOOTTIME = 7;
