/**
 * Services: programs that are kept running, in containers or without, started in order, watched,
 * started again, and stopped in reverse. It has no dependency, and needs `--allow-ffi` alone.
 *
 * @example A server in a container, and what needs it
 * ```ts
 * import { port, supervise } from "@ramekin/ramekin/services";
 * import { sandbox } from "@ramekin/ramekin";
 *
 * const cache = {
 *   recipe: sandbox({ write: ["/srv/cache"] }),
 *   program: "redis-server",
 *   args: ["--dir", "/srv/cache"],
 *   ready: port(6379),
 *   restart: { policy: "always" },
 *   health: { every: 5000, command: ["redis-cli", "ping"] },
 *   log: { path: "/srv/cache.log" },
 * } as const;
 * const start = () => supervise({ cache, web: { program: "./web", after: "cache" } });
 * console.log(start.name);
 * ```
 *
 * @module
 */

export { supervise, type SupervisedOptions, Supervisor } from "./supervise.ts";
export {
  type HealthOptions,
  type Service,
  ServiceError,
  type ServiceEvent,
  type ServiceOptions,
} from "./service.ts";
export {
  line,
  type LineReadiness,
  port,
  type PortReadiness,
  type Readiness,
  type ReadinessCheck,
} from "./ready.ts";
export type { RestartOptions } from "./restart.ts";
export type { LineHandler, ServiceLog } from "./output.ts";
export type { LogFileOptions } from "./log_file.ts";
export type { CommandStatus } from "../launch/status.ts";
export type { Container, StopOptions } from "../container/container.ts";
export type { CommandOptions } from "../container/command_options.ts";
export type { Recipe } from "../container/recipe.ts";
