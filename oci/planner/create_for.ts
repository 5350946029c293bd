/**
 * Makes a container for a client of the planner, whose child it becomes.
 *
 * @module
 */

import { close } from "../../ffi/calls/files.ts";
import { pidfd_open } from "../../ffi/calls/processes.ts";
import { syscall } from "../../ffi/syscalls.ts";
import { clientIssue } from "../../launch/client_frame.ts";
import { ClientLaunch } from "../../launch/client_launch.ts";
import { planRecipe } from "../../plan/plan_recipe.ts";
import { checkedSteps } from "../../recipe/check.ts";
import { namespacesOf } from "../config/namespaces.ts";
import { complete, type CreateOptions, type Draft, draftOf, undone } from "../create.ts";
import { destroy } from "../destroy.ts";
import { OciError } from "../errors.ts";
import type { Runtime } from "../runtime.ts";
import type { Config } from "../spec.ts";
import { ContainerRecord } from "../state.ts";
import { giveStreams } from "../stream_owner.ts";
import { waitingProgram } from "../waiting_program.ts";
import type { Client } from "./client.ts";
import type { Connection } from "./connection.ts";

/** How many descriptors the program of a container may get. */
const MOST_PRESERVED = 32;

/** How long other clients wait for one that makes its container, in milliseconds. */
const BRIEF = 10;

/**
 * Whether the planner makes such containers. What is left to the runtime has something to do beside
 * the container while that is made, or in another order.
 */
export function isPlanned(config: Config, options: CreateOptions): boolean {
  const { hooks = {}, linux = {}, process } = config;
  const { fresh, joined } = namespacesOf(linux);
  const ranges = [linux.uidMappings, linux.gidMappings].flatMap((list) => list ?? []);
  return Object.values(hooks).every((list) => !list?.length) &&
    process?.terminal !== true && options.preserveFds <= MOST_PRESERVED &&
    Object.keys(linux.netDevices ?? {}).length === 0 && !linux.seccomp?.listenerPath &&
    !fresh.has("time") && !joined.has("pid") && !joined.has("user") &&
    (!fresh.has("user") || ranges.every(({ size }) => size === 1));
}

/** A container that turns out to be none that the planner makes. */
class NotPlanned extends Error {}

/** A request that can be answered. */
export interface CreateRequest {
  readonly runtime: Runtime;
  readonly id: string;
  readonly config: Config;
  readonly options: CreateOptions;
}

/**
 * Makes a container; nothing is left of it if that fails. Returns whether it was made, or is left to
 * the runtime.
 *
 * @throws {OciError} in the words of the runtime
 */
export async function createFor(
  connection: Connection,
  client: Client,
  { runtime, id, config, options }: CreateRequest,
): Promise<boolean> {
  const record = ContainerRecord.make(runtime, id);
  try {
    const draft = draftOf(runtime, record, config, options);
    const pid = await launchBy(connection, client, draft);
    const pidfd = syscall(pidfd_open(pid, 0));
    try {
      complete(draft, { pid, pidfd, terminal: undefined });
    } finally {
      syscall(close(pidfd));
    }
    return true;
  } catch (error) {
    if (!(error instanceof NotPlanned)) throw undone(error, record, config, options);
    destroy(record);
    return false;
  }
}

/** Has the client make the process that waits, and returns its pid. */
async function launchBy(
  connection: Connection,
  client: Client,
  { record, config, made, options }: Draft,
): Promise<number> {
  const plan = planRecipe(checkedSteps(made.steps), { recorded: true });
  if (clientIssue(plan) !== undefined) throw new NotPlanned();
  const number = 3 + options.preserveFds;
  const { environment } = made.program;
  const { spec, fifo, image } = waitingProgram(record, made, { number, environment });
  try {
    // The client receives all of them at once, the table first.
    const [, fifoThere, imageThere, ...others] = client.freeNumbers();
    const preserved = client.inherited(options.preserveFds);
    using launch = new ClientLaunch(plan, {
      ...spec,
      fds: [...preserved.map((fd) => ({ number: fd, fd })), { number, fd: fifoThere! }],
      image: imageThere,
    }, others);
    giveStreams(config, config, client.directory);
    const fds = [launch.table, fifo, image, ...launch.inherited];
    const isWalked = connection.sendTable(launch.size, fds) &&
      await connection.receive(1, BRIEF) === "D";
    if (!isWalked) throw new OciError("the client of the planner has ended");
    return launch.pid();
  } finally {
    for (const fd of [fifo, image]) syscall(close(fd));
  }
}
