/**
 * Several services that belong together.
 *
 * @module
 */

import type { StopOptions } from "../container/container.ts";
import { nearest } from "../recipe/nearest.ts";
import { checkService } from "./check_service.ts";
import { EventLog } from "./event_log.ts";
import { type Service, type ServiceEvent, type ServiceOptions, ServiceRunner } from "./service.ts";

/** A service among others. */
export interface SupervisedOptions extends ServiceOptions {
  /** Those that have to be ready before it is started. */
  readonly after?: string | readonly string[];
}

/**
 * Starts services, each when those that it comes after are ready, and keeps them running. They end
 * with the script.
 *
 * @example
 * ```ts
 * import { line, supervise } from "@ramekin/ramekin/services";
 *
 * const db = { program: "sh", args: ["-c", "echo the store is open; exec sleep 60"] };
 * const web = { program: "sleep", args: ["60"], after: "db" };
 *
 * await using kitchen = supervise({
 *   db: { ...db, ready: line(/is open/), restart: { policy: "always", max: 5 } },
 *   web: { ...web, health: { every: 1000, command: ["true"] } },
 * });
 * await kitchen.ready;
 * await kitchen.stop({ grace: 1000 });
 * for await (const { service, kind } of kitchen.events) console.log(service, kind);
 * ```
 *
 * @throws {TypeError} if an option is invalid, or one comes after one that there is not, or after
 * itself; nothing runs then
 */
export function supervise<Name extends string>(
  services: Readonly<Record<Name, SupervisedOptions>>,
): Supervisor<Name> {
  return new Supervisor(services);
}

/**
 * Services that belong together, by {@linkcode supervise}. At the end of an `await using` scope they
 * are stopped.
 *
 * @example
 * ```ts
 * import { supervise } from "@ramekin/ramekin/services";
 *
 * await using kitchen = supervise({ cook: { program: "true", log: "null" } });
 * await kitchen.ended;
 * console.log(kitchen.services.cook.status?.code, kitchen.services.cook.restarts); // 0 0
 * ```
 */
export class Supervisor<Name extends string = string> implements AsyncDisposable {
  /** The services, by their names. */
  readonly services: Readonly<Record<Name, Service>>;
  /** Resolves when all were ready; rejects with the first that will never be. */
  readonly ready: Promise<void>;
  /** Resolves when all have ended for good. */
  readonly ended: Promise<void>;
  readonly #events = new EventLog<ServiceEvent>();
  readonly #runners: ReadonlyMap<Name, ServiceRunner>;
  /** The services in an order in which each comes after those that it needs. */
  readonly #order: readonly Name[];
  readonly #needs: ReadonlyMap<Name, readonly Name[]>;
  #stopping: Promise<void> | undefined;

  /** Use {@linkcode supervise}. */
  constructor(services: Readonly<Record<Name, SupervisedOptions>>) {
    const names = Object.keys(services) as Name[];
    for (const name of names) checkService(name, services[name]);
    this.#needs = new Map(names.map((name) => [name, needsOf(name, services)]));
    this.#order = ordered(this.#needs);
    const entries = names.map((name) => {
      const { after: _after, ...options }: SupervisedOptions = services[name];
      return [name, new ServiceRunner(name, options, (event) => this.#events.add(event))] as const;
    });
    this.#runners = new Map(entries);
    this.services = Object.fromEntries<Service>(entries) as Record<Name, Service>;
    const all = this.#all;
    this.ready = Promise.all(all.map(({ ready }) => ready)).then(() => {});
    this.ready.catch(() => {});
    this.ended = Promise.all(names.map((name) => this.#run(name))).then(() => this.#events.close());
  }

  /** What happens, from the beginning on; the last 1000 events are kept for who begins late. */
  get events(): AsyncIterable<ServiceEvent> {
    return this.#events;
  }

  /** Stops the services for good, each before those that it comes after. */
  stop(options: StopOptions = {}): Promise<void> {
    return this.#stopping ??= this.#stop(options);
  }

  /** Stops the services at the end of an `await using` scope. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  get #all(): readonly Service[] {
    return this.#order.map((name) => this.services[name]);
  }

  async #run(name: Name): Promise<void> {
    const service = this.#runners.get(name)!;
    try {
      await Promise.all(this.#needs.get(name)!.map((need) => this.services[need].ready));
    } catch (error) {
      return service.skip(error);
    }
    if (this.#stopping === undefined) await service.run();
  }

  async #stop(options: StopOptions): Promise<void> {
    for (const service of this.#all.toReversed()) await service.stop(options);
    await this.ended;
  }
}

function needsOf<Name extends string>(
  name: Name,
  services: Readonly<Record<Name, SupervisedOptions>>,
): readonly Name[] {
  const { after = [] } = services[name];
  const needs = typeof after === "string" ? [after] : after;
  for (const need of needs) {
    if (Object.hasOwn(services, need)) continue;
    const near = nearest(need, Object.keys(services));
    throw new TypeError(
      `the service ${name} comes after ${need}, which there is not` +
        (near === undefined ? "" : `; did you mean ${near}?`),
    );
  }
  return needs as readonly Name[];
}

/** The names in an order in which each comes after those that it needs. */
function ordered<Name extends string>(needs: ReadonlyMap<Name, readonly Name[]>): readonly Name[] {
  const order = new Set<Name>();
  const visit = (name: Name, way: readonly Name[]) => {
    if (way.includes(name)) {
      throw new TypeError(`services come after themselves: ${[...way, name].join(" after ")}`);
    }
    for (const need of needs.get(name)!) visit(need, [...way, name]);
    order.add(name);
  };
  for (const name of needs.keys()) visit(name, []);
  return [...order];
}
