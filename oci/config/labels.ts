/**
 * The labels of security modules: those that a machine has not enabled are refused, as a container
 * that asks to be confined must not run without that.
 *
 * @module
 */

import { unsupported } from "../errors.ts";
import type { ConfigProcess } from "../spec.ts";

/** Refuses a process with a profile of AppArmor or a label of SELinux. */
export function checkLabels({ apparmorProfile, selinuxLabel }: ConfigProcess): void {
  if (isLabel(apparmorProfile) && apparmorProfile !== "unconfined") {
    unsupported(
      "process.apparmorProfile",
      startsWith("/sys/module/apparmor/parameters/enabled", "Y")
        ? 'profiles of AppArmor are not supported; use "unconfined"'
        : "unable to apply the profile: AppArmor is not enabled on this machine; leave it out",
    );
  }
  if (isLabel(selinuxLabel)) unsupported("process.selinuxLabel", selinuxWords());
}

/** Refuses a label of SELinux for mounts. */
export function checkMountLabel(label: string | undefined): void {
  if (isLabel(label)) unsupported("linux.mountLabel", selinuxWords());
}

function selinuxWords(): string {
  return startsWith("/sys/fs/selinux/enforce", "")
    ? "labels of SELinux are not supported; disable them"
    : "unable to apply the label: SELinux is not enabled on this machine; leave it out";
}

function isLabel(label: string | undefined): label is string {
  return label !== undefined && label !== "";
}

function startsWith(file: string, text: string): boolean {
  try {
    return Deno.readTextFileSync(file).startsWith(text);
  } catch {
    return false;
  }
}
