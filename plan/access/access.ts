/**
 * The kinds of access that a recipe can need to the host, as plain data.
 *
 * @module
 */

import { escapeControls } from "../../ffi/control_characters.ts";
import type { CapabilityName } from "../../ffi/calls/users.ts";
import type { NamespaceKind } from "../../recipe/namespaces.ts";

/** An access of a recipe, or of the program in it, to the host. */
export type HostAccess = HostAccessKind & {
  /** The position of the step that needs it, counted from 0; left out if no single step does. */
  readonly stepIndex?: number;
  /** The name of that step. */
  readonly step?: string;
};

/** What is accessed. */
export type HostAccessKind =
  | ReadAccess
  | WriteAccess
  | NetAccess
  | NamespaceAccess
  | IdentityAccess
  | DeviceAccess
  | PrivilegeAccess
  | JoinAccess
  | EnvAccess
  | RunAccess
  | TerminalAccess
  | KernelAccess
  | LifetimeAccess;

/** Reading a file of the host, or a directory with everything in it. */
export interface ReadAccess {
  /** The kind of access. */
  readonly kind: "read";
  /** The path, without symbolic links and `..`. */
  readonly path: string;
}

/** Changing a file of the host, or a directory with everything in it. */
export interface WriteAccess {
  /** The kind of access; reading the same path is a separate {@linkcode ReadAccess}. */
  readonly kind: "write";
  /** The path, without symbolic links and `..`. */
  readonly path: string;
}

/** Using the host's network. */
export interface NetAccess {
  /** The kind of access. */
  readonly kind: "net";
  /** Every host that this machine reaches. */
  readonly host: "*";
}

/** Sharing a namespace with the host, by which the program reaches other programs. */
export interface NamespaceAccess {
  /** The kind of access. */
  readonly kind: "namespace";
  /** The kind of namespace. */
  readonly namespace: NamespaceKind;
}

/** Running as ids of the host other than the caller's own. */
export interface IdentityAccess {
  /** The kind of access. */
  readonly kind: "identity";
  /** Whether the ids are users or groups. */
  readonly id: "uid" | "gid";
  /** The first id. */
  readonly from: number;
  /** The number of ids. */
  readonly count: number;
}

/** Using a device of the host, other than the harmless ones such as /dev/null. */
export interface DeviceAccess {
  /** The kind of access. */
  readonly kind: "device";
  /** The path; for a file that a step makes, its type and numbers: `"c 1:3"`. */
  readonly path: string;
}

/** Having a capability on the host. */
export interface PrivilegeAccess {
  /** The kind of access. */
  readonly kind: "privilege";
  /** The capability, or `"all"`. */
  readonly privilege: CapabilityName | "all";
}

/** Joining namespaces of other processes. */
export interface JoinAccess {
  /** The kind of access. */
  readonly kind: "join";
  /** The pid of a process in them, or the path of a namespace file. */
  readonly target: number | string;
}

/** Getting a variable of the script's environment. */
export interface EnvAccess {
  /** The kind of access. */
  readonly kind: "env";
  /** Its name. */
  readonly name: string;
}

/** Running the program of a command. */
export interface RunAccess {
  /** The kind of access. */
  readonly kind: "run";
  /** Its path in the container, or a name that is looked up in PATH there. */
  readonly program: string;
}

/** Using the script's controlling terminal, and so typing for its user (TIOCSTI). */
export interface TerminalAccess {
  /** The kind of access. */
  readonly kind: "terminal";
}

/**
 * Making the system calls that reach out of every namespace: to the keys of the script's session
 * (keyrings(7)), to virtual sockets (vsock(7)), to the kernel's log (syslog(2)), to counters of the
 * whole machine (perf_event_open(2)), and by a mount to the script's control group (cgroups(7)).
 */
export interface KernelAccess {
  /** The kind of access. */
  readonly kind: "kernel";
}

/** Running on after the script has ended. */
export interface LifetimeAccess {
  /** The kind of access. */
  readonly kind: "lifetime";
}

/**
 * Returns the access in one line: `read /usr, for step 3 (bind)`, with control characters escaped.
 * Cannot fail.
 *
 * @example
 * ```ts
 * import { describeAccess, recipe } from "@ramekin/ramekin";
 *
 * for (const need of recipe().needs()) console.log(describeAccess(need)); // read / ...
 * ```
 */
export function describeAccess(need: HostAccess): string {
  const { step, stepIndex } = need;
  const suffix = step === undefined ? "" : `, for step ${stepIndex! + 1} (${step})`;
  return escapeControls(subjectOf(need) + suffix);
}

function subjectOf(need: HostAccessKind): string {
  switch (need.kind) {
    case "read":
    case "write":
      return `${need.kind} ${need.path}`;
    case "net":
      return "the host's network";
    case "namespace":
      return `the host's ${need.namespace} namespace`;
    case "identity":
      return need.count === 1
        ? `the host's ${need.id} ${need.from}`
        : `the host's ${need.id}s ${need.from} to ${need.from + need.count - 1}`;
    case "device":
      return `the device ${need.path}`;
    case "privilege":
      return need.privilege === "all"
        ? "all capabilities of the host's root"
        : `${need.privilege} on the host`;
    case "join":
      return typeof need.target === "number"
        ? `the namespaces of process ${need.target}`
        : `the namespace ${need.target}`;
    case "env":
      return `the variable ${need.name}`;
    case "run":
      return `run ${need.program}`;
    case "terminal":
      return "the script's terminal";
    case "kernel":
      return "keys, virtual sockets and the like, which no namespace holds";
    case "lifetime":
      return "running on after the script";
  }
}
