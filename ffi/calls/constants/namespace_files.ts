/**
 * The requests about the file of a namespace. See ioctl_ns(2) and linux/nsfs.h.
 *
 * @module
 */

/** Opens the user namespace that owns the namespace. */
export const NS_GET_USERNS = 0xb701;
/** Opens the parent of a user or pid namespace. */
export const NS_GET_PARENT = 0xb702;
/** Gets the type of the namespace, as a flag: `CLONE_NEWNET`. */
export const NS_GET_NSTYPE = 0xb703;
/** Gets the user id that owns the user namespace. */
export const NS_GET_OWNER_UID = 0xb704;
