/**
 * What comes of a launch.
 *
 * @module
 */

import type { ContainerCgroup } from "./cgroup.ts";
import type { RunningService } from "./running_service.ts";

/** A container that runs. */
export interface LaunchedProcess {
  /** Its pid, as this script sees it. */
  readonly pid: number;
  /** A pidfd of it. */
  readonly pidfd: number;
  /** The script's side of the terminal that the container has opened, if it was to. */
  readonly terminal: number | undefined;
  /** A socket of the container's network, on which the script accepts, if it was to. */
  readonly listener: number | undefined;
  /** What the script keeps up for it on the host. */
  readonly services: readonly RunningService[];
  /** Its control group, where it has one. */
  readonly cgroup?: ContainerCgroup | undefined;
}
