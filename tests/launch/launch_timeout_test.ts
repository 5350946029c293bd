/** Launches that hang are ended by their timeout. */

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { allSyscalls } from "../../ffi/seccomp/all_syscalls.ts";
import {
  chroot,
  hostname,
  init,
  LaunchTimeoutError,
  limits,
  mapIds,
  mapRoot,
  mkdir,
  proc,
  type Recipe,
  recipe,
  tmpfs,
  unshare,
} from "../../mod.ts";
import { withLeased } from "../leased_program.ts";
import { withTime } from "../rounds.ts";
import { ramekin } from "../ramekin/support.ts";
import { scriptInside } from "../script_inside.ts";
import { notRoot, root, test } from "../support.ts";

const noLeases = leasesMissing();

/** Why nobody waits for a lease here. */
function leasesMissing(): string | undefined {
  const time = Number(Deno.readTextFileSync("/proc/sys/fs/lease-break-time"));
  return time >= 20 ? undefined : "leases are broken soon here (fs.lease-break-time)";
}

const user = recipe(unshare("user", "mount", "pid"), mapRoot());
const range = [{ inside: 0, outside: 0, count: 1 }, { inside: 1, outside: 100000, count: 10 }];

/** Recipes that make their processes in different ways, and who may. */
const RECIPES: Readonly<Record<string, readonly [Recipe, (string | undefined)?]>> = {
  "no namespace": [recipe()],
  "PID 1": [user.with(proc())],
  "an init": [user.with(proc(), init())],
  "a second process": [recipe(unshare("user", "uts"), mapRoot(), hostname("box"), unshare("pid"))],
  "a launch that meets the script": [
    recipe(unshare("user", "pid"), mapIds({ uids: range, gids: range })),
    notRoot,
  ],
  "limits": [recipe(unshare("pid"), limits({ pids: 50 }), init()), notRoot],
  "a sealed executable": [recipe(unshare("user", "mount"), mapRoot(), chroot("/"))],
};

/** How the launches are begun in turn, as each takes a second. */
const WAYS = ["outputSync", "output", "spawn"] as const;

for (const [index, [name, [box, skip]]] of Object.entries(RECIPES).entries()) {
  const way = WAYS[index % WAYS.length]!;
  test(`a launch that hangs is ended by its timeout: ${name}, ${way}()`, async () => {
    await withLeased(async (program) => {
      const execve = `execve("${program}"`;
      const launch = async (timeout: number) => {
        const command = box.command(program, { timeout, killAfter: 10, stdout: "piped" });
        return await assertRejects(async () => void await command[way](), LaunchTimeoutError);
      };
      const error = await withTime(1000, launch, ({ call }) => call?.startsWith(execve) === true);
      assertEquals(error.step, undefined);
      assertStringIncludes(error.call!, execve);
    });
  }, noLeases ?? skip);
}

test("a launch in time is not ended, and its program has the timeout", () => {
  const command = user.command("sleep", { args: ["60"], timeout: 200, killAfter: 10_000 });
  const { timedOut, signal } = command.outputSync();
  assertEquals([timedOut, signal !== null], [true, true]);
});

test("a command that hangs is ended by --timeout, with the status of timeout(1)", async () => {
  await withLeased(async (program) => {
    const { code, stderr } = await ramekin(
      ...["sandbox", "--timeout=1s", `--allow-read=${program}`, "--", program],
    );
    assertEquals(code, 124, stderr);
    assertStringIncludes(stderr, "the launch took longer than 6000 ms");
  });
}, noLeases);

const MOUNT = allSyscalls(Deno.build.arch === "x86_64" ? "x86_64" : "aarch64").get("mount");

/** Mounts a filesystem on /mnt/silent and never answers a request. */
const SILENT = String.raw`perl -e '
  sysopen(my $fuse, "/dev/fuse", 2) or die "/dev/fuse: $!";
  my ($name, $at, $type) = ("silent\0", "/mnt/silent\0", "fuse\0");
  my $options = "fd=" . fileno($fuse) . ",rootmode=40000,user_id=0,group_id=0\0";
  syscall(${MOUNT}, $name, $at, $type, 0, $options) == 0 or die "mount: $!";
  open(my $ready, ">", "/mnt/ready");
  close($ready);
  sleep 1000;' &
until test -e /mnt/ready; do sleep 0.01; done`;

test("a step that waits for a FUSE filesystem without an answer is named", () => {
  const outer = recipe(
    unshare("mount", "pid"),
    proc(),
    tmpfs("/mnt"),
    mkdir("/mnt/silent"),
    init(),
  );
  const script = `
    const { bind, chdir, recipe, tmpfs, unshare } = ramekin;
    const steps = [chdir("/mnt/silent"), tmpfs("/mnt/silent"), bind("/mnt/silent", "/opt")];
    const ends = steps.map((step) => {
      const box = recipe(unshare("user", "mount", "pid"), step);
      if (step.step === "bind") return box.command("true").outputSync().code;
      try {
        box.command("true", { timeout: 0, killAfter: 0 }).outputSync();
      } catch ({ name, step, stepIndex, call }) {
        return [name, step, stepIndex, call];
      }
    });
    console.log(JSON.stringify(ends));`;
  const ended = (step: string) => ["LaunchTimeoutError", step, 1, "fchdir(</mnt/silent>)"];
  // The mount is shown without being asked anything.
  const ends = [ended("chdir"), ended("tmpfs"), 0];
  assertEquals(scriptInside(outer, script, SILENT), ends);
}, noFuse());

/** Why there is no FUSE here. */
function noFuse(): string | undefined {
  if (!root) return "needs root, to mount FUSE";
  try {
    Deno.openSync("/dev/fuse", { read: true, write: true }).close();
    return undefined;
  } catch (error) {
    return `needs /dev/fuse: ${error instanceof Error ? error.name : error}`;
  }
}
