/** Containers of other scripts: `attach()`. */

import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { runningContainers } from "../../host.ts";
import {
  attach,
  dieWithParent,
  limits,
  mapRoot,
  recipe,
  SyscallError,
  unshare,
} from "../../mod.ts";
import { planCgroup } from "../../ffi/cgroups/plan.ts";
import { UnsupportedError } from "../../mod.ts";
import { readUntil, Script } from "../other_scripts.ts";
import { test } from "../support.ts";

const MAKE = `
const box = ramekin.recipe(
  ramekin.unshare("user", "mount", "pid"), ramekin.mapRoot(), ramekin.tmpfs("/mnt"),
  ramekin.noNewPrivileges(), ramekin.setEnv({ SOUP: "leek" }), ramekin.umask(0o27), ramekin.init(),
);
const script = 'cd /mnt; trap "echo bye > bye; exit 3" TERM; echo ready; while :; do sleep 0.01; done';
const container = box.command("sh", { args: ["-c", script], stdout: "piped" }).spawn();
await container.stdout.getReader().read();
console.log(container.pid);
const { code } = await container.status;
console.log("ended with", code);
`;

/** A script with a container, and the container's pid. */
async function withContainer(
  body: (pid: number, script: Script) => Promise<void>,
): Promise<void> {
  await using script = new Script(MAKE);
  const { process } = script;
  const pid = Number(await readUntil(process.stdout, (text) => text.endsWith("\n")));
  try {
    await body(pid, script);
  } finally {
    try {
      process.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await process.stdout.cancel();
    await process.stderr.cancel();
    await process.status;
  }
}

test("another script's container: its files, programs in it, and its end", () =>
  withContainer(async (pid, { process }) => {
    using container = attach(pid);
    assertEquals([container.pid, container.name], [pid, "sh"]);
    await container.fs.writeTextFile("/mnt/menu", "leek soup");
    const script = "cat menu; echo; id -u; umask; echo $SOUP; grep NoNewPrivs /proc/self/status";
    const { stdout } = await container.enter("sh", { args: ["-c", script] }).output();
    assertEquals(
      new TextDecoder().decode(stdout),
      "leek soup\n0\n0027\nleek\nNoNewPrivs:\t1\n",
    );
    assertThrows(() => container.usage(), TypeError, "limits({})");
    assertEquals(container.hasEnded, false);
    await container.stop({ grace: 60_000 });
    assertEquals(container.hasEnded, true);
    await readUntil(process.stdout, (text) => text.includes("ended with 3"));
    await container.stop();
    assertThrows(() => container.kill(), TypeError, "has ended");
    assertThrows(() => container.enter("true"), TypeError, "has ended");
    await assertRejects(() => container.fs.stat("/"), TypeError, "has ended");
    assertThrows(() => attach(pid), TypeError, "no running container");
  }));

test("by name, identity and program; what leaves it alone leaves it running", async () => {
  const path = Deno.makeTempDirSync();
  try {
    Deno.copyFileSync("/bin/sleep", `${path}/sous-chef`);
    Deno.chmodSync(path, 0o755);
    const box = recipe(unshare("user", "pid"), mapRoot());
    await using made = box.command(`${path}/sous-chef`, { args: ["60"], killAfter: 0 }).spawn();
    const { identity } = made;
    for (const target of ["sous-chef", identity, made.pid]) {
      using container = attach(target);
      assertEquals(container.identity, identity);
      container[Symbol.dispose]();
      assertThrows(() => container.kill(), TypeError, "left the container");
    }
    const other = { pid: identity.pid, started: identity.started - 1 };
    assertThrows(() => attach(other), TypeError, "has ended");
    await using second = box.command(`${path}/sous-chef`, { args: ["60"], killAfter: 0 }).spawn();
    const error = assertThrows(() => attach("sous-chef"), TypeError);
    for (const { pid } of [made, second]) assertStringIncludes(error.message, String(pid));
    made.kill(0);
  } finally {
    Deno.removeSync(path, { recursive: true });
  }
});

test("by the name that its script has given it, and no other", async () => {
  const name = `sous-chef.${Deno.pid}`;
  const options = { args: ["60"], killAfter: 0, name };
  for (const steps of [[], [dieWithParent(null)]]) {
    await using made = recipe(...steps).command("sleep", options).spawn();
    using container = attach(name);
    assertEquals([container.identity, container.name], [made.identity, name]);
    const [found] = runningContainers().filter(({ pid }) => pid === made.pid);
    assertEquals([found?.name, found?.namedBy], [name, "script"]);
  }
  for (const wrong of ["", "a/b", "4711", "-a", "a b", "x".repeat(65)]) {
    assertThrows(() => recipe().command("true", { name: wrong }), TypeError, '"name" should be');
  }
});

test("a process that is no container is not attached to, and one without a root has no files", async () => {
  assertThrows(() => attach(Deno.pid), TypeError, "no running container");
  assertThrows(() => attach("nonesuch"), TypeError, 'is "nonesuch"');
  await using made = recipe().command("sleep", { args: ["60"], killAfter: 0 }).spawn();
  using container = attach(made.pid);
  await assertRejects(
    () => container.fs.readFile("/etc/hostname"),
    TypeError,
    "no root of its own",
  );
});

/** Why a test with a control group is skipped. */
function noGroup(): string | undefined {
  try {
    planCgroup({ pids: 10 });
    return undefined;
  } catch (error) {
    if (error instanceof UnsupportedError) return "needs a control group";
    throw error;
  }
}

test("usage, limits and a pause, and no group but the container's own", async () => {
  const box = recipe(limits({ pids: 50 }));
  await using made = box.command("sleep", { args: ["60"], killAfter: 0 }).spawn();
  using container = attach(made.pid);
  assertEquals(container.usage().pids, 1);
  container.update({ pids: 40 });
  container.pause();
  try {
    const error = assertThrows(() => container.enter("true"), SyscallError);
    assertEquals(error.code, "EBUSY");
  } finally {
    container.resume();
  }
  assert((await container.enter("true").output()).success);
  await using other = recipe().command("sleep", { args: ["60"], killAfter: 0 }).spawn();
  using groupless = attach(other.pid);
  assertThrows(() => groupless.pause(), TypeError, "no control group of its own");
}, noGroup());
