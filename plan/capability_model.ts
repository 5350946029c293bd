/**
 * What the steps leave a program of the capabilities of its user namespace. See capabilities(7).
 *
 * @module
 */

import { CAPABILITIES, type CapabilityName } from "../ffi/calls/users.ts";
import type { CapabilitySets } from "../recipe/steps/capability_sets.ts";

const ALL: readonly CapabilityName[] = Object.keys(CAPABILITIES) as CapabilityName[];

/** Who a program is when it begins, as far as its capabilities depend on it. */
export interface ExecCredentials {
  /** Its user, in its user namespace. */
  readonly uid: number;
  /** Whether it cannot gain privileges by execve(2). */
  readonly gainsNoPrivileges: boolean;
}

/** The sets of capabilities, as the steps change them. */
export class CapabilityModel {
  /** What may be gained; all where no step has limited it. */
  #bounding: readonly CapabilityName[] = ALL;
  /** What is passed on: the ambient set is within the inheritable one. */
  #inheritable: readonly CapabilityName[] | undefined;
  #userNamespaces = 0;

  /** How many user namespaces have been entered. */
  get userNamespaces(): number {
    return this.#userNamespaces;
  }

  /** Who enters a user namespace has all capabilities there, and passes none on. */
  enterUserNamespace(): void {
    this.#userNamespaces++;
    this.#bounding = ALL;
    this.#inheritable = [];
  }

  /** A step sets them. */
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
   * What a program can come to have. Any but root needs a setuid program for it, or a file with
   * capabilities, unless it is kept from gaining privileges.
   *
   * @param callers what the caller passes on
   */
  of(
    { uid, gainsNoPrivileges }: ExecCredentials,
    callers: readonly CapabilityName[],
  ): readonly CapabilityName[] {
    const passed = this.#inheritable ?? callers;
    const gained = uid !== 0 && gainsNoPrivileges ? [] : this.#bounding;
    return ALL.filter((name) => passed.includes(name) || gained.includes(name));
  }

  /** Whether these are all that there are. */
  static areAll(names: readonly CapabilityName[]): boolean {
    return names.length === ALL.length;
  }
}
