/**
 * What can be asked of the file of a namespace. See ioctl_ns(2) and linux/nsfs.h.
 *
 * @module
 */

/** Opens the user namespace that owns the namespace. */
export const NS_GET_USERNS = 0xb701;
/** Opens the namespace that it lies in; user and pid namespaces lie in each other. */
export const NS_GET_PARENT = 0xb702;
/** Tells the flag of its kind: `CLONE_NEWNET`. */
export const NS_GET_NSTYPE = 0xb703;
/** Tells the user who has made the user namespace. */
export const NS_GET_OWNER_UID = 0xb704;
