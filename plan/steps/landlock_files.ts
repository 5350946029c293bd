/**
 * The files that the rules of `landlock` are about.
 *
 * @module
 */

import { kernelMountsIn } from "../../host/kernel_mounts.ts";
import { FILE_RIGHTS } from "../../recipe/landlock_rights.ts";
import { isWithin, normalize } from "../../recipe/path.ts";
import { FILE_WORDS, type LandlockStep } from "../../recipe/steps/landlock.ts";
import type { PlanBuilder } from "../builder.ts";
import { refuseKernelMount } from "./kernel_mounts.ts";

/** The permission of everybody to read a file (inode(7)). */
const S_IROTH = 0o004;

/** Returns the paths of a step, each with the rights that it grants, of those that can be denied. */
export function fileRules(
  step: LandlockStep,
  deniable: number,
  plan: PlanBuilder,
): ReadonlyMap<string, number> {
  const files = new RuleFiles(step, plan);
  const rights = new Map<string, number>();
  for (const word of FILE_WORDS) {
    for (const asked of step[word] ?? []) {
      const paths = word === "public" ? files.ifPublic(asked) : files.of(asked);
      for (const path of paths) {
        rights.set(path, (rights.get(path) ?? 0) | (FILE_RIGHTS[word] & deniable));
      }
    }
  }
  return rights;
}

/** The files of one step. */
class RuleFiles {
  readonly #step: LandlockStep;
  readonly #plan: PlanBuilder;
  readonly #except: readonly string[];

  constructor(step: LandlockStep, plan: PlanBuilder) {
    this.#step = step;
    this.#plan = plan;
    this.#except = (step.except ?? []).map((path) => this.#hostFile(path, "except"));
  }

  /** Returns the path, if there is such a file, and all users may read it. */
  ifPublic(asked: string): readonly string[] {
    const path = this.#hostFile(asked, "public");
    const { attributes } = this.#plan.facts.resolve(path);
    return attributes !== undefined && (attributes.mode & S_IROTH) !== 0 ? [path] : [];
  }

  /** Returns the path, or those of what is in it, where something is left out. */
  of(asked: string): readonly string[] {
    const { untrusted, except } = this.#step;
    if (untrusted !== true && except === undefined) return [normalize(asked)];
    const place = this.#hostFile(asked, untrusted === true ? "untrusted" : "except");
    const { path, type } = this.#plan.resolveTrusted(place);
    if (untrusted !== true) return this.#without(this.#except, path);
    // A container's /dev/null can be a mount of the machine's.
    if (type !== "device") refuseKernelMount(asked, path, this.#plan);
    const ofKernel = kernelMountsIn(path, this.#plan.facts.mounts);
    return this.#without([...this.#except, ...ofKernel], path);
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
  #without(except: readonly string[], path: string): readonly string[] {
    const { facts } = this.#plan;
    if (!except.some((inner) => inner !== path && isWithin(inner, path))) return [path];
    const parent = path === "/" ? "" : path;
    return facts.namesIn(path, "*").map((name) => `${parent}/${name}`)
      .filter((inner) => !except.includes(inner) && facts.resolve(inner).path === inner)
      .flatMap((inner) => this.#without(except, inner));
  }
}
