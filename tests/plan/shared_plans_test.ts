/** Recipes that begin alike share the plan of their first steps. */

import { assert, assertEquals } from "@std/assert";
import { describeCall, ResultOf } from "../../ffi/call.ts";
import { liveHost } from "../../host/live_host.ts";
import { execSpec } from "../../launch/exec.ts";
import { Launcher } from "../../launch/launcher.ts";
import { PlanBuilder } from "../../plan/builder.ts";
import { requiredAccess } from "../../plan/access/required.ts";
import { lowerSteps, planRecipe } from "../../plan/plan_recipe.ts";
import { SharedPlans } from "../../plan/shared_plans.ts";
import {
  bind,
  chdir,
  chroot,
  hostname,
  init,
  limits,
  mapIds,
  mapRoot,
  mkdir,
  noNewPrivileges,
  pivotRoot,
  proc,
  propagation,
  type Recipe,
  recipe,
  RecipeError,
  sandbox,
  type SandboxOptions,
  seccomp,
  type Step,
  symlink,
  tmpfs,
  unmount,
  unshare,
  UnsupportedError,
} from "../../mod.ts";
import { HUB, STEP_RECIPES } from "../faults/step_recipes.ts";
import { inDirectory, root, test } from "../support.ts";

/** Returns all of a plan that a launch reads, or who shows it: as a text, as two plans have other objects. */
function text(make: () => PlanBuilder): string {
  try {
    return JSON.stringify(shown(make()), plain).replaceAll(/ramekin-[\w-]+/g, "GROUP");
  } catch (error) {
    if (error instanceof RecipeError || error instanceof UnsupportedError) return error.message;
    throw error;
  }
}

function shown(plan: PlanBuilder): unknown {
  const { access, state, processes, beforeProgram, limits } = plan;
  const parts = processes.flatMap(({ parts, then, ownMemory }) => [...parts, { then, ownMemory }]);
  return {
    parts: [...parts, ...beforeProgram].map((part) => {
      if (!("call" in part)) return part;
      const { call, fixes: _, ...edges } = part;
      return { ...edges, call: describeCall(call) };
    }),
    listing: limits === undefined && String(new Launcher(plan).describe(execSpec("/x"))),
    access: [requiredAccess(access), access.recorded, access.kernelMounts, access.init],
    mounts: state.mounts.visible(),
    state,
    userNamespaces: state.capabilities.userNamespaces,
    syncPoints: plan.syncPoints.length,
    inheritedFds: plan.inheritedFds.map(({ call }) => describeCall(call)),
    placeholders: plan.placeholders,
    flags: [plan.cloneFlags, plan.cloneStep, plan.deathSignal, plan.opensProcSelf],
    isMomentary: plan.isMomentary,
  };
}

function plain(_key: string, value: unknown): unknown {
  if (value instanceof Map || value instanceof Set) return [...value];
  return value instanceof ResultOf ? value.text : typeof value === "bigint" ? `${value}` : value;
}

const own = recipe(unshare("user", "mount", "pid"), mapRoot());

/** Recipes whose last steps depend on what a plan remembers of the first ones, and shows nowhere. */
const REMEMBERING: readonly (readonly [name: string, box: Recipe])[] = [
  ["a filter that comes last", recipe({ ...seccomp({}), privileged: true }, noNewPrivileges())],
  ["limits twice", recipe(limits({ pids: 50 }), noNewPrivileges(), limits({ pids: 60 }))],
  ["an outer namespace", own.with(unshare("user"), mapRoot(), tmpfs("/mnt"))],
  ["an init that sees the host", own.with(init(), unshare("mount"), chroot("/usr"))],
  ["a root that can be left", own.with(tmpfs("/mnt"), chroot("/usr"), pivotRoot("/bin"))],
  [
    "lookups in a root of the host",
    own.with(tmpfs("/usr/lib"), mkdir("/usr/lib/a"), mkdir("/usr/lib/b"), pivotRoot("/usr")),
  ],
  [
    "a link of the recipe's",
    own.with(tmpfs("/mnt"), symlink("a", "/mnt/b"), mkdir("/mnt/a"), bind("/mnt/b", "/mnt/a")),
  ],
  [
    "a mount over such a link",
    own.with(
      tmpfs("/mnt"),
      symlink("/", "/mnt/a"),
      tmpfs("/mnt/a/b"),
      mkdir("/mnt/c"),
      bind("/mnt/c", "/mnt/c"),
    ),
  ],
];

test("a plan that goes on from that of its first steps is the whole one, and leaves it as it was", async () => {
  await using hub = HUB.command("sleep", { args: ["infinity"] }).spawn();
  const recipes = Object.entries(STEP_RECIPES).map(([name, make]) => [name, make(hub)] as const);
  const all = [...recipes, ...REMEMBERING, ["sandbox", sandbox({ write: ["/var"] })] as const];
  for (const [name, { steps }] of all) {
    const whole = text(() => planRecipe(steps));
    for (let count = 1; count < steps.length; count += name === "sandbox" ? 4 : 1) {
      const begun = new PlanBuilder(steps, liveHost());
      const goOn = () => {
        const plan = new PlanBuilder(steps, liveHost(), {}, begun);
        lowerSteps(plan, steps, count);
        plan.directories.returnToWorking();
        return plan;
      };
      try {
        lowerSteps(begun, steps, 0, count);
      } catch (error) {
        if (error instanceof UnsupportedError || error instanceof RecipeError) continue;
        throw error;
      }
      const before = text(() => begun);
      for (let times = 0; times < 2; times++) {
        assertEquals(text(goOn), whole, `${name}, after ${count} steps`);
      }
      assertEquals(text(() => begun), before, `${name}, after ${count} steps, as it was`);
    }
  }
});

/** Plans recipes by the same shared plans, in an order in which each comes after each other. */
function assertAsAlone(recipes: readonly (readonly Step[])[]): number {
  const shared = new SharedPlans();
  let planned = 0;
  const alone = recipes.map((steps) => text(() => planRecipe(steps)));
  for (let first = 0; first < recipes.length; first++) {
    for (let second = 0; second < recipes.length; second++) {
      for (const index of [first, second]) {
        const steps = recipes[index]!;
        const texts = ["", ...steps.map((step) => JSON.stringify(step))];
        assertEquals(text(() => shared.plan(steps, {}, texts)), alone[index], String(index));
        planned++;
      }
    }
  }
  return planned;
}

test("steps to come that change the calls of the first ones have them planned anew", () => {
  const ids = [{ inside: 0, outside: Deno.uid()!, count: 1 }];
  const groups = [{ inside: 0, outside: Deno.gid()!, count: 1 }];
  const first = [unshare("user", "mount", "uts"), mapRoot(), tmpfs("/mnt"), mkdir("/mnt/proc")];
  const usr = bind("/usr", "/mnt/usr", { untrusted: true, readOnly: true });
  const assertPlanned = assertAsAlone([
    recipe(...first, usr).steps,
    recipe(...first, usr, hostname("box")).steps,
    recipe(...first, usr, chdir("/mnt")).steps,
    recipe(...first, usr, pivotRoot("/mnt")).steps,
    recipe(...first, usr, pivotRoot("/mnt"), chdir("/usr")).steps,
    recipe(...first, usr, pivotRoot("/mnt/usr")).steps,
    recipe(...first, usr, unmount("/mnt/usr")).steps,
    recipe(...first, usr, proc("/mnt/proc"), propagation("/mnt", "slave")).steps,
    recipe(unshare("user", "mount"), mapIds({ uids: ids, gids: groups }), tmpfs("/mnt")).steps,
    recipe(unshare("user", "mount"), mapRoot(), tmpfs("/mnt")).steps,
  ]);
  assert(assertPlanned > 100);
});

test(
  "sandboxes of any options are planned as if there were no others",
  inDirectory((directory) => {
    Deno.mkdirSync(`${directory}/a`);
    Deno.mkdirSync(`${directory}/b`);
    Deno.symlinkSync("a", `${directory}/link`);
    const options: readonly SandboxOptions[] = [
      {},
      { env: ["LANG"] },
      { write: [`${directory}/a`] },
      { write: [`${directory}/b`], read: [`${directory}/a`], cwd: `${directory}/b` },
      { read: [`${directory}/link`] },
      { overlay: [`${directory}/a`], net: "host" },
      { denyRead: ["/usr/share"], setuidFiles: true },
    ];
    assertAsAlone(options.map((one) => sandbox(one).steps));
  }),
);

test(
  "a link that only some recipes trust is refused to the others",
  inDirectory((directory) => {
    Deno.mkdirSync(`${directory}/open`);
    Deno.mkdirSync(`${directory}/open/files`);
    Deno.symlinkSync("files", `${directory}/open/link`);
    const shared = new SharedPlans();
    const plan = (...steps: Step[]) => {
      const all = recipe(
        unshare("user", "mount"),
        mapRoot(),
        tmpfs("/mnt"),
        bind(`${directory}/open/link`, "/mnt/files", { readOnly: true }),
        ...steps,
      ).steps;
      return text(() => shared.plan(all, {}, ["", ...all.map((step) => JSON.stringify(step))]));
    };
    const untrusted = bind(`${directory}/open`, "/mnt/open", { untrusted: true });
    for (let times = 0; times < 3; times++) {
      assert(!plan(mkdir(`/mnt/${times}`)).includes("symbolic link"));
      assert(plan(untrusted, mkdir(`/mnt/${times}`)).includes("the symbolic link"));
    }
  }),
);

test(
  "what the first steps have found of the host is looked at again",
  inDirectory((directory) => {
    const file = `${directory}/file`;
    const optional = bind(file, "/mnt/file", { optional: true });
    const plan = (name: string) =>
      recipe(unshare("user", "mount"), mapRoot(), tmpfs("/mnt"), optional, mkdir(`/mnt/${name}`))
        .command("/x").plan().toString();
    for (let times = 0; times < 3; times++) assert(!plan(`a${times}`).includes(`"${file}"`));
    Deno.writeTextFileSync(file, "");
    for (let times = 0; times < 3; times++) assert(plan(`b${times}`).includes(`"${file}"`));
    Deno.renameSync(file, `${file}.old`);
    Deno.symlinkSync("file.old", file);
    for (let times = 0; times < 3; times++) assert(plan(`c${times}`).includes(`"${file}.old"`));
    if (root) Deno.chownSync(`${file}.old`, 1, 1);
    for (let times = 0; times < 3; times++) assert(plan(`d${times}`).includes(`"${file}.old"`));
  }),
);

test(
  "a kept command follows a directory that has become a link",
  inDirectory((directory) => {
    Deno.mkdirSync(`${directory}/files`);
    Deno.writeTextFileSync(`${directory}/files/word`, "hello");
    const command = recipe(
      unshare("user", "mount"),
      mapRoot(),
      tmpfs("/mnt", { mode: 0o755 }),
      bind(`${directory}/files/word`, "/mnt/word", { make: true }),
    ).command("cat", { args: ["/mnt/word"] });
    const printed = () => new TextDecoder().decode(command.outputSync().stdout);
    assertEquals(printed(), "hello");
    Deno.renameSync(`${directory}/files`, `${directory}/others`);
    Deno.symlinkSync("others", `${directory}/files`);
    assertEquals(printed(), "hello");
  }),
);

test(
  "a link on the way to a denied file is protected as it is now",
  inDirectory((directory) => {
    Deno.mkdirSync(`${directory}/files`);
    Deno.writeTextFileSync(`${directory}/files/secret`, "");
    Deno.symlinkSync("files/secret", `${directory}/one`);
    Deno.symlinkSync("files/secret", `${directory}/other`);
    Deno.symlinkSync("one", `${directory}/link`);
    const plan = (name: string) =>
      sandbox({ write: [directory], denyRead: [`${directory}/link`], env: [name], protect: false })
        .command("/x").plan().toString();
    const assertProtects = (name: string, link: string, none: string) => {
      for (let times = 0; times < 3; times++) {
        const text = plan(`${name}${times}`);
        assert(text.includes(`"${link}"`) && !text.includes(`"${none}"`), text);
      }
    };
    assertProtects("A", "one", "other");
    Deno.removeSync(`${directory}/link`);
    Deno.symlinkSync("other", `${directory}/link`);
    assertProtects("B", "other", "one");
  }),
);

test(
  "the home directory is that of now",
  inDirectory((directory) => {
    const [home, earlier] = [`${directory}/home`, Deno.env.get("HOME")];
    Deno.mkdirSync(home);
    const plan = (name: string) =>
      sandbox({ write: [directory], env: [name] }).command("/x").plan().toString();
    try {
      for (let times = 0; times < 3; times++) assert(!plan(`A${times}`).includes("home/.bashrc"));
      Deno.env.set("HOME", home);
      for (let times = 0; times < 3; times++) assert(plan(`B${times}`).includes("home/.bashrc"));
    } finally {
      if (earlier === undefined) Deno.env.delete("HOME");
      else Deno.env.set("HOME", earlier);
    }
  }),
);
