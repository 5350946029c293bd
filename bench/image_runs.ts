/**
 * Runs of a stored image: against the same recipe that is kept, and as a process against podman(1).
 *
 * @module
 */

import { bind, loopback, mount, proc, recipe, tmpfs, unshare } from "../mod.ts";
import { pull } from "../images/mod.ts";
import { digestOf, LAYER, makeLayout } from "./image_layout.ts";
import { findProgram } from "./machine.ts";
import { makeBundle } from "./oci_bundle.ts";
import { type Report, roundsTable, type Table } from "./report.ts";
import { type Contender, interleave, median, ratios, type Rounds } from "./rounds.ts";

const [RUNS, PROCESSES] = [21, 7];
const KEPT = "the recipe on the root", STORED = "a run of the image";

/** Measures, in a directory, by the command of this file. */
export async function imageRuns(
  directory: string,
  command: string,
): Promise<Pick<Report, "about" | "tables">> {
  makeImage(directory);
  const tables = [await stored(directory)];
  const issue = Deno.uid() !== 0
    ? "needs root"
    : ["podman", "crun"].find((name) => findProgram(name) === undefined);
  const about = ["the image that is run has /bin/true and its libraries"];
  if (issue === undefined) tables.push(await processes(directory, command));
  else about.push(`podman run: not measured: ${issue}`);
  return { about, tables };
}

/** An image with a program and its libraries. */
function makeImage(directory: string): void {
  const bundle = `${directory}/true`;
  makeBundle(bundle, [], "/bin/true");
  const path = `${bundle}.tar`;
  const args = ["-C", `${bundle}/rootfs`, "--owner=0", "--group=0", "-cf", path, "."];
  const { success } = new Deno.Command("tar", { args }).outputSync();
  if (!success) throw new Error("tar has failed");
  makeLayout(`${directory}/layout-true`, { path, mediaType: LAYER.tar, diffId: digestOf(path) });
}

/** What a run of a stored image takes more than one of the recipe that it is. */
async function stored(directory: string): Promise<Table> {
  const store = `${directory}/store-true`;
  Deno.mkdirSync(store, { mode: 0o700 });
  await using image = await pull(`oci:${directory}/layout-true:l`, { store });
  const box = await image.recipe();
  const streams = { stdin: "null", stdout: "null", stderr: "null" } as const;
  const timed = async (act: () => Promise<{ readonly success: boolean }>) => {
    const begin = performance.now();
    const { success } = await act();
    if (!success) throw new Error("/bin/true has failed");
    return [performance.now() - begin];
  };
  const contenders: Contender[] = [
    { name: KEPT, measure: () => timed(() => box.command("/bin/true", streams).spawn().status) },
    {
      name: STORED,
      measure: () =>
        timed(async () => (await image.command([], { command: streams })).spawn().status),
    },
  ];
  const rounds = await interleave(contenders, RUNS);
  const is = median(ratios(rounds, STORED, KEPT));
  const wanted = { what: `${STORED} to ${KEPT}`, is, bound: "at most", limit: 1.15 } as const;
  return roundsTable("Runs by a script", rounds, KEPT, "ms", (ms) => ms.toFixed(2), [wanted]);
}

/** `ramekin run` and `podman run`, where podman leaves no file, mount or control group. */
async function processes(directory: string, command: string): Promise<Table> {
  const apart = recipe(
    unshare("mount", "pid", "ipc", "net", "uts", "cgroup"),
    proc(),
    bind(directory, "/mnt"),
    ...["/run", "/dev/shm", "/var/lib"].map((path) => tmpfs(path)),
    mount("cgroup2", "/sys/fs/cgroup", { type: "cgroup2" }),
    loopback(),
  );
  const script = `
    # crun gives the standard streams to the container's user.
    mkdir /run/devices
    mount -t tmpfs -o mode=755 none /run/devices
    mknod -m 666 /run/devices/null c 1 3
    mount --bind /run/devices/null /dev/null
    podman="podman --cgroup-manager=cgroupfs --events-backend=none --runtime=crun"
    export RAMEKIN_IMAGES=/run/images
    mkdir -m 700 $RAMEKIN_IMAGES
    "$1" run -A "$2" pull --quiet --name=bench:1 oci:/mnt/layout-true:l >/dev/null
    id=$($podman pull --quiet oci:/mnt/layout-true:l)
    ramekin() { "$deno" run -A "$command" run --image=bench:1 --pull=never -- /bin/true; }
    engine() { $podman run -q --rm --network=none --cgroups=disabled "$id" /bin/true; }
    deno=$1 command=$2
    for round in $(seq "$3"); do
      for name in ramekin engine; do
        begin=$(date +%s%N)
        $name </dev/null
        echo "$name $(( $(date +%s%N) - begin ))"
      done
    done`;
  const args = ["-euc", script, "sh", Deno.execPath(), command, String(PROCESSES + 1)];
  const { success, stdout, stderr } = await apart.command("sh", { args }).output();
  const text = new TextDecoder();
  if (!success) throw new Error(`podman: ${text.decode(stderr)}`);
  const rounds = roundsOf(text.decode(stdout));
  const is = median(ratios(rounds, "ramekin run --image", "podman run"));
  const what = "ramekin run --image to podman run";
  const wanted = { what, is, bound: "at most", limit: 0.4 } as const;
  const ms = (value: number) => value.toFixed(0);
  return roundsTable("Runs by a shell", rounds, "podman run", "ms", ms, [wanted]);
}

/** What the script has printed, without the first round. */
function roundsOf(output: string): Rounds {
  const timesOf = (name: string) =>
    [...output.matchAll(new RegExp(`^${name} (\\d+)$`, "gm"))].slice(1)
      .map(([, nanoseconds]) => Number(nanoseconds) / 1e6);
  return new Map([
    ["podman run", timesOf("engine")],
    ["ramekin run --image", timesOf("ramekin")],
  ]);
}
