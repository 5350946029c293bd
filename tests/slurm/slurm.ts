/**
 * Recipes on many machines, by a real Slurm: `deno task test:slurm`. It takes half a minute, and so is
 * no part of the suite.
 */

import { assertEquals } from "@std/assert";
import { buildBox } from "../../box/mod.ts";
import { exportOci } from "../../export/mod.ts";
import {
  bind,
  clearEnv,
  devices,
  hostname,
  mapRoot,
  pivotRoot,
  proc,
  recipe,
  remount,
  seccomp,
  setEnv,
  symlink,
  tmpfs,
  unshare,
} from "../../mod.ts";
import { stringifyRecipe } from "../../yaml/mod.ts";
import { writeBundle } from "../export/support.ts";
import { RAMEKIN } from "../ramekin/support.ts";
import { test } from "../support.ts";
import { Cluster, COOK, noSlurm } from "./cluster.ts";

const KITCHEN = recipe(
  unshare("user", "mount", "pid", "uts", "ipc"),
  mapRoot(),
  hostname("kitchen"),
  proc("/proc"),
);

/** One whose root is made of the machine's programs, as config.json has it. */
const BUNDLE = recipe(
  unshare("user", "mount", "pid", "uts", "ipc"),
  mapRoot(),
  hostname("kitchen"),
  tmpfs("/proc"),
  bind("/usr", "/proc/usr", { readOnly: true }),
  ...["bin", "lib", "lib64"].map((name) => symlink(`usr/${name}`, `/proc/${name}`)),
  devices("/proc/dev"),
  proc("/proc/proc"),
  pivotRoot("/proc"),
  remount("/", "ro"),
  seccomp(),
  clearEnv(),
  setEnv({ PATH: "/usr/bin" }),
);

const WHERE = 'echo "$(hostname) $(id -u) $$ $SLURM_PROCID $SLURMD_NODENAME"';
const EVERYWHERE = [1, 2, 3].map((number) => `kitchen 0 1 ${number - 1} node${number}`);

/** The blocks of a language in docs/many_machines.md. */
function blocks(language: string): readonly string[] {
  const page = Deno.readTextFileSync(new URL("../../docs/many_machines.md", import.meta.url));
  const found = page.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\``, "gm"));
  return Array.from(found, ([, text]) => text!);
}

/** Fills a directory that all nodes share. */
async function fill(directory: string): Promise<void> {
  const deno = (...args: string[]) =>
    new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-check", "--quiet", "-A", RAMEKIN, ...args],
      env: { DENO_DIR: `${directory}/cache`, NO_COLOR: "1" },
      stdin: "null",
      stdout: "null",
    }).output();
  Deno.mkdirSync(`${directory}/installed`);
  assertEquals((await deno("oci", "install", `${directory}/installed`)).code, 0);
  assertEquals((await deno("sandbox", "--", "true")).code, 0);
  const box = buildBox(KITCHEN, { program: ["sh", "-c", WHERE] });
  Deno.writeFileSync(`${directory}/box`, box, { mode: 0o755 });
  Deno.writeTextFileSync(`${directory}/box.yaml`, stringifyRecipe(KITCHEN));
  const text = `#!/bin/sh
export DENO_DIR="${directory}/cache" NO_COLOR=1
exec ${Deno.execPath()} run --no-check --quiet -A ${RAMEKIN} "$@"
`;
  Deno.writeTextFileSync(`${directory}/ramekin`, text, { mode: 0o755 });
  const prolog = blocks("sh").find((block) => block.startsWith("#!/bin/sh"))!;
  Deno.writeTextFileSync(`${directory}/prolog`, prolog, { mode: 0o755 });
  for (const [name, runner] of [["roots", "root"], ["cooks", COOK]] as const) {
    const { files } = exportOci(BUNDLE, { program: ["sh"], for: runner });
    writeBundle(`${directory}/${name}`, files);
  }
  Deno.mkdirSync(`${directory}/out`);
  await new Deno.Command("chmod", { args: ["-R", "a+rwX", directory] }).output();
}

test("a cluster runs boxes, recipes and bundles, and loses nothing with a node", async () => {
  const directory = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "ramekin-slurm-" }));
  try {
    await fill(directory);
    await using cluster = await Cluster.start(directory, 3, {
      slurmConf: `Prolog=${directory}/prolog`,
      ociConf: blocks("ini")[0]!.replaceAll("/usr/local/lib/ramekin", `${directory}/installed`),
    });
    for (const user of ["root", "cook"] as const) {
      assertEquals(await cluster.lines(`srun -N3 ${directory}/box`, user), EVERYWHERE);
      const run = `srun -N3 ${directory}/ramekin run ${directory}/box.yaml -A -- sh -c '${WHERE}'`;
      assertEquals(await cluster.lines(run, user), EVERYWHERE);
      const bundle = `${directory}/${user}s`;
      const container = `srun -N3 --container=${bundle} sh -c 'echo "$(hostname) $(id -u) $$"'`;
      assertEquals(await cluster.lines(container, user), Array(3).fill("kitchen 0 1"));
      assertEquals((await cluster.sh(`srun --container=${bundle} sh -c "exit 5"`, user)).code, 5);
    }
    const script = `${directory}/box; sleep 1; echo end $SLURM_ARRAY_TASK_ID`;
    const [id] = await cluster.lines(
      `cd ${directory}/out && sbatch --parsable --requeue --open-mode=append -o %a.out \\
        --array=1-24 --wrap '${script}'`,
      "cook",
    );
    await cluster.until('[ "$(squeue -h -r -t R -w node2 | wc -l)" -ge 2 ]');
    await cluster.killNode(2);
    await cluster.until('sinfo -h -n node2 -o %T | grep -q "^down"');
    await cluster.until(
      `{ for job in $(squeue -h -r -t PD -o %A); do scontrol update jobid=$job starttime=now; done
        [ -z "$(squeue -h -j ${id})" ]; }`,
    );
    const ended = await cluster.lines(`cat ${directory}/out/*.out | grep ^end | sort -u | wc -l`);
    assertEquals(ended, ["24"]);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}, noSlurm);
