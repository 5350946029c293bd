/**
 * Files of the host that a step names. A path is resolved when the plan is made, and what is opened
 * is that path, without following a link: what the access list says is what is opened, whatever
 * becomes of the path in between.
 *
 * @module
 */

import type { ResultOf } from "../ffi/call.ts";
import { allOf } from "../ffi/fix.ts";
import { at_fdcwd, O_CLOEXEC, openat2 } from "../ffi/calls/files.ts";
import { type ResolvedPath, resolveFlag } from "../host/resolve_path.ts";
import { climbs, normalize } from "../recipe/path.ts";
import type { CallOptions, PlanBuilder } from "./builder.ts";
import { unsearchable } from "./fixes.ts";

/** A file of the host. */
export class HostPath {
  /** The path as the step names it, from the root. */
  readonly path: string;
  /** Where it led when the plan was made. */
  readonly resolved: ResolvedPath;
  readonly #plan: PlanBuilder;

  private constructor(plan: PlanBuilder, path: string, resolved: ResolvedPath) {
    this.#plan = plan;
    this.path = path;
    this.resolved = resolved;
  }

  /**
   * The file of the host that a step names; `undefined` where the path leads to what the recipe has
   * mounted or bound, or is not the script's any more.
   */
  static of(plan: PlanBuilder, source: string): HostPath | undefined {
    const path = plan.access.hostSource(source);
    const { mounts } = plan.state;
    if (path === undefined || !mounts.atHostRoot) return undefined;
    const isClimbing = climbs(path);
    if (!isClimbing && !mounts.isHostFile(path)) return undefined;
    // A root to come may be anybody's: its links are followed as if it already were the root.
    if (plan.access.leavesRoot(path)) return undefined;
    const resolved = plan.resolve(isClimbing ? path : normalize(path));
    if (!resolved.path.startsWith("/")) {
      return plan.refuse(`${source} is ${resolved.path}, which has no path of its own`);
    }
    // By a link of the host's it may lead to what the recipe has mounted.
    if (!mounts.isHostFile(resolved.path)) return undefined;
    return new HostPath(plan, path, resolved);
  }

  /** Opens it. */
  open(flags: number, options: CallOptions = {}): ResultOf {
    const { path } = this.resolved;
    const how = { flags: flags | O_CLOEXEC, resolve: resolveFlag(this.resolved) };
    const call = openat2(at_fdcwd, path, how);
    const fixes = () => ({
      EACCES: unsearchable(this.path),
      ELOOP: `${path} has a symbolic link on the way by now, which was not there when the plan ` +
        "was made",
      ...allOf(options.fixes),
    });
    return this.#plan.open(call, `<${path}>`, { ...options, fixes });
  }
}
