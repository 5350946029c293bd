/**
 * The interfaces, addresses and routes of the calling thread's network namespace.
 *
 * @module
 */

import type { InterfaceAddress } from "../netlink/address.ts";
import type { Link } from "../netlink/link.ts";
import type { Route } from "../netlink/route.ts";
import { NetlinkSocket } from "../netlink/socket.ts";

/**
 * Lists the interfaces of the thread's network namespace. See
 * [rtnetlink(7)](https://man7.org/linux/man-pages/man7/rtnetlink.7.html).
 *
 * @throws {SyscallError} `EAFNOSUPPORT` if the kernel has no rtnetlink
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 * import { assertEquals } from "@std/assert";
 *
 * const loopback = linux.links().find(({ index }) => index === 1);
 * assertEquals(loopback?.name, "lo");
 * ```
 */
export function links(): Link[] {
  using socket = new NetlinkSocket();
  return socket.links();
}

/**
 * Lists the addresses of all interfaces of the thread's network namespace. See
 * [rtnetlink(7)](https://man7.org/linux/man-pages/man7/rtnetlink.7.html).
 *
 * @throws {SyscallError} `EAFNOSUPPORT` if the kernel has no rtnetlink
 * @tags allow-ffi
 *
 * @example
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 *
 * for (const { link, address } of linux.addresses()) console.log(link, address); // 1 127.0.0.1/8
 * ```
 */
export function addresses(): InterfaceAddress[] {
  using socket = new NetlinkSocket();
  return socket.addresses();
}

/**
 * Lists the routes of all tables of the thread's network namespace. See
 * [rtnetlink(7)](https://man7.org/linux/man-pages/man7/rtnetlink.7.html).
 *
 * @throws {SyscallError} `EAFNOSUPPORT` if the kernel has no rtnetlink
 * @tags allow-ffi
 *
 * @example The default gateways
 * ```ts
 * import { linux } from "@ramekin/ramekin";
 *
 * const gateways = linux.routes().filter(({ destination }) => destination === "0.0.0.0/0");
 * console.log(gateways.map(({ via }) => via));
 * ```
 */
export function routes(): Route[] {
  using socket = new NetlinkSocket();
  return socket.routes();
}
