/**
 * `linux.netDevices`, interfaces of this machine that become the container's, as steps.
 *
 * @module
 */

import type { InterfaceAddress } from "../../ffi/netlink/address.ts";
import { address } from "../../recipe/steps/network/addresses.ts";
import { moveInterface } from "../../recipe/steps/network/outside.ts";
import type { Step } from "../../recipe/steps.ts";
import { unsupported } from "../errors.ts";
import type { ConfigLinux } from "../spec.ts";
import type { ConfigNamespaces } from "./namespaces.ts";

/**
 * Returns the steps that move the interfaces, with the addresses that they have for good. What becomes
 * of them when the container ends is the kernel's matter, as the specification has it.
 *
 * @param addressesOf returns the addresses of an interface outside
 */
export function netDeviceSteps(
  { netDevices }: ConfigLinux,
  { fresh, joined }: ConfigNamespaces,
  addressesOf: (name: string) => readonly InterfaceAddress[],
): Step[] {
  const devices = Object.entries(netDevices ?? {});
  if (devices.length === 0) return [];
  if (!fresh.has("net") && !joined.has("net")) {
    unsupported("linux.netDevices", 'they need a network namespace, "network"');
  }
  const given = devices.map(([name, device]) => device?.name || name);
  const taken = new Set(["lo", ...given]);
  return devices.flatMap(([name], index) => {
    const as = given[index]!;
    const isTemplate = as.includes("%d");
    if (isTemplate && !fresh.has("net")) {
      unsupported(
        `linux.netDevices.${name}.name`,
        `the names in a network that is joined are not known: ${JSON.stringify(as)} has no number`,
      );
    }
    const chosen = isTemplate ? firstFree(as, taken) : as;
    taken.add(chosen);
    return [
      moveInterface(name, { as: chosen, stays: true }),
      ...addressesOf(name).filter(({ isGlobal, isPermanent }) => isGlobal && isPermanent)
        .map((entry) => address(chosen, entry.address)),
    ];
  });
}

/** Returns the first name of a template that is free, as the kernel counts them. */
function firstFree(template: string, taken: ReadonlySet<string>): string {
  for (let number = 0;; number++) {
    const name = template.replace("%d", String(number));
    if (!taken.has(name)) return name;
  }
}
