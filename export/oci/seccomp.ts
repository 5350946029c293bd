/**
 * `seccomp()` as `linux.seccomp` of config.json.
 *
 * @module
 */

import type { SeccompStep } from "../../recipe/steps/seccomp.ts";
import { saySeccompOf } from "../seccomp.ts";
import type { ConfigDraft } from "./draft.ts";

/** Says `seccomp`. */
export function saySeccomp(step: SeccompStep, draft: ConfigDraft): void {
  const { privileged = false } = step;
  if (draft.seccomp !== undefined) return draft.refuse("config.json has one filter");
  if (privileged && draft.noNewPrivileges) {
    return draft.refuse(
      'runtimes set a filter late under noNewPrivileges(): leave out "privileged"',
    );
  }
  const profile = saySeccompOf(step, draft);
  if (profile === undefined) return;
  draft.seccomp = profile;
  if (!privileged) draft.noNewPrivileges = true;
}
