/**
 * What a file on the disk is, looked at without following a link.
 *
 * @module
 */

import { PathIssue } from "./path_issue.ts";

/** What a file is. */
export interface LookedAt {
  readonly type: "directory" | "file" | "symlink" | "other";
  /** The target of a link. */
  readonly target?: string;
  readonly mode: number;
}

/**
 * Looks at a file; `undefined` if there is none.
 *
 * @throws {PathIssue} where this user may not
 */
export function looked(path: string): LookedAt | undefined {
  try {
    const { isDirectory, isFile, isSymlink, mode } = Deno.lstatSync(path);
    if (isSymlink) return { type: "symlink", target: Deno.readLinkSync(path), mode: mode! };
    return { type: isDirectory ? "directory" : isFile ? "file" : "other", mode: mode! };
  } catch (error) {
    const isMissing = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory;
    if (isMissing) return undefined;
    if (error instanceof Deno.errors.PermissionDenied) {
      throw new PathIssue(`this user may not look at ${path}`);
    }
    throw error;
  }
}

/** The path of a file of this machine without links; `undefined` if there is none. */
export function realPath(path: string): string | undefined {
  try {
    return Deno.realPathSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    if (error instanceof Deno.errors.NotADirectory) return undefined;
    if (error instanceof Deno.errors.PermissionDenied) {
      throw new PathIssue(`this user may not look at ${path}`);
    }
    throw error;
  }
}
