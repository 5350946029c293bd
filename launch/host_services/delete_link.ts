/**
 * Deletes the outer end of a veth pair, so that its name is free as soon as the container has
 * ended. The kernel deletes it with the network namespace of the other end, but later.
 *
 * @module
 */

import { ifThere } from "../../ffi/missing.ts";
import { deleteLink } from "../../ffi/netlink/link.ts";
import { NetlinkSocket } from "../../ffi/netlink/socket.ts";
import type { ServiceDefinition } from "./service.ts";

/** The service. */
export const deleteLinkService: ServiceDefinition<"delete-link"> = {
  describe: ({ name }) => [`at the end: {RTM_DELLINK, ${JSON.stringify(name)}}`],
  start({ name }) {
    using socket = new NetlinkSocket();
    const index = socket.links().find((link) => link.name === name)?.index ?? 0;
    const record = { service: "delete-link", name, index } as const;
    return { record, end: () => this.cleanUp(record) };
  },
  cleanUp({ name, index }) {
    using socket = new NetlinkSocket();
    // Another interface may have the index or the name now.
    const isThere = socket.links().some((link) => link.index === index && link.name === name);
    if (isThere) ifThere(() => socket.request([deleteLink({ index })]), ["ENODEV"]);
  },
};
