/**
 * SOCKS 5, as far as a client connects by TCP without saying who it is. See RFC 1928.
 *
 * @module
 */

import { parseHost } from "./host.ts";
import type { Reader } from "./reader.ts";
import { Refusal } from "./refusal.ts";
import type { Destination } from "./request.ts";
import type { Stream } from "./stream.ts";

/** The byte that a SOCKS 5 client begins with, and that no request of HTTP does. */
export const SOCKS_VERSION = 5;

const NO_AUTHENTICATION = 0;
const NONE_ACCEPTABLE = 0xff;
const CONNECT = 1;
const [IPV4, NAME, IPV6] = [1, 3, 4];

/** What a request is answered with. */
const REPLIES = { done: 0, notAllowed: 2, unreachable: 4, noSuchCommand: 7 } as const;

/** What became of a request. */
export type SocksReply = keyof typeof REPLIES;

/** The host that a client asks for; `undefined` where it has been told that it gets none. */
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
  if (version !== SOCKS_VERSION || reserved !== 0) throw new Refusal(400, "this is no SOCKS 5");
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

/** Tells the client what became of its request. */
export async function replySocks(reply: SocksReply, client: Stream): Promise<void> {
  await client.write(Uint8Array.of(SOCKS_VERSION, REPLIES[reply], 0, IPV4!, 0, 0, 0, 0, 0, 0));
}

/** The host as a text; `undefined` where it is none of a kind that there is. */
async function readName(type: number, from: Reader): Promise<string | undefined> {
  if (type === IPV4) return (await from.exactly(4)).join(".");
  if (type === IPV6) {
    const bytes = await from.exactly(16);
    const { buffer, byteOffset } = bytes;
    const view = new DataView(buffer, byteOffset, 16);
    const groups = Array.from({ length: 8 }, (_, i) => view.getUint16(i * 2).toString(16));
    return `[${groups.join(":")}]`;
  }
  if (type !== NAME) throw new Refusal(400, "this is no SOCKS 5");
  const [length] = await from.exactly(1);
  return new TextDecoder("latin1").decode(await from.exactly(length!));
}
