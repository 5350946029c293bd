/**
 * The head of a request to an HTTP proxy, parsed strictly: an ambiguous head is refused. See RFC
 * 9110 and RFC 9112.
 *
 * @module
 */

import { type Host, parseHost } from "../recipe/host_name.ts";
import { Refusal } from "./refusal.ts";

/** A host with a port. */
export type Destination = Required<{ readonly [K in keyof Host]: NonNullable<Host[K]> }>;

/** A request to the proxy. */
export type ProxyRequest =
  /** CONNECT: bytes are passed on in both directions. */
  | { readonly kind: "tunnel"; readonly to: Destination }
  /** Any other method: one request is passed on, and its response. */
  | {
    readonly kind: "forward";
    readonly to: Destination;
    /** The head that is sent to the host. */
    readonly head: string;
    readonly body: Body;
  };

/** How the end of a body is determined. */
export type Body = { readonly length: number } | "chunked";

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const REQUEST_LINE = new RegExp(`^(${TOKEN}) ([\\x21-\\x7e]+) HTTP/1\\.([01])$`);
const HEADER = new RegExp(
  `^(${TOKEN}):[ \\t]*((?:[\\x21-\\x7e\\x80-\\xff](?:[ \\t\\x21-\\x7e\\x80-\\xff]*[\\x21-\\x7e\\x80-\\xff])?)?)[ \\t]*$`,
);

/** Headers for the proxy alone, which are not passed on (RFC 9110, 7.6.1). */
const HOP_BY_HOP = [
  "connection",
  "keep-alive",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "upgrade",
];

/**
 * Parses a head, with the empty line at its end.
 *
 * @throws {Refusal} for a head that does not follow the standards
 */
export function parseRequest(head: string): ProxyRequest {
  const lines = head.slice(0, -"\r\n\r\n".length).split("\r\n");
  const [first, ...rest] = lines;
  const match = REQUEST_LINE.exec(first!);
  if (match === null) throw new Refusal(400, "this is not a request to an HTTP proxy");
  const [, method, target, minor] = match as unknown as [string, string, string, string];
  const headers = rest.map(parseHeader);
  if (method === "CONNECT") {
    bodyOf(headers, minor);
    return { kind: "tunnel", to: destination(target, undefined) };
  }
  const url = /^http:\/\/([^/?#]*)((?:[/?][^#]*)?)$/i.exec(target);
  if (url === null) {
    throw new Refusal(400, `a proxy is asked for http://host/..., or by CONNECT, not ${target}`);
  }
  const to = destination(url[1]!, 80);
  return {
    kind: "forward",
    to,
    head: forwarded(method, to, url[2]!, headers),
    body: bodyOf(headers, minor),
  };
}

interface Header {
  readonly name: string;
  readonly value: string;
}

function parseHeader(line: string): Header {
  const match = HEADER.exec(line);
  if (match === null) throw new Refusal(400, "a line of the request's head is not a header");
  return { name: match[1]!, value: match[2]! };
}

function destination(authority: string, port: number | undefined): Destination {
  const host = parseHost(authority);
  const named = host?.port ?? port;
  if (host === undefined || named === undefined) {
    throw new Refusal(400, `${authority} is not a host with a port`);
  }
  return { name: host.name, port: named };
}

/** Returns how the end of the body is determined; refuses what two hosts could read differently. */
function bodyOf(headers: readonly Header[], minor: string): Body {
  const values = (wanted: string) =>
    headers.filter(({ name }) => name.toLowerCase() === wanted).map(({ value }) => value);
  const [lengths, codings] = [values("content-length"), values("transfer-encoding")];
  if (lengths.length + codings.length > 1) {
    throw new Refusal(400, "the length of the body is given twice");
  }
  const [length] = lengths;
  if (length !== undefined) {
    if (!/^\d{1,15}$/.test(length)) throw new Refusal(400, "Content-Length is not a number");
    return { length: Number(length) };
  }
  const [coding] = codings;
  if (coding === undefined) return { length: 0 };
  if (coding.toLowerCase() !== "chunked" || minor !== "1") {
    throw new Refusal(400, "Transfer-Encoding can only be chunked, in HTTP/1.1");
  }
  return "chunked";
}

/**
 * Returns the head for the host, of one request: the host must not see the rest of the connection.
 */
function forwarded(
  method: string,
  { name, port }: Destination,
  path: string,
  headers: readonly Header[],
): string {
  const named = headers.filter(({ name }) => name.toLowerCase() === "connection")
    .flatMap(({ value }) => value.split(",").map((word) => word.trim().toLowerCase()));
  const left = new Set([...HOP_BY_HOP, ...named, "host"]);
  // The client cannot remove the headers that give the length of the body.
  for (const framing of ["content-length", "transfer-encoding"]) left.delete(framing);
  const bracketed = name.includes(":") ? `[${name}]` : name;
  const asked = path.startsWith("/") ? path : `/${path}`;
  return [
    `${method} ${asked} HTTP/1.1`,
    `Host: ${bracketed}${port === 80 ? "" : `:${port}`}`,
    ...headers.filter(({ name }) => !left.has(name.toLowerCase()))
      .map(({ name, value }) => `${name}: ${value}`),
    "Connection: close",
    "\r\n",
  ].join("\r\n");
}
