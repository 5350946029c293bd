/**
 * Addresses of network interfaces. See rtnetlink(7), linux/if_addr.h.
 *
 * @module
 */

import { AF_INET6 } from "../calls/constants/sockets.ts";
import { formatIp, type IpPrefix } from "./ip.ts";
import {
  Attribute,
  decodeAttributes,
  type Later,
  type Message,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_EXCL,
  type Received,
  uint32,
} from "./message.ts";

const RTM_NEWADDR = 20;
const RTM_GETADDR = 22;

const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_F_NODAD = 2;
const IFA_F_PERMANENT = 0x80;
const RT_SCOPE_UNIVERSE = 0;

/**
 * Adds an address to an interface. An IPv6 address is usable at once, without detection of duplicates:
 * no other machine assigns addresses in a container's network.
 */
export function addAddress(index: number | Later, { family, bytes, length }: IpPrefix): Message {
  const flags = family === AF_INET6 ? IFA_F_NODAD : 0;
  return {
    type: RTM_NEWADDR,
    flags: NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL,
    payload: [
      // struct ifaddrmsg (linux/if_addr.h)
      Uint8Array.of(family, length, flags, 0),
      uint32(index),
      new Attribute(IFA_LOCAL, [bytes]),
      new Attribute(IFA_ADDRESS, [bytes]),
    ],
    words: ["RTM_NEWADDR", `${formatIp(bytes)}/${length}`, describe(index)],
  };
}

/** Requests the list of all addresses. */
export function listAddresses(): Message {
  const payload = [new Uint8Array(ADDRESS_HEADER_SIZE)];
  return { type: RTM_GETADDR, flags: NLM_F_DUMP, payload, words: ["RTM_GETADDR"] };
}

/** An address of a network interface. */
export interface InterfaceAddress {
  /** The index of the interface. */
  readonly link: number;
  /** The address with the length of its network's prefix: `"10.0.0.2/24"`. */
  readonly address: string;
  /** Whether it means the same on all networks, as addresses of one link, or of the machine, do not. */
  readonly isGlobal: boolean;
  /** Whether it stays until it is removed: one that a server has lent does not. */
  readonly isPermanent: boolean;
}

const ADDRESS_HEADER_SIZE = 8;

/** Decodes an address of that list. */
export function readAddress({ payload }: Received): InterfaceAddress {
  const header = new DataView(payload.buffer, payload.byteOffset, ADDRESS_HEADER_SIZE);
  const attributes = decodeAttributes(payload.subarray(ADDRESS_HEADER_SIZE));
  // On a point-to-point link, IFA_ADDRESS is the address of the other side.
  const bytes = attributes.get(IFA_LOCAL) ?? attributes.get(IFA_ADDRESS)!;
  return {
    link: header.getUint32(4, true),
    address: `${formatIp(bytes)}/${header.getUint8(1)}`,
    isGlobal: header.getUint8(3) === RT_SCOPE_UNIVERSE,
    isPermanent: (header.getUint8(2) & IFA_F_PERMANENT) !== 0,
  };
}

function describe(index: number | Later): string {
  return typeof index === "number" ? String(index) : index.text;
}
