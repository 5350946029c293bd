/**
 * The variables by which programs find a proxy.
 *
 * @module
 */

import { PROXY_PORT } from "../plan/network_service.ts";
import type { Hosts } from "./hosts.ts";

/** Returns the variables, in upper and in lower case, as programs read either. */
export function proxyVariables(hosts: Hosts): readonly (readonly [string, string])[] {
  const address = `127.0.0.1:${PROXY_PORT}`;
  const variables = {
    HTTP_PROXY: `http://${address}`,
    HTTPS_PROXY: `http://${address}`,
    ALL_PROXY: `socks5h://${address}`,
    // The container's own loopback interface, unless the script's was allowed.
    NO_PROXY: hosts.includesLoopback ? "" : "localhost,127.0.0.1,::1",
  };
  return Object.entries(variables).flatMap(([name, value]) =>
    [[name, value], [name.toLowerCase(), value]] as const
  );
}
