/**
 * The addresses of a name, as every program of this machine finds them: by /etc/hosts, name servers,
 * and what else nsswitch.conf(5) lists. See getaddrinfo(3).
 *
 * @module
 */

import { AF_INET, AF_INET6, SOCK_STREAM } from "./calls/constants/sockets.ts";
import { engine } from "./engine/engine.ts";
import type { IpAddress } from "./netlink/ip.ts";

/** struct addrinfo (netdb.h), in glibc and in musl. */
const ADDRINFO = { socktype: 8, addr: 24, next: 40, size: 48 } as const;
/** struct sockaddr_in and struct sockaddr_in6: where the address is, and its size. */
const ADDRESS = {
  [AF_INET]: { offset: 4, size: 4 },
  [AF_INET6]: { offset: 8, size: 16 },
} as const;

/**
 * Returns the addresses of a name, in the order in which they are to be tried; none if it has none
 * or cannot be looked up. A thread of the pool waits for it, for as long as name servers take.
 */
export async function resolveName(name: string): Promise<IpAddress[]> {
  const { getaddrinfo, freeaddrinfo } = engine().libc;
  const node = new TextEncoder().encode(`${name}\0`);
  const hints = new Uint8Array(ADDRINFO.size);
  new DataView(hints.buffer).setInt32(ADDRINFO.socktype, SOCK_STREAM, true);
  const found = new BigUint64Array(1);
  // The arguments are referenced until the call has returned.
  const args = [node, null, hints, found] as const;
  if (await getaddrinfo.call(...args) !== 0) return [];
  const list = Deno.UnsafePointer.create(args[3][0]!);
  try {
    return [...addressesIn(list)];
  } finally {
    freeaddrinfo.call(list);
  }
}

function* addressesIn(list: Deno.PointerValue): Generator<IpAddress> {
  for (let at = list; at !== null;) {
    const entry = new Deno.UnsafePointerView(at);
    const socketAddress = entry.getPointer(ADDRINFO.addr);
    if (socketAddress !== null) yield* addressIn(new Deno.UnsafePointerView(socketAddress));
    at = entry.getPointer(ADDRINFO.next);
  }
}

function* addressIn(view: Deno.UnsafePointerView): Generator<IpAddress> {
  const family = view.getUint16();
  if (family !== AF_INET && family !== AF_INET6) return;
  const { offset, size } = ADDRESS[family];
  const bytes = new Uint8Array(size);
  view.copyInto(bytes, offset);
  yield { family, bytes };
}
