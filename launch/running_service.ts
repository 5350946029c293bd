/**
 * Host services that run, and their records, by which another process can end them.
 *
 * @module
 */

import type { UserNetworkProgram } from "../recipe/steps/network/user_network.ts";

/**
 * A service that was started, as JSON data. If the process that has started it was killed,
 * {@linkcode cleanUpService} ends the service by its record.
 */
export type ServiceRecord =
  | { readonly service: "delete-link"; readonly name: string; readonly index: number }
  | {
    readonly service: "return-link";
    readonly name: string;
    readonly nameInside: string;
    /** The container's process that has the interface, and its start time. */
    readonly pid: number;
    readonly started: number;
  }
  | { readonly service: "nat-table"; readonly name: string }
  | {
    readonly service: "user-network";
    readonly program: UserNetworkProgram;
    readonly pid: number;
    readonly started: number;
  };

/** A service that runs. */
export interface RunningService {
  /** The record by which another process can end it, if one can. */
  readonly record?: ServiceRecord;
  /**
   * Has another process end it when the container with this pidfd has ended, if the script is
   * killed meanwhile.
   */
  guard?(pidfd: number): void;
  /** Ends it and releases its resources. */
  end(): void;
}

/** Ends all services, the latest first, and then throws the first error. */
export function endServices(services: readonly { end(): void }[]): void {
  const errors: unknown[] = [];
  for (const service of services.toReversed()) {
    try {
      service.end();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}
