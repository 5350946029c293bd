/**
 * Families, types and options of sockets. See socket(2), netlink(7), linux/netlink.h.
 *
 * @module
 */

/** Local sockets. See unix(7). */
export const AF_UNIX = 1;
/** IPv4. See ip(7). */
export const AF_INET = 2;
/** IPv6. See ipv6(7). */
export const AF_INET6 = 10;
/** Messages to and from the kernel. See netlink(7). */
export const AF_NETLINK = 16;

/** A stream of bytes. See tcp(7). */
export const SOCK_STREAM = 1;
/** Messages without a connection. See udp(7). */
export const SOCK_DGRAM = 2;
/** Raw messages. */
export const SOCK_RAW = 3;
/** Messages in order, with their boundaries kept. */
export const SOCK_SEQPACKET = 5;
/** execve(2) closes the descriptor. */
export const SOCK_CLOEXEC = 0o2000000;

/** Calls do not block. */
export const SOCK_NONBLOCK = 0o4000;

/** No more data will be sent. See shutdown(2). */
export const SHUT_WR = 1;

/** Options of every socket. See socket(7). */
export const SOL_SOCKET = 1;
/** The type: `SOCK_STREAM` ... */
export const SO_TYPE = 3;
/** The error of a connection that was begun without waiting for it. */
export const SO_ERROR = 4;
/** Messages carry the credentials of their sender. See unix(7). */
export const SO_PASSCRED = 16;
/** Who has connected a local socket, as struct ucred. See unix(7). */
export const SO_PEERCRED = 17;
/** A pidfd of who has connected a local socket, since Linux 6.5. See unix(7). */
export const SO_PEERPIDFD = 77;
/** How long a receiving call waits, as struct timeval. See socket(7). */
export const SO_RCVTIMEO = 20;
/** The family: `AF_UNIX` ... */
export const SO_DOMAIN = 39;
/** Options of IPv6 sockets. See ipv6(7). */
export const IPPROTO_IPV6 = 41;
/** The socket is not for IPv4 too. */
export const IPV6_V6ONLY = 26;
/** Options of netlink sockets. */
export const SOL_NETLINK = 270;
/** An acknowledgment does not contain a copy of the request. */
export const NETLINK_CAP_ACK = 10;
/** An acknowledgment contains the kernel's error message. */
export const NETLINK_EXT_ACK = 11;

/** Interfaces, addresses and routes. See rtnetlink(7). */
export const NETLINK_ROUTE = 0;
/** The packet filter. */
export const NETLINK_NETFILTER = 12;

/** The call returns the whole length of a packet, of which it may have received a part. */
export const MSG_TRUNC = 0x20;
/** A peer that is gone is an error, and not a signal. */
export const MSG_NOSIGNAL = 0x4000;
/** The call does not block. */
export const MSG_DONTWAIT = 0x40;
/** execve(2) closes the received descriptors. */
export const MSG_CMSG_CLOEXEC = 0x40000000;

/** Gets the index of an interface. See netdevice(7). */
export const SIOCGIFINDEX = 0x8933;
/** Opens the network namespace of a socket. */
export const SIOCGSKNS = 0x894c;
