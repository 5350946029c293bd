/**
 * SOCKS 5, for TCP connections without authentication. See RFC 1928.
 *
 * @module
 */

import { decodeLatin1 } from "./latin1.ts";
import { parseHost } from "../recipe/host_name.ts";
import type { Reader } from "./reader.ts";
import { Refusal } from "./refusal.ts";
import type { Destination } from "./request.ts";
import type { Stream } from "./stream.ts";

/** The first byte of a SOCKS 5 client, with which no HTTP request starts. */
export const SOCKS_VERSION = 5;

const NO_AUTHENTICATION = 0;
const NONE_ACCEPTABLE = 0xff;
const CONNECT = 1;
const [IPV4, NAME, IPV6] = [1, 3, 4];

/** The codes of a reply. */
const REPLIES = { done: 0, notAllowed: 2, unreachable: 4, noSuchCommand: 7 } as const;

/** The result of a request. */
export type SocksReply = keyof typeof REPLIES;

/** Returns the host that a client asks for, `undefined` if it was refused. */
export async function socksDestination(
  from: Reader,
  client: Stream,
): Promise<Destination | undefined> {
  const [, count] = await from.exactly(2);
  const methods = await from.exactly(count!);
  if (!methods.includes(NO_AUTHENTICATION)) {
    await client.write(Uint8Array.of(SOCKS_VERSION, NONE_ACCEPTABLE));
    return undefined;
  }
  await client.write(Uint8Array.of(SOCKS_VERSION, NO_AUTHENTICATION));
  const [version, command, reserved, type] = await from.exactly(4);
  if (version !== SOCKS_VERSION || reserved !== 0) throw new Refusal(400, "this is not SOCKS 5");
  const name = await readName(type!, from);
  const [high, low] = await from.exactly(2);
  if (command !== CONNECT) {
    await replySocks("noSuchCommand", client);
    return undefined;
  }
  const host = name === undefined ? undefined : parseHost(`${name}:${high! * 256 + low!}`);
  if (host?.port === undefined) {
    await replySocks("notAllowed", client);
    return undefined;
  }
  return { name: host.name, port: host.port };
}

/** Sends the result of the request to the client. */
export async function replySocks(reply: SocksReply, client: Stream): Promise<void> {
  await client.write(Uint8Array.of(SOCKS_VERSION, REPLIES[reply], 0, IPV4!, 0, 0, 0, 0, 0, 0));
}

/** Returns the host as text, `undefined` for an unknown type of address. */
async function readName(type: number, from: Reader): Promise<string | undefined> {
  if (type === IPV4) return (await from.exactly(4)).join(".");
  if (type === IPV6) {
    const bytes = await from.exactly(16);
    const { buffer, byteOffset } = bytes;
    const view = new DataView(buffer, byteOffset, 16);
    const groups = Array.from({ length: 8 }, (_, i) => view.getUint16(i * 2).toString(16));
    return `[${groups.join(":")}]`;
  }
  if (type !== NAME) throw new Refusal(400, "this is not SOCKS 5");
  const [length] = await from.exactly(1);
  return decodeLatin1(await from.exactly(length!));
}
