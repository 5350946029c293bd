/**
 * Translates addresses on the host, by a table of nf_tables that the kernel deletes when the socket
 * that has created it is closed, also if the script is killed.
 *
 * @module
 */

import { describeCall, ResultOf } from "../../ffi/call.ts";
import { NETLINK_NETFILTER, netlinkSocket } from "../../ffi/calls/sockets.ts";
import { UnsupportedError } from "../../ffi/errors.ts";
import { addNatTable } from "../../ffi/netlink/nftables.ts";
import { send } from "../../ffi/netlink/request.ts";
import { NetlinkSocket } from "../../ffi/netlink/socket.ts";
import { readSetting } from "../../host/settings.ts";
import { forwardingSetting } from "../../plan/steps/network/translation.ts";
import type { ServiceDefinition } from "./service.ts";

/** The service. */
export const natTableService: ServiceDefinition<"nat-table"> = {
  describe({ table }) {
    const socket = new ResultOf(netlinkSocket(NETLINK_NETFILTER), "socket");
    const messages = addNatTable({ ...table, name: "ramekin-...", owned: true });
    return [describeCall(send(socket, messages))];
  },
  start({ table, words }) {
    requireForwarding(table.family);
    // Each container's table needs a unique name.
    const name = `ramekin-${crypto.randomUUID()}`;
    const socket = new NetlinkSocket(NETLINK_NETFILTER);
    try {
      socket.request(addNatTable({ ...table, name, owned: true }), words);
    } catch (error) {
      socket.close();
      throw error;
    }
    return { record: { service: "nat-table", name }, end: () => socket.close() };
  },
  cleanUp() {
    // The kernel has deleted the table, because the socket of the other process is closed.
  },
};

/** Throws if the host does not forward packets. */
function requireForwarding(family: number): void {
  const path = forwardingSetting(family);
  if (readSetting(`/proc/sys/${path}`) === 1) return;
  const name = path.replaceAll("/", ".");
  throw new UnsupportedError(
    `the host does not forward packets; sysctl -w ${name}=1 turns forwarding on`,
  );
}
