/**
 * Every system call of a plan fails once, in several ways: what is thrown is typed and names the
 * step, and nothing is left of the container.
 */

import { assert, assertEquals } from "@std/assert";
import { ERRNO, type ErrnoName } from "../../ffi/errno.ts";
import type { Call } from "../../ffi/call.ts";
import { environmentBlock, environmentStrings } from "../../ffi/environment.ts";
import { recordOffset, type SyscallProgram } from "../../ffi/program.ts";
import { engine } from "../../ffi/engine/engine.ts";
import { syscallNumber } from "../../ffi/syscall_numbers.ts";
import { collectSync } from "../../recipe/running/collect_sync.ts";
import { launch } from "../../recipe/launching/launch.ts";
import { type Layout, stepOf } from "../../recipe/launching/layout.ts";
import type { Order } from "../../recipe/launching/order.ts";
import { draftOf, type Recipe } from "../../recipe/recipe.ts";
import { resources } from "../../recipe/launching/resources.ts";
import type { Chapter } from "../../recipe/launching/writer.ts";
import {
  address,
  bind,
  bridge,
  capabilities,
  chdir,
  devices,
  dieWithParent,
  domainname,
  hostname,
  init,
  join,
  loopback,
  mapIds,
  mapRoot,
  masquerade,
  mkdir,
  mknod,
  newSession,
  noNewPrivileges,
  overlay,
  pivotRoot,
  proc,
  propagation,
  recipe,
  remount,
  rlimit,
  route,
  setUser,
  symlink,
  SyscallError,
  timeOffset,
  tmpfs,
  umask,
  unmount,
  unshare,
  veth,
  writeFile,
} from "../../mod.ts";
import { leftovers, takeInventory } from "../recipe/leftovers.ts";
import { root, test } from "../recipe/support.ts";

/** A call that fails with each errno, whatever the kernel: its name and its first argument. */
const FAULTS = [
  { errno: "ENOSYS", call: undefined, argument: 0 },
  { errno: "EBADF", call: "close", argument: -1 },
  { errno: "EINVAL", call: "eventfd2", argument: 0 },
] as const satisfies readonly { errno: ErrnoName; call: string | undefined; argument: number }[];

const NO_SUCH_CALL = 0x3fff;

const NUMBER = 0, REFERENCES = 4, ARGUMENTS = 32;

/** Puts a call that fails in place of a program's. */
function breakCall(
  program: SyscallProgram,
  index: number,
  { call, argument }: typeof FAULTS[number],
): void {
  const view = new DataView(program.bytes.buffer, program.bytes.byteOffset);
  const record = recordOffset(index);
  const number = call === undefined ? NO_SUCH_CALL : syscallNumber(call, engine().architecture);
  view.setInt32(record + NUMBER, number, true);
  view.setInt32(record + REFERENCES, 0, true);
  view.setBigInt64(record + ARGUMENTS, BigInt(argument), true);
  // No flag of eventfd2(2) has such a number.
  view.setBigInt64(record + ARGUMENTS + 8, -1n, true);
  // Addresses are not written over the arguments.
  const relocations = program.relocations as number[];
  for (let i = relocations.length - 1; i >= 0; i--) {
    const at = relocations[i]!;
    if (at >= record + ARGUMENTS && at < record + ARGUMENTS + 16) relocations.splice(i, 1);
  }
}

/**
 * What no test can do without: a child must not go on in JavaScript, nor the script with its signals
 * blocked, and close(2) closes also where it fails.
 */
function isNeeded({ name }: Call, chapter: Chapter | undefined): boolean {
  return name === "exit_group" || chapter === "failure" ||
    (chapter === "script" && (name === "rt_sigprocmask" || name === "close"));
}

function orderOf(hasInit: boolean): Order {
  return {
    program: "true",
    args: [],
    environment: environmentBlock(environmentStrings(), new Map()),
    searchPath: "/nonesuch:/bin",
    cwd: "/",
    uid: undefined,
    gid: undefined,
    stdio: ["null", "null", "null"],
    terminal: undefined,
    resources: resources(hasInit),
  };
}

/** Launches with one call broken; answers the error, if there is one. */
function launchBroken(
  box: Recipe,
  alter: (program: SyscallProgram, layout: Layout) => void,
): unknown {
  const draft = draftOf(box.steps);
  try {
    collectSync(launch(draft, orderOf(draft.hasInit), alter), [], undefined);
    return undefined;
  } catch (error) {
    return error;
  }
}

/** Breaks every call of the recipe's program; answers how often each thing came of it. */
async function breakEverything(box: Recipe): Promise<{ faults: number; errors: number }> {
  let layout: Layout | undefined;
  let program: SyscallProgram | undefined;
  assertEquals(
    launchBroken(box, (built, laidOut) => [program, layout] = [built, laidOut]),
    undefined,
  );
  const draft = draftOf(box.steps);
  const count = program!.calls.length;
  let faults = 0, errors = 0;
  const before = takeInventory();
  for (let index = 0; index < count; index++) {
    // Sixty-two signals are reset by the same call; one stands for all.
    const [call, previous] = [program!.calls[index]!, program!.calls[index - 1]];
    if (call.name === "rt_sigaction" && previous?.name === "rt_sigaction") continue;
    if (isNeeded(call, layout!.chapters.get(call))) continue;
    for (const fault of FAULTS) {
      faults++;
      let name = "";
      let step: number | undefined;
      const error = launchBroken(box, (built, laidOut) => {
        const broken = built.calls[index]!;
        name = broken.name;
        step = stepOf(broken, draft, laidOut) ?? undefined;
        breakCall(built, index, fault);
      });
      if (error === undefined) continue;
      errors++;
      const where = `call ${index}, ${name}, made to fail with ${fault.errno}`;
      if (error instanceof Deno.errors.NotFound && name === "execve") continue;
      assert(error instanceof SyscallError, `${where}: ${error}`);
      assertEquals(error.errno, ERRNO[fault.errno], `${where}: ${error.message}`);
      assertEquals(error.syscall, name, `${where}: ${error.message}`);
      if (step !== undefined) assertEquals(error.step, box.steps[step]!.step, where);
    }
  }
  const left = await leftovers(before);
  assert(left === undefined, `left behind:\n${left}`);
  return { faults, errors };
}

const ground = recipe(
  unshare("user", "mount", "pid", "uts", "ipc", "net", "cgroup", "time"),
  mapRoot(),
);

const RECIPES: Readonly<Record<string, Recipe>> = {
  "no steps": recipe(),
  "all namespaces, with an init": ground.with(
    proc(),
    hostname("box"),
    domainname("kitchen"),
    init(),
  ),
  "mounts": ground.with(
    tmpfs("/mnt", { size: "1m" }),
    bind("/usr", "/mnt/usr", { readOnly: true }),
    overlay("/mnt/over", { lower: ["/etc"], discard: true }),
    remount("/mnt", "nosuid,nodev"),
    propagation("/mnt", "slave"),
    unmount("/mnt/over"),
  ),
  "a root of its own": ground.with(
    tmpfs("/mnt"),
    bind("/usr", "/mnt/usr"),
    symlink("usr/bin", "/mnt/bin"),
    symlink("usr/lib", "/mnt/lib"),
    symlink("usr/lib64", "/mnt/lib64"),
    mkdir("/mnt/etc", { mode: 0o700 }),
    writeFile("/mnt/etc/motd", "Welcome.\n"),
    mknod("/mnt/pipe", { type: "p" }),
    devices("/mnt/dev"),
    proc("/mnt/proc"),
    pivotRoot("/mnt"),
    chdir("/etc"),
  ),
  "the process": ground.with(
    timeOffset({ boottime: 1000 }),
    umask(0o077),
    rlimit("nofile", 64),
    newSession(),
    dieWithParent("SIGTERM"),
    noNewPrivileges(),
    setUser({ uid: 0 }),
    capabilities({ bounding: ["CAP_CHOWN"], permitted: ["CAP_CHOWN"] }),
  ),
  "late namespaces": recipe(
    unshare("user"),
    mapRoot(),
    unshare("mount", "uts"),
    hostname("late"),
    unshare("pid"),
    proc(),
  ),
  "a network": ground.with(
    loopback(),
    bridge("br0"),
    address("br0", "10.0.0.1/24"),
    address("br0", "fd00::1/64"),
  ),
};

for (const [name, box] of Object.entries(RECIPES)) {
  test(`every call of a recipe fails once: ${name}`, async () => {
    const { faults, errors } = await breakEverything(box);
    assert(errors > faults / 3, `${errors} errors of ${faults} faults`);
  });
}

test(
  "every call of a recipe fails once: id maps from outside",
  async () => {
    const range = [{ inside: 0, outside: 0, count: 1 }, { inside: 1, outside: 100000, count: 10 }];
    const box = recipe(unshare("user", "uts"), mapIds({ uids: range, gids: range }), hostname("a"));
    await breakEverything(box);
  },
  root ? undefined : "needs root",
);

test("every call of a recipe fails once: joining a container", async () => {
  await using container = ground.command("sleep", { args: ["100"] }).spawn();
  await breakEverything(recipe(join(container)));
});

test("every call of a recipe fails once: plugging into a container", async () => {
  const lan = recipe(unshare("user", "net"), mapRoot(), bridge("lan"));
  await using hub = lan.command("sleep", { args: ["100"] }).spawn();
  const plugged = recipe(
    join(hub, "user", "net"),
    unshare("net"),
    veth("eth0", { bridge: "lan" }),
    address("eth0", "10.0.0.1/24"),
    route("default", { via: "10.0.0.2" }),
    masquerade("10.1.0.0/24", { inside: true }),
  );
  await breakEverything(plugged);
});
