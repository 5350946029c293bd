/**
 * `ramekin export systemd`.
 *
 * @module
 */

import { exportSystemd } from "../../../export/mod.ts";
import { RESTARTS } from "../../../export/systemd/export_systemd.ts";
import { UsageError } from "../usage.ts";
import type { Arguments } from "../arguments.ts";
import type { ExportWriter } from "./request.ts";
import { needDirectory, write, writeTextTo } from "./write.ts";

/** Prepares a unit and its box. */
export function prepareSystemd(given: Arguments, name: string): ExportWriter {
  if (!/^[\w:.-]+$/.test(name)) {
    throw new UsageError(`${name}.service cannot be the name of a unit: rename the recipe`);
  }
  const runner = given.value("for") ?? "user";
  if (runner !== "root" && runner !== "user") {
    throw new UsageError(`--for=${runner}: it is root or user for systemd`);
  }
  const user = given.value("user");
  const restart = RESTARTS.find((known) => known === (given.value("restart") ?? "no"));
  if (restart === undefined) {
    throw new UsageError(`--restart=${given.value("restart")}: it is ${RESTARTS.join(", ")}`);
  }
  return ({ file: { recipe, located }, program, directory }) => {
    const { unit, box } = located(() =>
      exportSystemd(recipe, {
        program,
        box: `${directory}/${name}`,
        for: runner,
        restart,
        ...(user !== undefined && { user }),
      })
    );
    needDirectory(directory);
    write(`${directory}/${name}`, box, 0o755);
    writeTextTo(`${directory}/${name}.service`, unit);
    return [`${directory}/${name}.service`, `${directory}/${name}`];
  };
}
