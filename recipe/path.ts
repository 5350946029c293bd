/**
 * Paths as strings; nothing here reads the file system.
 *
 * @module
 */

/** Returns the path without double slashes, `.` and a slash at the end. */
export function normalize(path: string): string {
  return "/" + path.split("/").filter((part) => part !== "" && part !== ".").join("/");
}

/** Whether a normalized path is the directory, or is in it. */
export function isWithin(path: string, directory: string): boolean {
  return directory === "/" || path === directory || path.startsWith(`${directory}/`);
}

/** Returns the directory that a normalized path is in. */
export function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

/** Returns the last part of a normalized path. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
