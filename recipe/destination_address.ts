/**
 * Addresses as a connection goes to them.
 *
 * @module
 */

import { AF_INET, AF_INET6 } from "../ffi/calls/constants/sockets.ts";
import {
  type IpAddress,
  type IpPrefix,
  isInRange,
  parseIp,
  parsePrefix,
} from "../ffi/netlink/ip.ts";
import { lazy } from "./schema.ts";

/** IPv4 addresses in IPv6 (RFC 4291, 2.5.5.2). */
const mapped = lazy(() => parsePrefix("::ffff:0:0/96")!);

/**
 * Returns the address that connect(2) connects to: of an IPv4-mapped one the IPv4 address, for which
 * the kernel has other routes.
 */
export function destinationAddress(address: IpAddress): IpAddress {
  return address.family === AF_INET6 && isInRange(address, mapped())
    ? { family: AF_INET, bytes: address.bytes.slice(12) }
    : address;
}

/** Returns the range of addresses that connect(2) connects to: IPv4 ones, if all are mapped. */
export function destinationRange(range: IpPrefix): IpPrefix {
  const isMapped = range.length >= mapped().length && isInRange(range, mapped());
  if (!isMapped) return range;
  return { ...destinationAddress(range), length: range.length - mapped().length };
}

/** Returns the address that a text is; `undefined` if it is a name. */
export function parseDestinationAddress(text: string): IpAddress | undefined {
  const ip = parseIp(text);
  return ip && destinationAddress(ip);
}
