/** Other engines, in namespaces of their own, so that they leave nothing on this machine. */

import { assertEquals } from "@std/assert";
import {
  type Command,
  type CommandOptions,
  loopback,
  mount,
  proc,
  recipe,
  tmpfs,
  unshare,
} from "../../mod.ts";
import { OWN_NULL } from "../own_null.ts";
import { root } from "../support.ts";
import { without } from "./programs.ts";

/** Why a test with podman is skipped. */
export const noPodman = root ? without("podman") ?? without("crun") : "needs root";

/** Where an engine leaves no file, no mount and no control group. */
const apart = recipe(
  unshare("mount", "pid", "ipc", "net", "uts", "cgroup"),
  proc(),
  // There it keeps its images, its state and its locks.
  ...["/run", "/dev/shm", "/var/lib"].map((path) => tmpfs(path)),
  mount("cgroup2", "/sys/fs/cgroup", { type: "cgroup2" }),
  loopback(),
);

/** A shell's script there. */
export function scriptApart(script: string, options?: CommandOptions): Command {
  return apart.command("sh", { ...options, args: ["-euc", OWN_NULL + script] });
}

/** Podman, as it works there. */
export const PODMAN = "podman --cgroup-manager=cgroupfs --events-backend=none --runtime=crun";
/** The same, running a container. */
export const PODMAN_RUN = `${PODMAN} run -q --rm --network=none --cgroups=disabled`;

/** Why a test with containerd is skipped. */
export const noContainerd = root ? without("containerd") ?? without("ctr") : "needs root";

/** Starts containerd there, in a script of a shell; the namespace of pids ends it. */
export const CONTAINERD = `
  ctr="ctr --address=/run/kitchen.sock"
  cat >/run/kitchen.toml <<END
version = 2
root = "/var/lib/kitchen"
state = "/run/kitchen"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "/run/kitchen.sock"
END
  containerd --config=/run/kitchen.toml >/run/kitchen.log 2>&1 &
  until $ctr version >/dev/null 2>&1; do kill -0 $!; sleep 0.05; done
`;

/** What a command prints, which has to succeed. */
export async function printed(command: Command): Promise<string> {
  const { code, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  assertEquals(code, 0, decoder.decode(stderr));
  return decoder.decode(stdout);
}
