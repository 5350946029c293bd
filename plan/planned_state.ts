/**
 * What the steps so far have made of the container: what later ones, the launch and the permissions
 * go by.
 *
 * @module
 */

import type { ResultOf } from "../ffi/call.ts";
import type { Fixes } from "../ffi/fix.ts";
import type { Credentials } from "../host/credentials.ts";
import type { Host } from "../host/host.ts";
import type { NamespaceKind } from "../recipe/namespaces.ts";
import { CapabilityModel } from "./capability_model.ts";
import { mountFixes } from "./fixes.ts";
import { MountTable, type PlannedMount } from "./mount_table.ts";

/** What a container has open of its networks. */
export interface NetworkSockets {
  /** A socket of the network namespace that it is in, once a step has needed one. */
  inside?: ResultOf;
  /** A descriptor of that namespace, once a step has needed one. */
  namespace?: ResultOf;
  /** A socket of the one that it has come from, unless that is the host's. */
  outside?: ResultOf;
}

/** The /proc that is open, and what it was opened for. */
interface OpenProc {
  readonly mount: PlannedMount;
  readonly root: number;
  readonly fd: ResultOf;
}

/** The state that the container will be in when the calls of the steps so far have been made. */
export class PlannedState {
  /** The kinds of namespaces that are no longer the host's, those that are joined included. */
  readonly unshared: Set<NamespaceKind> = new Set();
  /** The kinds of namespaces that are others' too. */
  readonly joined: Set<NamespaceKind> = new Set();
  /** What is mounted where. */
  readonly mounts: MountTable = new MountTable();
  /** What is open of its networks. */
  network: NetworkSockets = {};
  /** Its /proc, once a step has needed it. */
  proc: OpenProc | undefined;
  /** How often the root, or the mount namespace, has changed. */
  rootCount = 0;
  /** The ids that the process has, in its user namespace; at first those of the caller. */
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
  /** Variables that the steps set. */
  readonly environment: Map<string, string> = new Map();
  /** Whether the program gets none of the script's variables but {@linkcode keptVariables}. */
  clearsEnvironment = false;
  /** Variables of the script that stay; their values are looked up when the program is started. */
  readonly keptVariables: Set<string> = new Set();
  /** Whether the program leads a session already. */
  sessionLeader = false;
  /** The multiplexer of the container's own terminals, where it has them: `/dev/ptmx`. */
  terminals: string | undefined;
  /** Whether untrusted processes can see the container during setup. */
  exposed = false;
  readonly #host: Host;
  #caller: Credentials | undefined;
  #mountFixes: { readonly inUserNamespace: boolean; readonly fixes: Fixes } | undefined;

  /** The state in which a container begins on this machine. */
  constructor(host: Host) {
    this.#host = host;
  }

  /** The identity of the process that runs the recipe, and that the container begins as. */
  get caller(): Credentials {
    return this.#caller ??= this.#host.credentials();
  }

  /** Whether the container is in a user namespace that is not the script's. */
  get inUserNamespace(): boolean {
    return this.unshared.has("user");
  }

  /** What calls of mounts are denied for. */
  get mountFixes(): Fixes {
    const { inUserNamespace } = this;
    if (this.#mountFixes?.inUserNamespace !== inUserNamespace) {
      this.#mountFixes = { inUserNamespace, fixes: mountFixes(this.#host, inUserNamespace) };
    }
    return this.#mountFixes.fixes;
  }

  /** It has entered namespaces of others. */
  joins(kinds: ReadonlySet<NamespaceKind>): void {
    for (const kind of kinds) {
      this.unshared.add(kind);
      this.joined.add(kind);
    }
    if (kinds.has("mount")) {
      this.mounts.leave();
      this.rootCount++;
    }
    if (kinds.has("user")) {
      this.capabilities.enterUserNamespace();
      this.idsMapped = true;
    }
  }

  /** It has made namespaces of its own. */
  unshares(kinds: ReadonlySet<NamespaceKind>): void {
    if (kinds.has("user")) {
      this.capabilities.enterUserNamespace();
      this.nestedUser = this.unshared.has("user");
      this.idsMapped = false;
    }
    if (kinds.has("mount")) this.rootCount++;
    for (const kind of kinds) {
      this.unshared.add(kind);
      this.joined.delete(kind);
    }
  }

  /** A directory has become the root. */
  entersRoot(path: string): void {
    this.mounts.enter(path);
    this.rootCount++;
  }
}
