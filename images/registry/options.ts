/**
 * How registries are reached.
 *
 * @module
 */

import type { Credentials } from "./credentials.ts";

/** Options for registries. */
export interface RegistryOptions {
  /**
   * Registries without TLS: `["registry.example:5000"]`, or all with `true`. Those of this machine
   * (localhost, 127.0.0.1, ::1) are asked with TLS first, and then without.
   *
   * @default {false}
   */
  readonly plainHttp?: boolean | readonly string[];
  /**
   * Registries that are asked first in place of another, in their order; that other is asked where all
   * of them fail: `{ "docker.io": ["mirror.example"] }`.
   */
  readonly mirrors?: Readonly<Record<string, readonly string[]>>;
  /** Who one is, in place of what the files of `docker login` and `podman login` say. */
  readonly credentials?:
    | Credentials
    | ((
      registry: string,
      repository: string,
    ) => Credentials | undefined | Promise<Credentials | undefined>);
  /** Further authorities (CA) that are trusted, as texts in PEM. */
  readonly certificates?: readonly string[];
  /** The unix socket that serves the registry, in place of the network. */
  readonly socket?: string;
  /**
   * How often a request is made again that fails by the network or the registry's load.
   *
   * @default {5}
   */
  readonly retries?: number;
  /**
   * How long to wait before the first of these, in milliseconds; each further waits twice as long.
   *
   * @default {500}
   */
  readonly retryDelay?: number;
  /**
   * How long nothing may come, in milliseconds, before a request has failed.
   *
   * @default {60000}
   */
  readonly idleTimeout?: number;
}
