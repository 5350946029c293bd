/**
 * Hosts and ports, parsed into the canonical form in which they are compared.
 *
 * @module
 */

/** A host, with a port if one is named. */
export interface Host {
  /** A name in lower case, an IPv4 address in four numbers, or an IPv6 address without brackets. */
  readonly name: string;
  readonly port: number | undefined;
}

/**
 * Parses `"example.org:443"`, `"127.0.0.1"`, `"[::1]:80"`; returns `undefined` for anything else.
 * Other spellings of a host (`EXAMPLE.org.`, `0x7f.1`, `[::0001]`) become the canonical one.
 */
export function parseHost(text: string): Host | undefined {
  const match = /^(\[[0-9A-Fa-f:.]+\]|[^\s:/?#@[\]\\%]+)(?::(\d{1,5}))?$/.exec(text);
  if (match === null) return undefined;
  const name = canonicalName(match[1]!);
  const port = match[2] === undefined ? undefined : Number(match[2]);
  if (name === undefined || (port !== undefined && (port < 1 || port > 65535))) return undefined;
  return { name, port };
}

/** A name for DNS, with `_`, which some names have: labels of at most 63 letters (RFC 1035). */
const NAME = /^(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$/;

/** Returns the canonical form of a name or an address, `undefined` for anything else. */
function canonicalName(name: string): string | undefined {
  const url = URL.parse(`http://${name}/`);
  if (url === null || url.username !== "" || url.password !== "" || url.port !== "") {
    return undefined;
  }
  if (url.hostname.startsWith("[")) return url.hostname.slice(1, -1);
  const canonical = url.hostname.replace(/\.$/, "");
  return NAME.test(canonical) ? canonical : undefined;
}
