/**
 * Lowers the steps `veth`, `macvlan`, `moveInterface`.
 *
 * @module
 */

import { HOSTS_NETWORK, linkFixes } from "../../network.ts";
import { addressFixes } from "./addresses.ts";
import { addAddress } from "../../../ffi/netlink/address.ts";
import { parsePrefix } from "../../../ffi/netlink/ip.ts";
import { addMacvlan, addVeth, setLink } from "../../../ffi/netlink/link.ts";
import { inContainerNetns, inParentNetns } from "../../network.ts";
import type {
  MacvlanStep,
  MoveInterfaceStep,
  VethStep,
} from "../../../recipe/steps/network/outside.ts";
import type { PlanBuilder } from "../../builder.ts";

/** Lowers `veth`. */
export function lowerVeth({ name, peer, peerAddress, bridge }: VethStep, plan: PlanBuilder): void {
  plan.needs("net", HOSTS_NETWORK);
  inParentNetns(plan, (kernel, namespace) => {
    const master = bridge === undefined ? undefined : kernel.indexOf(bridge);
    kernel.request(addVeth({ name: peer, master, up: true }, { name, namespace }), {
      ...linkFixes(peer ?? name, "veth"),
      ...(bridge !== undefined &&
        { EOPNOTSUPP: `${bridge} is not a bridge, or this kernel has no veth` }),
    });
    if (peerAddress !== undefined) {
      kernel.request(
        addAddress(kernel.indexOf(peer!), parsePrefix(peerAddress)!),
        addressFixes(peer!),
      );
    }
  }, peer === undefined ? undefined : { service: "delete-link", name: peer });
  inContainerNetns(plan, (kernel) => kernel.request(setLink(name, { up: true })));
}

/** Lowers `macvlan`. */
export function lowerMacvlan(
  { name, parent, mode = "bridge" }: MacvlanStep,
  plan: PlanBuilder,
): void {
  plan.needs("net", HOSTS_NETWORK);
  inParentNetns(plan, (kernel, namespace) => {
    const link = kernel.indexOf(parent);
    kernel.request(
      addMacvlan({ name, namespace, up: true }, link, mode),
      linkFixes(name, "macvlan"),
    );
  });
}

/** Lowers `moveInterface`. */
export function lowerMoveInterface(
  { name, as = name, stays = false }: MoveInterfaceStep,
  plan: PlanBuilder,
): void {
  plan.needs("net", HOSTS_NETWORK);
  inParentNetns(plan, (kernel, namespace) => {
    // The interface is selected by index, because the request's name attribute is the new name.
    kernel.request(
      setLink({ index: kernel.indexOf(name) }, { name: as, namespace }),
      { EEXIST: `an interface is called ${as} already; choose another name` },
    );
  }, stays ? undefined : { service: "return-link", name, nameInside: as });
  inContainerNetns(plan, (kernel) => kernel.request(setLink(as, { up: true })));
}
