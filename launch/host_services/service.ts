/**
 * What a host service is: how it is shown, started and ended, and how another process ends it.
 *
 * @module
 */

import type { HostService } from "../../plan/parent_work.ts";
import type { ExecSpec } from "../exec.ts";
import type { LaunchedProcess } from "../launched_process.ts";
import type { RunningService, ServiceRecord } from "../running_service.ts";

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
