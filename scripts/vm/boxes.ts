/**
 * `deno task test:vm --boxes [x86_64|aarch64]`: boxes in the emulated machines, in a root that has
 * busybox and nothing else, as root and as an ordinary user.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- part of a program, whose output is the console's

import {
  bind,
  bounds,
  denyFiles,
  hostname,
  init,
  landlock,
  limits,
  mapIds,
  mapRoot,
  proc,
  protect,
  type Recipe,
  recipe,
  sandbox,
  timeOffset,
  tmpfs,
  unshare,
} from "../../mod.ts";
import { Archive } from "./archive.ts";
import { emulate } from "./emulator.ts";
import { base } from "./initramfs.ts";
import type { Machine } from "./machine.ts";

/** How many seconds a machine may run. */
const BOUND = 300;

/** A box, a script of the shell that runs in it, and what that prints. */
interface Trial {
  readonly name: string;
  readonly box: Recipe;
  readonly script: string;
  readonly printed: string;
  readonly code?: number;
  readonly for?: "root";
  /** What the shell does before it, and prints behind it. */
  readonly before?: string;
  readonly after?: string;
}

const range = [{ inside: 0, outside: 100_000, count: 10 }];

const TRIALS: readonly Trial[] = [
  {
    name: "readme",
    box: recipe(
      unshare("user", "mount", "pid", "uts", "ipc", "net"),
      mapRoot(),
      tmpfs("/tmp", { size: "10m" }),
      proc(),
      hostname("a-cooler-hostname"),
    ),
    script: "hostname; id -u; echo $$; exit 3",
    printed: "a-cooler-hostname 0 1",
    code: 3,
  },
  {
    name: "sandbox",
    box: sandbox(),
    script: "hostname; test -e /boxes || echo alone; grep -c 'Seccomp:.*2' /proc/self/status",
    printed: "sandbox alone 1",
  },
  {
    name: "init",
    box: recipe(unshare("user", "mount", "pid"), mapRoot(), proc(), init()),
    script: "cat /proc/1/comm; echo $$; kill -TERM $$",
    printed: "init 2",
    code: 143,
  },
  {
    name: "time",
    box: recipe(unshare("user", "time"), mapRoot(), timeOffset({ boottime: 1e8 })),
    script: "cut -c 1-6 /proc/uptime",
    printed: "100000",
  },
  {
    name: "timeout",
    box: recipe(unshare("user", "pid"), mapRoot(), init(), bounds({ timeout: 500 })),
    script: "trap 'echo asked; exit 3' TERM; while :; do sleep 0.1; done",
    printed: "asked box: the program was ended, as its time was over",
    code: 124,
  },
  {
    name: "limits",
    box: recipe(
      unshare("user", "pid"),
      mapRoot(),
      limits({ pids: 50, memory: "64m", cpus: 0.5, cpuset: "0" }),
    ),
    script: "sed 's/.*ramekin/ramekin/; s/0*[1-9][0-9]*$//' /proc/self/cgroup; " +
      "cd /groups/*/ramekin-box-*; cat pids.max memory.max cpu.max cpuset.cpus",
    printed: "ramekin-box- 50 67108864 50000 100000 0 0",
    // The box is alone in a group that belongs to its user.
    before: "echo 0 >/groups/$user/cgroup.procs",
    after: "ls -d /groups/*/ramekin-box-* 2>/dev/null | wc -l",
  },
  {
    name: "held",
    box: recipe(
      unshare("user", "mount", "pid"),
      mapRoot(),
      bind("/tmp/project", "/tmp/project"),
      protect("/tmp/project", "/tmp/project", {
        names: [".git/commondir", ".git/hooks", ".vscode"],
      }),
      denyFiles({ read: ["/tmp/project/secret"], write: ["/tmp/project/kept"] }),
    ),
    script: "cd /tmp/project; cat secret; " +
      "for file in .git/commondir .git/hooks/x .vscode/x kept secret made; do " +
      "(echo >>$file) 2>/dev/null && echo $file; done",
    printed: "made . ./.git ./.git/hooks ./made ./secret",
    before: "cd /tmp; rm -rf project; mkdir -p project/.git/hooks; echo salt >project/secret; " +
      "chown -R $user project",
    after: "cd /tmp/project; find . | sort",
  },
  {
    name: "landlock",
    box: recipe(landlock({ read: ["/"], execute: ["/"], degrade: true })),
    script: "(echo > /tmp/made) 2>&1 | grep -c denied",
    printed: "1",
  },
  {
    name: "ids",
    box: recipe(unshare("user"), mapIds({ uids: range, gids: range })),
    script: "id -u; tr -s ' ' </proc/self/uid_map | cut -c 2-",
    printed: "0 0 100000 10",
    for: "root",
  },
];

/** Leaves the first root for one with busybox and the boxes alone, and runs each box there. */
const INIT = `#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t tmpfs tmpfs /mnt
cd /mnt
mkdir bin proc dev tmp etc usr
chmod 1777 tmp
cp /usr/bin/busybox bin/ || cp /bin/busybox bin/
cp -r /boxes .
printf 'root:x:0:0::/:/bin/sh\\nnobody:x:65534:65534::/:/bin/sh\\n' >etc/passwd
mount --move . /
exec chroot . /bin/busybox sh /boxes/run
`;

const RUN = `export PATH=/bin
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t devtmpfs dev /dev
mkdir -p /dev/pts
mount -t devpts devpts /dev/pts
mkdir /groups
mount -t cgroup2 groups /groups
echo "+pids +memory +cpu +cpuset" >/groups/cgroup.subtree_control
for user in root nobody; do
  mkdir /groups/$user
  chown $user /groups/$user /groups/$user/cgroup.procs /groups/$user/cgroup.subtree_control
done
echo 'exec "$@"' >/boxes/as
exec </dev/null
${TRIALS.flatMap((trial) => usersOf(trial).map((user) => lineOf(trial, user))).join("\n")}
echo "ramekin: exit 0"
poweroff -f
`;

function usersOf({ for: whom }: Trial): readonly ("root" | "nobody")[] {
  return whom === "root" ? ["root"] : ["root", "nobody"];
}

function lineOf({ name, script, before, after }: Trial, user: "root" | "nobody"): string {
  const as = user === "root" ? "" : "su -s /bin/sh nobody -- /boxes/as ";
  const quoted = `'${script.replaceAll("'", `'\\''`)}'`;
  const box = `${as}/boxes/${name} sh -c ${quoted} >/tmp/out 2>&1`;
  return `user=${user}; ${before === undefined ? box : `(${before}; exec ${box})`}; code=$?; ` +
    `${after === undefined ? "" : `${after} >>/tmp/out; `}` +
    `echo "${name} as ${user}: $code $(tr '\\n' ' ' </tmp/out)"`;
}

/** Runs the boxes in a machine, and returns how many do not do what they should. */
export async function runBoxes(machine: Machine): Promise<{ passed: number; failed: number }> {
  const made = await base(machine);
  const directory = Deno.makeTempDirSync({ prefix: "ramekin-vm-" });
  try {
    const root = `${directory}/root.cpio`;
    Deno.copyFileSync(made.archive, root);
    {
      using archive = new Archive(root);
      archive.file("vm/init", INIT, 0o755);
      archive.file("boxes/run", RUN);
      for (const trial of TRIALS) {
        archive.file(`boxes/${trial.name}`, build(trial, machine.name, directory), 0o755);
      }
    }
    const { text } = await emulate(machine, made.kernel, root, BOUND);
    return judge(text);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

/** Builds a box as the README does: by the command, of a recipe in a file, or of a sandbox without one. */
function build(
  { name, box, for: user }: Trial,
  architecture: string,
  directory: string,
): Uint8Array<ArrayBuffer> {
  const [file, built] = [`${directory}/${name}.json`, `${directory}/${name}`];
  Deno.writeTextFileSync(file, JSON.stringify({ steps: box.steps }));
  const of = name === "sandbox" ? "--sandbox" : file;
  const { success, stderr } = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--allow-read", "--allow-write", "--no-check", COMMAND, "build", of],
      ...[`--arch=${architecture}`, `--for=${user ?? "user"}`, "-o", built],
    ],
  }).outputSync();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return Deno.readFileSync(built);
}

const COMMAND = new URL("../ramekin.ts", import.meta.url).pathname;

function judge(text: string): { passed: number; failed: number } {
  let [passed, failed] = [0, 0];
  for (const trial of TRIALS) {
    for (const user of usersOf(trial)) {
      const line = `${trial.name} as ${user}: ${trial.code ?? 0} ${trial.printed}`;
      if (text.split("\n").some((shown) => shown.trim() === line)) passed++;
      else {
        console.error(`not shown: ${line}`);
        failed++;
      }
    }
  }
  return { passed, failed };
}
