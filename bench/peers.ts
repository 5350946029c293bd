/**
 * The peers: programs of others that make the same container.
 *
 * @module
 */

import type { CLauncher, Form } from "./c_launcher.ts";
import { findProgram } from "./machine.ts";
import { makeBundle } from "./oci_bundle.ts";

/** A peer that is installed and does the work here. */
export interface Peer {
  readonly name: string;
  /** What is measured: the whole command. */
  readonly command: readonly string[];
  /** A command that the launcher has to be started by, once a round; it is not measured. */
  readonly around: readonly string[];
}

/** The programs that may be peers; nsjail would be one, but Debian 12 does not package it. */
export const PEER_PROGRAMS = ["unshare", "bwrap", "crun", "runc", "podman"] as const;

/** Those that take an OCI bundle. */
const OCI: ReadonlySet<string> = new Set(["crun", "runc", "podman"]);

/**
 * crun 1.8 refuses hosts that have the hierarchies of cgroup v1 and an empty one of v2 beside them;
 * it gets a mount namespace in which the latter is not there.
 */
const WITHOUT_HYBRID = [
  "unshare",
  "--mount",
  "sh",
  "-c",
  'umount /sys/fs/cgroup/unified && exec "$0" "$@"',
];

/** The peers that make a container of these kinds of namespaces here, and why others do not. */
export async function peersFor(
  launcher: CLauncher,
  directory: string,
  kinds: readonly string[],
  program: string,
): Promise<{ readonly peers: readonly Peer[]; readonly missing: readonly string[] }> {
  const peers: Peer[] = [];
  const missing: string[] = [];
  for (const name of PEER_PROGRAMS) {
    const path = findProgram(name);
    if (path === undefined) {
      missing.push(`${name}: not installed`);
      continue;
    }
    const bundle = `${directory}/${name}`;
    const command = [path, ...argumentsOf(name, bundle, kinds, program)];
    if (OCI.has(name)) makeBundle(bundle, kinds, program);
    const complaints: string[] = [];
    for (const around of [[], WITHOUT_HYBRID]) {
      const issue = await complaintOf(launcher, "null", command, around);
      if (issue === undefined) {
        peers.push({ name, command, around });
        break;
      }
      complaints.push(issue);
    }
    if (complaints.length === 2) missing.push(`${name}: ${complaints.join("; ")}`);
  }
  return { peers, missing };
}

async function complaintOf(
  launcher: CLauncher,
  form: Form,
  command: readonly string[],
  around: readonly string[],
): Promise<string | undefined> {
  try {
    await launcher.peer(1, form, command, around);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function argumentsOf(
  name: typeof PEER_PROGRAMS[number],
  bundle: string,
  kinds: readonly string[],
  program: string,
): readonly string[] {
  switch (name) {
    case "unshare":
      return [
        ...kinds.map((kind) => `--${kind}`),
        "--map-root-user",
        "--fork",
        "--mount-proc",
        program,
      ];
    case "bwrap":
      return [
        // bwrap always makes a mount namespace.
        ...kinds.filter((kind) => kind !== "mount").map((kind) => `--unshare-${kind}`),
        ...["--uid", "0", "--gid", "0", "--as-pid-1", "--hostname", "box"],
        ...["--bind", "/", "/", "--proc", "/proc", program],
      ];
    case "crun":
      return [
        ...["--root", `${bundle}/state`, "--cgroup-manager=disabled"],
        ...["run", "--bundle", bundle, "ramekin-bench"],
      ];
    case "podman":
      return [
        // Everything that it keeps lies in the directory, and no group is left behind.
        ...["--root", `${bundle}/storage`, "--runroot", `${bundle}/state`],
        ...["--tmpdir", `${bundle}/tmp`, "--storage-driver=vfs", "--events-backend=none"],
        ...["--runtime=crun", "--cgroup-manager=cgroupfs", "run", "--rm", "--cgroups=disabled"],
        ...["--network=none", "--hostname", "box", "--uidmap", "0:0:1", "--gidmap", "0:0:1"],
        ...["--log-driver=none", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"],
        ...["--rootfs", `${bundle}/rootfs`, program],
      ];
    case "runc":
      return ["--root", `${bundle}/state`, "run", "--bundle", bundle, "ramekin-bench"];
  }
}

/** What each peer does and does not do, for who reads the table. */
export const PEER_NOTES: readonly string[] = [
  "C: clone(CLONE_VM|CLONE_VFORK) and the calls of the steps; /dev/null, dup2, close_range, the mask",
  "unshare: the namespaces, the maps, /proc; no hostname, as it has no option for it",
  "bwrap: the namespaces, the map, /, /proc, the hostname; a new root with / bound to it",
  "crun, runc: the namespaces, the map, /proc, the hostname; a root with the program's files alone, " +
  "and a minimal /dev, which they always make; crun without cgroups, runc with them",
  "podman: the same by crun, in all seven namespaces always, with a monitor of its own and what " +
  "it writes down of every container; for root",
];
