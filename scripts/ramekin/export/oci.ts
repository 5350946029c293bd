/**
 * `ramekin export oci`.
 *
 * @module
 */

import { type Caller, exportOci } from "../../../export/mod.ts";
import { linux } from "../../../mod.ts";
import { UsageError } from "../usage.ts";
import type { Arguments } from "../arguments.ts";
import type { ExportWriter } from "./request.ts";
import { isEmpty, isThere, makeDirectory, writeFile } from "./write.ts";

/** Prepares a bundle. */
export function prepareOci(given: Arguments): ExportWriter {
  const runner = runnerOf(given.value("for")), terminal = given.has("terminal");
  return ({ file: { recipe, located }, program, directory }) => {
    const { files } = located(() =>
      exportOci(recipe, {
        program,
        bundle: directory,
        for: runner,
        terminal,
      })
    );
    if (isThere(directory) && !isEmpty(directory)) {
      throw new UsageError(
        `-o=${directory}: files are there already; a bundle gets a new directory`,
      );
    }
    if (!isThere(directory)) makeDirectory(directory, 0o755);
    for (const file of files) writeFile(`${directory}/${file.path}`, file);
    return files.map(({ path }) => `${directory}/${path}`);
  };
}

/** Who runs a container: this user, unless a flag says otherwise. */
export function runnerOf(value: string | undefined): "root" | Caller {
  if (value === "root") return "root";
  if (value !== undefined) {
    const [, uid, gid] = /^(\d+):(\d+)$/.exec(value) ?? [];
    if (uid === undefined) throw new UsageError(`--for=${value}: it is root or UID:GID here`);
    return { uid: Number(uid), gid: Number(gid) };
  }
  const may = (name: "sys" | "ffi") => Deno.permissions.querySync({ name }).state === "granted";
  if (may("sys")) return { uid: Deno.uid() ?? 0, gid: Deno.gid() ?? 0 };
  if (may("ffi")) return { uid: linux.geteuid(), gid: linux.getegid() };
  throw new UsageError("--for=UID:GID is missing: who runs the container");
}
