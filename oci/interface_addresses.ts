/**
 * The addresses of an interface of this machine.
 *
 * @module
 */

import type { InterfaceAddress } from "../ffi/netlink/address.ts";
import { NetlinkSocket } from "../ffi/netlink/socket.ts";

/** Returns the addresses of an interface; none if there is no such interface. */
export function addressesOf(name: string): readonly InterfaceAddress[] {
  using socket = new NetlinkSocket();
  const found = socket.links().find((link) => link.name === name);
  if (found === undefined) return [];
  return socket.addresses().filter(({ link }) => link === found.index);
}
