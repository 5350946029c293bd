/**
 * Lowers the steps `mkdir`, `symlink`, `writeFile` and `mknod`.
 *
 * @module
 */

import { ResultOf } from "../../ffi/call.ts";
import { AT_SYMLINK_NOFOLLOW } from "../../ffi/calls/constants/at.ts";
import {
  fchmod,
  fchownat,
  makedev,
  mknodat,
  O_CREAT,
  O_DIRECTORY,
  O_NONBLOCK,
  O_TRUNC,
  O_WRONLY,
  pwrite64,
  S_IFBLK,
  S_IFCHR,
  S_IFIFO,
  symlinkat,
  umask,
  write,
} from "../../ffi/calls/files.ts";
import { Label } from "../../ffi/engine/program.ts";
import type { Fixes } from "../../ffi/fix.ts";
import type { MkdirStep, MknodStep, SymlinkStep, WriteFileStep } from "../../recipe/steps/files.ts";
import type { PlanBuilder } from "../builder.ts";
import { filesystemFull, READ_ONLY } from "../fixes.ts";
import { unexpanded } from "../../recipe/unexpanded.ts";

/** Lowers `mkdir`. */
export function lowerMkdir(step: MkdirStep, plan: PlanBuilder): void {
  const target = plan.path(step.path);
  making(plan, step, () => target.makeDirectories());
  if (step.mode === undefined) return;
  const fd = target.open(O_DIRECTORY, {
    fixes: { ENOTDIR: `${step.path} exists and is not a directory` },
  });
  plan.call(fchmod(fd, step.mode));
  plan.release(fd);
}

/** Lowers `symlink`. */
export function lowerSymlink(step: SymlinkStep, plan: PlanBuilder): void {
  mayMake(plan, step);
  plan.access.recordLink(step.path);
  plan.path(step.path).inParent((directory, name) => {
    plan.call(symlinkat(step.target, directory, name), {
      fixes: makingFixes(step.path),
      ...(step.keep === true && { accept: ["EEXIST"] }),
    });
  });
}

/** Lowers `writeFile`. */
export function lowerWriteFile(step: WriteFileStep, plan: PlanBuilder): void {
  const bytes = new TextEncoder().encode(step.text);
  const full = { fixes: { ENOSPC: filesystemFull(step.path) } };
  // A pipe in somebody's root would keep the launch waiting; one of the host's is the caller's.
  const waits = step.host === true ? 0 : O_NONBLOCK;
  const fd = making(
    plan,
    step,
    () =>
      plan.path(step.path).open(O_WRONLY | O_CREAT | O_TRUNC | waits, {
        mode: step.mode ?? 0o644,
        fixes: {
          ENOENT: noParent(step.path),
          EISDIR: `${step.path} is a directory`,
        },
      }),
  );
  if (bytes.length > 0) {
    plan.call(write(fd, bytes, bytes.length), full);
    // A full filesystem makes the write above short without an error; this one then fails.
    plan.call(pwrite64(fd, bytes.slice(-1), 1, bytes.length - 1), full);
  }
  // The umask applies to the mode of a new file, and an old file keeps its mode.
  if (step.mode !== undefined) plan.call(fchmod(fd, step.mode));
  plan.closeWritten(fd);
}

/** Lowers `mknod`. */
export function lowerMknod(step: MknodStep, plan: PlanBuilder): void {
  if (step.type !== "p") {
    plan.access.record({ kind: "device", path: `${step.type} ${step.major}:${step.minor}` });
  }
  const type = { b: S_IFBLK, c: S_IFCHR, p: S_IFIFO }[step.type];
  const device = step.type === "p" ? 0 : makedev(step.major!, step.minor!);
  // By the name, a link that somebody has put there meanwhile would lead to another file.
  const make = step.mode === undefined ? making : makingExactly;
  make(plan, step, () =>
    plan.path(step.path).inParent((directory, name) => {
      const there = new Label(`${step.path} is there`);
      plan.call(mknodat(directory, name, type | (step.mode ?? 0o644), device), {
        ...(step.keep === true && { accept: ["EEXIST"], onAccepted: there }),
        fixes: {
          ...makingFixes(step.path),
          EPERM: plan.state.inUserNamespace
            ? "a user namespace has no right to make device files; devices() and bind() need none"
            : "making device files needs CAP_MKNOD",
        },
      });
      if ((step.uid ?? step.gid) !== undefined) {
        const [uid, gid] = [step.uid ?? KEPT, step.gid ?? KEPT];
        plan.call(fchownat(directory, name, uid, gid, AT_SYMLINK_NOFOLLOW));
      }
      plan.place(there);
    }));
}

/** An id that chown(2) leaves as it is. */
const KEPT = -1;

function noParent(path: string): string {
  return `the parent directory of ${path} does not exist` +
    (unexpanded(path) || "; mkdir() makes it");
}

function makingFixes(path: string): Fixes {
  return {
    EEXIST: `${path} exists already`,
    ENOENT: noParent(path),
    EROFS: READ_ONLY,
    ENOSPC: filesystemFull(path),
  };
}

/** Adds calls that make a file; one of the host's gets the mode that the script's umask leaves. */
function making<T>(plan: PlanBuilder, step: MakingStep, add: () => T): T {
  mayMake(plan, step);
  if (step.host !== true || plan.state.hasUmask) return add();
  plan.call(umask(plan.scriptUmask));
  const made = add();
  plan.call(umask(0));
  return made;
}

/** Adds calls that make a file with exactly the mode that they say, whatever the umask is. */
function makingExactly(plan: PlanBuilder, step: MakingStep, add: () => void): void {
  mayMake(plan, step);
  if (!plan.state.hasUmask) return add();
  const clear = umask(0);
  plan.call(clear);
  add();
  plan.call(umask(new ResultOf(clear, "umask")));
}

/** What the steps that make files have in common. */
interface MakingStep {
  readonly path: string;
  readonly host?: boolean;
}

function mayMake(plan: PlanBuilder, { path, host }: MakingStep): void {
  if (host !== true) plan.requireContainerMount(path);
  else plan.access.recordWrite(path);
}
