/**
 * The verb `spec`.
 *
 * @module
 */

import { type FlagTable, type Given, isSet, valueOf } from "../command_line.ts";
import type { Config } from "../spec.ts";
import { OciError } from "../errors.ts";
import type { Runtime } from "../runtime.ts";
import { OCI_VERSION } from "../state.ts";
import { absolute } from "../create_options.ts";

export const flags: FlagTable = {
  values: ["bundle"],
  switches: ["rootless"],
  letters: { b: "bundle" },
};

/** Writes a config.json to begin with. */
export function run(_runtime: Runtime, given: Given): number {
  const path = `${absolute(valueOf(given, "bundle") ?? Deno.cwd())}/config.json`;
  const text = `${JSON.stringify(exampleConfig(isSet(given, "rootless")), null, 2)}\n`;
  try {
    Deno.writeTextFileSync(path, text, { createNew: true, mode: 0o666 });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    throw new OciError(`${path} exists already`);
  }
  return 0;
}

const CAPABILITIES = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"];

/** Returns the config.json of a shell in `rootfs`. */
export function exampleConfig(rootless: boolean): Config {
  const map = (hostID: number | null) => [{ containerID: 0, hostID: hostID ?? 0, size: 1 }];
  const namespaces = ["pid", "ipc", "uts", "mount", "cgroup", "network"].map((type) => ({ type }));
  return {
    ociVersion: OCI_VERSION,
    process: {
      terminal: true,
      user: { uid: 0, gid: 0 },
      args: ["sh"],
      env: [
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "TERM=xterm",
      ],
      cwd: "/",
      capabilities: { bounding: CAPABILITIES, effective: CAPABILITIES, permitted: CAPABILITIES },
      rlimits: [{ type: "RLIMIT_NOFILE", hard: 1024, soft: 1024 }],
      noNewPrivileges: true,
    },
    root: { path: "rootfs", readonly: true },
    hostname: "ramekin",
    mounts: [
      { destination: "/proc", type: "proc", source: "proc" },
      {
        destination: "/dev",
        type: "tmpfs",
        source: "tmpfs",
        options: ["nosuid", "strictatime", "mode=755", "size=65536k"],
      },
      {
        destination: "/dev/pts",
        type: "devpts",
        source: "devpts",
        options: [
          "nosuid",
          "noexec",
          "newinstance",
          "ptmxmode=0666",
          "mode=0620",
          ...(rootless ? [] : ["gid=5"]),
        ],
      },
      {
        destination: "/dev/shm",
        type: "tmpfs",
        source: "shm",
        options: ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"],
      },
      {
        destination: "/dev/mqueue",
        type: "mqueue",
        source: "mqueue",
        options: ["nosuid", "noexec", "nodev"],
      },
      {
        destination: "/sys",
        type: "sysfs",
        source: "sysfs",
        options: ["nosuid", "noexec", "nodev", "ro"],
      },
      {
        destination: "/sys/fs/cgroup",
        type: "cgroup",
        source: "cgroup",
        options: ["nosuid", "noexec", "nodev", "relatime", "ro"],
      },
    ],
    linux: {
      ...(rootless
        ? { uidMappings: map(Deno.uid()), gidMappings: map(Deno.gid()) }
        : { resources: { devices: [{ allow: false, access: "rwm" }] } }),
      namespaces: rootless ? [...namespaces, { type: "user" }] : namespaces,
      maskedPaths: [
        "/proc/acpi",
        "/proc/asound",
        "/proc/kcore",
        "/proc/keys",
        "/proc/latency_stats",
        "/proc/timer_list",
        "/proc/timer_stats",
        "/proc/sched_debug",
        "/proc/scsi",
        "/sys/firmware",
      ],
      readonlyPaths: [
        "/proc/bus",
        "/proc/fs",
        "/proc/irq",
        "/proc/sys",
        "/proc/sysrq-trigger",
      ],
    },
  };
}
