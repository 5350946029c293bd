/**
 * Files of the host that a step names. A path is resolved when the plan is made, and the resolved
 * path is then opened without following links. So the opened file is the one in the access list,
 * even if the path has changed since.
 *
 * @module
 */

import type { Call, ResultOf } from "../ffi/call.ts";
import { allOf, type Fixes } from "../ffi/fix.ts";
import { at_fdcwd, O_CLOEXEC, openat2 } from "../ffi/calls/files.ts";
import { type ResolvedPath, resolveFlag } from "../host/resolve_path.ts";
import { climbs, normalize } from "../recipe/path.ts";
import type { CallOptions, PlanBuilder } from "./builder.ts";
import { linkOnTheWay, unsearchable } from "./fixes.ts";

/** A file of the host. */
export class HostPath {
  /** The path as the step names it, made absolute. */
  readonly path: string;
  /** The resolved path as of the time of the plan. */
  readonly resolved: ResolvedPath;
  readonly #plan: PlanBuilder;

  private constructor(plan: PlanBuilder, path: string, resolved: ResolvedPath) {
    this.#plan = plan;
    this.path = path;
    this.resolved = resolved;
  }

  /**
   * Returns the file of the host that a step names; `undefined` if the path leads to a mount of the
   * recipe, or the root is no longer the host's.
   */
  static of(plan: PlanBuilder, source: string, optional: boolean): HostPath | undefined {
    const path = plan.access.hostSource(source);
    const { mounts } = plan.state;
    if (path === undefined || !mounts.atHostRoot) return undefined;
    const isClimbing = climbs(path);
    if (!isClimbing && !mounts.isHostFile(path)) return undefined;
    // Links of a later root, which may be untrusted, are followed as if it were the root already.
    if (plan.access.hostRootAround(path) !== undefined) return undefined;
    const resolved = plan.resolveTrusted(isClimbing ? path : normalize(path), optional);
    if (!resolved.path.startsWith("/")) {
      return plan.refuse(`${source} is ${resolved.path}, which has no path`);
    }
    // A symbolic link of the host may lead to a mount of the recipe.
    if (!mounts.isHostFile(resolved.path)) return undefined;
    return new HostPath(plan, path, resolved);
  }

  /** Opens the file. */
  open(flags: number, options: CallOptions = {}): ResultOf {
    const fixes = () => ({ ...this.fixes(), ...allOf(options.fixes) });
    return this.#plan.open(this.opening(flags), `<${this.resolved.path}>`, { ...options, fixes });
  }

  /** The call that opens the file. */
  opening(flags: number): Call {
    const how = { flags: flags | O_CLOEXEC, resolve: resolveFlag(this.resolved) };
    return openat2(at_fdcwd, this.resolved.path, how);
  }

  /** What its errnos mean. */
  fixes(): Fixes {
    const { path } = this.resolved;
    return {
      EACCES: unsearchable(this.path),
      ELOOP: this.#plan.host.isHere
        ? `a symbolic link on the way to ${path} has appeared since the plan was made, or an ` +
          "automounter has not mounted what belongs there"
        : linkOnTheWay(path),
    };
  }
}
