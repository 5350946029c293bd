/**
 * IPv4 and IPv6 addresses, parsed strictly: other notations are refused, not guessed.
 *
 * @module
 */

import { AF_INET, AF_INET6 } from "../calls/constants/sockets.ts";

/** An IPv4 or IPv6 address. */
export interface IpAddress {
  /** `AF_INET` or `AF_INET6`. */
  readonly family: number;
  /** Its four or sixteen bytes. */
  readonly bytes: Uint8Array;
}

/** An address with the length of its network's prefix, in bits. */
export interface IpPrefix extends IpAddress {
  readonly length: number;
}

/** Parses `10.0.0.2` or `fd00::2`; returns `undefined` for anything else. */
export function parseIp(text: string): IpAddress | undefined {
  const family = text.includes(":") ? AF_INET6 : AF_INET;
  const bytes = family === AF_INET ? parseIpv4(text) : parseIpv6(text);
  return bytes && { family, bytes: Uint8Array.from(bytes) };
}

/** Parses `10.0.0.2/24` or `fd00::2/64`; returns `undefined` for anything else. */
export function parsePrefix(text: string): IpPrefix | undefined {
  const [address, length, ...more] = text.split("/");
  const ip = parseIp(address!);
  if (ip === undefined || length === undefined || more.length > 0) return undefined;
  if (!/^(0|[1-9][0-9]{0,2})$/.test(length) || Number(length) > ip.bytes.length * 8) {
    return undefined;
  }
  return { ...ip, length: Number(length) };
}

/** The text of an address; that of IPv6 follows RFC 5952. */
export function formatIp(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups = Array.from({ length: 8 }, (_, i) => bytes[i * 2]! << 8 | bytes[i * 2 + 1]!);
  const words = groups.map((group) => group.toString(16));
  const [start, count] = longestZeros(groups);
  if (count < 2) return words.join(":");
  return `${words.slice(0, start).join(":")}::${words.slice(start + count).join(":")}`;
}

/** The first address of the address's network. */
export function networkOf({ bytes, length }: IpPrefix): Uint8Array {
  return bytes.map((byte, index) => {
    const kept = Math.min(8, Math.max(0, length - index * 8));
    return byte & (0xff00 >> kept);
  });
}

/** Whether an address is in a range. */
export function isInRange(address: IpAddress, range: IpPrefix): boolean {
  if (address.family !== range.family) return false;
  const [one, other] = [networkOf({ ...address, length: range.length }), networkOf(range)];
  return one.every((byte, index) => byte === other[index]);
}

function parseIpv4(text: string): number[] | undefined {
  const parts = text.split(".");
  const valid = parts.length === 4 &&
    parts.every((part) => /^(0|[1-9][0-9]{0,2})$/.test(part) && Number(part) <= 255);
  return valid ? parts.map(Number) : undefined;
}

function parseIpv6(text: string): number[] | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [before, after] = halves.map((half) => half === "" ? [] : half.split(":"));
  const head = parseGroups(before!, after === undefined);
  if (after === undefined) return head?.length === 16 ? head : undefined;
  const tail = parseGroups(after, true);
  if (head === undefined || tail === undefined || head.length + tail.length > 14) return undefined;
  return [...head, ...new Array(16 - head.length - tail.length).fill(0), ...tail];
}

/** The bytes of groups, of which the last may be an IPv4 address. */
function parseGroups(groups: readonly string[], mayEndInIpv4: boolean): number[] | undefined {
  const bytes: number[] = [];
  for (const [index, group] of groups.entries()) {
    const last = index === groups.length - 1;
    if (/^[0-9a-f]{1,4}$/i.test(group)) {
      const value = parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    } else {
      const ipv4 = last && mayEndInIpv4 ? parseIpv4(group) : undefined;
      if (ipv4 === undefined) return undefined;
      bytes.push(...ipv4);
    }
  }
  return bytes;
}

/** The start and the length of the longest run of zeros, the first of several. */
function longestZeros(groups: readonly number[]): [start: number, count: number] {
  let best: [number, number] = [0, 0];
  for (let start = 0; start < groups.length; start++) {
    let count = 0;
    while (groups[start + count] === 0) count++;
    if (count > best[1]) best = [start, count];
  }
  return best;
}
