/**
 * Removes the file tree of a root, whatever the modes and owners of its directories are.
 *
 * @module
 */

import { recipe } from "../../container/recipe.ts";
import type { Step } from "../../recipe/steps.ts";
import { ImageError } from "../errors.ts";

/**
 * Removes a tree.
 *
 * @param ids the steps of a user namespace in which all of it is the caller's, or root's
 */
export async function removeTree(path: string, ids: readonly Step[]): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
    return;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
  }
  // Root of a user namespace passes over modes, and has the files of all mapped users.
  const command = recipe(...ids).command("rm", {
    args: ["-rf", "--", path],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
    env: { LC_ALL: "C" },
  });
  const { success, stderr } = await command.output();
  if (success) return;
  const [line] = new TextDecoder().decode(stderr).trim().split("\n");
  throw new ImageError(`${path} cannot be removed: ${line}`, { code: "store" });
}
