/**
 * Families, types and options of sockets. See socket(2), netlink(7), linux/netlink.h.
 *
 * @module
 */

/** Sockets within the machine. See unix(7). */
export const AF_UNIX = 1;
/** IPv4. See ip(7). */
export const AF_INET = 2;
/** IPv6. See ipv6(7). */
export const AF_INET6 = 10;
/** Messages to and from the kernel. See netlink(7). */
export const AF_NETLINK = 16;

/** Bytes in order. See tcp(7). */
export const SOCK_STREAM = 1;
/** Messages, each on its own. */
export const SOCK_RAW = 3;
/** Messages in order, which stay apart. */
export const SOCK_SEQPACKET = 5;
/** The descriptor is closed by execve(2). */
export const SOCK_CLOEXEC = 0o2000000;

/** Nothing is waited for. */
export const SOCK_NONBLOCK = 0o4000;

/** No more is sent. See shutdown(2). */
export const SHUT_WR = 1;

/** Options of every socket. See socket(7). */
export const SOL_SOCKET = 1;
/** A message tells who has sent it. See unix(7). */
export const SO_PASSCRED = 16;
/** Options of netlink sockets. */
export const SOL_NETLINK = 270;
/** An answer leaves the request away that it is about. */
export const NETLINK_CAP_ACK = 10;
/** An answer says in words what is wrong. */
export const NETLINK_EXT_ACK = 11;

/** Interfaces, addresses and routes. See rtnetlink(7). */
export const NETLINK_ROUTE = 0;
/** The packet filter. */
export const NETLINK_NETFILTER = 12;

/** The call does not wait. */
export const MSG_DONTWAIT = 0x40;
/** Descriptors that are received are closed by execve(2). */
export const MSG_CMSG_CLOEXEC = 0x40000000;

/** Tells the index of an interface. See netdevice(7). */
export const SIOCGIFINDEX = 0x8933;
/** Opens the network namespace of a socket. */
export const SIOCGSKNS = 0x894c;
