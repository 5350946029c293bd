/**
 * One connection to the proxy: its request is read, and passed on or refused.
 *
 * @module
 */

import { encodeLatin1 } from "./latin1.ts";
import { passBody } from "./body.ts";
import type { Connect } from "./dial.ts";
import { Reader } from "./reader.ts";
import { Refusal } from "./refusal.ts";
import { parseRequest, type ProxyRequest } from "./request.ts";
import { replySocks, SOCKS_VERSION, socksDestination } from "./socks.ts";
import type { Stream } from "./stream.ts";

/** The longest head of a request, in bytes. */
const HEAD_LIMIT = 32 * 1024;

/** How long a client may take to send the head, in milliseconds. */
const PATIENCE = 30_000;

/** Serves a client until the connection ends, then closes every stream. */
export async function serve(
  client: Stream,
  connect: Connect,
  patience: number = PATIENCE,
): Promise<void> {
  const from = new Reader(client);
  const timer = setTimeout(() => client.close(), patience);
  Deno.unrefTimer(timer);
  const whenAsked = () => clearTimeout(timer);
  try {
    const first = await from.peek();
    if (first === SOCKS_VERSION) await serveSocks(client, from, connect, whenAsked);
    else if (first !== undefined) await serveHttp(client, from, connect, whenAsked);
  } catch {
    // The client has gone, or has got a response that says what is wrong.
  } finally {
    clearTimeout(timer);
    client.close();
  }
}

async function serveHttp(
  client: Stream,
  from: Reader,
  connect: Connect,
  whenAsked: () => void,
): Promise<void> {
  let request: ProxyRequest;
  let host: Stream;
  try {
    request = parseRequest(await from.upTo("\r\n\r\n", HEAD_LIMIT));
    whenAsked();
    host = await connect(request.to);
  } catch (error) {
    return await refuse(error, client);
  }
  try {
    if (request.kind === "tunnel") {
      await client.write(new TextEncoder().encode("HTTP/1.1 200 OK\r\n\r\n"));
      return await passBoth(client, from, host);
    }
    await host.write(encodeLatin1(request.head));
    // The response may come before the body is complete, and ends the connection.
    const body = passBody(request.body, from, host).catch(() => host.close());
    await pass(new Reader(host), client);
    client.close();
    await body;
  } finally {
    host.close();
  }
}

async function serveSocks(
  client: Stream,
  from: Reader,
  connect: Connect,
  whenAsked: () => void,
): Promise<void> {
  const to = await socksDestination(from, client);
  if (to === undefined) return;
  whenAsked();
  let host: Stream;
  try {
    host = await connect(to);
  } catch (error) {
    const denied = error instanceof Refusal && error.status === 403;
    return await replySocks(denied ? "notAllowed" : "unreachable", client);
  }
  try {
    await replySocks("done", client);
    await passBoth(client, from, host);
  } finally {
    host.close();
  }
}

/** Passes bytes on in both directions, until both have ended. */
async function passBoth(client: Stream, from: Reader, host: Stream): Promise<void> {
  const both = [pass(from, host), pass(new Reader(host), client)];
  try {
    await Promise.all(both);
  } finally {
    // If one direction has failed, the other must not wait for it.
    client.close();
    host.close();
    await Promise.allSettled(both);
  }
}

async function pass(from: Reader, to: Stream): Promise<void> {
  for (;;) {
    const part = await from.some();
    if (part.length === 0) return await to.end();
    await to.write(part);
  }
}

async function refuse(error: unknown, to: Stream): Promise<void> {
  if (!(error instanceof Refusal)) throw error;
  await to.write(error.toResponse());
  await to.end();
}
