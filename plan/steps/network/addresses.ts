/**
 * Lowers the steps `address`, `route`.
 *
 * @module
 */

import { HOSTS_NETWORK } from "../../network.ts";
import { addAddress } from "../../../ffi/netlink/address.ts";
import { parseIp, parsePrefix } from "../../../ffi/netlink/ip.ts";
import { addRoute } from "../../../ffi/netlink/route.ts";
import { inside } from "../../network.ts";
import {
  type AddressStep,
  prefixOf,
  type RouteStep,
} from "../../../recipe/steps/network/addresses.ts";
import type { PlanBuilder } from "../../builder.ts";

/** Lowers `address`. */
export function lowerAddress({ device, address }: AddressStep, plan: PlanBuilder): void {
  plan.needs("net", HOSTS_NETWORK);
  inside(plan, (kernel) => {
    kernel.request(addAddress(kernel.indexOf(device), parsePrefix(address)!));
  });
}

/** Lowers `route`. */
export function lowerRoute(step: RouteStep, plan: PlanBuilder): void {
  plan.needs("net", HOSTS_NETWORK);
  const { via, device } = step;
  inside(plan, (kernel) => {
    kernel.request(addRoute(prefixOf(step), {
      via: via === undefined ? undefined : parseIp(via)!,
      device: device === undefined ? undefined : kernel.indexOf(device),
    }));
  });
}
