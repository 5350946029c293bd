/**
 * The steps that make files, as files of an image, and those that show files of this machine, which are
 * copied where that was asked for.
 *
 * @module
 */

import { liveHost } from "../../host/live_host.ts";
import { normalize } from "../../recipe/path.ts";
import type { BindStep } from "../../recipe/steps/bind.ts";
import type { MkdirStep, MknodStep, SymlinkStep, WriteFileStep } from "../../recipe/steps/files.ts";
import type { ProgramsStep } from "../../recipe/steps/programs.ts";
import type { ImageDraft } from "./draft.ts";
import { realPath } from "./looked_at.ts";

/** Reads `mkdir`. */
export function readMkdir({ path, mode }: MkdirStep, draft: ImageDraft): void {
  draft.change(path, (inside) => draft.tree.makeDirectory(inside, mode, draft.owner));
}

/** Reads `symlink`. */
export function readSymlink({ path, target, keep = false }: SymlinkStep, draft: ImageDraft): void {
  draft.change(
    path,
    (inside) => draft.tree.add(inside, { kind: "symlink", target, ...draft.owner }, keep),
  );
}

/** Reads `writeFile`. */
export function readWriteFile({ path, text, mode }: WriteFileStep, draft: ImageDraft): void {
  const bytes = new TextEncoder().encode(text);
  draft.change(path, (inside) => draft.tree.writeFile(inside, bytes, mode, draft.owner));
}

const NODES = { b: "block", c: "character", p: "fifo" } as const;

/** Reads `mknod`. */
export function readMknod(step: MknodStep, draft: ImageDraft): void {
  const { path, type, major = 0, minor = 0, mode = 0o644, keep = false } = step;
  const { uid = draft.owner.uid, gid = draft.owner.gid } = step;
  draft.change(
    path,
    (inside) => draft.tree.add(inside, { kind: NODES[type], major, minor, mode, uid, gid }, keep),
  );
}

/** Reads `bind`: of the root it is known already what that is. */
export function readBind(step: BindStep, draft: ImageDraft): void {
  const { source, target, entries, optional = false } = step;
  if (draft.isRoot(target)) return;
  if (!draft.isHere(source)) {
    return draft.mount(target, `its source ${source} is a file of the container`);
  }
  if (optional && realPath(source) === undefined) return;
  if (!draft.mayCopy(source)) {
    return draft.mount(target, `${source} is of this machine: --copy=${source} copies it`);
  }
  if (entries !== undefined) {
    return draft.refuse('"entries" are found when the recipe runs; bind() each file to copy it');
  }
  draft.copy(source, target);
}

/** Reads `programs`: with their libraries they are files of this machine. */
export function readPrograms(step: ProgramsStep, draft: ImageDraft): void {
  const root = step.root ?? draft.place;
  const found = liveHost().programFiles(step.programs, () => {});
  if (!("files" in found)) return draft.refuse(found.issue);
  const left = found.files.filter(({ source }) => !draft.mayCopy(source));
  if (left.length > 0) {
    const sources = left.map(({ source }) => source).join(", ");
    draft.leaveOut(`${sources}: files of this machine, which --copy copies`);
  }
  for (const { source, target } of found.files) {
    if (draft.mayCopy(source)) draft.copy(source, normalize(`${root}/${target}`));
  }
}
