/**
 * What serves a container from the script while it runs: the proxy to the granted hosts, and the
 * observer of an audit.
 *
 * @module
 */

import { DenialLog, type Denials, refusedHost } from "../audit/denial.ts";
import { Observer } from "../audit/observer.ts";
import type { LaunchedProcess } from "../launch/launched_process.ts";
import type { RunningService } from "../launch/running_service.ts";
import type { PlanBuilder } from "../plan/builder.ts";
import type { Hosts } from "../proxy/hosts.ts";
import { ContainerProxy } from "../proxy/proxy.ts";

/** A running program, and what it is denied, if it is audited. */
export interface Served {
  readonly launched: LaunchedProcess;
  readonly denials: Denials | undefined;
}

/** Starts the services, which end with the container. */
export function serveContainer(
  launched: LaunchedProcess,
  plan: PlanBuilder,
  { hosts, audits }: { readonly hosts: Hosts | undefined; readonly audits: boolean },
): Served {
  const denials = audits ? new DenialLog() : undefined;
  const services = [...launched.services];
  const { listener, notifier } = launched;
  if (listener !== undefined && hosts !== undefined) {
    services.push(proxyTo(listener, hosts, denials));
  }
  if (denials !== undefined && notifier !== undefined) {
    services.push(observe(notifier, plan, denials));
  }
  return { launched: { ...launched, services }, denials };
}

function proxyTo(listener: number, hosts: Hosts, denials: DenialLog | undefined): RunningService {
  const proxy = new ContainerProxy(listener, hosts, (host) => denials?.add(refusedHost(host)));
  return { end: () => proxy.close() };
}

function observe(notifier: number, plan: PlanBuilder, denials: DenialLog): RunningService {
  const observer = new Observer({
    notifier,
    filter: plan.notifier!.filter,
    steps: plan.cursor.steps,
    ownNetwork: plan.state.unshared.has("net"),
  }, denials);
  return { end: () => observer.close() };
}
