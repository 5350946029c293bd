/**
 * `seccomp()` as `linux.seccomp` of config.json.
 *
 * @module
 */

import { allowMore, DEFAULT_SECCOMP_PROFILE } from "../../recipe/seccomp_default.ts";
import { denyMore } from "../../recipe/seccomp_denials.ts";
import type { SeccompProfile } from "../../recipe/seccomp_profile.ts";
import type { SeccompStep } from "../../recipe/steps/seccomp.ts";
import { apartRules } from "./seccomp_rules.ts";
import type { ConfigDraft } from "./draft.ts";

/** Says `seccomp`. */
export function saySeccomp(step: SeccompStep, draft: ConfigDraft): void {
  const { profile, allow = [], deny = [], architectures = [], privileged = false } = step;
  if (draft.seccomp !== undefined) return draft.refuse("config.json has one filter");
  if (privileged && draft.noNewPrivileges) {
    return draft.refuse(
      'runtimes set a filter late under noNewPrivileges(): leave out "privileged"',
    );
  }
  const whole = denyMore(allowMore(profile ?? DEFAULT_SECCOMP_PROFILE, allow), deny);
  const rules = apartRules(whole.syscalls ?? []);
  if (typeof rules === "string") return draft.refuse(rules);
  const { flags = [], ...others } = whole;
  const known = [...whole.architectures ?? [], ...architectures];
  draft.seccomp = {
    ...others,
    ...(flags.length > 0 && { flags }),
    ...(whole.defaultAction === "SCMP_ACT_ERRNO" &&
      { defaultErrnoRet: whole.defaultErrnoRet ?? 1 }),
    ...(known.length > 0 && { architectures: known }),
    syscalls: rules,
  } satisfies SeccompProfile;
  if (!privileged) draft.noNewPrivileges = true;
}
