/**
 * What a host service is: how it is shown, started and ended, and how another process ends it.
 *
 * @module
 */

import type { HostService } from "../../plan/parent_work.ts";
import type { UserNetworkProgram } from "../../recipe/steps/network/user_network.ts";
import type { ExecSpec } from "../exec.ts";
import type { LaunchedProcess } from "../launched_process.ts";

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

/** What a service is started with. */
export interface ServiceContext {
  /** The container's process, as this script sees it. */
  readonly pid: number;
  /** Runs a program of the host's. */
  spawn(spec: ExecSpec): LaunchedProcess;
}

/** The names of services. */
export type ServiceName = HostService["service"];

/** One kind of service. */
export interface ServiceDefinition<Name extends ServiceName> {
  /** What it does for the process with this pid, for the plan. */
  describe(service: Extract<HostService, { service: Name }>, pid: string): readonly string[];
  /** Starts it. */
  start(
    service: Extract<HostService, { service: Name }>,
    context: ServiceContext,
  ): RunningService;
  /** Ends what another process has started, as far as the kernel has not. */
  cleanUp(record: Extract<ServiceRecord, { service: Name }>): void;
}
