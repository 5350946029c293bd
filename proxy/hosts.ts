/**
 * The hosts that a program may reach, and connections to them.
 *
 * @module
 */

import { parseIp } from "../ffi/netlink/ip.ts";
import { type Host, parseHost } from "./host.ts";
import { Refusal } from "./refusal.ts";
import type { Destination } from "./request.ts";
import { HostStream, type Stream } from "./stream.ts";

/** Connects to a host, or throws a {@linkcode Refusal}. */
export type Connect = (to: Destination) => Promise<Stream>;

/** The hosts that a program may reach. */
export class Hosts {
  readonly #hosts: readonly Host[];

  /** A list such as `["example.org:443", "[::1]"]`; without a port, all ports are allowed. */
  constructor(list: readonly string[]) {
    this.#hosts = list.map((text) => parseHost(text)!);
  }

  /** Whether the host is allowed, by the name in the request. */
  has({ name, port }: Destination): boolean {
    return this.#hosts.some((host) => host.name === name && (host.port ?? port) === port);
  }

  /** Whether one of the hosts is this machine. */
  get includesLoopback(): boolean {
    return this.#hosts.some(({ name }) => name === "localhost" || isReserved(name));
  }

  /**
   * Connects to a host with the script's own permissions.
   *
   * @throws {Refusal} where the host is not allowed, or cannot be reached
   */
  async connect(to: Destination): Promise<Stream> {
    const text = describeDestination(to);
    if (!this.has(to)) throw new Refusal(403, `${text} is not allowed`);
    let connection: Deno.TcpConn;
    try {
      connection = await Deno.connect({ hostname: to.name, port: to.port });
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) {
        throw new Refusal(403, `${text} is not allowed to the script: --allow-net=${text}`);
      }
      throw new Refusal(502, `${text} cannot be reached: ${(error as Error).message}`);
    }
    // DNS can resolve any name to this machine, or to its link.
    const address = (connection.remoteAddr as Deno.NetAddr).hostname;
    if (isReserved(address) && to.name !== "localhost" && parseAddress(to.name) === undefined) {
      connection.close();
      throw new Refusal(403, `${text} is not allowed: its address is ${address}`);
    }
    return new HostStream(connection);
  }
}

/** Returns the host as text: `example.org:443`. */
export function describeDestination({ name, port }: Destination): string {
  return name.includes(":") ? `[${name}]:${port}` : `${name}:${port}`;
}

/** Whether the address is of this machine or of its link, where clouds serve credentials. */
export function isReserved(address: string): boolean {
  const bytes = parseAddress(address);
  if (bytes === undefined) return false;
  const [first, second] = bytes;
  if (bytes.length === 4) return first === 0 || first === 127 || (first === 169 && second === 254);
  const isLast = (last: number) => bytes.every((byte, i) => byte === (i === 15 ? last : 0));
  return isLast(0) || isLast(1) || (first === 0xfe && (second! & 0xc0) === 0x80);
}

/** Returns the bytes of an address; an IPv4 address in IPv6 notation has four. */
function parseAddress(text: string): Uint8Array | undefined {
  const bytes = parseIp(text)?.bytes;
  if (bytes?.length !== 16) return bytes;
  return V4_IN_V6.some((prefix) => prefix.every((byte, i) => byte === bytes[i]))
    ? bytes.slice(12)
    : bytes;
}

/** IPv6 prefixes of addresses that end with an IPv4 address: ::ffff:0:0/96 and 64:ff9b::/96. */
const V4_IN_V6: readonly (readonly number[])[] = [
  [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff],
  [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0],
];
