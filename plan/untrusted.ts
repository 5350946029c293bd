/**
 * Directories of the host in which an untrusted program may have put symbolic links: an earlier one
 * of the same recipe, say, or one that still runs (CVE-2021-30465). No path of the host is followed
 * over such a link, by whichever name it reaches the directory.
 *
 * @module
 */

import type { ResolvedPath } from "../host/resolve_path.ts";
import { isWithin, parentOf } from "../recipe/path.ts";
import type { HostFacts } from "./host_facts.ts";

/** A link that may lead anywhere, and the directory in which it lies. */
export interface UntrustedLink {
  readonly link: string;
  /** The path of the directory, as the recipe names it. */
  readonly directory: string;
}

/** Another place that shows a part of an untrusted directory. */
interface OtherPlace {
  readonly target: string;
  readonly directory: ResolvedPath;
}

/** The directories that untrusted programs change. */
export class UntrustedDirectories {
  readonly #host: HostFacts;
  readonly #directories: readonly ResolvedPath[];
  #places: readonly OtherPlace[] | undefined;
  /** For each directory that has been looked at, the untrusted one that it is in. */
  readonly #known = new Map<string, ResolvedPath | undefined>();

  constructor(host: HostFacts, sources: readonly string[]) {
    this.#host = host;
    // A directory that is missing has no links, and one without an id cannot be bound.
    this.#directories = sources.map((source) => host.resolve(source))
      .filter(({ id }) => id !== undefined);
  }

  /** Returns such a link on the way to a path, or one that has changed while the path was resolved. */
  linkOn({ asked, path }: ResolvedPath): UntrustedLink | undefined {
    if (this.#directories.length === 0) return undefined;
    const followed = this.#host.followLinks(asked);
    for (const link of followed.links) {
      const directory = this.#around(parentOf(link));
      if (directory !== undefined) return { link, directory: directory.asked };
    }
    if (followed.path === path) return undefined;
    return { link: followed.links.at(-1) ?? asked, directory: this.#directories[0]!.asked };
  }

  /** Returns the directory that the path is in, by this name or by another one. */
  #around(path: string): ResolvedPath | undefined {
    if (this.#known.has(path)) return this.#known.get(path);
    const { id } = this.#host.resolve(path);
    const found = this.#directories.find((directory) => directory.id === id) ??
      (path === "/" ? undefined : this.#around(parentOf(path))) ??
      this.#otherPlaces().find(({ target }) => isWithin(path, target))?.directory;
    this.#known.set(path, found);
    return found;
  }

  /**
   * Returns the other places at which mounts show a part of such a directory, or what is mounted in
   * it. Of what is below them no directory around it need be that directory.
   */
  #otherPlaces(): readonly OtherPlace[] {
    if (this.#places !== undefined) return this.#places;
    return this.#places = this.#directories.flatMap((directory) =>
      this.#host.otherNames.of(directory.path).map((target) => ({ target, directory }))
    );
  }
}
