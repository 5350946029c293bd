/**
 * Paths as texts: nothing here looks at a file.
 *
 * @module
 */

/** The path without doubled slashes, `.` and a slash at its end. */
export function normalize(path: string): string {
  if (path.startsWith("/") && !UNTIDY.test(path)) return path;
  return "/" + path.split("/").filter((part) => part !== "" && part !== ".").join("/");
}

const UNTIDY = /\/\/|\/\.(?:\/|$)|.\/$/;

/** Whether a normalized path is the directory or lies in it. */
export function isWithin(path: string, directory: string): boolean {
  return directory === "/" || path === directory || path.startsWith(`${directory}/`);
}

/** The directory that a normalized path lies in. */
export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

/** The last part of a normalized path. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Whether there is a `..` in it, by which it may lead above where it begins. */
export function climbs(path: string): boolean {
  return path.includes("..") && path.split("/").includes("..");
}
