/**
 * The entries of a list of granted hosts, in Deno's notation: a name, a name with all names below it,
 * an address, a range of addresses.
 *
 * @module
 */

import { type IpAddress, type IpPrefix, isInRange, parseIp } from "../ffi/netlink/ip.ts";
import { destinationRange } from "./destination_address.ts";
import { parseHost } from "./host_name.ts";
import { type Schema, text } from "./schema.ts";
import { quoted } from "./shown.ts";

/** A granted host: a name, or addresses. */
export type GrantedHost = (GrantedName | GrantedAddresses) & {
  /** The granted port; without one, all ports are. */
  readonly port: number | undefined;
};

interface GrantedName {
  readonly name: string;
  /** Whether all names below it are granted too. */
  readonly below: boolean;
}

interface GrantedAddresses {
  readonly range: IpPrefix;
}

/** The notations, for messages. */
export const GRANTED_HOSTS =
  'a host with or without a port, such as "example.org:443", "*.example.org", "[fd00::1]:80" or ' +
  '"10.0.0.0/8"';

/** Parses an entry; returns `undefined` for what is none. */
export function parseGrantedHost(given: string): GrantedHost | undefined {
  const [, wildcard, host, length, port] =
    /^(\*\.)?(.+?)(?:\/(0|[1-9]\d{0,2}))?(:\d+)?$/s.exec(given) ?? [];
  const parsed = parseHost(`${host}${port ?? ""}`);
  if (parsed === undefined) return undefined;
  const ip = parseIp(parsed.name);
  if (ip === undefined) {
    if (length !== undefined) return undefined;
    return { name: parsed.name, below: wildcard !== undefined, port: parsed.port };
  }
  const bits = ip.bytes.length * 8;
  if (wildcard !== undefined || Number(length ?? 0) > bits) return undefined;
  const range = destinationRange({ ...ip, length: Number(length ?? bits) });
  return { range, port: parsed.port };
}

/** Whether the entry grants a name. */
export function grantsName(granted: GrantedHost, name: string): boolean {
  if (!("name" in granted)) return false;
  // As in Deno, a wildcard includes the name that it is below.
  return granted.name === name || (granted.below && name.endsWith(`.${granted.name}`));
}

/** Whether the entry grants an address. */
export function grantsAddress(granted: GrantedHost, address: IpAddress): boolean {
  return "range" in granted && isInRange(address, granted.range);
}

/** What an entry of a list may be. */
export function grantedHost(): Schema {
  return text({
    expected: GRANTED_HOSTS,
    issue: (host) =>
      parseGrantedHost(host) === undefined ? `${quoted(host)} is not ${GRANTED_HOSTS}` : undefined,
  });
}
