/**
 * Network address translation by the packet filter. A table is created with all its rules, or not at
 * all. See nft(8), linux/netfilter/nf_tables.h.
 *
 * @module
 */

import { AF_INET6 } from "../calls/constants/sockets.ts";
import { formatIp, type IpAddress, type IpPrefix, networkOf } from "./ip.ts";
import {
  Attribute,
  type Message,
  nested,
  NLM_F_ACK,
  NLM_F_APPEND,
  NLM_F_CREATE,
  NLM_F_DUMP,
  raw,
  text,
} from "./message.ts";

const NFNL_SUBSYS_NFTABLES = 10;
const BATCH_BEGIN = 16;
const BATCH_END = 17;
const NEWTABLE = NFNL_SUBSYS_NFTABLES << 8;
const GETTABLE = NEWTABLE | 1;
const NEWCHAIN = NEWTABLE | 3;
const NEWRULE = NEWTABLE | 6;

const NFT_TABLE_F_OWNER = 2;

/** The hooks of address translation, with their priorities (linux/netfilter_ipv4.h). */
const HOOKS = {
  prerouting: { number: 0, priority: -100 },
  output: { number: 3, priority: -100 },
  postrouting: { number: 4, priority: 100 },
} as const;

/** A point in the path of packets at which rules apply. */
export type NatHook = keyof typeof HOOKS;

/** The expressions of a rule, which are evaluated in order. */
export type NatRule = readonly Attribute[];

/** A table of rules that translate addresses. */
export interface NatTable {
  readonly name: string;
  /** `AF_INET` or `AF_INET6`. */
  readonly family: number;
  /** Whether it is removed when the socket that created it is closed (Linux 5.12). */
  readonly owned: boolean;
  readonly rules: readonly { readonly hook: NatHook; readonly rule: NatRule }[];
}

/** Creates a table, whole or not at all. */
export function addNatTable({ name, family, owned, rules }: NatTable): Message[] {
  const hooks = [...new Set(rules.map(({ hook }) => hook))];
  const table = text(1, name);
  const message = (type: number, words: string[], ...attributes: Attribute[]): Message => ({
    type,
    flags: NLM_F_CREATE | (type === NEWRULE ? NLM_F_APPEND : 0),
    payload: [header(family), ...attributes],
    words: [...words.slice(0, 1), family === AF_INET6 ? "ip6" : "ip", name, ...words.slice(1)],
  });
  const messages = [
    message(NEWTABLE, ["NFT_MSG_NEWTABLE"], table, big(2, owned ? NFT_TABLE_F_OWNER : 0)),
    ...hooks.map((hook) =>
      message(
        NEWCHAIN,
        ["NFT_MSG_NEWCHAIN", hook],
        table,
        text(3, hook),
        nested(4, big(1, HOOKS[hook].number), big(2, HOOKS[hook].priority)),
        text(7, "nat"),
      )
    ),
    ...rules.map(({ hook, rule }) =>
      message(NEWRULE, ["NFT_MSG_NEWRULE", hook], table, text(2, hook), nested(4, ...rule))
    ),
  ];
  const last = messages.pop()!;
  return [
    boundary(BATCH_BEGIN, "NFNL_MSG_BATCH_BEGIN"),
    ...messages,
    { ...last, flags: last.flags | NLM_F_ACK },
    boundary(BATCH_END, "NFNL_MSG_BATCH_END"),
  ];
}

/** Packets that leave a network get the address of the interface by which they leave. */
export function masquerading(source: IpPrefix): NatRule {
  const { from, to, size } = ADDRESS[source.family === AF_INET6 ? "ip6" : "ip"];
  const network = networkOf(source);
  const mask = networkOf({ ...source, bytes: new Uint8Array(size).fill(255) });
  const inNetwork = (offset: number, comparison: number) => [
    payload(NETWORK_HEADER, offset, size),
    expression(
      "bitwise",
      big(1, 1),
      big(2, 1),
      big(3, size),
      data(4, mask),
      data(5, NOTHING[size]!),
    ),
    compare(comparison, network),
  ];
  return [...inNetwork(from, EQUAL), ...inNetwork(to, NOT_EQUAL), expression("masq")];
}

/** A port of this machine that is forwarded. */
export interface PublishedPort {
  readonly protocol: "tcp" | "udp";
  /** The address of this machine; without one, all but 127.0.0.0/8 and ::1. */
  readonly host?: IpAddress | undefined;
  readonly port: number;
  readonly to: IpAddress;
  readonly toPort: number;
}

/** Packets to a port of this machine are forwarded. */
export function publishing({ protocol, host, port, to, toPort }: PublishedPort): NatRule {
  const ipv6 = to.family === AF_INET6;
  const { to: offset, size } = ADDRESS[ipv6 ? "ip6" : "ip"];
  return [
    expression("fib", big(1, 1), big(2, FIB_ADDRESS_TYPE), big(3, FIB_DESTINATION)),
    compare(EQUAL, Uint8Array.of(RTN_LOCAL, 0, 0, 0)),
    ...(host !== undefined
      ? [payload(NETWORK_HEADER, offset, size), compare(EQUAL, host.bytes)]
      : ipv6
      ? [payload(NETWORK_HEADER, offset, 16), compare(NOT_EQUAL, LOOPBACK_IPV6)]
      : [payload(NETWORK_HEADER, offset, 1), compare(NOT_EQUAL, Uint8Array.of(127))]),
    expression("meta", big(1, 1), big(2, META_PROTOCOL)),
    compare(EQUAL, Uint8Array.of(protocol === "tcp" ? 6 : 17)),
    payload(TRANSPORT_HEADER, 2, 2),
    compare(EQUAL, portBytes(port)),
    expression("immediate", big(1, 1), data(2, to.bytes)),
    expression("immediate", big(1, 2), data(2, portBytes(toPort))),
    expression("nat", big(1, DESTINATION_NAT), big(2, to.family), big(3, 1), big(5, 2)),
  ];
}

/** The description of a forwarded port. */
export function describePublished({ protocol, host, port, to, toPort }: PublishedPort): string {
  const from = host === undefined ? port : `${formatIp(host.bytes)} ${port}`;
  return `${protocol} ${from} to ${formatIp(to.bytes)} ${toPort}`;
}

/** Requests the list of all tables; attribute 1, after a header of four bytes, is the name. */
export function listTables(): Message {
  return { type: GETTABLE, flags: NLM_F_DUMP, payload: [header(0)], words: ["NFT_MSG_GETTABLE"] };
}

const ADDRESS = {
  ip: { from: 12, to: 16, size: 4 },
  ip6: { from: 8, to: 24, size: 16 },
} as const;
const NETWORK_HEADER = 1;
const TRANSPORT_HEADER = 2;
const EQUAL = 0;
const NOT_EQUAL = 1;
const FIB_ADDRESS_TYPE = 3;
const FIB_DESTINATION = 2;
const RTN_LOCAL = 2;
const META_PROTOCOL = 16;
const DESTINATION_NAT = 1;
const LOOPBACK_IPV6 = Uint8Array.of(...new Uint8Array(15), 1);
const NOTHING: Readonly<Record<number, Uint8Array>> = {
  4: new Uint8Array(4),
  16: new Uint8Array(16),
};

/** Loads a part of the packet into register 1. */
function payload(base: number, offset: number, length: number): Attribute {
  return expression("payload", big(1, 1), big(2, base), big(3, offset), big(4, length));
}

/** Ends the rule unless register 1 compares so. */
function compare(operator: number, value: Uint8Array): Attribute {
  return expression("cmp", big(1, 1), big(2, operator), data(3, value));
}

/** An element of a rule's list of expressions. */
function expression(name: string, ...attributes: Attribute[]): Attribute {
  return nested(1, text(1, name), nested(2, ...attributes));
}

function data(type: number, value: Uint8Array): Attribute {
  return nested(type, new Attribute(1, [value]));
}

/** An attribute of 32 bits in network byte order, as all of nftables are. */
function big(type: number, value: number): Attribute {
  return raw(type, value >>> 24, value >>> 16 & 255, value >>> 8 & 255, value & 255);
}

function portBytes(port: number): Uint8Array {
  return Uint8Array.of(port >> 8, port & 255);
}

/** struct nfgenmsg (linux/netfilter/nfnetlink.h) */
function header(family: number, resource = 0): Uint8Array {
  return Uint8Array.of(family, 0, resource >> 8, resource & 255);
}

function boundary(type: number, name: string): Message {
  return { type, flags: 0, payload: [header(0, NFNL_SUBSYS_NFTABLES)], words: [name] };
}
