/**
 * Lowers the steps `mkdir`, `symlink`, `writeFile`, `mknod`.
 *
 * @module
 */

import {
  close,
  fchmod,
  fchmodat,
  makedev,
  mknodat,
  O_CREAT,
  O_DIRECTORY,
  O_TRUNC,
  O_WRONLY,
  pwrite64,
  S_IFBLK,
  S_IFCHR,
  S_IFIFO,
  symlinkat,
  write,
} from "../../ffi/calls/files.ts";
import type { PlanBuilder } from "../builder.ts";
import { atEntry, makeDirectories, openAt } from "../paths.ts";
import type { MkdirStep, MknodStep, SymlinkStep, WriteFileStep } from "../../recipe/steps/files.ts";

/** Lowers `mkdir`. */
export function lowerMkdir(step: MkdirStep, plan: PlanBuilder): void {
  mayMake(plan, step);
  makeDirectories(plan, step.path);
  if (step.mode === undefined) return;
  const fd = openAt(plan, step.path, O_DIRECTORY);
  plan.call(fchmod(fd, step.mode));
  plan.call(close(fd));
}

/** Lowers `symlink`. */
export function lowerSymlink(step: SymlinkStep, plan: PlanBuilder): void {
  mayMake(plan, step);
  atEntry(plan, step.path, (directory, name) => {
    plan.call(symlinkat(step.target, directory, name));
  });
}

/** Lowers `writeFile`. */
export function lowerWriteFile(step: WriteFileStep, plan: PlanBuilder): void {
  mayMake(plan, step);
  const bytes = new TextEncoder().encode(step.text);
  const fd = openAt(plan, step.path, O_WRONLY | O_CREAT | O_TRUNC, step.mode ?? 0o644);
  if (bytes.length > 0) {
    plan.call(write(fd, bytes, bytes.length));
    // A full filesystem makes the write above a short one; this one it makes an error.
    plan.call(pwrite64(fd, bytes.slice(-1), 1, bytes.length - 1));
  }
  // The umask has taken from the mode of a new file, and that of an old one is its own.
  if (step.mode !== undefined) plan.call(fchmod(fd, step.mode));
  plan.call(close(fd));
}

/** Lowers `mknod`. */
export function lowerMknod(step: MknodStep, plan: PlanBuilder): void {
  mayMake(plan, step);
  if (step.type !== "p") {
    plan.access?.note({
      kind: "device",
      path: `${step.type} ${step.major}:${step.minor}`,
    });
  }
  const type = { b: S_IFBLK, c: S_IFCHR, p: S_IFIFO }[step.type];
  const device = step.type === "p" ? 0 : makedev(step.major!, step.minor!);
  atEntry(plan, step.path, (directory, name) => {
    plan.call(mknodat(directory, name, type | (step.mode ?? 0o666), device));
    // The umask has taken from the mode.
    if (step.mode !== undefined) plan.call(fchmodat(directory, name, step.mode));
  });
}

function mayMake(plan: PlanBuilder, { path, host }: { path: string; host?: boolean }): void {
  if (host !== true) plan.requireContainerMount(path);
  else plan.access?.changes(path);
}
