/**
 * The files that the rules of `landlock` are about.
 *
 * @module
 */

import { kernelMountsIn } from "../../host/kernel_mounts.ts";
import { FILE_RIGHTS, type FileRight } from "../../recipe/landlock_rights.ts";
import { isWithin, normalize, parentOf } from "../../recipe/path.ts";
import { FILE_WORDS, type LandlockStep } from "../../recipe/steps/landlock.ts";
import type { PlanBuilder } from "../builder.ts";
import { scanNames } from "../scan_names.ts";
import { refuseKernelMount } from "./kernel_mounts.ts";

/** The permission of everybody to read a file (inode(7)). */
const S_IROTH = 0o004;

/** A file or directory that a rule is about. */
interface RuleFile {
  readonly path: string;
  /** Whether the step names it: others were found when the plan was made, and may be gone. */
  readonly isNamed: boolean;
}

/** What is allowed of a file, or beneath a directory. */
export interface FileRule extends RuleFile {
  /** The rights that are granted. */
  readonly rights: number;
}

/** Returns the rules of a step, with those of its rights that can be denied. */
export function fileRules(
  step: LandlockStep,
  deniable: number,
  plan: PlanBuilder,
): readonly FileRule[] {
  const files = new RuleFiles(step, plan);
  const rules = new Map<string, FileRule>();
  for (const word of FILE_WORDS) {
    for (const asked of step[word] ?? []) {
      const found = word === "public" ? files.ifPublic(asked) : files.of(asked, word);
      for (const { path, isNamed } of found) {
        const other = rules.get(path);
        rules.set(path, {
          path,
          isNamed: isNamed || other?.isNamed === true,
          rights: (other?.rights ?? 0) | (FILE_RIGHTS[word] & deniable),
        });
      }
    }
  }
  return [...rules.values()];
}

/** The files of one step. */
class RuleFiles {
  readonly #step: LandlockStep;
  readonly #plan: PlanBuilder;
  /** What is left out of all rules, and of those of `write`. */
  readonly #except: readonly string[];
  readonly #exceptWrite: readonly string[];

  constructor(step: LandlockStep, plan: PlanBuilder) {
    this.#step = step;
    this.#plan = plan;
    this.#except = this.#namesOf(step.except);
    this.#exceptWrite = [...this.#except, ...this.#namesOf(step.exceptWrite)];
  }

  /** Returns the paths, and the other names of the same files. */
  #namesOf(paths: readonly string[] = []): readonly string[] {
    const { facts } = this.#plan;
    return paths.map((path) => this.#hostFile(path, "except")).flatMap((path) => {
      const { path: end, type } = facts.resolve(path);
      if (type === "file") this.#refuseShared(end);
      return [path, end, ...facts.otherNames.of(end)];
    });
  }

  #refuseShared(file: string): void {
    const { state } = this.#plan;
    const { found } = scanNames(this.#plan, {
      directory: parentOf(file),
      names: [],
      absent: [],
      paths: [file],
      except: [],
      uid: state.caller.euid,
    });
    if (!found.some(({ path, isShared }) => path === file && isShared)) return;
    this.#plan.refuse(
      `${file} has another name, a hard link, by which it could be reached; copy it to a file of its ` +
        "own, or deny the directories of both",
    );
  }

  /** Returns the path, if there is such a file, and all users may read it. */
  ifPublic(asked: string): readonly RuleFile[] {
    const path = this.#hostFile(asked, "public");
    const { attributes } = this.#plan.facts.resolve(path);
    return attributes !== undefined && (attributes.mode & S_IROTH) !== 0
      ? [{ path, isNamed: false }]
      : [];
  }

  /** Returns the path, or those of what is in it, where something is left out. */
  of(asked: string, word: FileRight): readonly RuleFile[] {
    const { untrusted, except, exceptWrite } = this.#step;
    if (untrusted !== true && (except ?? exceptWrite) === undefined) {
      return [{ path: normalize(asked), isNamed: true }];
    }
    const leftOut = word === "write" ? this.#exceptWrite : this.#except;
    const place = this.#hostFile(asked, untrusted === true ? "untrusted" : "except");
    const { path, type } = this.#plan.resolveTrusted(place);
    if (untrusted !== true) return this.#without(leftOut, path);
    // A container's /dev/null can be a mount of the machine's.
    if (type !== "device") refuseKernelMount(asked, path, this.#plan);
    const ofKernel = kernelMountsIn(path, this.#plan.facts.mounts);
    return this.#without([...leftOut, ...ofKernel], path);
  }

  /** Returns a path of which the host tells now what there is, which is so of its own files only. */
  #hostFile(path: string, word: "public" | "except" | "untrusted"): string {
    const plan = this.#plan;
    const place = normalize(path);
    if (!plan.host.isHere) {
      plan.refuse(
        `what "${word}" is about is known only where the box runs; name the files by "execute"`,
      );
    }
    if (plan.cursor.rootOf(place) === undefined && plan.state.mounts.isHostFile(place)) {
      return place;
    }
    return plan.refuse(
      `"${word}" is about files of the host, and ${path} is one of the recipe's; put the step ` +
        "before its mounts, or leave it out",
    );
  }

  /** A symbolic link would allow what it leads to, and so has no rule. */
  #without(except: readonly string[], path: string, isNamed = true): readonly RuleFile[] {
    const { facts } = this.#plan;
    if (!except.some((inner) => inner !== path && isWithin(inner, path))) {
      return [{ path, isNamed }];
    }
    const parent = path === "/" ? "" : path;
    return facts.namesIn(path, "*").map((name) => `${parent}/${name}`)
      .filter((inner) => !except.includes(inner) && facts.resolve(inner).path === inner)
      .flatMap((inner) => this.#without(except, inner, false));
  }
}
