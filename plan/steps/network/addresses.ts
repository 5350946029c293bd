/**
 * Lowers the steps `address`, `route`.
 *
 * @module
 */

import { HOSTS_NETWORK } from "../../network.ts";
import { addAddress } from "../../../ffi/netlink/address.ts";
import { parseIp, parsePrefix } from "../../../ffi/netlink/ip.ts";
import { addRoute } from "../../../ffi/netlink/route.ts";
import { inContainerNetns } from "../../network.ts";
import {
  type AddressStep,
  prefixOf,
  type RouteStep,
} from "../../../recipe/steps/network/addresses.ts";
import type { Fixes } from "../../../ffi/fix.ts";
import type { PlanBuilder } from "../../builder.ts";

/** Lowers `address`. */
export function lowerAddress({ device, address }: AddressStep, plan: PlanBuilder): void {
  plan.needs("net", HOSTS_NETWORK);
  inContainerNetns(plan, (kernel) => {
    kernel.request(addAddress(kernel.indexOf(device), parsePrefix(address)!), addressFixes(device));
  });
}

/** Returns the fixes for a request that adds an address to an interface. */
export function addressFixes(device: string): Fixes {
  return {
    EEXIST: `${device} has this address already`,
    EACCES: `IPv6 is disabled on ${device} (sysctl net.ipv6.conf.*.disable_ipv6)`,
  };
}

const UNREACHABLE = "the gateway is in no network of the container; give an interface an " +
  "address with address()";

const ROUTE_FIXES: Fixes = {
  EEXIST: "there is a route to it already",
  ENETUNREACH: UNREACHABLE,
  EHOSTUNREACH: UNREACHABLE,
};

/** Lowers `route`. */
export function lowerRoute(step: RouteStep, plan: PlanBuilder): void {
  plan.needs("net", HOSTS_NETWORK);
  const { via, device } = step;
  inContainerNetns(plan, (kernel) => {
    kernel.request(
      addRoute(prefixOf(step), {
        via: via === undefined ? undefined : parseIp(via)!,
        device: device === undefined ? undefined : kernel.indexOf(device),
      }),
      ROUTE_FIXES,
    );
  });
}
