/**
 * What the script keeps up on the host while a container runs, and how it is ended.
 *
 * @module
 */

import type { UserNetworkProgram } from "../recipe/steps/network/user_network.ts";

/**
 * What has been started, as plain data: JSON has it, and {@linkcode cleanUpService} ends by it what
 * another process has begun and cannot end any more.
 */
export type ServiceRecord =
  | { readonly service: "delete-link"; readonly name: string; readonly index: number }
  | {
    readonly service: "return-link";
    readonly name: string;
    readonly nameInside: string;
    /** The container's process that the interface was given to, and when that was started. */
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
  /** What another process can end it by, if one can. */
  readonly record?: ServiceRecord;
  /** Ends it, and gives back what it holds. */
  end(): void;
}

/** Ends all services, the latest first; what then fails is thrown once everything has ended. */
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
