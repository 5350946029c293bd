/**
 * Adding, listing and finding routes. See rtnetlink(7), linux/rtnetlink.h.
 *
 * @module
 */

import { AF_INET6 } from "../calls/constants/sockets.ts";
import { formatIp, type IpAddress, type IpPrefix, networkOf } from "./ip.ts";
import {
  Attribute,
  decodeAttributes,
  decodeUint32,
  type Later,
  type Message,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_EXCL,
  type Received,
  uint32,
  word,
} from "./message.ts";

const RTM_NEWROUTE = 24;
const RTM_GETROUTE = 26;

const RTA = { DST: 1, OIF: 4, GATEWAY: 5, PRIORITY: 6, PREFSRC: 7, TABLE: 15 } as const;
const RT_TABLE_MAIN = 254;
const RTPROT_BOOT = 3;
const RT_SCOPE_UNIVERSE = 0;
const RT_SCOPE_LINK = 253;
const RTN_UNICAST = 1;

/** The next hop of a route: a gateway, an interface, or both. */
export interface RouteTarget {
  readonly via?: IpAddress | undefined;
  readonly device?: number | Later | undefined;
}

/** Adds a route to the main table. */
export function addRoute(destination: IpPrefix, { via, device }: RouteTarget): Message {
  const { family, length } = destination;
  const scope = via === undefined && family !== AF_INET6 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
  return {
    type: RTM_NEWROUTE,
    flags: NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL,
    payload: [
      // struct rtmsg (linux/rtnetlink.h)
      Uint8Array.of(family, length, 0, 0, RT_TABLE_MAIN, RTPROT_BOOT, scope, RTN_UNICAST),
      uint32(0),
      ...(length === 0 ? [] : [new Attribute(RTA.DST, [networkOf(destination)])]),
      ...(via === undefined ? [] : [new Attribute(RTA.GATEWAY, [via.bytes])]),
      ...(device === undefined ? [] : [word(RTA.OIF, device)]),
    ],
    words: [
      "RTM_NEWROUTE",
      describeDestination(destination),
      ...(via === undefined ? [] : [`via ${formatIp(via.bytes)}`]),
      ...(device === undefined ? [] : [typeof device === "number" ? `${device}` : device.text]),
    ],
  };
}

/** Requests the list of all routes. */
export function listRoutes(): Message {
  const payload = [new Uint8Array(ROUTE_HEADER_SIZE)];
  return { type: RTM_GETROUTE, flags: NLM_F_DUMP, payload, words: ["RTM_GETROUTE"] };
}

/** A route. */
export interface Route {
  /** The destination network: `"10.0.0.0/24"`; a default route has `"0.0.0.0/0"` or `"::/0"`. */
  readonly destination: string;
  /** The address of the gateway. */
  readonly via: string | undefined;
  /** The index of the interface. */
  readonly link: number | undefined;
  /** The default source address of packets. */
  readonly source: string | undefined;
  /** Its metric: of routes to the same network, the one with the lowest metric is used. */
  readonly metric: number;
  /** The number of its table: 254 is the main table, 255 that of local addresses. */
  readonly table: number;
}

const ROUTE_HEADER_SIZE = 12;

/** Decodes a route of that list. */
export function readRoute({ payload }: Received): Route {
  const header = payload.subarray(0, ROUTE_HEADER_SIZE);
  const attributes = decodeAttributes(payload.subarray(ROUTE_HEADER_SIZE));
  const ip = (type: number) => {
    const bytes = attributes.get(type);
    return bytes && formatIp(bytes);
  };
  const number = (type: number) => {
    const bytes = attributes.get(type);
    return bytes && decodeUint32(bytes);
  };
  const everything = header[0] === AF_INET6 ? "::" : "0.0.0.0";
  return {
    destination: `${ip(RTA.DST) ?? everything}/${header[1]}`,
    via: ip(RTA.GATEWAY),
    link: number(RTA.OIF),
    source: ip(RTA.PREFSRC),
    metric: number(RTA.PRIORITY) ?? 0,
    table: number(RTA.TABLE) ?? header[4]!,
  };
}

/** Requests the route that packets to an address take now. */
export function findRoute({ family, bytes }: IpAddress): Message {
  const header = new Uint8Array(ROUTE_HEADER_SIZE);
  header.set([family, bytes.length * 8]);
  return {
    type: RTM_GETROUTE,
    flags: 0,
    payload: [header, new Attribute(RTA.DST, [bytes])],
    words: ["RTM_GETROUTE", formatIp(bytes)],
  };
}

/**
 * Whether a route leads to one other machine: not to this one, nor to all of a network or a group,
 * nor nowhere.
 */
export function leadsToOneMachine({ payload }: Received): boolean {
  return payload[7] === RTN_UNICAST;
}

function describeDestination({ bytes, length }: IpPrefix): string {
  return length === 0 ? `default ${formatIp(bytes)}/0` : `${formatIp(bytes)}/${length}`;
}
