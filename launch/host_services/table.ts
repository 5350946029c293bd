/**
 * All host services. One without an entry does not compile.
 *
 * @module
 */

import type { HostService } from "../../plan/parent_work.ts";
import { deleteLinkService } from "./delete_link.ts";
import { natTableService } from "./nat_table.ts";
import { returnLinkService } from "./return_link.ts";
import type { RunningService, ServiceRecord } from "../running_service.ts";
import type { ServiceContext, ServiceDefinition, ServiceName } from "./service.ts";
import { userNetworkService } from "./user_network.ts";

const SERVICES: { readonly [Name in ServiceName]: ServiceDefinition<Name> } = {
  "delete-link": deleteLinkService,
  "nat-table": natTableService,
  "return-link": returnLinkService,
  "user-network": userNetworkService,
};

/** What a service does for the process with this pid, for the plan. */
export function describeService(service: HostService, pid: string): readonly string[] {
  return definitionOf(service.service).describe(service, pid);
}

/** Starts a service for a container. */
export function startService(service: HostService, context: ServiceContext): RunningService {
  return definitionOf(service.service).start(service, context);
}

/**
 * Ends what a service has left that another process has started: nothing, where the kernel has done
 * so. To be called in the network namespace in which it was started.
 *
 * @throws {SyscallError} where it cannot be ended
 */
export function cleanUpService(record: ServiceRecord): void {
  definitionOf(record.service).cleanUp(record);
}

/** The entry of the table; it is used for services of its own kind only. */
function definitionOf(name: ServiceName): ServiceDefinition<ServiceName> {
  return SERVICES[name] as ServiceDefinition<ServiceName>;
}
