/** Leftovers are found, and repeated launches leave none. */

import {
  assert,
  assertEquals,
  assertLess,
  assertMatch,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { hierarchies } from "../ffi/cgroups/hierarchies.ts";
import {
  bind,
  limits,
  linux,
  mapIds,
  mapRoot,
  overlay,
  pivotRoot,
  proc,
  type Recipe,
  recipe,
  SyscallError,
  tmpfs,
  unshare,
} from "../mod.ts";
import { type Inventory, leftNow, leftovers, takeInventory } from "./leftovers.ts";
import { decode, readUntil } from "./other_scripts.ts";
import { rounds } from "./rounds.ts";
import { notRoot, root, test } from "./support.ts";

/** What is new at this moment: what is to be found is not waited for to go. */
function newNow(before: Inventory): string {
  return leftNow(before, 0).join("\n");
}

Deno.test("an open file and a zombie child are found", async () => {
  const before = takeInventory();
  const file = linux.open("/dev/null", linux.O_RDONLY);
  assertStringIncludes(newNow(before), "open file");
  file.close();
  assertEquals(await leftovers(before), undefined);
  const child = new Deno.Command("sleep", { args: ["100"] }).spawn();
  assertStringIncludes(newNow(before), `child process: ${child.pid} (sleep)`);
  child.kill();
  await child.status;
  assertEquals(await leftovers(before), undefined);
});

test("a file in the directory of the tests is found", async () => {
  const before = takeInventory();
  const file = Deno.makeTempFileSync();
  assertStringIncludes(newNow(before), `file: ${file}`);
  Deno.removeSync(file);
  assertEquals(await leftovers(before), undefined);
});

/** Runs code as root of namespaces, with the inventory imported. */
async function inWorldOfItsOwn(code: string): Promise<string> {
  const path = Deno.makeTempFileSync({ suffix: ".ts" });
  const from = (file: string) => JSON.stringify(new URL(file, import.meta.url).href);
  try {
    Deno.writeTextFileSync(
      path,
      `import { linux } from ${from("../mod.ts")};
       import { NetlinkSocket } from ${from("../ffi/netlink/socket.ts")};
       import { addBridge } from ${from("../ffi/netlink/link.ts")};
       import { leftNow, takeInventory } from ${from("leftovers.ts")};
       const bridge = (name) => {
         using socket = new NetlinkSocket();
         socket.request([addBridge({ name })]);
       };
       ${code}`,
    );
    Deno.chmodSync(path, 0o644);
    const args = ["run", "--no-check", "--no-config", "--quiet", "-A", path];
    const world = recipe(unshare("user", "mount", "net"), mapRoot());
    const { stdout, stderr } = await world
      .command(Deno.execPath(), { args, env: { NO_COLOR: "1" } }).output();
    assertEquals(decode(stderr), "");
    return decode(stdout).trimEnd();
  } finally {
    Deno.removeSync(path);
  }
}

test("a mount and an interface are found, and those of others are not", async () => {
  const found = await inWorldOfItsOwn(`
    const before = takeInventory();
    linux.mount("others", "/var/lib", "tmpfs");
    bridge("docker0");
    console.log(leftNow(before).length);
    linux.mount("ours", "/mnt", "tmpfs");
    bridge("lan");
    for (const line of leftNow(before, 0)) console.log(line.replace(/ .* - (\\S+ \\S+).*/, " $1"));
  `);
  assertEquals(found, "0\nmount: tmpfs ours\nnetwork interface: lan");
});

test("a group of this script is found, and those of others are not", async () => {
  const before = takeInventory();
  const others = hierarchies().flatMap((
    { own },
  ) => [`${own}/others`, `${own}/ramekin-1-2-3-others`]);
  try {
    for (const group of others) Deno.mkdirSync(group);
    assertEquals(await leftovers(before), undefined);
  } finally {
    for (const group of others) Deno.removeSync(group);
  }
  const container = recipe(limits({ pids: 10 })).command("sleep", { args: ["100"] }).spawn();
  assertMatch(newNow(before), /^cgroup: .*\/ramekin-\d+-\d+-\d+-\w+$/m);
  container.kill();
  await container.status;
  assertEquals(await leftovers(before), undefined);
}, notRoot);

test("containers of another script are not in the inventory", async () => {
  const code = `
    import * as ramekin from "${new URL("../mod.ts", import.meta.url)}";
    const { bridge, limits, mapRoot, recipe, tmpfs, unshare } = ramekin;
    const box = recipe(unshare("user", "mount", "net"), mapRoot(), tmpfs("/mnt"), bridge("lan"))
      .with(...(Deno.args[0] === "root" ? [limits({ pids: 10 })] : []));
    let over = false;
    Deno.stdin.read(new Uint8Array(1)).then(() => over = true);
    for (let made = 0; !over; made++) {
      await box.command("sleep", { args: ["0.01"] }).output();
      if (made === 3) console.log("busy");
    }
  `;
  const path = Deno.makeTempFileSync({ suffix: ".ts" });
  Deno.writeTextFileSync(path, code);
  await using other = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--no-config", "--quiet", "-A", path, root ? "root" : "user"],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  await readUntil(other.stdout, (text) => text.includes("busy"));
  const before = takeInventory();
  for (let look = 0; look < rounds(200); look++) assertEquals(leftNow(before, 0), []);
  await other.stdin.close();
  assert((await other.status).success);
  await other.stdout.cancel();
  Deno.removeSync(path);
});

const box = recipe(unshare("user", "mount", "pid"), mapRoot());

/** Recipes that fail in every part of a launch. */
const FAILING: readonly (readonly [name: string, recipe: Recipe, program: string])[] = [
  ["the first step", recipe({ step: "chdir", path: "/no/such/directory" }), "true"],
  ["a step behind namespaces", box.with(tmpfs("/no/such/directory")), "true"],
  ["a step in a second process", box.with({ step: "init" }, tmpfs("/no/such/directory")), "true"],
  ["a step behind a new root", box.with(tmpfs("/mnt"), pivotRoot("/mnt"), proc("/x/y")), "true"],
  [
    "an overlay half way",
    box.with(overlay("/mnt", { lower: ["/no/such"], discard: true })),
    "true",
  ],
  ["the program", box.with(proc()), "/no/such/program"],
  ["the program behind an init", box.with(proc(), { step: "init" }), "/no/such/program"],
  ...(root ? MAPPED() : []),
];

function MAPPED(): typeof FAILING {
  const ranges = [{ inside: 0, outside: 0, count: 1 }, { inside: 1, outside: 100000, count: 10 }];
  const mapped = recipe(unshare("user", "mount"), mapIds({ uids: ranges, gids: ranges }));
  return [
    ["a step behind a meeting", mapped.with(tmpfs("/no/such/directory")), "true"],
    [
      "a step before a meeting",
      recipe(unshare("user", "mount"), tmpfs("/no/such"), ...mapped.steps.slice(1)),
      "true",
    ],
    ["the program behind a meeting", mapped, "/no/such/program"],
  ];
}

for (const [name, recipe, program] of FAILING) {
  test(`${name} fails, and nothing is left`, async () => {
    const kind = program === "true" ? SyscallError : Deno.errors.NotFound;
    assertThrows(() => recipe.command(program).outputSync(), kind);
    assertThrows(() => recipe.command(program).spawn(), kind);
    const error = await recipe.command(program).output().catch((error) => error);
    assert(error instanceof kind, String(error));
  });
}

function maps(): number {
  return Deno.readTextFileSync("/proc/self/maps").split("\n").length;
}

test("hundreds of launches map no more memory, whether they succeed or fail", async () => {
  const good = box.with(tmpfs("/tmp"), bind("/usr"));
  const bad = box.with(tmpfs("/no/such/directory"));
  const launch = async () => {
    good.command("true").outputSync();
    try {
      bad.command("true").outputSync();
    } catch {
      // It fails as expected.
    }
    await good.command("true").output();
  };
  for (let i = 0; i < 30; i++) await launch();
  const before = maps();
  for (let i = 0; i < rounds(200); i++) await launch();
  // V8's heap is in a few mappings, which change.
  assertLess(maps() - before, 100);
});
