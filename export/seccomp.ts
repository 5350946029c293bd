/**
 * `seccomp()` as a profile of the form that engines have in common (config-linux.md, "Seccomp").
 *
 * @module
 */

import { allowMore, DEFAULT_SECCOMP_PROFILE } from "../recipe/seccomp_default.ts";
import { denyMore } from "../recipe/seccomp_denials.ts";
import type { SeccompProfile } from "../recipe/seccomp_profile.ts";
import type { SeccompStep } from "../recipe/steps/seccomp.ts";
import type { ContainerDraft } from "./container_draft.ts";
import { apartRules } from "./seccomp_rules.ts";

/** Returns the profile of a step, or refuses one whose rules libseccomp would order otherwise. */
export function saySeccompOf(
  step: SeccompStep,
  draft: ContainerDraft,
): SeccompProfile | undefined {
  const { profile, allow = [], deny = [], architectures = [] } = step;
  const whole = denyMore(allowMore(profile ?? DEFAULT_SECCOMP_PROFILE, allow), deny);
  const rules = apartRules(whole.syscalls ?? []);
  if (typeof rules === "string") {
    draft.refuse(rules);
    return undefined;
  }
  const { flags = [], ...others } = whole;
  const known = [...whole.architectures ?? [], ...architectures];
  return {
    ...others,
    ...(flags.length > 0 && { flags }),
    ...(whole.defaultAction === "SCMP_ACT_ERRNO" &&
      { defaultErrnoRet: whole.defaultErrnoRet ?? 1 }),
    ...(known.length > 0 && { architectures: known }),
    syscalls: rules,
  };
}
