/**
 * Paths as strings; nothing here reads the file system.
 *
 * @module
 */

/** Returns the path without double slashes, `.` and a slash at the end. */
export function normalize(path: string): string {
  if (path.startsWith("/") && !UNTIDY.test(path)) return path;
  return "/" + path.split("/").filter((part) => part !== "" && part !== ".").join("/");
}

const UNTIDY = /\/\/|\/\.(?:\/|$)|.\/$/;

/** Whether a normalized path is the directory, or is in it. */
export function isWithin(path: string, directory: string): boolean {
  return directory === "/" || path === directory || path.startsWith(`${directory}/`);
}

/** Returns the directory that a normalized path is in. */
export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

/** Returns the last part of a normalized path. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Whether there is a `..` in it, by which it may lead above where it begins. */
export function climbs(path: string): boolean {
  return path.includes("..") && path.split("/").includes("..");
}

/**
 * Returns the path from the root without `.` and `..`, each of which takes the name before it away: it
 * is the same file where no directory on the way is a symbolic link.
 */
export function withoutDots(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}
