/**
 * Tours through engines: each runs some containers with a runtime, and what it prints with Ramekin is
 * compared with what it prints with crun, line by line.
 *
 * @module
 */

import { inLaboratory } from "./run.ts";

/** An engine, and what is done with it. */
export interface Tour {
  readonly engine: string;
  /** The programs that it needs. */
  readonly needs: readonly string[];
  /** What has to be there before: a script. */
  readonly begin: string;
  /** The commands, of a shell; `$runtime` is the runtime, and `$root` a directory with busybox. */
  readonly steps: readonly string[];
}

const PODMAN = `
mkdir -p /run/tour
printf '[containers]\\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\\n' > /run/tour/conf
printf '[engine]\\ncgroup_manager = "cgroupfs"\\nevents_logger = "file"\\nruntime = "tour"\\n' >> /run/tour/conf
printf 'runtime_supports_json = ["tour"]\\nruntime_supports_nocgroup = ["tour"]\\n' >> /run/tour/conf
printf '[engine.runtimes]\\ntour = ["%s"]\\n' "$runtime" >> /run/tour/conf
export CONTAINERS_CONF=/run/tour/conf PODMAN_IGNORE_CGROUPSV1_WARNING=1
run="podman run --network=none --cgroups=no-conmon"
`;

const CONTAINERD = `
mkdir -p /run/tour
printf 'version = 2\\nroot = "/run/tour/root"\\nstate = "/run/tour/state"\\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\\n[grpc]\\naddress = "/run/tour/sock"\\n' > /run/tour/config.toml
containerd --config /run/tour/config.toml > /run/tour/log 2>&1 &
for i in $(seq 100); do ctr -a /run/tour/sock version > /dev/null 2>&1 && break; sleep 0.1; done
ctr() { command ctr -a /run/tour/sock "$@"; }
run="ctr run --runtime io.containerd.runc.v2 --runc-binary $runtime --rootfs"
`;

const DOCKER = `
mkdir -p /run/tour
printf '{"data-root":"/run/tour/lib","exec-root":"/run/tour/exec","hosts":["unix:///run/docker.sock"],"iptables":false,"ip6tables":false,"bridge":"none","runtimes":{"tour":{"path":"%s"}},"default-runtime":"tour","exec-opts":["native.cgroupdriver=cgroupfs"]}' "$runtime" > /run/tour/daemon.json
dockerd --config-file /run/tour/daemon.json > /run/tour/log 2>&1 &
for i in $(seq 150); do docker version > /dev/null 2>&1 && break; sleep 0.1; done
tar -C "$root" -c . | docker import - tour > /dev/null
run="docker run --network none"
`;

/** The tours. */
export const TOURS: readonly Tour[] = [
  {
    engine: "podman",
    needs: ["podman", "conmon"],
    begin: PODMAN,
    steps: [
      "$run --rm --rootfs $root id",
      "$run --rm --rootfs $root sh -c 'exit 7'",
      "$run --rm --rootfs $root /nonesuch",
      "$run --rm --rootfs $root /etc/passwd",
      "echo in | $run -i --rm --rootfs $root cat",
      "$run -d --name one --rootfs $root sleep 1000 | wc -l",
      "podman exec one sh -c 'id; exit 9'",
      "podman exec --user 1000 --workdir /tmp --env A=b one sh -c 'id -u; pwd; echo $A'",
      "podman exec one /nonesuch",
      "podman top one args",
      "podman pause one > /dev/null && podman inspect -f '{{.State.Status}}' one",
      "podman unpause one > /dev/null && podman inspect -f '{{.State.Status}}' one",
      "podman stop -t 1 one > /dev/null; podman inspect -f '{{.State.Status}} {{.State.ExitCode}}' one",
      "podman start one > /dev/null; podman kill one > /dev/null; podman wait one",
      "podman rm -f one > /dev/null; podman ps -a --format '{{.Names}}'",
      "$run --rm -u 1000 --cap-drop=ALL --read-only --tmpfs /x --hostname h --memory 50m --pids-limit 50 " +
      "--rootfs $root sh -c 'id -u; hostname; touch /y; touch /x/y; grep Cap /proc/self/status'",
      "$run --rm --privileged --rootfs $root sh -c 'grep CapEff /proc/self/status'",
      "sleep 3 | script -qec \"$run --rm -it --rootfs $root sh -c 'tty; stat -c %t:%T /dev/console'\" /dev/null",
      "$run --rm --cgroups=disabled --rootfs $root id -u",
      "podman pod create --network=none --infra=false --name p > /dev/null; " +
      "podman run --rm --pod p --rootfs $root id -u; podman pod rm -f p > /dev/null",
    ],
  },
  {
    engine: "buildah",
    needs: ["buildah"],
    begin: `${PODMAN}
c=$(buildah from scratch)
buildah add -q $c "$root" / > /dev/null
run="buildah run --runtime $runtime --network=none"
`,
    steps: [
      "$run $c -- sh -c 'id; exit 3'",
      "$run $c -- /nonesuch",
      "$run --user 1000 $c -- sh -c 'id -u; echo made > /tmp/file; cat /tmp/file'",
      "$run -t $c -- tty",
      "$run -v $root:/shown:ro $c -- ls /shown",
    ],
  },
  {
    engine: "containerd (ctr)",
    needs: ["containerd", "ctr"],
    begin: CONTAINERD,
    steps: [
      "$run --rm $root one /bin/id",
      "$run --rm $root one /bin/sh -c 'exit 7'",
      "$run --rm $root one /nonesuch",
      "$run --rm --cwd /tmp --env A=b --user 1000 $root one /bin/sh -c 'id -u; pwd; echo $A'",
      "$run --rm --read-only --memory-limit 50000000 $root one /bin/touch /y",
      "$run -d $root two /bin/sleep 1000; ctr task ls | awk '/two/ { print $1, $3 }'",
      "ctr task exec --exec-id e two /bin/sh -c 'id -u; exit 9'",
      "ctr task pause two; ctr task ls | awk '/two/ { print $3 }'",
      "ctr task resume two; ctr task ls | awk '/two/ { print $3 }'",
      "ctr task ps two | wc -l",
      "ctr task kill -s KILL two; sleep 1; ctr task ls | awk '/two/ { print $3 }'",
      "ctr task rm two; ctr container rm two; ctr container ls -q",
      'script -qec "command ctr -a /run/tour/sock run --runtime io.containerd.runc.v2 --runc-binary ' +
      '$runtime --rootfs --rm -t $root one /bin/tty" /dev/null',
    ],
  },
  {
    engine: "docker",
    needs: ["docker", "dockerd", "containerd"],
    begin: DOCKER,
    steps: [
      "$run --rm tour id",
      "$run --rm tour sh -c 'exit 7'",
      "$run --rm tour /nonesuch",
      "$run --rm tour /etc/passwd",
      "$run -d --name one tour sleep 1000 | wc -l",
      "docker exec -u 1000 one sh -c 'id -u; exit 9'",
      "docker pause one; docker inspect -f '{{.State.Status}}' one; docker unpause one",
      "docker update --memory 30m --memory-swap 60m --pids-limit 33 one",
      "docker restart -t 0 one; docker stop -t 1 one; docker rm -f one",
      "$run --rm --privileged tour grep CapEff /proc/self/status",
      'script -qec "$run --rm -it tour tty" /dev/null',
    ],
  },
];

/** What a tour has printed for each of its steps. */
export async function walk(
  tour: Tour,
  runtime: string,
  root: string,
  directory: string,
): Promise<readonly string[]> {
  const script = [
    `runtime='${runtime}' root='${root}'`,
    tour.begin,
    ...tour.steps.flatMap((
      step,
    ) => [`echo '${MARK}'`, `{ ${step}\n} < /dev/null 2>&1`, "echo status $?"]),
  ].join("\n");
  const path = `${directory}/tour.sh`;
  await Deno.writeTextFile(path, script);
  const { stdout } = await inLaboratory(["timeout", "300", "bash", path], directory);
  return stdout.split(`${MARK}\n`).slice(1).map((text) => normal(text, runtime));
}

const MARK = "------ step";

/** What differs from one time to the next, and between runtimes, is left out: names, ids, texts of errors. */
function normal(text: string, runtime: string): string {
  return text.replaceAll(runtime, "RUNTIME").split("\n")
    .map((line) => line.trimEnd().replaceAll(/[0-9a-f]{12,64}/g, "ID"))
    .map((line) =>
      /^(status|\d+$)/.test(line) || !/error|failed|time=/i.test(line) ? line : "an error"
    )
    .join("\n");
}
