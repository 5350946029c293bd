/**
 * The script's part in a container: what it opens beforehand, does where the container waits for
 * it, and keeps up for as long as that runs.
 *
 * @module
 */

import { type Call, Output, OutputField } from "../ffi/call.ts";

/** A descriptor that the script opens for a step before there is a container, which inherits it. */
export interface InheritedFd {
  readonly stepIndex: number;
  /** What opens it. */
  readonly call: Call;
  /** Receives its number. */
  readonly descriptor: Output;
  /** Looks, once it is open, whether it is what the step was planned for; throws where it is not. */
  check?(): void;
}

/** A place where the container waits until the script has done something for it from outside. */
export interface SyncPoint {
  readonly stepIndex: number;
  /** The call by which the container says that it waits. */
  readonly arrival: Call;
  /** What the script does for the process with this pid. */
  acts(pid: string): readonly ParentAction[];
}

/** What a script does at a meeting: calls of its own, a program that it runs, or what lasts. */
export type ParentAction =
  | { readonly calls: readonly Call[] }
  | { readonly program: string; readonly args: readonly string[] }
  | HostService;

/** What a script keeps up for as long as the container runs. */
export interface HostService {
  /** What it does, in words for the plan. */
  readonly does: readonly string[];
  /** Begins it for the process with this pid. */
  begin(pid: number): Cleanup;
}

/** Ends what was kept up for a container. */
export type Cleanup = () => void;

/** The socket pair of the meetings: the script's end, and the container's. */
export const SYNC_SOCKETS: Output = new Output(8, "&sockets");
/** The script's end. */
export const SCRIPT_SOCKET: OutputField = new OutputField(SYNC_SOCKETS, 0, "sockets[0]");
/** The container's end. */
export const CONTAINER_SOCKET: OutputField = new OutputField(SYNC_SOCKETS, 4, "sockets[1]");
