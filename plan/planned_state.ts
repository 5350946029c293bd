/**
 * The state of the container after the steps so far, on which later steps, the launch and the
 * access list depend.
 *
 * @module
 */

import type { ResultOf } from "../ffi/call.ts";
import type { PublishedPort } from "../ffi/netlink/nftables.ts";
import type { Fixes } from "../ffi/fix.ts";
import type { Credentials } from "../host/credentials.ts";
import type { Host } from "../host/host.ts";
import type { NamespaceKind } from "../recipe/namespaces.ts";
import { CapabilityModel } from "./capability_model.ts";
import { copyFields } from "./copy_fields.ts";
import { mountFixes } from "./fixes.ts";
import { MountTable, type PlannedMount } from "./mount_table.ts";

/** The id that the kernel reports for unmapped ids (sysctl kernel.overflowuid). */
export const OVERFLOW_ID = 65534;

/** The container's network: the open descriptors of its namespaces, and what is forwarded. */
export interface PlannedNetwork {
  /** A socket of its present network namespace, once a step has needed one. */
  inside?: ResultOf;
  /** A descriptor of that namespace, once a step has needed one. */
  namespace?: ResultOf;
  /** A socket of the parent network namespace, unless that is the host's. */
  outside?: ResultOf;
  /** The ports that steps have published. */
  published?: PublishedPort[];
}

function copyOf({ published, ...network }: PlannedNetwork): PlannedNetwork {
  return { ...network, ...(published !== undefined && { published: [...published] }) };
}

/** An open /proc, with the mount and the root that it belongs to. */
interface OpenProc {
  readonly mount: PlannedMount;
  readonly root: number;
  readonly fd: ResultOf;
}

/** The state of the container after the calls of the steps so far. */
export class PlannedState {
  /** The kinds of namespaces that are not the host's, joined ones included. */
  readonly unshared: Set<NamespaceKind> = new Set();
  /** The kinds of namespaces that are joined. */
  readonly joined: Set<NamespaceKind> = new Set();
  /** Whether its mount namespace receives what is mounted outside. */
  receivesMounts = false;
  /** The mounts of the steps. */
  readonly mounts: MountTable = new MountTable();
  /** Its network. */
  network: PlannedNetwork = {};
  /** The hosts that the script is a proxy to, and those of them that are not reached. */
  hosts: { readonly hosts: readonly string[]; readonly deny: readonly string[] } | undefined;
  /** Whether the script forwards its packets. */
  isForwardedByScript = false;
  /** The open /proc, once a step has needed it. */
  proc: OpenProc | undefined;
  /** The /proc outside, as it was before a step has shown a read-only copy of it. */
  outerProc: { readonly stepIndex: number; readonly fd: ResultOf } | undefined;
  /** How often the root or the mount namespace has changed. */
  rootCount = 0;
  /** Whether the root is another than the script's. */
  hasOwnRoot = false;
  /** The ids of the process in its user namespace; `undefined` for the caller's. */
  ids: { readonly uid: number; readonly gid: number } | undefined;
  /** Whether the user namespace has its id maps. */
  idsMapped = false;
  /** Whether the user namespace is nested in another one of the container. */
  nestedUser = false;
  /** Whether setgroups(2) is denied in the user namespace. */
  setgroupsDenied = false;
  /** Whether the supplementary groups are no longer those of the script. */
  groupsChanged = false;
  /** The capabilities that the steps leave the program. */
  readonly capabilities: CapabilityModel = new CapabilityModel();
  /** Whether the program runs with no_new_privs. */
  gainsNoPrivileges = false;
  /** The variables that the steps set. */
  readonly environment: Map<string, string> = new Map();
  /** Whether the program gets none of the script's variables but {@linkcode keptVariables}. */
  clearsEnvironment = false;
  /** The variables of the script that are kept; their values are read at each launch. */
  readonly keptVariables: Set<string> = new Set();
  /** Whether the process is in a session of its own, without a controlling terminal. */
  ownSession = false;
  /** Whether a step has set the umask; otherwise the program gets the script's. */
  hasUmask = false;
  /** Whether the process is a session leader. */
  sessionLeader = false;
  /** The path of the container's own ptmx(4), if it has one. */
  terminals: string | undefined;
  /** The time after which the container is ended, in milliseconds, unless a command has its own. */
  timeout: number | undefined;
  /** The bytes that are collected of each stream, unless a command has its own bound. */
  maxOutput: number | undefined;
  /** How many user namespaces the container had entered when it made each of its namespaces. */
  readonly #depths = new Map<NamespaceKind, number>();
  /** Whether untrusted processes can see the container during setup. */
  exposed = false;
  /**
   * Whether a program of others may stop it during setup (SIGSTOP), which may not stop the script: it
   * sees it in their pid namespace, or has its user, or rights over that.
   */
  stoppable = false;
  /** Whether its paths lead through mounts or a root that others have made, and may change. */
  entersFiles = false;
  readonly #host: Host;
  #caller: Credentials | undefined;
  #mountFixes: { readonly inUserNamespace: boolean; readonly fixes: Fixes } | undefined;

  /**
   * The state of a new container on this machine.
   *
   * @param begun that of another one, which goes on here
   */
  constructor(host: Host, begun?: PlannedState) {
    this.#host = host;
    if (begun === undefined) return;
    copyFields(begun, this);
    this.mounts = begun.mounts.fork();
    this.capabilities = begun.capabilities.fork();
    this.network = copyOf(begun.network);
    this.#depths = new Map(begun.#depths);
    this.#caller = begun.#caller;
  }

  /** Whose files paths lead to, for messages. */
  get filesAt(): "on this machine" | "in the container" {
    const isHost = !this.hasOwnRoot && !this.unshared.has("mount");
    return isHost ? "on this machine" : "in the container";
  }

  /** The credentials of the script, with which the container starts. */
  get caller(): Credentials {
    return this.#caller ??= this.#host.credentials();
  }

  /** A source in the container whose files of the host are not known from the mount table. */
  unknownSource: string | undefined;

  /** Whether the process has supplementary groups of the script, which it may change. */
  get hasScriptGroups(): boolean {
    const { groups, mayChangeGroups } = this.caller;
    return !this.groupsChanged && groups !== "none" && mayChangeGroups !== false;
  }

  /** Whether the container is in another user namespace than the script. */
  get inUserNamespace(): boolean {
    return this.unshared.has("user");
  }

  /** The fixes for a call on mounts that is denied. */
  get mountFixes(): Fixes {
    const { inUserNamespace } = this;
    if (this.#mountFixes?.inUserNamespace !== inUserNamespace) {
      this.#mountFixes = { inUserNamespace, fixes: mountFixes(this.#host, inUserNamespace) };
    }
    return this.#mountFixes.fixes;
  }

  /** Notes that the container joins namespaces of these kinds. */
  joins(kinds: ReadonlySet<NamespaceKind>): void {
    for (const kind of kinds) {
      this.unshared.add(kind);
      this.joined.add(kind);
    }
    if (kinds.has("mount")) {
      this.leavesRoot();
    }
    if (kinds.has("user")) {
      this.capabilities.enterUserNamespace();
      this.idsMapped = true;
    }
  }

  /** Notes that the container creates namespaces of these kinds. */
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
      this.#depths.set(kind, this.capabilities.userNamespaces);
    }
  }

  /** Whether a namespace of this kind belongs to an outer user namespace of the container. */
  isBeyondRights(kind: NamespaceKind): boolean {
    const depth = this.#depths.get(kind);
    return depth !== undefined && !this.joined.has(kind) &&
      depth < this.capabilities.userNamespaces;
  }

  /** Notes that the container makes a directory its root. */
  entersRoot(path: string): void {
    this.mounts.enter(path);
    this.rootCount++;
    this.hasOwnRoot = true;
  }

  /** Notes that the container has the root of another process, of whose mounts nothing is known. */
  leavesRoot(): void {
    this.mounts.leave();
    this.rootCount++;
    this.hasOwnRoot = true;
  }
}
