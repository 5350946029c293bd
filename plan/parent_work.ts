/**
 * The script's part in a container: what it opens beforehand, does where the container waits for
 * it, and keeps up for as long as that runs.
 *
 * @module
 */

import { type Call, Output, OutputField, type Slot } from "../ffi/call.ts";
import type { LazyFixes } from "../ffi/fix.ts";
import type { NatTable } from "../ffi/netlink/nftables.ts";
import type { UserNetworkProgram } from "../recipe/steps/network/user_network.ts";

/** A descriptor that the script opens for a step before there is a container, which inherits it. */
export interface InheritedFd {
  readonly stepIndex: number;
  /** What opens it. */
  readonly call: Call;
  /** What its errors mean. */
  readonly fixes?: LazyFixes | undefined;
  /** Where its number is filled in. */
  readonly slot: Slot;
  /** Looks, once it is open, whether it is what the step was planned for; throws where it is not. */
  readonly check?: (() => void) | undefined;
}

/** A place where the container waits until the script has done something for it from outside. */
export interface SyncPoint {
  readonly stepIndex: number;
  /** The call by which the container says that it waits. */
  readonly arrival: Call;
  /** What the script does for the process with this pid. */
  acts(pid: string): readonly ParentAction[];
}

/** A call of the script's for a step, and what its errors mean. */
export interface ParentCall {
  readonly call: Call;
  readonly fixes?: LazyFixes | undefined;
}

/** What a script does at a sync point: calls of its own, a tool that it runs, or what lasts. */
export type ParentAction =
  | { readonly calls: readonly ParentCall[] }
  | { readonly program: string; readonly args: readonly string[] }
  | HostService;

/** What a script keeps up on the host for as long as the container runs, as data. */
export type HostService =
  /** The end of a cable that stays outside is deleted when the container ends. */
  | { readonly service: "delete-link"; readonly name: string }
  /** An interface of the host's comes back, under its old name, when the container ends. */
  | { readonly service: "return-link"; readonly name: string; readonly nameInside: string }
  /** The host translates addresses; errors name what was asked for by the words. */
  | {
    readonly service: "nat-table";
    readonly table: Omit<NatTable, "name" | "owned">;
    readonly words: readonly string[];
  }
  /** The first of these programs that is installed carries the packets of the container. */
  | { readonly service: "user-network"; readonly programs: readonly UserNetworkProgram[] };

/** The socket pair of the sync points: the script's end, and the container's. */
export const SYNC_SOCKETS: Output = new Output(8, "&sockets");
/** The script's end. */
export const SCRIPT_SOCKET: OutputField = new OutputField(SYNC_SOCKETS, 0, "sockets[0]");
/** The container's end. */
export const CONTAINER_SOCKET: OutputField = new OutputField(SYNC_SOCKETS, 4, "sockets[1]");
