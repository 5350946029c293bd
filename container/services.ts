/**
 * What serves a container from the script while it runs: the proxy to the granted hosts, and the
 * observer of an audit.
 *
 * @module
 */

import type { Audit } from "../audit/audit.ts";
import { DenialLog, refusedHost } from "../audit/denial.ts";
import { UseLog } from "../audit/file_use.ts";
import type { Notes } from "../audit/judge.ts";
import { Observer } from "../audit/observer.ts";
import type { LaunchedProcess } from "../launch/launched_process.ts";
import type { RunningService } from "../launch/running_service.ts";
import type { PlanBuilder } from "../plan/builder.ts";
import type { Hosts } from "../proxy/hosts.ts";
import { NotifyListener } from "./notify_listener.ts";
import { ContainerProxy } from "../proxy/proxy.ts";

/** A running program, and what is told of it, if it is audited. */
export interface Served {
  readonly launched: LaunchedProcess;
  readonly audit: Audit | undefined;
}

/** What is served. */
interface ServiceOptions {
  readonly hosts: Hosts | undefined;
  readonly audit: boolean | "uses";
  readonly notify: ((message: Readonly<Record<string, string>>) => void) | undefined;
}

/** Starts the services, which end with the container. */
export function serveContainer(
  launched: LaunchedProcess,
  plan: PlanBuilder,
  { hosts, audit, notify }: ServiceOptions,
): Served {
  const notes = audit === false ? undefined : {
    denials: new DenialLog(),
    ...(audit === "uses" && { uses: new UseLog() }),
  };
  const services = [...launched.services];
  const { listener, notifier } = launched;
  if (listener !== undefined && hosts !== undefined) {
    services.push(proxyTo(listener, hosts, notes?.denials));
  }
  if (notes !== undefined && notifier !== undefined) {
    services.push(observe(notifier, plan, notes));
  }
  if (notify !== undefined && launched.notifySocket !== undefined) {
    services.push(new NotifyListener(launched.notifySocket, launched.pid, notify));
  }
  return { launched: { ...launched, services }, audit: notes };
}

function proxyTo(listener: number, hosts: Hosts, denials: DenialLog | undefined): RunningService {
  const proxy = new ContainerProxy(listener, hosts, (host) => denials?.add(refusedHost(host)));
  return { end: () => proxy.close() };
}

function observe(notifier: number, plan: PlanBuilder, notes: Notes): RunningService {
  const observer = new Observer({
    notifier,
    filter: plan.notifier!.filter,
    steps: plan.cursor.steps,
    ownNetwork: plan.state.unshared.has("net"),
  }, notes);
  return { end: () => observer.close() };
}
