/**
 * Filters that ask another process: it listens at a socket, and gets the descriptor by which it is
 * asked with the state of the container (config-linux.md, "The Container Process State").
 *
 * @module
 */

import { sendTo } from "./console.ts";
import type { ConfigLinux } from "./spec.ts";
import { type ContainerState, OCI_VERSION } from "./state.ts";

/**
 * Returns what passes the listener on, if the filter is to have one.
 *
 * @param stateOf the container's state, for the process that the filter is for
 */
export function listenerOf(
  { seccomp }: ConfigLinux,
  stateOf: (pid: number) => ContainerState,
): { readonly takeListener?: (listener: number, pid: number) => void } {
  if (!seccomp?.listenerPath) return {};
  const { listenerPath, listenerMetadata } = seccomp;
  return {
    takeListener(listener, pid) {
      const state = {
        ociVersion: OCI_VERSION,
        fds: ["seccompFd"],
        pid,
        ...(listenerMetadata !== undefined && { metadata: listenerMetadata }),
        state: stateOf(pid),
      };
      sendTo(listenerPath, listener, JSON.stringify(state));
    },
  };
}
