/** Several threads of one script launch concurrently, and some end during a launch. */

import { assertEquals } from "@std/assert";
import { runScript } from "../other_scripts.ts";
import { test } from "../support.ts";
import { note } from "./results.ts";
import { linesOf, sweep, times } from "./support.ts";

test("Workers launch concurrently, while garbage is collected and others are terminated", async () => {
  const workers = 3;
  const [{ right, wanted, terminated }] = await linesOf(
    "threads_script.ts",
    workers,
    times(10, 200),
  ) as [{ right: number[]; wanted: number; terminated: number }];
  note("threads", "workers at the same time", {
    workers,
    launches: wanted * workers,
    "outputs read right": right.reduce((sum, count) => sum + count, 0),
    "workers terminated meanwhile": terminated,
  });
  assertEquals(right, Array.from({ length: workers }, () => wanted));
  // A terminated Worker cannot remove its groups.
  await sweep();
});

test("the containers of a terminated Worker end, and the script continues", async () => {
  const { stdout, stderr } = await runScript(
    `
    if ("WorkerGlobalScope" in self) {
      const box = ramekin.recipe(ramekin.unshare("user", "pid"), ramekin.mapRoot());
      const containers = [1, 2, 3].map(() => box.command("sleep", { args: ["100"] }).spawn());
      self.postMessage(containers.map(({ pid }) => pid));
    } else {
      const isOver = (pid) => /^State:\\s+[ZX]/m.test(Deno.readTextFileSync("/proc/" + pid + "/status"));
      for (let i = 0; i < 10; i++) {
        const worker = new Worker(import.meta.url, { type: "module" });
        const pids = await new Promise((resolve) => worker.onmessage = ({ data }) => resolve(data));
        await new Promise((resolve) => setTimeout(resolve, 5));
        worker.terminate();
        while (!pids.every(isOver)) await new Promise((resolve) => setTimeout(resolve, 5));
      }
      console.log("goes on");
    }
  `,
    ["-A"],
  );
  assertEquals(stdout, "goes on\n", stderr);
});
