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

/** Nothing is waited for. */
export const EFD_NONBLOCK = 0o4000;
/** execve(2) closes the descriptor. */
export const EFD_CLOEXEC = 0o2000000;
