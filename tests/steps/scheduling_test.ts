/** `scheduler`, `ioPriority`, `cpuAffinity`, `memoryPolicy` and `personality`. */

import { assertEquals, assertMatch } from "@std/assert";
import {
  capabilities,
  cpuAffinity,
  ioPriority,
  memoryPolicy,
  personality,
  recipe,
  scheduler,
} from "../../mod.ts";
import { assertFails, assertRefused, inside, notRoot, root, test, testOn } from "../support.ts";

/** Why no program can be put before others here, as in many a container. */
const noPriority = notRoot ?? (
  new Deno.Command("chrt", { args: ["-f", "1", "true"], stderr: "null" }).outputSync().success
    ? undefined
    : "programs cannot come before others here (chrt -f 1)"
);

testOn([], "a program is scheduled as it is told", (ground) => {
  const told = (...steps: Parameters<typeof recipe>) =>
    inside(ground.with(...steps), "chrt -p $$; nice; ionice").split("\n").map((line) =>
      line.replace(/^pid \d+'s current /, "")
    );
  assertEquals(told(scheduler("batch", { nice: 7 }), ioPriority("best-effort", 6)), [
    "scheduling policy: SCHED_BATCH",
    "scheduling priority: 0",
    "7",
    "best-effort: prio 6",
  ]);
  const idle = told(scheduler("idle", { flags: ["reset-on-fork"] }), ioPriority("idle"));
  assertEquals([idle[0], idle.at(-1)], [
    "scheduling policy: SCHED_IDLE|SCHED_RESET_ON_FORK",
    "idle",
  ]);
});

testOn([], "root puts a program before others, also in a user namespace", (ground) => {
  const first = ground.with(
    scheduler("rr", { priority: 3 }),
    ioPriority("realtime", 2),
    scheduler("other", { nice: -3 }),
  );
  assertEquals(inside(first, "nice; ionice"), "-3\nrealtime: prio 2");
  const fifo = ground.with(scheduler("fifo", { priority: 42 }));
  assertMatch(inside(fifo, "chrt -p $$"), /SCHED_FIFO\n.* 42$/);
  const times = { runtime: 2_000_000, deadline: 20_000_000, period: 40_000_000 };
  // Only what a program starts loses the policy, which is needed to start anything.
  const deadline = ground.with(scheduler("deadline", { ...times, flags: ["reset-on-fork"] }));
  assertMatch(inside(deadline, "chrt -p $$"), /DEADLINE[^]*: 2000000\/20000000\/40000000/);
}, noPriority);

test("nobody else comes before others", () => {
  const says = "takes CAP_SYS_NICE on the host itself";
  const first = scheduler("fifo", { priority: 1 });
  const ordinary = root ? recipe(capabilities({ keep: [] })) : recipe();
  assertFails(ordinary.with(first), { step: "scheduler", code: "EPERM", says });
  assertFails(ordinary.with(ioPriority("realtime")), { step: "ioPriority", code: "EPERM", says });
});

testOn([], "a program has processors, memory and a kernel as it is told", (ground) => {
  const box = ground.with(
    cpuAffinity("0"),
    memoryPolicy("bind", { nodes: "0", flags: ["static-nodes"] }),
    personality("linux", { flags: ["addr-no-randomize", "addr-no-randomize"] }),
  );
  const script = "grep Cpus_allowed_list /proc/self/status; cat /proc/self/personality; " +
    "head -n 1 /proc/self/numa_maps";
  const [cpus, flags, memory] = inside(box, script).split("\n");
  assertEquals([cpus, flags], ["Cpus_allowed_list:\t0", "00040000"]);
  assertMatch(memory!, / bind=static:0 /);
  const machine = inside(ground.with(personality("linux32")), "uname -m");
  assertEquals(machine, { x86_64: "i686", aarch64: "armv8l" }[Deno.build.arch]);
  assertFails(ground.with(cpuAffinity("8190-8191")), {
    step: "cpuAffinity",
    code: "EINVAL",
    says: "has a processor of 8190-8191",
  });
  assertFails(ground.with(memoryPolicy("preferred", { nodes: "1023" })), {
    step: "memoryPolicy",
    code: "EINVAL",
    says: "the machine has none of these nodes",
  });
});

test("what a policy lacks, or has of another, is refused", () => {
  const refused = (says: string, ...options: Parameters<typeof scheduler>) =>
    assertRefused(() => recipe(scheduler(...options)), { step: "scheduler", at: 0, says });
  refused('"fifo" needs a "priority"', "fifo");
  refused('"priority" is for', "batch", { priority: 1 });
  refused('"nice" is for', "rr", { priority: 1, nice: 1 });
  refused("from -20 to 19", "other", { nice: 20 });
  refused('needs "runtime"', "deadline", { runtime: 5000 });
  refused('"period" are for', "idle", { period: 5000 });
  refused("at most", "deadline", { runtime: 9000, deadline: 5000 });
  const lacks = { step: "memoryPolicy", at: 0 };
  assertRefused(() => recipe(memoryPolicy("bind")), { ...lacks, says: 'needs "nodes"' });
  const local = memoryPolicy("local", { nodes: "0" });
  assertRefused(() => recipe(local), { ...lacks, says: 'takes no "nodes"' });
  assertRefused(() => recipe(memoryPolicy("bind", { nodes: "0-1024" })), {
    ...lacks,
    says: "a list of nodes",
  });
  assertRefused(() => recipe(cpuAffinity("3-1")), {
    step: "cpuAffinity",
    at: 0,
    says: 'should be a list of processors: "0-3,7", not "3-1"',
  });
});
