/**
 * podman in namespaces of its own: its files are in memory, it has no network, its control groups are
 * removed, and its processes end with the test.
 */

import { assertEquals } from "@std/assert";
import {
  bind,
  loopback,
  mkdir,
  mount,
  proc,
  recipe,
  setEnv,
  type Step,
  tmpfs,
  unshare,
} from "../../mod.ts";
import { decode } from "../other_scripts.ts";
import { OWN_NULL } from "../own_null.ts";
import { root } from "../support.ts";
import { isThere, noBusybox } from "./support.ts";

/** Why podman cannot be run. */
export const noPodman: string | undefined = !root
  ? "podman makes its control groups as root"
  : noBusybox ??
    ["/usr/bin/podman", "/usr/bin/crun"].filter((path) => !isThere(path))
      .map((path) => `needs ${path}`).at(0);

const BEGIN = `
clean() {
  code=$?
  set +e
  kill -KILL -1 2>/dev/null
  for try in $(seq 100); do
    find /sys/fs/cgroup -depth -path '*/libpod_parent*' -type d -exec rmdir {} ';' 2>/dev/null
    [ -z "$(find /sys/fs/cgroup -name libpod_parent)" ] && break
    sleep 0.05
  done
  exit $code
}
trap clean EXIT
${OWN_NULL}
mkdir -p /run/root/bin /run/root/etc /run/root/tmp /run/tmp
cp /bin/busybox /run/root/bin
for name in sh id hostname cat grep env mount sleep ls sort stat; do ln -s busybox /run/root/bin/$name; done
cat > /run/containers.conf <<'END'
[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
infra_image = "localhost/kitchen:1"
runtime = "crun"
END
cat > /run/storage.conf <<'END'
[storage]
driver = "vfs"
runroot = "/run/storage/run"
graphroot = "/run/storage/graph"
END
echo '{ "default": [{ "type": "insecureAcceptAnything" }] }' > /etc/containers/policy.json
tar -C /run/root -c . | podman import -q --change 'ENTRYPOINT ["/bin/sleep", "1000"]' - \\
  localhost/kitchen:1 >/dev/null
`;

/** Mounts the control groups of this process, as the only ones that the container sees. */
export function ownGroups(): readonly Step[] {
  const lines = Deno.readTextFileSync("/proc/self/cgroup").trim().split("\n")
    .map((line) => line.split(":") as [string, string, string]);
  const first = lines.filter(([id]) => id !== "0");
  if (first.length === 0) return [mount("cgroup2", "/sys/fs/cgroup", { type: "cgroup2" })];
  return [
    tmpfs("/sys/fs/cgroup"),
    ...first.flatMap(([, names]) => {
      const target = `/sys/fs/cgroup/${names.replace("name=", "")}`;
      const options = names.startsWith("name=") ? `none,${names}` : names;
      return [mkdir(target), mount("cgroup", target, { type: "cgroup", options })];
    }),
  ];
}

/**
 * Runs a shell script with podman, which has the image localhost/kitchen:1, and returns its output.
 *
 * @param directory where it begins; `subids` is written there
 */
export function withPodman(directory: string, script: string): string {
  const ids = `${directory}/subids`;
  Deno.writeTextFileSync(ids, "containers:100000:1000000\n");
  const lab = recipe(
    unshare("mount", "pid", "net", "uts", "ipc", "cgroup"),
    proc("/proc"),
    ...ownGroups(),
    tmpfs("/run"),
    tmpfs("/etc/containers"),
    ...["/etc/subuid", "/etc/subgid"].filter(isThere).map((path) => bind(ids, path)),
    loopback(),
    setEnv({
      CONTAINERS_CONF: "/run/containers.conf",
      CONTAINERS_STORAGE_CONF: "/run/storage.conf",
      PODMAN_IGNORE_CGROUPSV1_WARNING: "1",
      TMPDIR: "/run/tmp",
      XDG_RUNTIME_DIR: "/run",
    }),
  );
  const { code, stdout, stderr } = lab.command("sh", {
    args: ["-euc", BEGIN + script],
    cwd: directory,
    stdin: "null",
  }).outputSync();
  assertEquals([code, decode(stderr)], [0, ""], decode(stdout));
  return decode(stdout);
}
