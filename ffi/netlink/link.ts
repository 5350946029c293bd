/**
 * Creating, changing, moving, deleting and listing network interfaces. See rtnetlink(7),
 * linux/if_link.h.
 *
 * @module
 */

import { MACVLAN_MODES, type MacvlanMode } from "../calls/constants/links.ts";
import {
  Attribute,
  decodeAttributes,
  decodeText,
  decodeUint32,
  type Later,
  type Message,
  nested,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_EXCL,
  type Piece,
  type Received,
  text,
  uint32,
  word,
} from "./message.ts";

const RTM_NEWLINK = 16;
const RTM_DELLINK = 17;
const RTM_GETLINK = 18;

const IFLA = {
  ADDRESS: 1,
  IFNAME: 3,
  MTU: 4,
  LINK: 5,
  MASTER: 10,
  LINKINFO: 18,
  NET_NS_PID: 19,
  NET_NS_FD: 28,
} as const;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const VETH_INFO_PEER = 1;
const IFLA_MACVLAN_MODE = 1;

const IFF_UP = 1;

/** The index of the loopback interface in every network namespace. */
export const LOOPBACK_INDEX = 1;

/** An interface by its index, or by its name. */
export type LinkReference = string | { readonly index: number | Later };

/** A network namespace by a process in it, or by a descriptor. */
export type NetworkReference = { readonly pid: number | Later } | { readonly fd: number | Later };

/** The settings of an interface. */
export interface LinkSettings {
  /** Whether it is up. */
  readonly up?: boolean;
  /** Its name; without one, the kernel chooses one. */
  readonly name?: string | undefined;
  /** The bridge that it is a port of, in the namespace of the socket. */
  readonly master?: number | Later | undefined;
  /** The network namespace that it is in. */
  readonly namespace?: NetworkReference | undefined;
  /** The size of its largest packets, in bytes. */
  readonly mtu?: number | undefined;
}

/**
 * Creates a pair of interfaces that are connected to each other. The peer cannot be up yet, as the
 * kernel creates it before they are connected. See veth(4).
 */
export function addVeth(one: LinkSettings, other: Omit<LinkSettings, "up">): Message {
  const header = linkHeader(0, undefined);
  const peer = new Attribute(VETH_INFO_PEER, [...header, ...settings(other)]);
  const words = [...describe(one), "peer", ...describe(other)];
  return addLink("veth", one, words, [peer]);
}

/** Creates a bridge, which forwards packets between its ports. */
export function addBridge(link: LinkSettings): Message {
  return addLink("bridge", link, describe(link), []);
}

/** Creates an interface that drops all packets. */
export function addDummy(link: LinkSettings): Message {
  return addLink("dummy", link, describe(link), []);
}

/** Creates an interface with a hardware address of its own on another interface. */
export function addMacvlan(
  link: LinkSettings,
  parent: number | Later,
  mode: MacvlanMode,
): Message {
  const words = [...describe(link), `on ${nameOf(parent)}`];
  const data = [word(IFLA_MACVLAN_MODE, MACVLAN_MODES[mode])];
  return addLink("macvlan", link, words, data, [word(IFLA.LINK, parent)]);
}

/** Changes an interface; one that is moved to another namespace is down there. */
export function setLink(link: LinkReference, change: LinkSettings): Message {
  const name = typeof link === "string" && change.name === undefined
    ? [text(IFLA.IFNAME, link)]
    : [];
  return {
    type: RTM_NEWLINK,
    flags: NLM_F_ACK,
    payload: [...linkHeader(indexOf(link), change.up), ...name, ...settings(change)],
    words: ["RTM_NEWLINK", describeLink(link), ...describe(change)],
  };
}

/** Deletes an interface; one of a veth pair is deleted with its peer. */
export function deleteLink(link: LinkReference): Message {
  return {
    type: RTM_DELLINK,
    flags: NLM_F_ACK,
    payload: [
      ...linkHeader(indexOf(link), undefined),
      ...(typeof link === "string" ? [text(IFLA.IFNAME, link)] : []),
    ],
    words: ["RTM_DELLINK", describeLink(link)],
  };
}

/** Requests the list of all interfaces. */
export function listLinks(): Message {
  const payload = linkHeader(0, undefined);
  return { type: RTM_GETLINK, flags: NLM_F_DUMP, payload, words: ["RTM_GETLINK"] };
}

/** A network interface. */
export interface Link {
  /** Its number. */
  readonly index: number;
  /** Its name. */
  readonly name: string;
  /** Its kind: `"veth"`, `"bridge"` ...; a hardware device and the loopback interface have none. */
  readonly kind: string | undefined;
  /** Whether it is up. */
  readonly up: boolean;
  /** All its flags (linux/if.h). */
  readonly flags: number;
  /** The size of its largest packets, in bytes. */
  readonly mtu: number;
  /** Its hardware address: `"02:00:00:00:00:01"`; empty if it has none. */
  readonly address: string;
  /** The index of the bridge that it is a port of. */
  readonly master: number | undefined;
  /** The index of its peer, or of the interface that it is on; that may be in another namespace. */
  readonly link: number | undefined;
}

/** Decodes an interface of that list. */
export function readLink({ payload }: Received): Link {
  const header = new DataView(payload.buffer, payload.byteOffset, LINK_HEADER_SIZE);
  const attributes = decodeAttributes(payload.subarray(LINK_HEADER_SIZE));
  const number = (type: number) => {
    const bytes = attributes.get(type);
    return bytes && decodeUint32(bytes);
  };
  const kind = decodeAttributes(attributes.get(IFLA.LINKINFO) ?? new Uint8Array())
    .get(IFLA_INFO_KIND);
  const hardware = attributes.get(IFLA.ADDRESS) ?? new Uint8Array();
  const flags = header.getUint32(8, true);
  return {
    index: header.getInt32(4, true),
    name: decodeText(attributes.get(IFLA.IFNAME) ?? new Uint8Array()),
    kind: kind && decodeText(kind),
    up: (flags & IFF_UP) !== 0,
    flags,
    mtu: number(IFLA.MTU) ?? 0,
    address: Array.from(hardware, (byte) => byte.toString(16).padStart(2, "0")).join(":"),
    master: number(IFLA.MASTER),
    link: number(IFLA.LINK),
  };
}

const LINK_HEADER_SIZE = 16;

/** struct ifinfomsg (linux/rtnetlink.h). */
function linkHeader(index: number | Later, up: boolean | undefined): Piece[] {
  const change = up === undefined ? 0 : IFF_UP;
  return [uint32(0), uint32(index), uint32(up ? IFF_UP : 0), uint32(change)];
}

function addLink(
  kind: string,
  link: LinkSettings,
  words: readonly string[],
  data: readonly Attribute[],
  more: readonly Attribute[] = [],
): Message {
  const info = nested(
    IFLA.LINKINFO,
    text(IFLA_INFO_KIND, kind),
    ...(data.length === 0 ? [] : [nested(IFLA_INFO_DATA, ...data)]),
  );
  return {
    type: RTM_NEWLINK,
    flags: NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL,
    payload: [...linkHeader(0, link.up), ...settings(link), ...more, info],
    words: ["RTM_NEWLINK", kind, ...words],
  };
}

function settings({ name, master, mtu, namespace }: LinkSettings): Attribute[] {
  return [
    ...(name === undefined ? [] : [text(IFLA.IFNAME, name)]),
    ...(master === undefined ? [] : [word(IFLA.MASTER, master)]),
    ...(mtu === undefined ? [] : [word(IFLA.MTU, mtu)]),
    ...(namespace === undefined ? [] : [namespaceAttribute(namespace)]),
  ];
}

function namespaceAttribute(namespace: NetworkReference): Attribute {
  return "pid" in namespace
    ? word(IFLA.NET_NS_PID, namespace.pid)
    : word(IFLA.NET_NS_FD, namespace.fd);
}

/** The settings as words, for plans and errors. */
function describe({ up, name, master, mtu, namespace }: LinkSettings): string[] {
  return [
    ...(name === undefined ? [] : [JSON.stringify(name)]),
    ...(mtu === undefined ? [] : [`mtu ${mtu}`]),
    ...(master === undefined ? [] : [`master ${nameOf(master)}`]),
    ...(namespace === undefined ? [] : [`to ${describeNetwork(namespace)}`]),
    ...(up === undefined ? [] : [up ? "up" : "down"]),
  ];
}

function describeNetwork(namespace: NetworkReference): string {
  if ("fd" in namespace) return nameOf(namespace.fd);
  const { pid } = namespace;
  return `the network of ${typeof pid === "number" && !Number.isNaN(pid) ? pid : "PID"}`;
}

function describeLink(link: LinkReference): string {
  return typeof link === "string" ? JSON.stringify(link) : nameOf(link.index);
}

function indexOf(link: LinkReference): number | Later {
  return typeof link === "string" ? 0 : link.index;
}

function nameOf(value: number | Later): string {
  return typeof value === "number" ? String(value) : value.text;
}
