/** Other engines, in namespaces of their own, so that they leave nothing on this machine. */

import { assertEquals } from "@std/assert";
import { type Command, loopback, mount, proc, recipe, tmpfs, unshare } from "../../mod.ts";
import { root } from "../support.ts";
import { without } from "./programs.ts";

/** Why a test with podman is skipped. */
export const noPodman = root ? without("podman") ?? without("crun") : "needs root";

/** Where an engine leaves no file, no mount and no control group. */
export const apart = recipe(
  unshare("mount", "pid", "ipc", "net", "uts", "cgroup"),
  proc(),
  // There it keeps its images, its state and its locks.
  ...["/run", "/dev/shm", "/var/lib"].map((path) => tmpfs(path)),
  mount("cgroup2", "/sys/fs/cgroup", { type: "cgroup2" }),
  loopback(),
);

/** Podman, as it works there. */
export const PODMAN = "podman --cgroup-manager=cgroupfs --events-backend=none --runtime=crun";
/** The same, running a container. */
export const PODMAN_RUN = `${PODMAN} run -q --rm --network=none --cgroups=disabled`;

/** What a command prints, which has to succeed. */
export async function printed(command: Command): Promise<string> {
  const { code, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  assertEquals(code, 0, decoder.decode(stderr));
  return decoder.decode(stdout);
}
