/**
 * Fixes for clone(2) and unshare(2) that fail to create namespaces.
 *
 * @module
 */

import type { ErrnoName } from "../ffi/errno.ts";
import type { Fixes } from "../ffi/fix.ts";
import type { Host } from "../host/host.ts";
import { limitSetting, type NamespaceKind } from "../recipe/namespaces.ts";
import { FILTERED, PRIVILEGE, restrictedByAppArmor, WITHOUT_THEM } from "./fixes.ts";

/** Returns the fixes for a call that creates namespaces of these kinds. */
export function namespaceFixes(
  kinds: ReadonlySet<NamespaceKind>,
  host: Host,
  inUserNamespace: boolean,
): Fixes {
  if (!host.isHere) {
    const denied = kinds.has("user") ? FORBIDDEN_SOMEWHERE : inUserNamespace ? FILTERED : PRIVILEGE;
    return { EPERM: denied, ENOSPC: TOO_MANY, EUSERS: TOO_MANY };
  }
  const usedUp = () =>
    kinds.has("user") && host.setting("/proc/sys/user/max_user_namespaces") === 0
      ? `${limitReached(kinds, host)}; ${WITHOUT_THEM}`
      : limitReached(kinds, host);
  return {
    EPERM: () => denied(kinds, host, inUserNamespace),
    ENOSPC: usedUp,
    EUSERS: usedUp,
    EINVAL: () => unknownKind(kinds, host),
  };
}

const FORBIDDEN = "in a chroot, or by a seccomp filter or security module around this process " +
  "(docker run --security-opt seccomp=unconfined ...)";

/** The same for a machine that is not known. */
const FORBIDDEN_SOMEWHERE = "user namespaces are forbidden here: by a setting (sysctl -w " +
  "kernel.unprivileged_userns_clone=1 or kernel.apparmor_restrict_unprivileged_userns=0 allows " +
  `them), ${FORBIDDEN}`;

const TOO_MANY =
  "namespaces are nested too deep (32 levels), or there are as many of them as the " +
  "sysctls user.max_*_namespaces allow";

/** Returns the fix for a refusal of user namespaces, or of mounts in them. */
export function refusalFix(code: ErrnoName, host: Host): string | undefined {
  const kinds: ReadonlySet<NamespaceKind> = new Set(["user"]);
  if (code === "ENOSPC" || code === "EUSERS") return limitReached(kinds, host);
  return code === "EPERM" || code === "EACCES" ? forbidden(host) : unknownKind(kinds, host);
}

function denied(
  kinds: ReadonlySet<NamespaceKind>,
  host: Host,
  inUserNamespace: boolean,
): string {
  if (!kinds.has("user")) return inUserNamespace ? FILTERED : PRIVILEGE;
  return `${forbidden(host)}; ${WITHOUT_THEM}`;
}

function forbidden(host: Host): string {
  if (host.setting("/proc/sys/kernel/unprivileged_userns_clone") === 0) {
    return "ordinary users may not make user namespaces here: " +
      "sysctl -w kernel.unprivileged_userns_clone=1 allows it";
  }
  return restrictedByAppArmor(host) ?? `user namespaces are forbidden here: ${FORBIDDEN}`;
}

function limitReached(kinds: ReadonlySet<NamespaceKind>, host: Host): string {
  for (const kind of kinds) {
    const setting = limitSetting(kind);
    const limit = host.setting(`/proc/sys/user/${setting}`);
    if (limit !== undefined && limit < 16) {
      return `only ${limit} ${kind} namespaces are allowed here: sysctl -w ` +
        `user.${setting}=10000 allows more`;
    }
  }
  return TOO_MANY;
}

function unknownKind(kinds: ReadonlySet<NamespaceKind>, host: Host): string | undefined {
  for (const kind of kinds) {
    if (host.setting(`/proc/sys/user/${limitSetting(kind)}`) === undefined) {
      return `this kernel has no ${kind} namespaces`;
    }
  }
  return undefined;
}
