/**
 * Where paths of config.json lead to in the container's root, whose symbolic links are followed as
 * if it were the root already. The launch opens what comes out in the same way; here it is only
 * found out what has to be made.
 *
 * @module
 */

/** As many links as the kernel follows (path_resolution(7)). */
const MAX_LINKS = 40;

/** Returns the path in the root that a path leads to, with what is missing at its end. */
export function pathInRoot(root: string, path: string): string {
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
    const target = linkAt(`${root}/${[...found, name].join("/")}`);
    if (target === undefined || ++links > MAX_LINKS) {
      found.push(name);
      continue;
    }
    if (target.startsWith("/")) found = [];
    waiting.push(...target.split("/").reverse());
  }
  return `/${found.join("/")}`;
}

function linkAt(path: string): string | undefined {
  try {
    return Deno.readLinkSync(path);
  } catch {
    return undefined;
  }
}
