/**
 * `ramekin export podman`.
 *
 * @module
 */

import { exportPodman } from "../../../export/mod.ts";
import { PODMAN_RESTARTS } from "../../../export/podman/export_podman.ts";
import { UsageError } from "../usage.ts";
import { asUsage, oneOf } from "./flags.ts";
import { runnerOf } from "./oci.ts";
import type { Arguments } from "../arguments.ts";
import type { ExportWriter } from "./request.ts";
import { needDirectory, writeTextTo } from "./write.ts";

/** Prepares a unit of quadlet, with its filter. */
export function preparePodman(given: Arguments, name: string): ExportWriter {
  if (!/^[\w:.-]+$/.test(name)) {
    throw new UsageError(`${name}.container cannot be the name of a unit: rename the recipe`);
  }
  const image = given.value("image");
  const restart = oneOf("restart", given, PODMAN_RESTARTS);
  const runner = runnerOf(given.value("for")), oneshot = given.has("oneshot");
  return ({ file: { recipe, located }, program, directory }) => {
    const filter = `${directory}/${name}.seccomp.json`;
    const { unit, seccomp } = located(() =>
      asUsage(() =>
        exportPodman(recipe, {
          program,
          description: name,
          for: runner,
          seccompProfile: filter,
          oneshot,
          ...(image !== undefined && { image }),
          ...(restart !== undefined && { restart }),
        })
      )
    );
    needDirectory(directory);
    const path = `${directory}/${name}.container`;
    writeTextTo(path, unit);
    if (seccomp === undefined) return [path];
    writeTextTo(filter, `${JSON.stringify(seccomp, null, 2)}\n`);
    return [path, filter];
  };
}
