/**
 * The script's part in a container: the descriptors that it opens before, its actions at sync
 * points, and the services that it runs on the host.
 *
 * @module
 */

import { type Call, Output, OutputField, type Slot } from "../ffi/call.ts";
import type { SocketAddress } from "../ffi/calls/ip_sockets.ts";
import type { LazyFixes } from "../ffi/fix.ts";
import type { MissingName } from "../host/name_question.ts";
import type { NatTable } from "../ffi/netlink/nftables.ts";
import type { IdRange } from "../recipe/steps/id_range.ts";
import type { UserNetworkProgram } from "../recipe/steps/network/user_network.ts";

/** An id map of a mount, and whether those below get it too. */
export interface MountIdMap {
  readonly uids: readonly IdRange[];
  readonly gids: readonly IdRange[];
  readonly recursive: boolean;
  /** What the errors of the map mean. */
  readonly fixes: LazyFixes;
}

/** A descriptor that the script opens for a step before the launch, and the container inherits. */
export interface InheritedFd {
  readonly stepIndex: number;
  /** The call that opens it. */
  readonly call: Call;
  /** A call before that, whose result it uses: a descriptor, which is closed then. */
  readonly through?: Call | undefined;
  readonly fixes?: LazyFixes | undefined;
  /** The slot of its number. */
  readonly slot: Slot;
  /** The id map that the script gives to the mount that is opened. */
  readonly idMap?: MountIdMap | undefined;
  /** Throws if the open file is not the one that the step was planned for. */
  readonly check?: (() => void) | undefined;
}

/**
 * An empty directory that the script makes on the host for the time of a container, to be a mount
 * point where a name is not to be made; or a file, with this text.
 */
export interface Placeholder extends MissingName {
  readonly stepIndex: number;
}

/** The pid of a container's process, as its parent sees it. */
export interface ParentPid {
  /** Its digits, or the memory in which a launch has them. */
  readonly text: string | Output;
  readonly number: number | OutputField;
}

/** Returns a pid that is known. */
export function knownPid(pid: number): ParentPid {
  return { text: String(pid), number: pid };
}

/** A point at which the container waits for the script. */
export interface SyncPoint {
  readonly stepIndex: number;
  /** The call by which the container reports that it waits. */
  readonly arrival: Call;
  /** Returns what the script does for the process with this pid. */
  parentActions(pid: ParentPid): readonly ParentAction[];
}

/** A call of the script for a step, and the fixes for its errors. */
export interface ParentCall {
  readonly call: Call;
  readonly fixes?: LazyFixes | undefined;
}

/** An action of the script at a sync point: calls, a program to its end, or a service to start. */
export type ParentAction =
  | { readonly calls: readonly ParentCall[] }
  | { readonly program: string; readonly args: readonly (string | Output)[] }
  /** What whoever launches does, for the process with this pid. */
  | { readonly run: (pid: number) => void }
  | HostService;

/** A service that the script runs on the host as long as the container runs, as data. */
export type HostService =
  /** Deletes the outer end of a veth pair when the container ends. */
  | { readonly service: "delete-link"; readonly name: string }
  /** Moves an interface back to the host, under its old name, when the container ends. */
  | { readonly service: "return-link"; readonly name: string; readonly nameInside: string }
  /** Translates addresses on the host. The words describe the request in errors. */
  | {
    readonly service: "nat-table";
    readonly table: Omit<NatTable, "name" | "owned">;
    readonly words: readonly string[];
  }
  /** Keeps a port of this machine. */
  | {
    readonly service: "reserve-port";
    readonly protocol: "tcp" | "udp";
    readonly address: SocketAddress;
  }
  /** Runs the first of these programs that is installed, to forward the container's packets. */
  | {
    readonly service: "user-network";
    readonly programs: readonly UserNetworkProgram[];
    /** Whether queries of names to {@linkcode DNS_FORWARDER} go to this machine's resolver. */
    readonly forwardsNames?: boolean;
  };

/** Where slirp4netns forwards queries of names by itself, and pasta where it is told to. */
export const DNS_FORWARDER = "10.0.2.3";

/** The socket pair of the sync points: the script's end, and the container's. */
export const SYNC_SOCKETS: Output = new Output(8, "&sockets");
/** The script's end. */
export const SCRIPT_SOCKET: OutputField = new OutputField(SYNC_SOCKETS, 0, "sockets[0]");
/** The container's end. */
export const CONTAINER_SOCKET: OutputField = new OutputField(SYNC_SOCKETS, 4, "sockets[1]");
