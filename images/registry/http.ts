/**
 * Requests by HTTP: redirects that take no credentials along, and bodies that must not stop.
 *
 * @module
 */

import { ImageError } from "../errors.ts";

/** The most redirects that are followed. */
const REDIRECTS = 10;

/** A request. */
export interface HttpRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer> | undefined;
}

/** How requests are made. */
export interface HttpOptions {
  readonly client: Deno.HttpClient;
  readonly signal?: AbortSignal | undefined;
  readonly idleTimeout: number;
}

/** Makes a request, and follows redirects. */
export async function send(request: HttpRequest, options: HttpOptions): Promise<Response> {
  let { url, headers } = request;
  for (let count = 0; count <= REDIRECTS; count++) {
    checkAddress(request.url, url);
    const response = await fetchOnce({ ...request, url, headers }, options);
    const next = redirectOf(request, url, response);
    if (next === undefined) return response;
    await discard(response);
    if (url.protocol === "https:" && next.protocol !== "https:") {
      throw new ImageError(
        `${url.host} leads on to ${next.host} without TLS, which is not followed`,
        {
          code: "network",
        },
      );
    }
    // Another host would get what proves who one is to this one.
    if (next.origin !== url.origin) headers = withoutAuthorization(headers);
    url = next;
  }
  throw new ImageError(
    `${request.url.host} leads on from one address to the next, without an end`,
    {
      code: "network",
    },
  );
}

/** Refuses what is no address of the web: of "file:", Deno would read this machine's own, as a token. */
function checkAddress(asked: URL, { protocol, href }: URL): void {
  if (protocol === "https:" || protocol === "http:") return;
  const from = asked.href === href ? "a registry" : asked.host;
  throw new ImageError(`${from} leads to ${JSON.stringify(href)}, which is no address of the web`, {
    code: "denied",
  });
}

async function fetchOnce(request: HttpRequest, options: HttpOptions): Promise<Response> {
  const { method, url, headers, body } = request;
  const { client, signal, idleTimeout } = options;
  const idle = new AbortController();
  const timer = setTimeout(() => idle.abort(stopped(url, idleTimeout)), idleTimeout);
  try {
    return await fetch(url, {
      method,
      headers: { ...headers, "user-agent": "ramekin" },
      client,
      redirect: "manual",
      signal: signal === undefined ? idle.signal : AbortSignal.any([signal, idle.signal]),
      ...(body !== undefined && { body }),
    });
  } finally {
    clearTimeout(timer);
  }
}

function stopped(url: URL, time: number): Error {
  return new TypeError(`nothing has come from ${url.host} for ${time / 1000} s`);
}

function redirectOf({ method }: HttpRequest, url: URL, response: Response): URL | undefined {
  const location = response.headers.get("location");
  const isRedirect = [301, 302, 303, 307, 308].includes(response.status);
  if (!isRedirect || location === null || !["GET", "HEAD"].includes(method)) return undefined;
  return new URL(location, url);
}

function withoutAuthorization(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => name.toLowerCase() !== "authorization"),
  );
}

/** Lets go of a body that is not read. */
export async function discard(response: Response): Promise<void> {
  try {
    await response.body?.cancel();
  } catch {
    // The registry may have ended in the middle of what nobody wants.
  }
}

/** Reads a body up to a limit. */
export async function readBody(
  what: string,
  response: Response,
  limit: number,
  idleTimeout: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for await (const part of bodyOf(response, idleTimeout)) {
    size += part.length;
    if (size > limit) {
      throw new ImageError(`${what} has more than ${limit} bytes`, { code: "invalid" });
    }
    parts.push(part);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

/** The parts of a body; it fails if nothing comes for a while. */
export async function* bodyOf(
  response: Response,
  idleTimeout: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  const url = new URL(response.url);
  try {
    for (;;) {
      const { done, value } = await within(idleTimeout, reader.read(), url);
      if (done) return;
      yield value as Uint8Array<ArrayBuffer>;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

async function within<T>(time: number, promise: Promise<T>, url: URL): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(stopped(url, time)), time);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
    // It may fail later, when nobody waits for it.
    promise.catch(() => {});
  }
}
