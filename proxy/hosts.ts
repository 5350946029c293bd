/**
 * The hosts that a program may reach, and the addresses of these.
 *
 * @module
 */

import { formatIp, type IpAddress, isInRange, parseIp, parsePrefix } from "../ffi/netlink/ip.ts";
import { destinationAddress, parseDestinationAddress } from "../recipe/destination_address.ts";
import { perEngine } from "../ffi/engine/per_engine.ts";
import { NetlinkSocket } from "../ffi/netlink/socket.ts";
import { resolveName } from "../ffi/resolve_name.ts";
import {
  type GrantedHost,
  grantsAddress,
  grantsName,
  parseGrantedHost,
} from "../recipe/granted_host.ts";
import { isPublic } from "./public_address.ts";
import { Refusal } from "./refusal.ts";
import { lazy } from "../recipe/schema.ts";
import type { Destination } from "./request.ts";
import { Semaphore } from "./semaphore.ts";

/** How many names are looked up at once for one container. */
const LOOKUPS_AT_ONCE = 4;

/** How many are for all of them: each takes one of the 32 threads of Deno's pool. */
const allLookups = perEngine(() => new Semaphore(8));

/** How many addresses of a name count, of the thousands that name servers could return. */
const ADDRESSES = 16;

const loopbackIpv4 = lazy(() => parsePrefix("127.0.0.0/8")!);
/** The addresses of localhost, whatever name servers say (RFC 6761). */
const localhost = lazy((): readonly IpAddress[] => [parseIp("127.0.0.1")!, parseIp("::1")!]);

/** The hosts that a program may reach. */
export class Hosts {
  readonly #granted: readonly GrantedHost[];
  readonly #denied: readonly GrantedHost[];
  readonly #lookups = new Semaphore(LOOKUPS_AT_ONCE);

  /**
   * A list such as `["example.org:443", "*.example.org", "10.0.0.0/8"]`, and one of hosts that are
   * not reached although they are in it.
   */
  constructor(list: readonly string[], denied: readonly string[] = []) {
    this.#granted = list.map((text) => parseGrantedHost(text)!);
    this.#denied = denied.map((text) => parseGrantedHost(text)!);
  }

  /** Whether the host is granted, by the name or the address in the request. */
  has({ name, port }: Destination): boolean {
    const ip = parseDestinationAddress(name);
    if (ip !== undefined) return this.#hasAddress(ip, port) && !this.#denies(ip, port);
    if (this.#denied.some((host) => isFor(host, port) && grantsName(host, name))) return false;
    return this.#granted.some((host) => isFor(host, port) && grantsName(host, name));
  }

  /** Whether one of the hosts is this machine by its loopback interface. */
  get includesLoopback(): boolean {
    return this.#granted.some((host) =>
      grantsName(host, "localhost") ||
      localhost().some((address) => grantsAddress(host, address)) ||
      ("range" in host && isInRange(host.range, loopbackIpv4()))
    );
  }

  /**
   * Returns the addresses at which a program may reach a granted host, in the order in which they are
   * to be tried. Whoever controls a name could have it lead anywhere, so only public addresses count,
   * and those that the list grants themselves.
   *
   * @param isWanted whether the name still has to be looked up, once there is a thread for it
   * @throws {Refusal} where the host is not granted, to the program or to the script
   */
  async addressesOf(to: Destination, isWanted = () => true): Promise<readonly IpAddress[]> {
    const text = describeDestination(to);
    if (!this.has(to)) throw new Refusal(403, `${text} is not allowed`);
    if (stateOf(text) !== "granted") {
      throw new Refusal(403, `${text} is not allowed to the script: --allow-net=${text}`);
    }
    const found = await this.#resolve(to.name, isWanted);
    return found.filter((address) =>
      stateOf(describeAddress(address, to.port)) !== "denied" && !this.#denies(address, to.port) &&
      (to.name === "localhost" || this.#mayLeadTo(address, to.port))
    );
  }

  async #resolve(name: string, isWanted: () => boolean): Promise<readonly IpAddress[]> {
    const ip = parseDestinationAddress(name);
    if (ip !== undefined) return [ip];
    if (name === "localhost") return localhost();
    const look = () => isWanted() ? resolveName(name) : Promise.resolve([]);
    const found = await this.#lookups.run(() => allLookups().run(look));
    return found.slice(0, ADDRESSES).map(destinationAddress);
  }

  #mayLeadTo(address: IpAddress, port: number): boolean {
    if (this.#hasAddress(address, port)) return true;
    if (!isPublic(address)) return false;
    // An address of this machine's own interfaces may be public.
    using socket = new NetlinkSocket();
    return socket.leadsToOneMachine(address);
  }

  /** Whether an address is denied, by itself or as one of localhost. */
  #denies(address: IpAddress, port: number): boolean {
    return this.#denied.some((host) =>
      isFor(host, port) &&
      (grantsAddress(host, address) || grantsName(host, "localhost") && isLoopback(address))
    );
  }

  #hasAddress(address: IpAddress, port: number): boolean {
    return this.#granted.some((host) => isFor(host, port) && grantsAddress(host, address));
  }
}

/** Returns the host as text: `example.org:443`. */
export function describeDestination({ name, port }: Destination): string {
  return name.includes(":") ? `[${name}]:${port}` : `${name}:${port}`;
}

/** Returns a port of an address as text: `[2001:db8::1]:443`. */
export function describeAddress({ bytes }: IpAddress, port: number): string {
  return describeDestination({ name: formatIp(bytes), port });
}

function isLoopback(address: IpAddress): boolean {
  return isInRange(address, loopbackIpv4()) || formatIp(address.bytes) === "::1";
}

function isFor(host: GrantedHost, port: number): boolean {
  return (host.port ?? port) === port;
}

/** Returns what the script's own permissions say about a host. */
function stateOf(host: string): Deno.PermissionState {
  return Deno.permissions.querySync({ name: "net", host }).state;
}
