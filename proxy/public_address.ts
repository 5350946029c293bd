/**
 * Public addresses, which a name may lead to. All others are of a machine or a network that whoever
 * controls the name has no business with: this machine, its link, where clouds serve credentials,
 * private networks.
 *
 * @module
 */

import { AF_INET } from "../ffi/calls/constants/sockets.ts";
import { type IpAddress, type IpPrefix, isInRange, parsePrefix } from "../ffi/netlink/ip.ts";
import { lazy } from "../recipe/schema.ts";

/** What is not globally reachable, by the IANA IPv4 Special-Purpose Address Registry (RFC 6890). */
const notPublicIpv4 = ranges(
  "0.0.0.0/8",
  "10.0.0.0/8",
  // Carriers, VPNs, and a metadata service: 100.100.100.200.
  "100.64.0.0/10",
  "127.0.0.0/8",
  // The metadata and agent service of a cloud.
  "168.63.129.16/32",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  // Multicast, reserved addresses, and broadcast.
  "224.0.0.0/4",
  "240.0.0.0/4",
);

/** All unicast addresses that are assigned so far (RFC 3587). */
const globalIpv6 = ranges("2000::/3");

/** What is not globally reachable of these, by the IANA IPv6 Special-Purpose Address Registry. */
const notPublicIpv6 = ranges(
  // Teredo, among others.
  "2001::/23",
  "2001:db8::/32",
  "3fff::/20",
);

/** Ranges of addresses with an IPv4 address in them, and where it is. */
const withIpv4 = lazy(() =>
  [
    // The socket is one of IPv4 (RFC 4291, 2.5.5.2).
    { range: parsePrefix("::ffff:0:0/96")!, at: 12 },
    // NAT64 (RFC 6052).
    { range: parsePrefix("64:ff9b::/96")!, at: 12 },
    // 6to4 (RFC 3056).
    { range: parsePrefix("2002::/16")!, at: 2 },
  ] as const
);

/** Whether an address is public. One with an IPv4 address in it is what that one is. */
export function isPublic(address: IpAddress): boolean {
  const { family, bytes } = address;
  if (family === AF_INET) return !isInAny(address, notPublicIpv4());
  const carrier = withIpv4().find(({ range }) => isInRange(address, range));
  if (carrier !== undefined) return isPublic(ipv4At(bytes, carrier.at));
  if (isIsatap(bytes) && !isPublic(ipv4At(bytes, 12))) return false;
  return isInAny(address, globalIpv6()) && !isInAny(address, notPublicIpv6());
}

/** Whether the second half is of ISATAP, with an IPv4 address at its end (RFC 5214). */
function isIsatap(bytes: Uint8Array): boolean {
  return (bytes[8]! & 0xfd) === 0 && bytes[9] === 0 && bytes[10] === 0x5e && bytes[11] === 0xfe;
}

function ipv4At(bytes: Uint8Array, at: number): IpAddress {
  return { family: AF_INET, bytes: bytes.slice(at, at + 4) };
}

function isInAny(address: IpAddress, ranges: readonly IpPrefix[]): boolean {
  return ranges.some((range) => isInRange(address, range));
}

/** The ranges, which are read from their texts when an address is first looked up among them. */
function ranges(...texts: readonly string[]): () => readonly IpPrefix[] {
  return lazy(() => texts.map((text) => parsePrefix(text)!));
}
