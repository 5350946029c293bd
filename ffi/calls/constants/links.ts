/**
 * Numbers of network interfaces. See linux/if.h and linux/if_link.h.
 *
 * @module
 */

/** The most bytes that the name of an interface has: IFNAMSIZ less the NUL. */
export const LINK_NAME_BYTES = 15;

/** How the macvlan interfaces on one parent see one another. See ip-link(8). */
export type MacvlanMode = "private" | "vepa" | "bridge" | "passthru";

/** The kernel's number of each mode. */
export const MACVLAN_MODES: Readonly<Record<MacvlanMode, number>> = {
  private: 1,
  vepa: 2,
  bridge: 4,
  passthru: 8,
};
