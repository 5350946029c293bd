/**
 * The table of host services. A service without an entry does not compile.
 *
 * @module
 */

import type { HostService } from "../../plan/parent_work.ts";
import { deleteLinkService } from "./delete_link.ts";
import { natTableService } from "./nat_table.ts";
import { returnLinkService } from "./return_link.ts";
import { reservePortService } from "./reserve_port.ts";
import type { RunningService, ServiceRecord } from "../running_service.ts";
import type { ServiceContext, ServiceDefinition, ServiceName } from "./service.ts";
import { userNetworkService } from "./user_network.ts";

const SERVICES: { readonly [Name in ServiceName]: ServiceDefinition<Name> } = {
  "delete-link": deleteLinkService,
  "nat-table": natTableService,
  "reserve-port": reservePortService,
  "return-link": returnLinkService,
  "user-network": userNetworkService,
};

/** Returns the lines of the plan's listing, for a container's process with this pid. */
export function describeService(service: HostService, pid: string): readonly string[] {
  return definitionOf(service.service).describe(service, pid);
}

/** Starts a service for a container. */
export function startService(service: HostService, context: ServiceContext): RunningService {
  return definitionOf(service.service).start(service, context);
}

/**
 * Ends a service that another process has started, as far as the kernel has not. Has to be called
 * in the network namespace in which the service was started.
 *
 * @throws {SyscallError} if it cannot be ended
 */
export function cleanUpService(record: ServiceRecord): void {
  definitionOf(record.service).cleanUp(record);
}

/** Returns an entry of the table. The cast is safe if it is used for services of that name only. */
function definitionOf(name: ServiceName): ServiceDefinition<ServiceName> {
  return SERVICES[name] as ServiceDefinition<ServiceName>;
}
