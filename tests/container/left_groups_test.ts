/** The control groups of scripts that were killed, seen from other pid namespaces. */

import { assert, assertEquals } from "@std/assert";
import { hierarchies } from "../../host.ts";
import { limits, linux, proc, type Recipe, recipe, unshare } from "../../mod.ts";
import { decode, readUntil } from "../other_scripts.ts";
import { notRoot, test } from "../support.ts";

const module = (path: string) => JSON.stringify(import.meta.resolve(`../../${path}`));

/** Makes a group with a program in it and an empty one, and waits. */
const KEEPER = `
  import { limits, recipe } from ${module("mod.ts")};
  import { Group } from ${module("ffi/cgroups/group.ts")};
  import { planCgroup } from ${module("ffi/cgroups/plan.ts")};
  const group = Group.make(planCgroup({}));
  const container = recipe(limits({})).command("sleep", { args: ["100"] }).spawn();
  console.log("ready");
  await container.status;`;

/** Makes a group, which is when others are removed. */
const SWEEPER = `
  import { limits, recipe } from ${module("mod.ts")};
  recipe(limits({})).command("true").outputSync();`;

const inPidNamespace = recipe(unshare("pid", "mount"), proc());

/** Runs a body with the arguments by which Deno runs these scripts. */
async function withScripts(
  body: (keeper: readonly string[], sweeper: readonly string[]) => Promise<void>,
): Promise<void> {
  const directory = Deno.makeTempDirSync();
  try {
    Deno.writeTextFileSync(`${directory}/keeper.ts`, KEEPER);
    Deno.writeTextFileSync(`${directory}/sweeper.ts`, SWEEPER);
    const flags = ["run", "--no-check", "--no-config", "--quiet", "--allow-ffi"];
    await body([...flags, `${directory}/keeper.ts`], [...flags, `${directory}/sweeper.ts`]);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

/** The groups in this process's own, in every hierarchy, of scripts in a pid namespace. */
function groupsOf(pidNamespace: number): string[] {
  return hierarchies().flatMap(({ own }) =>
    [...Deno.readDirSync(own)].map(({ name }) => `${own}/${name}`)
  ).filter((path) => path.includes(`/ramekin-${pidNamespace}-`)).sort();
}

const SWEEPERS: readonly (readonly [string, Recipe])[] = [
  ["from around it", recipe()],
  ["from another one beside it", inPidNamespace],
];

for (const [where, box] of SWEEPERS) {
  test(
    `the groups of a script that was killed in a pid namespace are removed, ${where}`,
    () =>
      withScripts(async (keeper, sweeper) => {
        // This process's own groups are made first: what that removes is none of the script's.
        assert((await recipe(limits({})).command("true").output()).success);
        const sweep = async () => {
          const { code, stderr } = await box.command(Deno.execPath(), { args: sweeper }).output();
          assertEquals([code, decode(stderr)], [0, ""]);
        };
        const script = inPidNamespace.command(Deno.execPath(), {
          args: keeper,
          stdout: "piped",
        }).spawn();
        const { pid } = linux.namespaces(script.pid);
        try {
          await readUntil(script.stdout, (text) => text.includes("ready"));
          const groups = groupsOf(pid!);
          assert(groups.length >= 2, groups.join());
          await sweep();
          assertEquals(groupsOf(pid!), groups);
        } finally {
          script.kill("SIGKILL");
          await script.status;
          await script.stdout.cancel();
        }
        assert(groupsOf(pid!).length >= 2);
        await sweep();
        assertEquals(groupsOf(pid!), []);
      }),
    notRoot,
  );
}
