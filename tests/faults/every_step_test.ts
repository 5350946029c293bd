/** Every system call of a recipe for each step fails once; see every_call_test.ts. */

import { hierarchies } from "../../host.ts";
import { assert, assertEquals } from "@std/assert";
import { landlockVersion } from "../../ffi/linux/landlock.ts";
import {
  dummy,
  macvlan,
  mapRoot,
  protect,
  type Recipe,
  recipe,
  type Step,
  SyscallError,
  unshare,
  userNetwork,
} from "../../mod.ts";
import { STEP_SCHEMAS } from "../../recipe/steps.ts";
import { inDirectory, notRoot, test } from "../support.ts";
import { breakAndNote } from "./breaking.ts";
import { HUB, STEP_RECIPES } from "./step_recipes.ts";

/** Why a step cannot be made here. */
const LACKS: Readonly<Partial<Record<Step["step"], () => string | undefined>>> = {
  dummy: () => noKind(recipe(unshare("user", "net"), dummy("wire"))),
  landlock: () => landlockVersion() > 0 ? undefined : "needs a kernel with landlock",
  joinCgroup: () => notRoot ?? (hierarchies().length === 0 ? "needs control groups" : undefined),
  limits: () => notRoot,
  macvlan: () =>
    noKind(recipe(unshare("user", "net"), unshare("net"), macvlan("eth0", { parent: "lo" }))),
  userNetwork: noUserNetwork,
};

function noKind(box: Recipe): string | undefined {
  try {
    box.command("true").outputSync();
  } catch (error) {
    if (error instanceof SyscallError && error.code === "EOPNOTSUPP") return error.hint;
  }
  return undefined;
}

function noUserNetwork(): string | undefined {
  const { program } = userNetwork("slirp4netns");
  try {
    new Deno.Command(program!, { args: ["--version"] }).outputSync();
    Deno.openSync("/dev/net/tun", { read: true, write: true }).close();
    return undefined;
  } catch (error) {
    return `needs ${program}, and to open /dev/net/tun: ${(error as Error).message}`;
  }
}

test("there is a recipe for every step, and it has the step", async () => {
  assertEquals(Object.keys(STEP_RECIPES).sort(), [...STEP_SCHEMAS.keys()].sort());
  await using hub = HUB.command("sleep", { args: ["infinity"] }).spawn();
  for (const [name, make] of Object.entries(STEP_RECIPES)) {
    assert(make(hub).steps.some(({ step }) => step === name), name);
  }
});

for (const [name, make] of Object.entries(STEP_RECIPES)) {
  test(`every call of a step fails once: ${name}`, async () => {
    await using hub = HUB.command("sleep", { args: ["infinity"] }).spawn();
    breakAndNote(`step ${name}`, make(hub));
  }, LACKS[name as Step["step"]]?.());
}

test(
  "every call of a placeholder fails once, and nothing is left where it was to be",
  inDirectory((directory) => {
    Deno.mkdirSync(`${directory}/.git`);
    Deno.writeTextFileSync(`${directory}/.git/HEAD`, "");
    const names = [".git/commondir", ".git/hooks", ".mcp.json"];
    const box = recipe(
      unshare("user", "mount"),
      mapRoot(),
      protect(directory, directory, { names }),
    );
    breakAndNote("placeholders", box);
    assertEquals([...Deno.readDirSync(directory)].map(({ name }) => name), [".git"]);
    assertEquals([...Deno.readDirSync(`${directory}/.git`)].map(({ name }) => name), ["HEAD"]);
  }),
);
