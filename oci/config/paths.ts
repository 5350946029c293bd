/**
 * Where paths of config.json lead to in the container's root, whose symbolic links are followed as
 * if it were the root already. The launch opens what comes out in the same way; here it is only
 * found out what has to be made.
 *
 * @module
 */

import { readLinks } from "../../ffi/files/read_links.ts";

/** As many links as the kernel follows (path_resolution(7)). */
const MAX_LINKS = 40;

/** How long the target of a link is at most that is read with others. */
const LONGEST_TARGET = 127;

/** The paths of a container's root. */
export class RootPaths {
  readonly #root: string;
  /** The targets of links, and `undefined` for what is none. */
  readonly #targets = new Map<string, string | undefined>();

  /** @param expected paths that are asked for later, which are looked at by few calls */
  constructor(root: string, expected: readonly string[] = []) {
    this.#root = root;
    // An import runs without the permission to make calls, and reads each link by Deno.
    if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") return;
    const paths = [...new Set(expected.flatMap(onTheWay))];
    const targets = readLinks(paths.map((path) => root + path));
    paths.forEach((path, index) => {
      const target = targets[index];
      // A longer one may have been cut off.
      if (target === undefined || target.length < LONGEST_TARGET) this.#targets.set(path, target);
    });
  }

  /** Returns the path in the root that a path leads to, with what is missing at its end. */
  resolve(path: string): string {
    const waiting = path.split("/").reverse();
    let found: string[] = [];
    let links = 0;
    while (waiting.length > 0) {
      const name = waiting.pop()!;
      if (name === "" || name === ".") continue;
      if (name === "..") {
        found.pop();
        continue;
      }
      const target = this.#linkAt(`/${[...found, name].join("/")}`);
      if (target === undefined || ++links > MAX_LINKS) {
        found.push(name);
        continue;
      }
      if (target.startsWith("/")) found = [];
      waiting.push(...target.split("/").reverse());
    }
    return `/${found.join("/")}`;
  }

  #linkAt(path: string): string | undefined {
    if (!this.#targets.has(path)) this.#targets.set(path, readLink(this.#root + path));
    return this.#targets.get(path);
  }
}

/** Returns a path and the directories that lead to it, unless there are links among them. */
function onTheWay(path: string): string[] {
  const names = path.split("/").filter((name) => name !== "" && name !== ".");
  if (names.includes("..")) return [];
  return names.map((_, index) => `/${names.slice(0, index + 1).join("/")}`);
}

function readLink(path: string): string | undefined {
  try {
    return Deno.readLinkSync(path);
  } catch {
    return undefined;
  }
}
