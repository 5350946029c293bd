/**
 * The client of a registry: the authorities that it trusts, and the certificate that it shows.
 *
 * @module
 */

import { environment } from "../environment.ts";
import { namesIn } from "../store/files.ts";
import type { RegistryOptions } from "./options.ts";

/** Makes the HTTP client for a registry. */
export async function clientFor(
  registry: string,
  { certificates = [], socket }: RegistryOptions,
): Promise<Deno.HttpClient> {
  const configured = await configuredFor(registry);
  return Deno.createHttpClient({
    caCerts: [...certificates, ...configured.authorities],
    poolMaxIdlePerHost: 8,
    ...(socket !== undefined && { proxy: { transport: "unix", path: socket } }),
    ...(configured.key !== undefined && configured.cert !== undefined &&
      { key: configured.key, cert: configured.cert }),
  });
}

/** What the files of the other engines say of a registry. */
interface Configured {
  readonly authorities: readonly string[];
  readonly cert?: string;
  readonly key?: string;
}

/** Reads `certs.d/HOST:PORT`, where docker and podman look for certificates. */
async function configuredFor(registry: string): Promise<Configured> {
  const home = environment()["HOME"];
  const places = [
    ...(home === undefined ? [] : [`${home}/.config/containers/certs.d`]),
    "/etc/containers/certs.d",
    "/etc/docker/certs.d",
  ];
  const authorities: string[] = [];
  let pair: Partial<Configured> = {};
  for (const place of places) {
    const directory = `${place}/${registry}`;
    for (const name of (await quietly(() => namesIn(directory))) ?? []) {
      const read = () => quietly(() => Deno.readTextFile(`${directory}/${name}`));
      if (name.endsWith(".crt")) authorities.push(...(await read().then(listed)));
      else if (name.endsWith(".cert")) pair = await pairOf(directory, name.slice(0, -5)) ?? pair;
    }
  }
  return { authorities, ...pair };
}

async function pairOf(directory: string, name: string): Promise<Partial<Configured> | undefined> {
  const [cert, key] = await Promise.all(
    ["cert", "key"].map((end) => quietly(() => Deno.readTextFile(`${directory}/${name}.${end}`))),
  );
  return cert === undefined || key === undefined ? undefined : { cert, key };
}

function listed(text: string | undefined): string[] {
  return text === undefined ? [] : [text];
}

/** What others may not read is not for them. */
async function quietly<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied) {
      return undefined;
    }
    throw error;
  }
}
