/**
 * `ramekin export`: writes a recipe for who runs containers. It makes no system call of its own where
 * Deno may write files, so that it runs on any machine that Deno runs on.
 *
 * @module
 */

import type { Arguments } from "./arguments.ts";
import { dataFile } from "./data_file.ts";
import { prepareKubernetes } from "./export/kubernetes.ts";
import { prepareOci } from "./export/oci.ts";
import { preparePodman } from "./export/podman.ts";
import type { ExportFormat } from "./export/request.ts";
import { prepareSystemd } from "./export/systemd.ts";
import { absolute, isThere, nameOf } from "./export/write.ts";
import { printJson } from "./output.ts";
import { UsageError } from "./usage.ts";

/** A format: what reads its flags, and then writes it, and the flags that are not of all formats. */
interface Format {
  readonly prepare: ExportFormat;
  readonly flags: readonly string[];
}

const FORMATS: Readonly<Record<string, Format>> = {
  kubernetes: {
    prepare: prepareKubernetes,
    flags: [
      "image",
      "kind",
      "name",
      "namespace",
      "restart",
      "replicas",
      "runtime-class",
      "grace",
    ],
  },
  oci: { prepare: prepareOci, flags: ["for", "terminal"] },
  podman: { prepare: preparePodman, flags: ["for", "image", "oneshot", "restart"] },
  systemd: { prepare: prepareSystemd, flags: ["for", "restart", "user"] },
};

/** Writes the files of the format. */
export async function run(given: Arguments): Promise<number> {
  const [name, path] = given.operands;
  const format = Object.hasOwn(FORMATS, name!) ? FORMATS[name!] : undefined;
  if (format === undefined) {
    const names = Object.keys(FORMATS);
    throw new UsageError(
      `there is no format "${name}"; there are ${names.slice(0, -1).join(", ")} and ${
        names.at(-1)
      }`,
    );
  }
  if (path === undefined) throw new UsageError("RECIPE is missing");
  const output = given.value("output");
  if (output === undefined) {
    throw new UsageError("-o=DIRECTORY is missing: where the files are written to");
  }
  if (output === "-" && name !== "kubernetes") {
    throw new UsageError(`-o=- is for kubernetes; ${name} has several files: -o=DIRECTORY`);
  }
  const others = Object.values(FORMATS).flatMap(({ flags }) => flags)
    .filter((flag) => !format.flags.includes(flag));
  const unused = others.find((flag) => given.has(flag));
  if (unused !== undefined) throw new UsageError(`--${unused} is not for ${name}`);
  const write = format.prepare(given, nameOf(path));
  const file = await dataFile(path, given.values("set").map((value) => value!));
  const directory = absolute(output);
  if (isThere(directory) && !Deno.statSync(directory).isDirectory) {
    throw new UsageError(`-o=${directory}: it is a file, and a directory is needed`);
  }
  const program = given.program as [string, ...string[]]; // readArguments() has seen to it
  const files = write({ file, program, directory });
  if (given.has("json")) printJson({ format: name, files });
  return 0;
}
