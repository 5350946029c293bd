/**
 * Files of /proc that a step reads or writes. They are opened beneath a directory that fstatfs(2)
 * proves to be procfs, without leaving that mount: the /proc of an untrusted root may be ordinary
 * files, or links to other files (CVE-2025-52881).
 *
 * @module
 */

import { Named, type ResultOf } from "../ffi/call.ts";
import {
  O_CLOEXEC,
  O_DIRECTORY,
  O_PATH,
  O_WRONLY,
  openat2,
  RESOLVE_BENEATH,
  RESOLVE_NO_XDEV,
} from "../ffi/calls/files.ts";
import { writeTextTo } from "../ffi/calls/write_text.ts";
import { fstatfs, readStatfs, statfsOutput } from "../ffi/calls/statfs.ts";
import { compareWord } from "../ffi/calls/futex.ts";
import { textWithIds } from "../host/caller_ids.ts";
import { ERRNO } from "../ffi/errno.ts";
import type { Fixes } from "../ffi/fix.ts";
import type { PlanBuilder } from "./builder.ts";

/** PROC_SUPER_MAGIC (linux/magic.h). */
const PROC_MAGIC = new Named(0x9fa0, "PROC_SUPER_MAGIC");

const PROC = "/proc";

const NOT_PROCFS = "/proc is not procfs, so nothing is written there; mount one with proc()";

/** Opens the container's /proc and checks that it is procfs, unless it is open already. */
export function procDirectory(plan: PlanBuilder): ResultOf {
  const mount = plan.state.mounts.mountOf(PROC);
  const { proc: known, outerProc } = plan.state;
  if (outerProc !== undefined && outerProc.stepIndex === mount.stepIndex) return outerProc.fd;
  if (known?.mount === mount && known.root === plan.state.rootCount) return known.fd;
  const fd = plan.path(PROC).open(O_PATH | O_DIRECTORY, {
    fixes: { ENOENT: "there is no /proc here; proc() mounts one" },
  });
  const statfs = statfsOutput();
  plan.call(fstatfs(fd, statfs));
  plan.call({
    ...compareWord(statfs, PROC_MAGIC),
    verdict: {
      name: "fstatfs",
      text: `fstatfs(${fd.text})`,
      answer: statfs,
      // If it is procfs, the comparison itself has failed.
      read: (view) => ({
        errno: readStatfs(view).type === PROC_MAGIC.value ? 0 : ERRNO.EINVAL,
        words: NOT_PROCFS,
      }),
    },
  });
  plan.state.proc = { mount, root: plan.state.rootCount, fd };
  return fd;
}

/** Opens a file of the container's /proc by its path there, such as `"sys/kernel/msgmax"`. */
export function openProcFile(
  plan: PlanBuilder,
  path: string,
  flags: number,
  fixes: Fixes,
): ResultOf {
  if (path.startsWith("self/")) plan.opensProcSelf = true;
  const how = { flags: flags | O_CLOEXEC, resolve: RESOLVE_BENEATH | RESOLVE_NO_XDEV };
  return plan.open(openat2(procDirectory(plan), path, how), `<${PROC}/${path}>`, {
    fixes: () => ({
      EXDEV: `something is mounted over ${PROC}/${path}, so nothing is written there`,
      ...fixes,
    }),
  });
}

/** Writes a text to a file of the container's /proc in one write(2). */
export function writeProcFile(
  plan: PlanBuilder,
  path: string,
  text: string,
  fixes: { readonly open: Fixes; readonly write: Fixes },
): void {
  const fd = openProcFile(plan, path, O_WRONLY, fixes.open);
  plan.call(writeTextTo(fd, textWithIds(text)), { fixes: fixes.write });
  plan.release(fd);
}
