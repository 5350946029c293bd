/**
 * What the steps so far have made of the container: what later ones, the launch and the grants go
 * by.
 *
 * @module
 */

import type { ResultOf } from "../ffi/call.ts";
import type { NamespaceKind } from "../recipe/namespaces.ts";
import { type Caller, callerOf } from "../host/credentials.ts";
import { MountTable } from "./mount_table.ts";
import { CapabilityModel } from "./capability_model.ts";

/** What a container has open of its networks. */
export interface NetworkSockets {
  /** A socket of the network namespace that it is in, once a step has needed one. */
  inside?: ResultOf;
  /** A descriptor of that namespace, once a step has needed one. */
  namespace?: ResultOf;
  /** A socket of the one that it has come from, unless that is the host's. */
  outside?: ResultOf;
}

/** The state that the container will be in when the calls of the steps so far have been made. */
export class PlannedState {
  /** The kinds of namespaces that are no longer the host's. */
  readonly own: Set<NamespaceKind> = new Set();
  /** The kinds of namespaces that are others' too. */
  readonly joined: Set<NamespaceKind> = new Set();
  /** Which paths are the recipe's and which are the host's. */
  readonly mounts: MountTable = new MountTable();
  /** What is open of its networks. */
  network: NetworkSockets = {};
  /** Who the process has become, in its user namespace; at first it is the caller. */
  ids: { readonly uid: number; readonly gid: number } | undefined;
  /** Whether the user namespace has its id maps. */
  idsMapped = false;
  /** Whether the user namespace lies in another one of the container's. */
  nestedUser = false;
  /** Whether setgroups(2) is denied in the user namespace. */
  setgroupsDenied = false;
  /** What the steps leave the program of its capabilities. */
  readonly capabilities: CapabilityModel = new CapabilityModel();
  /** Whether the program cannot gain privileges by execve(2). */
  gainsNoPrivileges = false;
  /** Changes of the environment. */
  readonly environment: Map<string, string> = new Map();
  /** Whether the program gets the variables of `environment` only, and none of the script's. */
  clearsEnvironment = false;
  /** Whether the program leads a session already. */
  sessionLeader = false;
  /** The multiplexer of the container's own terminals, where it has them: `/dev/ptmx`. */
  terminals: string | undefined;
  /** Whether processes that nobody vouches for can see the container while it is being made. */
  exposed = false;
  #caller: Caller | undefined;

  /** Who runs the recipe, and whom the container begins as. */
  get caller(): Caller {
    return this.#caller ??= callerOf();
  }

  /** It has entered namespaces of others. */
  joins(kinds: ReadonlySet<NamespaceKind>): void {
    for (const kind of kinds) {
      this.own.add(kind);
      this.joined.add(kind);
    }
    if (kinds.has("mount")) this.mounts.leave();
    if (kinds.has("user")) {
      this.capabilities.enterUserNamespace();
      this.idsMapped = true;
    }
  }

  /** It has made namespaces of its own. */
  unshares(kinds: ReadonlySet<NamespaceKind>): void {
    if (kinds.has("user")) {
      this.capabilities.enterUserNamespace();
      this.nestedUser = this.own.has("user");
      this.idsMapped = false;
    }
    for (const kind of kinds) {
      this.own.add(kind);
      this.joined.delete(kind);
    }
  }
}
