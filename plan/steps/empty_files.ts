/**
 * Covers files and directories of the container with empty ones.
 *
 * @module
 */

import type { ResultOf } from "../../ffi/call.ts";
import { mkdirat, mknodat, S_IFREG } from "../../ffi/calls/files.ts";
import { move_mount } from "../../ffi/calls/mounts.ts";
import { Label } from "../../ffi/engine/program.ts";
import type { PlanBuilder } from "../builder.ts";
import { ONTO_FD } from "../container_path.ts";
import { copyOfFile, withMemoryFiles } from "./memory_files.ts";

/** The names of the empty file and the empty directory. */
const EMPTY = { file: "file", directory: "directory" } as const;

/**
 * Makes one filesystem for all that is covered, with an empty file and an empty directory. It has no
 * path, so no file of a root that may be untrusted is used, such as its /dev/null (CVE-2025-31133).
 */
export function withEmptyFiles(plan: PlanBuilder, write: (empty: ResultOf) => void): void {
  const make = (root: ResultOf) => {
    plan.call(mkdirat(root, EMPTY.directory, 0o555));
    plan.call(mknodat(root, EMPTY.file, S_IFREG | 0o444, 0));
  };
  withMemoryFiles(plan, { name: "empty", blocks: 1, inodes: 3, make }, write);
}

/** Mounts an empty file or directory over an open one. */
export function coverWithEmpty(
  plan: PlanBuilder,
  place: ResultOf,
  path: string,
  empty: ResultOf,
): void {
  const cover = (copy: ResultOf) => move_mount(copy, "", place, "", ONTO_FD);
  const fixes = () => ({
    ...plan.state.mountFixes,
    ENOENT: `what is mounted at ${path} has been removed, as /proc/PID is when its process has ` +
      "ended; unmount it",
  });
  // The kernel mounts a file on a file only, and a directory on a directory.
  const [isDirectory, covered] = [
    new Label(`${path} is a directory`),
    new Label(`${path} is a file`),
  ];
  const file = copyOfFile(plan, empty, EMPTY.file, "empty file");
  plan.call(cover(file), {
    accept: ["EINVAL", "ENOTDIR"],
    onAccepted: isDirectory,
    onZero: covered,
    fixes,
  });
  plan.place(isDirectory);
  const directory = copyOfFile(plan, empty, EMPTY.directory, "empty directory");
  plan.call(cover(directory), { fixes });
  plan.release(directory);
  plan.place(covered);
  plan.release(file);
}
