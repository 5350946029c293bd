/**
 * The steps around the root of an image: namespaces, ids, and the limits of the program.
 *
 * @module
 */

import { MASKED_FILES, READ_ONLY_FILES } from "../../recipe/sandbox.ts";
import {
  capabilities,
  chdir,
  clearEnv,
  hostname as setHostname,
  init,
  loopback,
  maskPaths,
  newSession,
  noNewPrivileges,
  readonlyPaths,
  seccomp,
  setEnv,
  unshare,
} from "../../recipe/steps/builders.ts";
import type { CapabilityName } from "../../ffi/calls/users.ts";
import type { Step } from "../../recipe/steps.ts";
import type { Owners } from "../owners.ts";
import type { ImageProcess } from "./process.ts";
import { HOSTNAME, type RootOptions } from "./root_steps.ts";

/**
 * What root of a container may do: what docker lets it, but for making device files, as there is no
 * list of devices that it may open.
 */
const CAPABILITIES: readonly CapabilityName[] = [
  "CAP_AUDIT_WRITE",
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_FOWNER",
  "CAP_FSETID",
  "CAP_KILL",
  "CAP_NET_BIND_SERVICE",
  "CAP_SETFCAP",
  "CAP_SETGID",
  "CAP_SETPCAP",
  "CAP_SETUID",
  "CAP_SYS_CHROOT",
];

/** What root may read of the machine's firmware and of its use of power, which tells of others' work. */
const MASKED_SYSTEM_FILES = ["/sys/firmware", "/sys/devices/virtual/powercap"];

/** The steps of a whole container of an image. */
export function containerSteps(
  root: readonly Step[],
  process: ImageProcess,
  owners: Owners,
  { net = "none", hostname = HOSTNAME }: Pick<RootOptions, "net" | "hostname">,
): readonly Step[] {
  const { user, env, cwd } = process;
  return [
    ...owners.enter(user),
    unshare("mount", "pid", "uts", "ipc", "cgroup"),
    ...(net === "none" ? [unshare("net"), loopback()] : []),
    setHostname(hostname),
    ...root,
    maskPaths(...MASKED_FILES, ...MASKED_SYSTEM_FILES),
    readonlyPaths(...READ_ONLY_FILES),
    newSession(),
    init(),
    chdir(cwd),
    capabilities({ bounding: CAPABILITIES }),
    ...owners.become(user),
    noNewPrivileges(),
    seccomp(),
    clearEnv({ keep: ["TERM"] }),
    setEnv(env),
  ];
}
