/**
 * The interface of a host service.
 *
 * @module
 */

import type { HostService } from "../../plan/parent_work.ts";
import type { ExecSpec } from "../exec.ts";
import type { LaunchedProcess } from "../launched_process.ts";
import type { RunningService, ServiceRecord } from "../running_service.ts";

/** The container that a service is started for. */
export interface ServiceContext {
  /** The container's process, as this script sees it. */
  readonly pid: number;
  /** Runs a program on the host. */
  spawn(spec: ExecSpec): LaunchedProcess;
}

/** The names of services. */
export type ServiceName = HostService["service"];

/** One kind of service. */
export interface ServiceDefinition<Name extends ServiceName> {
  /** Returns the lines of the plan's listing, for a container's process with this pid. */
  describe(service: Extract<HostService, { service: Name }>, pid: string): readonly string[];
  /** Starts it. */
  start(
    service: Extract<HostService, { service: Name }>,
    context: ServiceContext,
  ): RunningService;
  /** Ends a service that another process has started, as far as the kernel has not. */
  cleanUp(record: Extract<ServiceRecord, { service: Name }>): void;
}
