/**
 * The sets of capabilities that a step sets.
 *
 * @module
 */

import type { CapabilityName } from "../../ffi/calls/constants/capabilities.ts";

/**
 * The sets of capabilities (capabilities(7)). The bounding set does not change when it is left out;
 * the others do not change when none of them is given.
 */
export interface CapabilitySets {
  /**
   * The capabilities of the program, whatever its user is, and all that it and the programs it
   * starts can ever gain: each of the sets below becomes this one. It replaces them.
   */
  readonly keep?: readonly CapabilityName[];
  /** The capabilities that any program of the container can ever gain. */
  readonly bounding?: readonly CapabilityName[];
  /**
   * The capabilities that the process may add to its effective set.
   *
   * @default those of `effective` and `ambient`
   */
  readonly permitted?: readonly CapabilityName[];
  /**
   * The capabilities that the kernel checks.
   *
   * @default those of `permitted`
   */
  readonly effective?: readonly CapabilityName[];
  /**
   * The capabilities that a program gets if its file has them as inheritable.
   *
   * @default those of `ambient`
   */
  readonly inheritable?: readonly CapabilityName[];
  /**
   * The capabilities that a program gets without being root.
   *
   * @default none
   */
  readonly ambient?: readonly CapabilityName[];
}
