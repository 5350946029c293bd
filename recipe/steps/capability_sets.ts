/**
 * The sets of capabilities that a step sets.
 *
 * @module
 */

import type { CapabilityName } from "../../ffi/calls/constants/capabilities.ts";

/**
 * The sets of capabilities (capabilities(7)). The bounding set stays as it is when it is left out,
 * and so do all the others when none of them is given.
 */
export interface CapabilitySets {
  /**
   * What the program has, whoever its user is, and all that it and what it starts can ever gain:
   * each of the sets below becomes this one. In place of them.
   */
  readonly keep?: readonly CapabilityName[];
  /** What any program of the container can ever gain. */
  readonly bounding?: readonly CapabilityName[];
  /**
   * What the process may take into its effective set.
   *
   * @default those of `effective` and `ambient`
   */
  readonly permitted?: readonly CapabilityName[];
  /**
   * What the kernel checks.
   *
   * @default those of `permitted`
   */
  readonly effective?: readonly CapabilityName[];
  /**
   * What files may pass on.
   *
   * @default those of `ambient`
   */
  readonly inheritable?: readonly CapabilityName[];
  /**
   * What a program keeps that is not run by root.
   *
   * @default none
   */
  readonly ambient?: readonly CapabilityName[];
}
