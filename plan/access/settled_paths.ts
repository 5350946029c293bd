/**
 * Which paths of a recipe certainly lead to the place that their words name. The mount table knows
 * mounts by words, and so do the needs for kernel filesystems; a symbolic link on the way, of the
 * recipe's own or of a directory that it shows, makes them name another place.
 *
 * @module
 */

import type { Host } from "../../host/host.ts";
import { climbs, isWithin, normalize } from "../../recipe/path.ts";
import type { MountTable, PlannedMount } from "../mount_table.ts";
import type { StepCursor } from "../step_cursor.ts";
import { isPlainIn } from "./host_paths.ts";

/** The filesystems of the recipe's in which nobody but its steps makes links. */
const EMPTY_TYPES: ReadonlySet<string> = new Set(["tmpfs", "ramfs"]);

const PROC = "/proc";

/** The links of procfs, beside those of each process (proc(5)). */
const PROC_LINK = /^\/(?:\d+|self|thread-self|mounts|net)(?:\/|$)/;

/** Follows what the steps do to the ways of paths. */
export class SettledPaths {
  readonly #cursor: StepCursor;
  readonly #mounts: MountTable;
  readonly #host: Pick<Host, "resolve">;
  /** The links that the steps have made. */
  #links: string[] = [];
  /** Whether a step has mounted or made a link where its words need not lead. */
  #isLost = false;

  /** @param begun what the first steps have done */
  constructor(
    cursor: StepCursor,
    mounts: MountTable,
    host: Pick<Host, "resolve">,
    begun?: SettledPaths,
  ) {
    this.#cursor = cursor;
    this.#mounts = mounts;
    this.#host = host;
    if (begun === undefined) return;
    this.#links = [...begun.#links];
    this.#isLost = begun.#isLost;
  }

  /** Returns the path without links of the place that a path certainly leads to, if it is known. */
  of(path: string): string | undefined {
    if (this.#isLost || climbs(path)) return undefined;
    const normal = normalize(path);
    if (this.#mounts.isHostFile(normal)) return this.#onHost(normal);
    const mount = this.#mounts.mountOf(normal);
    const isPlain = mount.target === normal || this.#isPlain(normal, mount);
    return isPlain && (mount.certain || this.#isPlainWithout(normal, mount)) ? normal : undefined;
  }

  /** Notes a mount, before the mount table has it. */
  mounted(target: string): void {
    if (this.of(target) === undefined) this.#isLost = true;
  }

  /** Notes a symbolic link that a step makes. */
  linked(path: string): void {
    const normal = normalize(path);
    // A link in an overlay is one in its upper directory too.
    const isOnlyThere = EMPTY_TYPES.has(this.#mounts.mountOf(normal).type);
    if (this.of(path) === undefined || !isOnlyThere) this.#isLost = true;
    this.#links.push(normal);
  }

  /** Notes that a directory, and not the root itself, becomes the root. */
  entered(root: string): void {
    this.#links = this.#links.filter((link) => isWithin(link, root))
      .map((link) => link.slice(root.length) || "/");
  }

  #onHost(path: string): string | undefined {
    const resolved = this.#host.resolve(path);
    const root = this.#cursor.rootOf(path);
    const isKnown = root === undefined
      ? this.#mounts.isHostFile(resolved.path)
      : isPlainIn(root, resolved, this.#host);
    return isKnown ? resolved.path : undefined;
  }

  /** Whether the path has no links either where this mount, an optional bind, is left out. */
  #isPlainWithout(path: string, { target, origin }: PlannedMount): boolean {
    if (origin === undefined) return false;
    const around = this.#mounts.mountAbove(target);
    return around.certain && around.own && this.#isPlain(path, around);
  }

  #isPlain(path: string, { target, type, own, origin, layers }: PlannedMount): boolean {
    const rest = path.slice(target === "/" ? 0 : target.length);
    const isPlainBelow = (directory: string) => {
      const whole = normalize(directory + rest);
      // Resolved paths keep these links of procfs.
      if (isWithin(whole, PROC) && PROC_LINK.test(whole.slice(PROC.length))) return false;
      return this.#host.resolve(whole).path === whole;
    };
    if (own && EMPTY_TYPES.has(type)) {
      return !this.#links.some((link) => isWithin(path, link));
    }
    if (type === "proc") return !PROC_LINK.test(rest);
    if (type === "bind" && origin !== undefined) return isPlainBelow(origin);
    if (type !== "overlay") return false;
    // A directory of an overlay may also be the recipe's own, with its links.
    return layers.every(({ path: layer }) =>
      layer.startsWith("/") && this.#mounts.isHostFile(layer) && isPlainBelow(layer)
    );
  }
}
