/**
 * A cluster of Slurm in containers: a controller, and nodes with a hostname, processes and files in
 * /run of their own, in one network without a way out. It ends with the test.
 */

import { assertEquals } from "@std/assert";
import {
  address,
  type Container,
  hostname,
  init,
  join,
  loopback,
  mkdir,
  overlay,
  proc,
  recipe,
  type Step,
  tmpfs,
  unshare,
} from "../../mod.ts";
import { ownGroups } from "../export/podman_lab.ts";
import { isThere } from "../export/support.ts";
import { decode } from "../other_scripts.ts";
import { root } from "../support.ts";

/** Why there can be no cluster. */
export const noSlurm: string | undefined = !root
  ? "needs root"
  : ["/usr/sbin/slurmctld", "/usr/sbin/slurmd", "/usr/sbin/munged", "/usr/bin/srun"]
    .filter((path) => !isThere(path)).map((path) => `needs ${path} (slurm-wlm, munge)`).at(0);

/** An ordinary user of the cluster. */
export const COOK = { uid: 20_001, gid: 20_001 } as const;

/** The address of all. Names are not looked up where there is none but that of the loopback. */
const ADDRESS = "10.99.0.1";

/** What has ended, as text. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The files of /etc that differ from this machine's. */
function etcFiles(nodes: number, slurmConf: string, ociConf: string): Record<string, string> {
  const passwd = Deno.readTextFileSync("/etc/passwd"), group = Deno.readTextFileSync("/etc/group");
  return {
    "passwd": `${passwd}cook:x:${COOK.uid}:${COOK.gid}::/:/bin/sh\n`,
    "group": `${group}cook:x:${COOK.gid}:\n`,
    "hosts": `127.0.0.1 localhost\n${ADDRESS} controller\n`,
    "slurm/oci.conf": ociConf,
    "slurm/cgroup.conf": isThere("/sys/fs/cgroup/cgroup.controllers")
      ? "CgroupPlugin=cgroup/v2\nIgnoreSystemd=yes\n"
      : "CgroupPlugin=cgroup/v1\n",
    "slurm/slurm.conf": `ClusterName=kitchen
SlurmctldHost=controller(${ADDRESS})
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
StateSaveLocation=/var/spool/controller
SlurmdSpoolDir=/var/spool/node
SlurmctldPidFile=/run/controller.pid
SlurmdPidFile=/run/node.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
SlurmdTimeout=5
MessageTimeout=5
KillWait=2
MpiDefault=none
SchedulerParameters=sched_interval=1,sched_min_interval=0,batch_sched_delay=0,bf_interval=1
${slurmConf}
${
      Array.from({ length: nodes }, (_, at) =>
        `NodeName=node${at + 1} NodeAddr=${ADDRESS} Port=${17001 + at} CPUs=4 RealMemory=1000`)
        .join("\n")
    }
PartitionName=main Nodes=ALL Default=YES MaxTime=60 State=UP
`,
  };
}

/** A cluster that runs. */
export class Cluster implements AsyncDisposable {
  readonly #controller: Container;
  readonly #nodes: readonly Container[];

  private constructor(controller: Container, nodes: readonly Container[]) {
    this.#controller = controller;
    this.#nodes = nodes;
  }

  /**
   * Starts one, and waits until all nodes are idle.
   *
   * @param directory where its files are, which all can read
   */
  static async start(
    directory: string,
    nodes: number,
    { slurmConf = "", ociConf = "" }: { readonly slurmConf?: string; readonly ociConf?: string },
  ): Promise<Cluster> {
    for (const [path, text] of Object.entries(etcFiles(nodes, slurmConf, ociConf))) {
      Deno.mkdirSync(`${directory}/etc/slurm`, { recursive: true });
      Deno.writeTextFileSync(`${directory}/etc/${path}`, text);
    }
    Deno.mkdirSync(`${directory}/etc/munge`, { mode: 0o700 });
    Deno.writeFileSync(`${directory}/etc/munge/munge.key`, randomKey(), { mode: 0o400 });
    const machine = (name: string, ...network: Step[]) =>
      recipe(
        ...network,
        unshare("mount", "pid", "uts", "ipc", "cgroup"),
        hostname(name),
        proc("/proc"),
        ...ownGroups(),
        tmpfs("/run", { mode: 0o755 }),
        tmpfs("/var/spool", { mode: 0o755 }),
        ...["controller", "node"].map((path) => mkdir(`/var/spool/${path}`, { mode: 0o755 })),
        tmpfs("/var/lib/munge", { mode: 0o700 }),
        tmpfs("/var/log", { mode: 0o755 }),
        overlay("/etc", { lower: [`${directory}/etc`, "/etc"] }),
        init(),
      );
    const start = (made: ReturnType<typeof machine>, daemon: string) =>
      made.command("sh", {
        args: [
          "-euc",
          `mkdir -p -m 755 /run/munge
munged --force --key-file=/etc/munge/munge.key --log-file=/run/munge/log \\
  --pid-file=/run/munge/pid --seed-file=/run/munge/seed
exec ${daemon} -D`,
        ],
        cwd: directory,
        stdin: "null",
        stdout: { path: `${directory}/${daemon}.log`, append: true },
        stderr: "stdout",
      }).spawn();
    const controller = start(
      machine(
        "controller",
        unshare("net"),
        loopback(),
        address("lo", `${ADDRESS}/24`),
      ),
      "slurmctld",
    );
    const made = Array.from(
      { length: nodes },
      (_, at) => start(machine(`node${at + 1}`, join(controller.pid, "net")), "slurmd"),
    );
    const cluster = new Cluster(controller, made);
    try {
      await cluster.until(`[ "$(sinfo -h -N -t idle -o %n | wc -l)" = ${nodes} ]`);
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      const logs = ["slurmctld", "slurmd"].map((name) => `${directory}/${name}.log`).filter(isThere)
        .map((path) => Deno.readTextFileSync(path));
      throw new Error(`the cluster does not start:\n${logs.join("\n")}`, { cause: error });
    }
    return cluster;
  }

  /** Runs a shell script where the controller is, as root or as the cook. */
  async sh(script: string, user: "root" | "cook" = "root"): Promise<Ended> {
    const { code, stdout, stderr } = await this.#controller.enter("sh", {
      args: ["-uc", script],
      stdin: "null",
      user: "root",
      ...(user === "cook" && { uid: COOK.uid, gid: COOK.gid }),
    }).output();
    return { code, stdout: decode(stdout), stderr: decode(stderr) };
  }

  /** Runs a script of which nothing fails, and returns its lines, sorted. */
  async lines(script: string, user: "root" | "cook" = "root"): Promise<readonly string[]> {
    const { code, stdout, stderr } = await this.sh(script, user);
    assertEquals([code, stderr], [0, ""], stdout);
    return stdout.trim().split("\n").sort();
  }

  /** Waits until a shell script ends with 0. */
  async until(script: string): Promise<void> {
    const { code, stderr } = await this.sh(
      `for try in $(seq 600); do if ${script}; then exit 0; fi 2>/dev/null; sleep 0.1; done; exit 1`,
    );
    assertEquals(code, 0, `a minute has gone, and not: ${script}\n${stderr}`);
  }

  /** Kills a node with all that runs there. */
  async killNode(number: number): Promise<void> {
    const node = this.#nodes[number - 1]!;
    node.kill("SIGKILL");
    await node.status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const container of [...this.#nodes, this.#controller]) {
      try {
        container.kill("SIGKILL");
      } catch (error) {
        if (!(error instanceof TypeError)) throw error; // it has ended
      }
      await container.status;
    }
  }
}

function randomKey(): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(128));
}
