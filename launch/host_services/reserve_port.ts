/**
 * Keeps a published port from other containers and from programs of this machine, by a socket that is
 * bound to it. The kernel closes that with the script.
 *
 * @module
 */

import { describeCall, ResultOf } from "../../ffi/call.ts";
import { AF_INET6 } from "../../ffi/calls/constants/sockets.ts";
import { close } from "../../ffi/calls/files.ts";
import { bind, ipSocket, setIpv6Only } from "../../ffi/calls/ip_sockets.ts";
import { syscall } from "../../ffi/syscalls.ts";
import type { ServiceDefinition } from "./service.ts";

/** The service. */
export const reservePortService: ServiceDefinition<"reserve-port"> = {
  describe({ protocol, address }) {
    const socket = new ResultOf(ipSocket(address.family, protocol), "socket");
    return [describeCall(bind(socket, address))];
  },
  start({ protocol, address }) {
    const socket = syscall(ipSocket(address.family, protocol));
    try {
      if (address.family === AF_INET6) syscall(setIpv6Only(socket));
      syscall(bind(socket, address), {
        EADDRINUSE:
          `another container has published ${protocol} port ${address.port}, or a program ` +
          "of this machine uses it; publish() can take another port",
        EADDRNOTAVAIL:
          "this machine has no such address; without { hostAddress }, the port of all " +
          "its addresses is published",
      });
    } catch (error) {
      syscall(close(socket));
      throw error;
    }
    return { end: () => void syscall(close(socket)) };
  },
  cleanUp() {
    // The kernel has closed the socket of the other process.
  },
};
