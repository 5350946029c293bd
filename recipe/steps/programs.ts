/**
 * The step `programs`: programs with their loader and their libraries, in a new root.
 *
 * @module
 */

import { type Call, call, type Fd, ResultOf } from "../../ffi/call.ts";
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
import { Label } from "../../ffi/program.ts";
import type { Draft } from "../drafting/draft.ts";
import { absolutePath, boolean, list, optional } from "../fields.ts";
import { folderOf, normalize } from "../drafting/ground.ts";
import type { PlacedFile } from "../programs/library_search.ts";
import { attachAt, copyTree, makeFolders, openAt } from "../drafting/place.ts";
import { filesOfPrograms } from "../programs/program_files.ts";
import { programHost } from "../programs/program_host.ts";
import type { StepDefinition } from "../step.ts";

/** Puts programs with all that they need into a new root. */
export interface ProgramsStep extends ProgramsOptions {
  /** Which step it is. */
  readonly step: "programs";
  /** The programs. */
  readonly programs: readonly string[];
}

/** Options of {@linkcode programs}. */
export interface ProgramsOptions {
  /** The new root; without it, the one that the next `pivotRoot` or `chroot` enters. */
  readonly root?: string;
  /** Whether the files are copied. Else they are bound: the host's own, which can only be read. */
  readonly copy?: boolean;
}

/**
 * Puts programs into a new root, each at its own path there, with their loader and the libraries
 * that they name: those that the loader would find on the host (ld.so(8)), read from the files
 * themselves when the recipe is planned. A script brings its interpreter. What a program looks for
 * only when it runs is not seen: plugins, locales, the modules of a language, and what
 * `/usr/bin/env` starts. A program that looks for libraries beside itself (`$ORIGIN`) needs a /proc
 * in the new root to know where that is.
 *
 * The new root has to be a filesystem of the recipe, such as a tmpfs. Needs `unshare("mount")`
 * before it.
 *
 * @throws {RecipeError} when it is planned without `unshare("mount")` before it, where no new root
 * comes after it and `root` names none, or where that is no filesystem of the recipe; for a program
 * that is missing, cannot be read, or is no program, and for one that lacks a library
 * @throws {SyscallError} when it is run: `ENOSPC` where the new root is too small for what is
 * copied
 *
 * @example A root with nothing but bash and ls
 * ```ts
 * import { mapRoot, pivotRoot, programs, recipe, tmpfs, unshare } from "@ramekin/ramekin";
 *
 * const box = recipe(
 *   unshare("user", "mount"),
 *   mapRoot(),
 *   tmpfs("/mnt"),
 *   programs("/bin/bash", "/bin/ls"),
 *   pivotRoot("/mnt"),
 * );
 * const { stdout } = await box.command("bash", { args: ["-c", "ls /bin"] }).output();
 * console.log(new TextDecoder().decode(stdout)); // bash ls
 * ```
 */
export function programs(...paths: string[] | [...string[], ProgramsOptions]): ProgramsStep {
  const last = paths.at(-1);
  const options = typeof last === "object" ? last : {};
  const names = paths.filter((path) => typeof path !== "object");
  return { step: "programs", programs: names as string[], ...options };
}

/** How `programs` is checked and planned. */
export const programsDefinition: StepDefinition<ProgramsStep> = {
  step: "programs",
  get fields() {
    return {
      programs: list(absolutePath(), 1),
      root: optional(absolutePath()),
      copy: optional(boolean()),
    };
  },
  plan(step, draft) {
    draft.needs("mount", "it would be put on the host");
    const root = normalize(step.root ?? nextRoot(draft));
    draft.needsOwnGround(root);
    const files = filesOf(step, draft)
      .map(({ source, target }) => ({ source, target: normalize(`${root}/${target}`) }))
      // What a step has bound there already stays: a library of an earlier program, most often.
      .filter(({ target }) => !draft.container.ground.isMountPoint(target));
    for (const folder of new Set(files.map(({ target }) => folderOf(target)))) {
      makeFolders(draft, folder);
    }
    for (const file of files) {
      if (step.copy === true) copy(draft, file);
      else bind(draft, file);
    }
  },
};

function nextRoot(draft: Draft): string {
  return draft.sequence.nextRoot ??
    draft.refuse(
      'there is no pivotRoot() or chroot() after it; say where to: { root: "/new/root" }',
    );
}

function filesOf(step: ProgramsStep, draft: Draft): readonly PlacedFile[] {
  try {
    return filesOfPrograms(step.programs, programHost(), (complaint) => draft.refuse(complaint));
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    return draft.refuse(`a file that is needed cannot be read: ${error.message}`);
  }
}

function bind(draft: Draft, { source, target }: PlacedFile): void {
  // Not to be written, as by another path it may be bound already.
  draft.call(close(openAt(draft, target, O_RDONLY | O_CREAT, 0o644)));
  draft.gate?.shows(source, { readOnly: true });
  const tree = copyTree(draft, source, "tree");
  draft.call(mount_setattr(tree, "", AT_EMPTY_PATH, { attr_set: MOUNT_ATTR_RDONLY }));
  attachAt(draft, tree, target);
  draft.call(close(tree));
  draft.container.ground.mounted(target, false);
}

/** More than any file has, and what the kernel moves at once at most (sendfile(2)). */
const AT_ONCE = 0x7fff_f000;

function copy(draft: Draft, { source, target }: PlacedFile): void {
  draft.gate?.reads(source);
  const from = draft.gate === undefined
    ? new ResultOf(draft.call(openat(at_fdcwd, source, O_RDONLY | O_CLOEXEC, 0)), "from")
    : openAt(draft, source, O_RDONLY);
  const to = openAt(draft, target, O_WRONLY | O_CREAT | O_TRUNC, 0o755);
  const more = new Label("more");
  const done = new Label("done");
  draft.place(more);
  // A full filesystem makes the first call a short one, and the next one an error.
  draft.call(sendfile(to, from, AT_ONCE), { onSuccess: more, onZero: done });
  draft.place(done);
  draft.call(fchmod(to, 0o755));
  draft.call(close(to));
  draft.call(close(from));
}

/** Copies from one file to another, in the kernel. See sendfile(2). */
function sendfile(to: Fd, from: Fd, count: number): Call {
  return call("sendfile", to, from, null, count);
}
