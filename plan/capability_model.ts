/**
 * The capabilities that the steps leave the program, in its user namespace. See capabilities(7).
 *
 * @module
 */

import { CAPABILITIES, type CapabilityName } from "../ffi/calls/users.ts";
import type { CapabilitySets } from "../recipe/steps/capability_sets.ts";

const ALL: readonly CapabilityName[] = Object.keys(CAPABILITIES) as CapabilityName[];

/** The credentials of a program at execve(2) that its capabilities depend on. */
export interface ExecCredentials {
  /** The user id, in its user namespace. */
  readonly uid: number;
  /** Whether no_new_privs is set. */
  readonly gainsNoPrivileges: boolean;
}

/** The sets of capabilities, as the steps change them. */
export class CapabilityModel {
  #bounding: readonly CapabilityName[] = ALL;
  /** The inheritable set, which includes the ambient one; `undefined` for the caller's. */
  #inheritable: readonly CapabilityName[] | undefined;
  #userNamespaces = 0;

  /** Returns a model that goes on from this one. */
  fork(): CapabilityModel {
    const model = new CapabilityModel();
    model.#bounding = this.#bounding;
    model.#inheritable = this.#inheritable;
    model.#userNamespaces = this.#userNamespaces;
    return model;
  }

  /** The number of user namespaces that have been entered. */
  get userNamespaces(): number {
    return this.#userNamespaces;
  }

  /** A process that enters a user namespace has all capabilities there, but none is inheritable. */
  enterUserNamespace(): void {
    this.#userNamespaces++;
    this.#bounding = ALL;
    this.#inheritable = [];
  }

  /** Applies the sets of a step. */
  limit({ keep, ...sets }: CapabilitySets): void {
    const { bounding = keep, permitted, effective, inheritable, ambient } = sets;
    if (bounding !== undefined) {
      this.#bounding = this.#bounding.filter((name) => bounding.includes(name));
    }
    if ((keep ?? permitted ?? effective ?? inheritable ?? ambient) !== undefined) {
      this.#inheritable = keep ?? inheritable ?? ambient ?? [];
    }
  }

  /**
   * Returns the capabilities that a program can have or gain. A user other than root gains them by
   * a setuid program or file capabilities, unless no_new_privs is set.
   *
   * @param callers the caller's inheritable set
   */
  of(
    { uid, gainsNoPrivileges }: ExecCredentials,
    callers: readonly CapabilityName[],
  ): readonly CapabilityName[] {
    const passed = this.#inheritable ?? callers;
    const gained = uid !== 0 && gainsNoPrivileges ? [] : this.#bounding;
    return ALL.filter((name) => passed.includes(name) || gained.includes(name));
  }

  /** Whether these are all capabilities. */
  static areAll(names: readonly CapabilityName[]): boolean {
    return names.length === ALL.length;
  }
}
