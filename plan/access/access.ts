/**
 * What a recipe can need of the host, as plain data.
 *
 * @module
 */

import type { CapabilityName } from "../../ffi/calls/users.ts";
import type { NamespaceKind } from "../../recipe/namespaces.ts";

/** Something of the host that a recipe, or the program in it, reaches. */
export type HostAccess = HostAccessKind & {
  /** The position of the step that reaches it, counted from 0, where one does. */
  readonly stepIndex?: number;
  /** The name of that step. */
  readonly step?: string;
};

/** What is reached. */
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
  | RunAccess;

/** A file of the host, or a directory with all that lies in it, that is read. */
export interface ReadAccess {
  /** Reading. */
  readonly kind: "read";
  /** Its path, without a symbolic link or `..`. */
  readonly path: string;
}

/** A file of the host, or a directory with all that lies in it, that can be changed. */
export interface WriteAccess {
  /** Changing; where it can be read too, that is a need of its own. */
  readonly kind: "write";
  /** Its path, without a symbolic link or `..`. */
  readonly path: string;
}

/** The host's network. */
export interface NetAccess {
  /** The network. */
  readonly kind: "net";
  /** All that the host reaches. */
  readonly host: "*";
}

/** A namespace of the host that is shared, where that lets a program reach other programs. */
export interface NamespaceAccess {
  /** A shared namespace. */
  readonly kind: "namespace";
  /** Which one. */
  readonly namespace: NamespaceKind;
}

/** Ids of the host beside the caller's own, which programs can act as. */
export interface IdentityAccess {
  /** Ids of the host. */
  readonly kind: "identity";
  /** Whether they are users or groups. */
  readonly id: "uid" | "gid";
  /** The first one. */
  readonly from: number;
  /** How many. */
  readonly count: number;
}

/** A device of the host, beside those that harm nobody. */
export interface DeviceAccess {
  /** A device. */
  readonly kind: "device";
  /** Its path; or its type and numbers as mknod(1) takes them, where a step makes the file. */
  readonly path: string;
}

/** A right of the host's root. */
export interface PrivilegeAccess {
  /** A right. */
  readonly kind: "privilege";
  /** The capability, or all of them. */
  readonly privilege: CapabilityName | "all";
}

/** Namespaces of other processes. */
export interface JoinAccess {
  /** Namespaces that are joined. */
  readonly kind: "join";
  /** The process that is in them, or the file of one. */
  readonly target: number | string;
}

/** A variable of the script's environment that is handed on. */
export interface EnvAccess {
  /** A variable. */
  readonly kind: "env";
  /** Its name. */
  readonly name: string;
}

/** The program of a command. */
export interface RunAccess {
  /** A program. */
  readonly kind: "run";
  /** Its path in the container, or the name that is looked for there. */
  readonly program: string;
}

/**
 * The need in one line: `read /usr, for step 3 (bind)`. Cannot fail.
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
  const whose = step === undefined ? "" : `, for step ${stepIndex! + 1} (${step})`;
  return subjectOf(need) + whose;
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
        ? "all rights of the host's root"
        : `${need.privilege} on the host`;
    case "join":
      return typeof need.target === "number"
        ? `the namespaces of process ${need.target}`
        : `the namespace ${need.target}`;
    case "env":
      return `the variable ${need.name}`;
    case "run":
      return `run ${need.program}`;
  }
}
