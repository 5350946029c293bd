/**
 * Sandboxes with the devices that files describe.
 *
 * @module
 */

import { RecipeError } from "../recipe/errors.ts";
import { quoted } from "../recipe/shown.ts";
import type { SandboxOptions } from "../recipe/sandbox.ts";
import { DescribedDevices, isCdiName } from "./files.ts";
import { Edits } from "./edits.ts";

/** Options of {@linkcode withCdiDevices}. */
export interface CdiOptions {
  /**
   * The directories of the files; those of a later one win.
   *
   * @default {["/etc/cdi", "/var/run/cdi"]}
   */
  readonly directories?: readonly string[];
}

/** What a described device adds to the options of a sandbox. */
export type CdiParts = Required<
  Pick<SandboxOptions, "devices" | "read" | "write" | "bind" | "overlay" | "setEnv">
>;

/**
 * Returns the options of a sandbox with the devices of these names, such as `vendor.com/class=name`,
 * and what their files say that goes with them: device nodes, files and variables. What cannot be had
 * is an error, and hooks are run by nobody: see docs/sandbox.md. The variables of the options win.
 *
 * A file is read if nobody but root and the caller can change it, and no link is followed to it.
 *
 * @throws {RecipeError} where no file has the device, or two files of a directory have it, where its
 * file is not valid, or asks for what cannot be had
 * @throws {SyscallError} where a directory cannot be read: `EACCES`
 *
 * @example
 * ```ts
 * import { RecipeError } from "@ramekin/ramekin";
 * import { withCdiDevices } from "@ramekin/ramekin/cdi";
 * import { assertThrows } from "@std/assert";
 *
 * const directories = ["/nonexistent"];
 * assertThrows(() => withCdiDevices({}, ["vendor.com/pan=0"], { directories }), RecipeError);
 * ```
 */
export function withCdiDevices<Options extends SandboxOptions>(
  options: Options,
  names: readonly string[],
  { directories = ["/etc/cdi", "/var/run/cdi"] }: CdiOptions = {},
): Options & CdiParts {
  if (options.root !== undefined && names.length > 0) {
    throw new RecipeError(
      `${
        names[0]
      } is for a sandbox with the programs and libraries of this machine, and "root" has others`,
    );
  }
  const malformed = names.find((name) => !isCdiName(name));
  if (malformed !== undefined) {
    throw new RecipeError(`${quoted(malformed)} is not of the form vendor.com/class=name`);
  }
  const described = new DescribedDevices(directories);
  const edits = new Edits();
  const shared = new Set<string>();
  for (const device of new Set(names)) {
    const { file, edits: own, sharedEdits } = described.find(device);
    if (!shared.has(file)) edits.add(sharedEdits);
    shared.add(file);
    edits.add(own);
  }
  return { ...options, ...edits.partsWith(options) };
}
