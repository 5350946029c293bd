/**
 * Lowers the step `programs`.
 *
 * @module
 */

import { type Call, call, type Fd } from "../../ffi/call.ts";
import {
  fchmod,
  O_CREAT,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  O_TRUNC,
  O_WRONLY,
} from "../../ffi/calls/files.ts";
import { AT_EMPTY_PATH, MOUNT_ATTR_RDONLY, mount_setattr } from "../../ffi/calls/mounts.ts";
import { Label } from "../../ffi/engine/program.ts";
import type { PlacedFile } from "../../host/elf/library_search.ts";
import { normalize, parentOf } from "../../recipe/path.ts";
import type { ProgramsStep } from "../../recipe/steps/programs.ts";
import type { PlanBuilder } from "../builder.ts";
import { filesystemFull } from "../fixes.ts";
import { copyTree } from "../copy_tree.ts";

/** Lowers `programs`. */
export function lowerPrograms(step: ProgramsStep, plan: PlanBuilder): void {
  plan.needs("mount", "it would be put on the host");
  const root = normalize(step.root ?? nextRoot(plan));
  plan.requireContainerMount(root);
  const files = filesOf(step, plan)
    .map(({ source, target }) => ({ source, target: normalize(`${root}/${target}`) }))
    // An existing mount is kept: most often a library of an earlier `programs` step.
    .filter(({ target }) => !plan.state.mounts.isMountPoint(target));
  for (const directory of new Set(files.map(({ target }) => parentOf(target)))) {
    plan.path(directory).makeDirectories();
  }
  for (const file of files) {
    if (step.copy === true) copy(plan, file);
    else bind(plan, file);
  }
}

function nextRoot(plan: PlanBuilder): string {
  return plan.cursor.nextRoot ??
    plan.refuse(
      'there is no pivotRoot() or chroot() after it; pass { root: "/new/root" }',
    );
}

function filesOf(step: ProgramsStep, plan: PlanBuilder): readonly PlacedFile[] {
  plan.isMomentary = true;
  const reading = (path: string) => plan.recordBeforehand({ kind: "read", path });
  const found = plan.host.programFiles(step.programs, reading);
  return "files" in found ? found.files : plan.refuse(found.issue);
}

function bind(plan: PlanBuilder, { source, target }: PlacedFile): void {
  const place = plan.path(target);
  // It is not opened for writing: by another path it may be a bound file of the host already.
  const made = place.open(O_RDONLY | O_CREAT | O_NONBLOCK, { mode: 0o644 });
  plan.access.recordBind(source, { readOnly: true });
  const opened = plan.source(source).open(O_PATH);
  const tree = copyTree(plan, opened, 0, source);
  plan.call(mount_setattr(tree, "", AT_EMPTY_PATH, { attr_set: MOUNT_ATTR_RDONLY }));
  place.attachTo(made, tree, source);
  for (const fd of [made, opened, tree]) plan.release(fd);
  plan.mounted({
    target: place.canonical,
    type: "bind",
    source,
    origin: source,
    readOnly: true,
  });
}

/** The most bytes that one sendfile(2) transfers. */
const AT_ONCE = 0x7fff_f000;

function copy(plan: PlanBuilder, { source, target }: PlacedFile): void {
  plan.access.recordRead(source);
  const from = plan.source(source).open(O_RDONLY | O_NONBLOCK);
  const to = plan.path(target).open(O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK, { mode: 0o755 });
  const more = new Label("more");
  const done = new Label("done");
  plan.place(more);
  // A full filesystem makes a transfer short without an error; the next one then fails.
  plan.call(sendfile(to, from, AT_ONCE), {
    onSuccess: more,
    onZero: done,
    fixes: { ENOSPC: filesystemFull(target) },
  });
  plan.place(done);
  plan.call(fchmod(to, 0o755));
  plan.closeWritten(to);
  plan.release(from);
}

/** Copies bytes from one file to another. See sendfile(2). */
function sendfile(to: Fd, from: Fd, count: number): Call {
  return call("sendfile", to, from, null, count);
}
