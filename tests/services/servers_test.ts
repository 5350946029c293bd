/** Servers of Debian as services: killed, started again, and nothing is lost. */

import { assertEquals } from "@std/assert";
import {
  bind,
  loopback,
  mapCurrentUser,
  mapRoot,
  proc,
  recipe,
  setUser,
  tmpfs,
  unshare,
} from "../../mod.ts";
import { port, supervise } from "../../services/mod.ts";
import { until } from "../other_scripts.ts";
import { root, test } from "../support.ts";

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

/** The directory of PostgreSQL's programs, as Debian has it. */
function postgresql(): string | undefined {
  try {
    const [version] = [...Deno.readDirSync("/usr/lib/postgresql")].map(({ name }) => name).sort();
    const directory = `/usr/lib/postgresql/${version}/bin`;
    return without(`${directory}/postgres`) === undefined ? directory : undefined;
  } catch {
    return undefined;
  }
}

const programs = postgresql();
const NOBODY = 65534;

/** PostgreSQL does not run as root. */
const ownBox = recipe(
  unshare(...(root ? [] : ["user"] as const), "pid", "mount", "net"),
  ...(root ? [] : [mapCurrentUser()]),
  proc(),
  loopback(),
  ...(root ? [setUser({ uid: NOBODY, gid: NOBODY })] : []),
);

test(
  "PostgreSQL says when it is ready, is killed, started again, and has what was written",
  async () => {
    const directory = Deno.makeTempDirSync();
    if (root) Deno.chownSync(directory, NOBODY, NOBODY);
    const data = `${directory}/data`;
    try {
      const args = ["-D", data, "-U", "cook", "-A", "trust", "--no-sync", "--no-instructions"];
      const made = await ownBox.command(`${programs}/initdb`, { args }).output();
      assertEquals(made.code, 0, new TextDecoder().decode(made.stderr));
      await using kitchen = supervise({
        store: {
          recipe: ownBox,
          program: `${programs}/postgres`,
          args: ["-D", data, "-k", directory, "-c", "listen_addresses="],
          ready: "notify",
          restart: { policy: "on-failure", backoff: 1 },
          log: { path: `${directory}/log` },
        },
      });
      await kitchen.ready;
      const { store } = kitchen.services;
      const psql = async (query: string) => {
        const args = ["-h", directory, "-U", "cook", "-Atc", query, "postgres"];
        const { stdout } = await store.container!.enter(`${programs}/psql`, { args }).output();
        return new TextDecoder().decode(stdout).trim();
      };
      await psql("create table dishes (name text)");
      for (let round = 1; round <= 2; round++) {
        assertEquals(await psql(`insert into dishes values ('leek ${round}')`), "INSERT 0 1");
        store.container!.kill("SIGKILL");
        await until(() => store.restarts === round && store.isReady);
      }
      assertEquals(await psql("select name from dishes order by name"), "leek 1\nleek 2");
      await kitchen.stop({ grace: 60_000 });
      assertEquals(store.status!.code, 0);
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  },
  programs === undefined ? "no PostgreSQL here" : undefined,
);
