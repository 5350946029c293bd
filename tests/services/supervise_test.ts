/** Services that are kept running: `supervise()`. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { loopback, mapRoot, proc, recipe, SyscallError, unshare } from "../../mod.ts";
import {
  line,
  port,
  ServiceError,
  type ServiceEvent,
  supervise,
  type SupervisedOptions,
} from "../../services/mod.ts";
import { LogFile } from "../../services/log_file.ts";
import { isAlive, until } from "../other_scripts.ts";
import { root, test } from "../support.ts";
import { Watchdog } from "../../services/watchdog.ts";

const box = recipe(unshare("user", "pid", "mount", "net"), mapRoot(), proc(), loopback());

/** A program that runs until it is stopped, and tells so. */
const waits = (...before: string[]) => ({
  program: "sh",
  args: [
    "-c",
    `${before.join("\n")}\ntrap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.01; done`,
  ],
});

/** A server of TCP, which begins to listen after a while. */
const SERVER = `use IO::Socket::INET; select undef, undef, undef, 0.1;
  my $s = IO::Socket::INET->new(Listen => 5, LocalAddr => "127.0.0.1", LocalPort => 7777) or die;
  while (my $c = $s->accept) { close $c }`;

/** What has happened, in words. */
async function told(events: AsyncIterable<ServiceEvent>): Promise<string[]> {
  const all = await Array.fromAsync(events);
  return all.map((event) => `${event.service} ${event.kind}`);
}

test("services start when what they come after is ready, and stop in reverse", async () => {
  const lines: string[] = [];
  const log = (text: string) => void lines.push(text);
  const kitchen = supervise({
    web: { ...waits(), after: ["db", "cache"], log },
    db: {
      recipe: box,
      program: "perl",
      args: ["-e", SERVER],
      ready: port(7777),
      killAfter: 0,
      log,
    },
    cache: { recipe: box, ...waits(), after: "db", ready: line(/^ready$/), log },
  });
  await kitchen.ready;
  assertEquals(Object.values(kitchen.services).map(({ isReady }) => isReady), [true, true, true]);
  assert(kitchen.services.db.container!.accepts(7777));
  assert(!kitchen.services.db.container!.accepts(7778));
  await kitchen.stop();
  const events = await told(kitchen.events);
  assertEquals(events, [
    "db started",
    "db ready",
    "cache started",
    "cache ready",
    "web started",
    "web ready",
    "web ended",
    "web stopped",
    "cache ended",
    "cache stopped",
    "db ended",
    "db stopped",
  ]);
  assertEquals(lines.filter((text) => text === "bye").length, 2);
});

test("a service is started again as its policy says, and its failures end", async () => {
  const directory = Deno.makeTempDirSync();
  try {
    const log = { path: `${directory}/log` };
    const restart = { policy: "on-failure", backoff: 1, max: 2 } as const;
    await using kitchen = supervise({
      fails: { program: "sh", args: ["-c", "echo once; exit 3"], restart, log },
      ends: { program: "true", restart, log: "null" },
      missing: { program: "/nonesuch", restart, log: "null" },
    });
    await kitchen.ended;
    const { fails, ends, missing } = kitchen.services;
    assertEquals([fails.restarts, fails.status!.code], [2, 3]);
    assertEquals([ends.restarts, ends.status!.success], [0, true]);
    assertEquals([missing.restarts, missing.status], [2, undefined]);
    assertEquals(Deno.readTextFileSync(`${directory}/log`), "once\n".repeat(3));
    assertEquals(Deno.statSync(`${directory}/log`).mode! & 0o777, 0o600);
    const error = await assertRejects(() => missing.ready, ServiceError, "missing has failed");
    assert(!error.message.includes("\\n"), error.message);
    assertEquals(error.advice.length, 1);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

test("one that is killed from outside is started again, and others go on", async () => {
  await using kitchen = supervise({
    db: {
      recipe: box,
      ...waits(),
      ready: line(/ready/),
      restart: { policy: "always", backoff: 1 },
      log: "null",
    },
    web: { ...waits(), after: "db", log: "null" },
  });
  await kitchen.ready;
  const [first, web] = [kitchen.services.db.container!.pid, kitchen.services.web.container!.pid];
  for (let round = 1; round <= 3; round++) {
    Deno.kill(kitchen.services.db.container!.pid, "SIGKILL");
    await until(() => kitchen.services.db.restarts === round && kitchen.services.db.isReady);
  }
  assert(kitchen.services.db.container!.pid !== first);
  assertEquals(kitchen.services.web.container!.pid, web);
  const { pid } = kitchen.services.db.container!;
  await kitchen.stop({ grace: 0 });
  assert(!isAlive(pid) && !isAlive(web));
});

test("health: a service that fails its checks is stopped, and started again", async () => {
  const directory = Deno.makeTempDirSync();
  try {
    Deno.chmodSync(directory, 0o777);
    await using kitchen = supervise({
      db: {
        recipe: box,
        ...waits(`test -e ${directory}/was && exec sleep 60; touch ${directory}/was`),
        restart: { policy: "always", backoff: 1 },
        health: { every: 5, command: ["test", "-e", `${directory}/well`], failures: 2 },
        log: "null",
      },
    });
    await kitchen.ready;
    await until(() => kitchen.services.db.restarts > 0);
    Deno.writeTextFileSync(`${directory}/well`, "");
    await until(() => kitchen.services.db.isReady);
    await kitchen.stop({ grace: 0 });
    const events = await told(kitchen.events);
    assertEquals(events.slice(0, 5), [
      "db started",
      "db ready",
      "db unhealthy",
      "db unhealthy",
      "db ended",
    ]);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

test("one that is not ready in time, or ends before, fails those after it", async () => {
  await using kitchen = supervise({
    slow: { ...waits(), ready: () => false, readyTimeout: 30, log: "null" },
    brief: { program: "false", ready: () => Promise.reject(new Error("no")), log: "null" },
    web: { ...waits(), after: ["brief"], log: "null" },
    late: { ...waits(), after: ["slow"], log: "null" },
  });
  await assertRejects(() => kitchen.ready, ServiceError);
  await assertRejects(() => kitchen.services.web.ready, ServiceError, "brief failed with code 1");
  await assertRejects(() => kitchen.services.late.ready, ServiceError, "not ready after 30 ms");
  await kitchen.ended;
  const events = await told(kitchen.events);
  assert(!events.some((event) => /^(web|late)/.test(event)), events.join());
  assert(events.includes("slow failed"));
});

test("stopped before it has begun, and while it waits to begin again", async () => {
  const kitchen = supervise({
    fails: { program: "false", restart: { policy: "always", backoff: 60_000 }, log: "null" },
    never: { ...waits(), after: "fails", log: "null" },
  });
  await until(() => kitchen.services.fails.restarts === 1);
  await kitchen.stop();
  const early = supervise({ one: { ...waits(), log: "null" } });
  await early.stop({ grace: 0 });
});

test("what comes after itself, or after nothing that there is, is refused before anything runs", () => {
  const program = "true";
  assertThrows(
    () => supervise({ db: { program }, web: { program, after: "bd" } }),
    TypeError,
    "web comes after bd, which there is not; did you mean db?",
  );
  assertThrows(
    () => supervise({ a: { program, after: "b" }, b: { program, after: ["a"] } }),
    TypeError,
    "a after b after a",
  );
});

test("an option that is none is refused before anything runs, with the service and the nearest", () => {
  const refused: [options: object, words: string][] = [
    [{ restart: "always" }, 'the service db: its option "restart" should be an object'],
    [{ restart: { policy: "allways" } }, 'did you mean "always"?'],
    [{ restrat: {} }, 'its option "restrat" is unknown; did you mean "restart"?'],
    [{ program: undefined }, 'its option "program" is missing: a program'],
    [{ ready: 5432 }, 'its option "ready" should be port(NUMBER)'],
    [{ health: { command: ["true"] } }, '"every" is missing'],
    [{ health: { every: 5, command: [] } }, "a list of a program and its arguments"],
    [{ log: "file" }, 'its option "log" should be'],
    [{ args: "one" }, 'the command\'s option "args"'],
  ];
  for (const [options, words] of refused) {
    const service = { program: "true", ...options } as unknown as SupervisedOptions;
    assertThrows(() => supervise({ one: { program: "false" }, db: service }), TypeError, words);
  }
});

/** A program that says by sd_notify(3) that it is ready, and waits. */
const NOTIFIES = `use Socket; $SIG{TERM} = sub { notify("STOPPING=1"); exit };
  socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die;
  sub notify { send($s, $_[0], 0, pack_sockaddr_un("\\0" . substr($ENV{NOTIFY_SOCKET}, 1))) }
  notify("STATUS=loading"); notify("READY=1"); select undef, undef, undef, 0.1 while 1`;

test("a service says by itself that it is ready, and each time that it is started", async () => {
  const kitchen = supervise({
    db: {
      recipe: box,
      program: "perl",
      args: ["-e", NOTIFIES],
      ready: "notify",
      restart: { policy: "on-failure", backoff: 1 },
    },
  });
  await kitchen.ready;
  const { db } = kitchen.services;
  db.container!.kill("SIGKILL");
  await until(() => db.restarts === 1 && db.isReady);
  await kitchen.stop({ grace: 60_000 });
  const started = ["db started", "db status", "db ready"];
  assertEquals(await told(kitchen.events), [
    ...[...started, "db ended", "db restarting"],
    ...[...started, "db stopping", "db ended", "db stopped"],
  ]);
});

test("a service that its watchdog does not hear is stopped, and started again", async () => {
  // It tells twice that it is well, and is silent then.
  const silent = `
    use Socket; $| = 1; $SIG{ABRT} = sub { print "$ENV{WATCHDOG_USEC}\n"; exit 3 };
    socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die;
    my $to = pack_sockaddr_un("\\0" . substr($ENV{NOTIFY_SOCKET}, 1));
    for (1, 2) { send($s, "WATCHDOG=1", 0, $to) or die; select undef, undef, undef, 0.2 }
    select undef, undef, undef, 0.1 while 1`;
  const lines: string[] = [];
  await using kitchen = supervise({
    db: {
      recipe: box,
      program: "perl",
      args: ["-e", silent],
      watchdog: 300,
      restart: { policy: "on-failure", backoff: 1, max: 1 },
      log: (text) => lines.push(text),
    },
    asks: {
      program: "perl",
      args: ["-e", silent.replaceAll("WATCHDOG=1", "WATCHDOG=trigger")],
      watchdog: 60_000,
      log: "null",
    },
  });
  await kitchen.ended;
  assertEquals(lines, ["300000", "300000"]);
  assertEquals([kitchen.services.db.restarts, kitchen.services.db.status!.code], [1, 3]);
  const reasons: string[] = [];
  for await (const event of kitchen.events) {
    if (event.kind === "ended") reasons.push(`${event.service} ${event.reason}`);
  }
  const late = "db has sent no WATCHDOG=1 for 300 ms";
  assertEquals(reasons.sort(), ["asks has said that it fails (WATCHDOG=trigger)", late, late]);
});

test("a limit of a watchdog that its program sets takes no time of the script's", async () => {
  const watchdog = new Watchdog(1000);
  const ended = new AbortController();
  const bites = watchdog.bites(ended.signal);
  const timers = globalThis.setTimeout;
  let count = 0;
  globalThis.setTimeout = ((...args: Parameters<typeof timers>) => {
    count++;
    return timers(...args);
  }) as typeof timers;
  try {
    // Longer than a timer can be, which ends at once then.
    watchdog.take({ WATCHDOG_USEC: "9".repeat(17) });
    await new Promise((resolve) => timers(resolve, 300));
  } finally {
    globalThis.setTimeout = timers;
  }
  ended.abort();
  assertEquals([await bites, count], [undefined, 1]);
});

test("a log stays in its directory, and is no pipe, whatever its program does there", async () => {
  const directory = Deno.makeTempDirSync();
  try {
    Deno.mkdirSync(`${directory}/logs`);
    Deno.mkdirSync(`${directory}/elsewhere`);
    const log = { path: `${directory}/logs/log`, maxBytes: 100, keep: 1 };
    const attack = `cd ${directory}; mv logs old; ln -s elsewhere logs; seq 1 200`;
    {
      await using kitchen = supervise({ moves: { program: "sh", args: ["-c", attack], log } });
      await kitchen.ended;
    }
    assertEquals([...Deno.readDirSync(`${directory}/elsewhere`)], []);
    assert(Deno.readTextFileSync(`${directory}/old/log`).endsWith("200\n"));
    new Deno.Command("mkfifo", { args: [`${directory}/pipe`] }).outputSync();
    assertThrows(() => new LogFile({ path: `${directory}/pipe` }), SyscallError, "ENXIO");
    if (!root) return;
    // Its owner would read what a program of root's says.
    Deno.writeTextFileSync(`${directory}/theirs`, "");
    Deno.chownSync(`${directory}/theirs`, 65534, 65534);
    const theirs = () => new LogFile({ path: `${directory}/theirs` });
    assertThrows(theirs, TypeError, "belongs to user 65534, who could read it");
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

test("a log is rotated, and no line is lost", async () => {
  const directory = Deno.makeTempDirSync();
  try {
    const log = { path: `${directory}/log`, maxBytes: 4000, keep: 2 };
    await using kitchen = supervise({
      writes: { program: "sh", args: ["-c", "seq 1 2000; printf end >&2"], log },
    });
    await kitchen.ended;
    const names = [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
    assertEquals(names, ["log", "log.1", "log.2"]);
    const text = ["log.2", "log.1", "log"]
      .map((name) => Deno.readTextFileSync(`${directory}/${name}`)).join("");
    assert(text.includes("\n1999\n") && text.includes("end"), text.slice(-100));
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});
