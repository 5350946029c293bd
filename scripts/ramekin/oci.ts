/**
 * `ramekin oci install`: writes the OCI runtime as a command for podman, containerd and others.
 *
 * @module
 */

import { commandFiles, engineLines } from "../../oci/install.ts";
import type { Arguments } from "./arguments.ts";
import { linux } from "../../mod.ts";
import { writable } from "./file_error.ts";
import { ifThere, readText, writeBytes } from "./files.ts";
import { print, printJson } from "./output.ts";
import { UsageError } from "./usage.ts";

/** Writes the command, and prints what engines have to be told. */
export function run(given: Arguments): number {
  const [action, directory] = given.operands;
  if (action !== "install") {
    throw new UsageError(
      `there is no "${action}"; there is: install DIR; the verbs of the runtime are those of ` +
        "DIR/ramekin-oci",
    );
  }
  if (directory === undefined) {
    throw new UsageError("DIR is missing: where the runtime is written to");
  }
  const absolute = directory.startsWith("/") ? directory : `${Deno.cwd()}/${directory}`;
  const [command, module] = [`${absolute}/ramekin-oci`, `${absolute}/ramekin-oci.js`];
  const cache = `${absolute}/ramekin-oci-cache`;
  if (ifThere(() => linux.statx(linux.AT_FDCWD, absolute)) === undefined) {
    writable(absolute, () => linux.mkdirat(linux.AT_FDCWD, absolute, 0o755));
  }
  write(module, new TextEncoder().encode(readText(moduleFile())), 0o644);
  for (const { path, bytes } of commandFiles(command, { deno: Deno.execPath(), module, cache })) {
    write(path, bytes, 0o755);
  }
  if (given.has("json")) printJson({ command, module, cache });
  else print(engineLines(command));
  return 0;
}

/** The runtime in one file, beside the command in one file, or in `dist` of the project. */
function moduleFile(): string {
  const { url } = import.meta;
  if (!url.startsWith("file:")) {
    throw new UsageError("the runtime is installed from a file; download dist/ first");
  }
  const isBundled = !url.endsWith("/scripts/ramekin/oci.ts");
  return new URL(isBundled ? "./oci.js" : "../../dist/oci.js", url).pathname;
}

/** Writes it anew: an older one may be running. */
function write(path: string, bytes: Uint8Array<ArrayBuffer>, mode: number): void {
  ifThere(() => linux.unlinkat(linux.AT_FDCWD, path));
  writeBytes(path, bytes, mode);
}
