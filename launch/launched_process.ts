/**
 * The result of a launch.
 *
 * @module
 */

import type { ContainerCgroup } from "./cgroup.ts";
import type { RunningService } from "./running_service.ts";

/** A running container. */
export interface LaunchedProcess {
  /** Its pid, as this script sees it. */
  readonly pid: number;
  /** Its pidfd. */
  readonly pidfd: number;
  /** When the program has begun, by `performance.now()`. */
  readonly startedAt: number;
  /** The master of the terminal that the container has opened, if it has one. */
  readonly terminal: number | undefined;
  /** A listening socket of the container's network, for a proxy. */
  readonly listener: number | undefined;
  /** The listener of the container's filter, if it is audited. */
  readonly notifier?: number | undefined;
  /** The socket to which its program sends messages, if it was asked for one. */
  readonly notifySocket?: number | undefined;
  /** The services of the container that run on the host. */
  readonly services: readonly RunningService[];
  /** Its control group, if it has one. */
  readonly cgroup?: ContainerCgroup | undefined;
}
