/**
 * The names of the requests of ioctl_ns(2), for plans and errors.
 *
 * @module
 */

import {
  NS_GET_NSTYPE,
  NS_GET_OWNER_UID,
  NS_GET_PARENT,
  NS_GET_USERNS,
} from "../constants/namespace_files.ts";

/** The requests of ioctl_ns(2), by name. */
export const NAMESPACE_REQUESTS: Readonly<Record<string, number>> = {
  NS_GET_USERNS,
  NS_GET_PARENT,
  NS_GET_NSTYPE,
  NS_GET_OWNER_UID,
};
