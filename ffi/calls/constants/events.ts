/**
 * The flags and events of epoll(7) and eventfd(2). See linux/eventpoll.h and linux/eventfd.h.
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

/** The descriptor can be read. */
export const EPOLLIN = 0x1;
/** There is an exceptional condition. */
export const EPOLLPRI = 0x2;
/** The descriptor can be written. */
export const EPOLLOUT = 0x4;
/** There is an error condition. */
export const EPOLLERR = 0x8;
/** The other side has hung up. */
export const EPOLLHUP = 0x10;
/** The other side has shut down writing. */
export const EPOLLRDHUP = 0x2000;
/** Wakes only one of the waiting threads. */
export const EPOLLEXCLUSIVE = 0x10000000;
/** Disables the descriptor after its first event. */
export const EPOLLONESHOT = 0x40000000;
/** Reports changes instead of states: edge-triggered. */
export const EPOLLET = 0x80000000;

/** Calls do not block. */
export const EFD_NONBLOCK = 0o4000;
/** execve(2) closes the descriptor. */
export const EFD_CLOEXEC = 0o2000000;
