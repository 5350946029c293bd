/** `process.scheduler` and its like as steps, without a container. */

import { assertEquals, assertThrows } from "@std/assert";
import { memorySteps, schedulingSteps } from "../../oci/config/scheduling.ts";
import type { ConfigScheduler } from "../../oci/spec.ts";
import { test } from "../support.ts";

test("what a process gets of the machine has its step, or is refused by name", () => {
  const scheduler = (given: ConfigScheduler) => schedulingSteps({ scheduler: given });
  const times = { runtime: 2000, deadline: 3000, period: 4000 };
  const flags = ["SCHED_FLAG_RECLAIM", "SCHED_FLAG_UTIL_CLAMP_MAX"];
  assertEquals(scheduler({ policy: "SCHED_DEADLINE", nice: 5, flags, ...times }), [
    { step: "scheduler", policy: "deadline", ...times, flags: ["reclaim"], utilMax: 0 },
  ]);
  assertEquals(scheduler({ policy: "SCHED_OTHER", nice: -40 }), [
    { step: "scheduler", policy: "other", nice: -20 },
  ]);
  const refused = (field: string, of: () => unknown) => assertThrows(of, Error, field);
  const fixed = (priority: number) => scheduler({ policy: "SCHED_FIFO", priority });
  refused("process.scheduler.priority: 0 is not from 1 to 99", () => fixed(0));
  refused("process.scheduler.priority", () => scheduler({ policy: "SCHED_IDLE", priority: 1 }));
  refused(
    'process.scheduler.policy: linux has no policy "SCHED_ISO"',
    () => scheduler({ policy: "SCHED_ISO" }),
  );
  refused("process.scheduler.flags", () => scheduler({ policy: "SCHED_RR", flags: ["x"] }));
  const late = (given: object) => scheduler({ policy: "SCHED_DEADLINE", ...given });
  refused("process.scheduler.runtime: 0 is not from 1024", () => late({ deadline: 2000 }));
  refused("process.scheduler.deadline: 0 is not from 1024", () => late({ runtime: 2000 }));
  refused("process.scheduler.runtime: it is more", () => late({ ...times, runtime: 3500 }));
  refused("process.scheduler.deadline: it is more", () => late({ ...times, deadline: 4500 }));
  const io = (priority: number, name = "IOPRIO_CLASS_RT") =>
    schedulingSteps({ ioPriority: { class: name, priority } });
  assertEquals(io(4), [{ step: "ioPriority", class: "realtime", priority: 4 }]);
  refused("process.ioPriority.priority: 8 is not", () => io(8));
  refused("process.ioPriority.class", () => io(1, "IOPRIO_CLASS_NONE"));
  const memory = (mode: string, nodes = "") => memorySteps({ memoryPolicy: { mode, nodes } });
  assertEquals(memory("MPOL_LOCAL", ""), [{ step: "memoryPolicy", mode: "local" }]);
  refused("linux.memoryPolicy.mode", () => memory("MPOL_X"));
  refused("linux.memoryPolicy.nodes", () => memory("MPOL_BIND", "3-1"));
  refused("linux.personality.domain", () => memorySteps({ personality: { domain: "BSD" } }));
});
