/**
 * Lowers the step `programs`.
 *
 * @module
 */

import { directoryOf, normalize } from "../../recipe/path.ts";
import { type Call, call, type Fd, ResultOf } from "../../ffi/call.ts";
import { Label } from "../../ffi/engine/program.ts";
import {
  at_fdcwd,
  close,
  fchmod,
  O_CLOEXEC,
  O_CREAT,
  O_RDONLY,
  O_TRUNC,
  O_WRONLY,
  openat,
} from "../../ffi/calls/files.ts";
import { AT_EMPTY_PATH, MOUNT_ATTR_RDONLY, mount_setattr } from "../../ffi/calls/mounts.ts";
import { SyscallError } from "../../ffi/errors.ts";
import type { PlanBuilder } from "../builder.ts";
import type { PlacedFile } from "../../host/elf/library_search.ts";
import { attachAt, copyTree, makeDirectories, openAt } from "../paths.ts";
import { filesOfPrograms } from "../../host/elf/program_files.ts";
import { programHost } from "../../host/elf/elf_reader.ts";
import type { ProgramsStep } from "../../recipe/steps/programs.ts";

/** Lowers `programs`. */
export function lowerPrograms(step: ProgramsStep, plan: PlanBuilder): void {
  plan.needs("mount", "it would be put on the host");
  const root = normalize(step.root ?? nextRoot(plan));
  plan.requireContainerMount(root);
  const files = filesOf(step, plan)
    .map(({ source, target }) => ({ source, target: normalize(`${root}/${target}`) }))
    // What a step has bound there already stays: a library of an earlier program, most often.
    .filter(({ target }) => !plan.state.mounts.isMountPoint(target));
  for (const directory of new Set(files.map(({ target }) => directoryOf(target)))) {
    makeDirectories(plan, directory);
  }
  for (const file of files) {
    if (step.copy === true) copy(plan, file);
    else bind(plan, file);
  }
}

function nextRoot(plan: PlanBuilder): string {
  return plan.cursor.nextRoot ??
    plan.refuse(
      'there is no pivotRoot() or chroot() after it; say where to: { root: "/new/root" }',
    );
}

function filesOf(step: ProgramsStep, plan: PlanBuilder): readonly PlacedFile[] {
  try {
    return filesOfPrograms(step.programs, programHost(), (issue) => plan.refuse(issue));
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    return plan.refuse(`a file that is needed cannot be read: ${error.message}`);
  }
}

function bind(plan: PlanBuilder, { source, target }: PlacedFile): void {
  // Not to be written, as by another path it may be bound already.
  plan.call(close(openAt(plan, target, O_RDONLY | O_CREAT, 0o644)));
  plan.access?.shows(source, { readOnly: true });
  const tree = copyTree(plan, source, "tree");
  plan.call(mount_setattr(tree, "", AT_EMPTY_PATH, { attr_set: MOUNT_ATTR_RDONLY }));
  attachAt(plan, tree, target);
  plan.call(close(tree));
  plan.state.mounts.mounted(target, false);
}

/** More than any file has, and what the kernel moves at once at most (sendfile(2)). */
const AT_ONCE = 0x7fff_f000;

function copy(plan: PlanBuilder, { source, target }: PlacedFile): void {
  plan.access?.reads(source);
  const from = plan.access === undefined
    ? new ResultOf(plan.call(openat(at_fdcwd, source, O_RDONLY | O_CLOEXEC, 0)), "from")
    : openAt(plan, source, O_RDONLY);
  const to = openAt(plan, target, O_WRONLY | O_CREAT | O_TRUNC, 0o755);
  const more = new Label("more");
  const done = new Label("done");
  plan.place(more);
  // A full filesystem makes the first call a short one, and the next one an error.
  plan.call(sendfile(to, from, AT_ONCE), { onSuccess: more, onZero: done });
  plan.place(done);
  plan.call(fchmod(to, 0o755));
  plan.call(close(to));
  plan.call(close(from));
}

/** Copies from one file to another, in the kernel. See sendfile(2). */
function sendfile(to: Fd, from: Fd, count: number): Call {
  return call("sendfile", to, from, null, count);
}
