/**
 * A recipe as a service of podman.
 *
 * @module
 */

import { checkedSteps } from "../../recipe/check.ts";
import type { SeccompProfile } from "../../recipe/seccomp_profile.ts";
import type { Step } from "../../recipe/steps.ts";
import { type Caller, plannedRoot } from "../container_draft.ts";
import type { Directive } from "../limit_directives.ts";
import { Refusals } from "../refusals.ts";
import { PodmanDraft } from "./draft.ts";
import { sayStep } from "./steps.ts";
import { unitText, word } from "./unit_text.ts";

/** The options of {@linkcode exportPodman}. */
export interface PodmanOptions {
  /** The program and its arguments. */
  readonly program: readonly [string, ...string[]];
  /** The image whose files are the root; without it, the directory that the recipe has as root. */
  readonly image?: string;
  /**
   * Where the file of the filter will be, from the root. It is needed for `seccomp()`.
   */
  readonly seccompProfile?: string;
  /**
   * Who will run podman: root, or an ordinary user by the ids on the machine, whose manager then has
   * the service.
   *
   * @default {"root"}
   */
  readonly for?: "root" | Caller;
  /**
   * What the service is called in lists.
   *
   * @default {the program}
   */
  readonly description?: string;
  /**
   * When systemd starts it again, as `Restart=` has it.
   *
   * @default {"no"}
   */
  readonly restart?: PodmanRestart;
  /**
   * Whether starting the service means to wait for the end of the program.
   *
   * @default {false}
   */
  readonly oneshot?: boolean;
}

/** When the service is started again. */
export type PodmanRestart = "no" | "on-success" | "on-failure" | "on-abnormal" | "always";

/** All of these words. */
export const PODMAN_RESTARTS: readonly PodmanRestart[] = [
  "no",
  "on-success",
  "on-failure",
  "on-abnormal",
  "always",
];

/** A service of podman. */
export interface PodmanService {
  /** The unit, for a file such as `/etc/containers/systemd/kitchen.container`. */
  readonly unit: string;
  /** The filter of a `seccomp()`, for the file that the unit names. */
  readonly seccomp?: SeccompProfile;
}

/**
 * Returns a recipe as a unit of quadlet, from which podman's generator makes a service of systemd
 * (podman-systemd.unit(5)). `limits()` are directives of that service. It makes no call, and asks this
 * machine nothing.
 *
 * @throws {RecipeError} for steps that podman cannot say, each by its number and with the reason, or if
 * the recipe lacks what every container of podman has
 * @throws {TypeError} if an option is invalid
 *
 * @example
 * ```ts
 * import { clearEnv, hostname, mapRoot, recipe, root, unshare } from "@ramekin/ramekin";
 * import { exportPodman } from "@ramekin/ramekin/export";
 * import { assertStringIncludes } from "@std/assert";
 *
 * const kitchen = recipe(
 *   unshare("user", "mount", "pid", "uts", "ipc", "net"),
 *   mapRoot(),
 *   root("/srv/debian", { discard: true }),
 *   hostname("kitchen"),
 *   clearEnv(),
 * );
 * const { unit } = exportPodman(kitchen, { program: ["/bin/uname", "-n"] });
 * assertStringIncludes(unit, "Rootfs=/srv/debian:O\nExec=/bin/uname -n\n");
 * ```
 */
export function exportPodman(
  recipe: { readonly steps: readonly Step[] },
  options: PodmanOptions,
): PodmanService {
  const { program, image, seccompProfile, for: runner = "root", oneshot = false } = options;
  const { restart = "no", description = program?.[0] } = options;
  checkOptions({ ...options, restart, description });
  const steps = checkedSteps(recipe.steps);
  const refusals = new Refusals();
  const draft = new PodmanDraft(runner === "root" ? { uid: 0, gid: 0 } : runner, refusals);
  draft.root = plannedRoot(steps);
  steps.forEach((step, at) => {
    draft.begin(step, at);
    sayStep(step, draft);
  });
  draft.finish(image !== undefined);
  if (draft.filter !== undefined && seccompProfile === undefined) {
    refusals.recipe("podman reads the filter of seccomp() from a file: say where that will be");
  }
  if (!program[0].includes("/") && draft.environment?.has("PATH") === false) {
    refusals.recipe(`podman finds ${program[0]} by the container's PATH: setEnv({ PATH: ... })`);
  }
  refusals.throwAny();
  const { filter } = draft;
  const container: readonly Directive[] = [
    image === undefined ? ["Rootfs", rootOf(draft)] : ["Image", word(image)],
    ["Exec", program.map(word).join(" ")],
    ...draft.finalLines(),
    ...draft.lines,
    ["SeccompProfile", filter === undefined ? "unconfined" : word(seccompProfile!)],
  ];
  const target = runner === "root" ? "multi-user.target" : "default.target";
  const unit = unitText([
    ["Unit", [["Description", description!.replaceAll("%", "%%")]]],
    ["Container", container],
    ["Service", [
      ...(oneshot ? [["Type", "oneshot"] as const] : []),
      ...(restart === "no" ? [] : [["Restart", restart] as const]),
      // As long as it may take to pull the image.
      ...(image === undefined ? [] : [["TimeoutStartSec", "900"] as const]),
      ...draft.service,
    ]],
    ["Install", [["WantedBy", target]]],
  ]);
  return { unit, ...(filter !== undefined && { seccomp: filter }) };
}

function rootOf({ root, isDiscarded }: PodmanDraft): string {
  return word(`${root!.directory}${isDiscarded ? ":O" : ""}`);
}

function checkOptions(
  options: PodmanOptions & { readonly restart: string; readonly description: string },
): void {
  const { program, image, seccompProfile, restart, description, oneshot = false } = options;
  const wrong = (name: string, issue: string) => {
    throw new TypeError(`exportPodman(): the option "${name}" ${issue}`);
  };
  if (!Array.isArray(program) || !program[0]) wrong("program", "has at least a program's name");
  if (program.some((text) => text.includes("\0"))) wrong("program", "has no zero bytes");
  if (image !== undefined && !/^[^\s]+$/.test(image)) wrong("image", "names an image");
  if (seccompProfile !== undefined && !/^\/[^\0\n]+$/.test(seccompProfile)) {
    wrong("seccompProfile", "is a path from the root");
  }
  // deno-lint-ignore no-control-regex -- a line of a unit ends with one
  if (/[\x00-\x1f\\]/.test(description)) wrong("description", "is a line without backslashes");
  if (!PODMAN_RESTARTS.some((known) => known === restart)) {
    wrong("restart", `is one of ${PODMAN_RESTARTS.join(", ")}`);
  }
  if (oneshot && (restart === "always" || restart === "on-success")) {
    wrong("restart", `is no ${restart} for what is run once (systemd.service(5))`);
  }
}
