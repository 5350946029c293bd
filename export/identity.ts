/**
 * The user and the capabilities that a program begins with, followed through the steps as the kernel
 * changes them (capabilities(7)).
 *
 * @module
 */

import { CAPABILITIES, type CapabilityName } from "../ffi/calls/constants/capabilities.ts";
import type { CapabilitySet } from "../oci/spec.ts";
import type { CapabilitiesStep, SetUserStep, UserIds } from "../recipe/steps/identity.ts";

const ALL = Object.keys(CAPABILITIES) as CapabilityName[];

/** The user and the capabilities of a program. */
export class ProgramIdentity {
  uid: number;
  gid: number;
  /** The supplementary groups, if a step names them. */
  groups: readonly number[] | undefined;
  #bounding: readonly CapabilityName[] = ALL;
  #permitted: readonly CapabilityName[] = ALL;
  #effective: readonly CapabilityName[] = ALL;
  #inheritable: readonly CapabilityName[] = [];
  #ambient: readonly CapabilityName[] = [];

  constructor(uid: number, gid: number) {
    this.uid = uid;
    this.gid = gid;
  }

  /** Follows `setUser`. */
  setUser({ uid, gid = uid, groups, keepCapabilities = false }: SetUserStep & UserIds): void {
    if (this.uid === 0 && uid !== 0) {
      if (!keepCapabilities) this.#permitted = [];
      this.#effective = [];
      this.#ambient = [];
    }
    this.uid = uid;
    this.gid = gid;
    this.groups = groups ?? this.groups;
  }

  /** Follows `capabilities`. */
  limit({ keep, ...given }: CapabilitiesStep): void {
    const sets: Omit<CapabilitiesStep, "step" | "keep"> = keep === undefined
      ? given
      : { bounding: keep, permitted: keep, inheritable: keep, ambient: keep };
    if (sets.bounding !== undefined) this.#bounding = sets.bounding;
    const { permitted, effective, inheritable, ambient = [] } = sets;
    if ((permitted ?? effective ?? inheritable ?? sets.ambient) === undefined) return;
    this.#permitted = permitted ?? [...new Set([...effective ?? [], ...ambient])];
    this.#effective = effective ?? this.#permitted;
    this.#inheritable = inheritable ?? ambient;
    this.#ambient = ambient;
  }

  /** The capabilities that an execve(2) of root gives. */
  get bounding(): readonly CapabilityName[] {
    return this.#bounding;
  }

  /** Whether these are all. */
  get isWhole(): boolean {
    return this.#bounding.length === ALL.length;
  }

  /** The sets as config.json has them. */
  get sets(): Readonly<Record<CapabilitySet, readonly CapabilityName[]>> {
    return {
      bounding: this.#bounding,
      effective: this.#effective,
      inheritable: this.#inheritable,
      permitted: this.#permitted,
      ambient: this.#ambient,
    };
  }
}
