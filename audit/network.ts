/**
 * What a program tries to reach over a network that it does not have: addresses, and the names that it
 * looks up.
 *
 * @module
 */

import { formatIp } from "../ffi/netlink/ip.ts";

/** The families of addresses (sys/socket.h). */
const [AF_UNIX, AF_INET, AF_INET6] = [1, 2, 10];

/** An address that a program connects to. */
export interface SocketAddress {
  /** As text: `192.0.2.1:443`, `[2001:db8::1]:443`. */
  readonly text: string;
  /** Whether it is of the loopback interface, which a container has of its own. */
  readonly isLoopback: boolean;
  readonly port: number;
}

/** Reads a struct sockaddr; `undefined` for one that is of no network. */
export function readAddress(bytes: Uint8Array<ArrayBuffer>): SocketAddress | undefined {
  if (bytes.length < 8) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const family = view.getUint16(0, true), port = view.getUint16(2);
  if (family === AF_UNIX || port === 0) return undefined;
  if (family === AF_INET) {
    const address = bytes.subarray(4, 8);
    return { text: `${formatIp(address)}:${port}`, isLoopback: address[0] === 127, port };
  }
  if (family !== AF_INET6 || bytes.length < 24) return undefined;
  const address = formatIp(bytes.subarray(8, 24));
  return { text: `[${address}]:${port}`, isLoopback: address === "::1", port };
}

/** Whether something listens at a port, by the text of /proc/PID/net/tcp or tcp6. */
export function hasListener(table: string, port: number): boolean {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return table.split("\n").slice(1).some((line) => {
    const [, local = "", , state] = line.trim().split(/\s+/);
    return state === LISTEN && local.endsWith(suffix);
  });
}

/** TCP_LISTEN (net/tcp_states.h). */
const LISTEN = "0A";

/** The length of the head of a message of DNS (RFC 1035). */
const DNS_HEAD = 12;

/** Returns the name that a message of DNS asks for; `undefined` if it is no such message. */
export function nameAskedFor(message: Uint8Array<ArrayBuffer>): string | undefined {
  if (message.length < DNS_HEAD + 5) return undefined;
  const view = new DataView(message.buffer, message.byteOffset, message.length);
  const isQuery = (view.getUint16(2) & 0xf800) === 0 && view.getUint16(4) === 1 &&
    view.getUint16(6) === 0;
  if (!isQuery) return undefined;
  const labels: string[] = [];
  let at = DNS_HEAD;
  for (;;) {
    const length = message[at++] ?? 64;
    if (length === 0) break;
    if (length > 63 || at + length > message.length) return undefined;
    labels.push(String.fromCharCode(...message.subarray(at, at + length)));
    at += length;
  }
  const name = labels.join(".");
  return labels.length > 0 && /^[\w.-]+$/.test(name) ? name : undefined;
}
