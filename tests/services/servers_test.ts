/** Servers of Debian as services: killed, started again, and nothing is lost. */

import { assertEquals } from "@std/assert";
import { bind, loopback, mapRoot, proc, recipe, tmpfs, unshare } from "../../mod.ts";
import { port, supervise } from "../../services/mod.ts";
import { until } from "../other_scripts.ts";
import { test } from "../support.ts";

/** Why a test is skipped. */
function without(program: string): string | undefined {
  try {
    new Deno.Command(program, { args: ["--version"], stdout: "null", stderr: "null" }).outputSync();
    return undefined;
  } catch {
    return `no ${program} here`;
  }
}

test("redis is killed, started again, and has what was written", async () => {
  const directory = Deno.makeTempDirSync();
  try {
    const box = recipe(
      unshare("user", "pid", "mount", "net"),
      mapRoot(),
      proc(),
      loopback(),
      tmpfs("/mnt"),
      bind(directory, "/mnt", {}),
    );
    await using kitchen = supervise({
      store: {
        recipe: box,
        program: "redis-server",
        args: ["--dir", "/mnt", "--appendonly", "yes", "--appendfsync", "always", "--save", ""],
        ready: port(6379),
        restart: { policy: "always", backoff: 1 },
        health: { every: 1000, command: ["redis-cli", "ping"] },
        log: { path: `${directory}/log` },
      },
    });
    await kitchen.ready;
    const { store } = kitchen.services;
    const redis = async (...args: string[]) => {
      const { stdout } = await store.container!.enter("redis-cli", { args }).output();
      return new TextDecoder().decode(stdout).trim();
    };
    assertEquals(await redis("set", "soup", "leek"), "OK");
    for (let round = 1; round <= 2; round++) {
      store.container!.kill("SIGKILL");
      await until(() => store.restarts === round && store.isReady);
      assertEquals(await redis("get", "soup"), "leek");
    }
    await kitchen.stop({ grace: 10_000 });
    assertEquals(store.status!.code, 0);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}, without("redis-server"));
