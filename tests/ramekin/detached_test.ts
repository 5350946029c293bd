/** Programs that run on by themselves: `ramekin run -d`, and `logs`, `stop`, `wait`, `rm`. */

import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { planCgroup } from "../../ffi/cgroups/plan.ts";
import { attach, linux, UnsupportedError } from "../../mod.ts";
import { type DetachedState, LogReader } from "../../detached/mod.ts";
import { readArguments } from "../../scripts/ramekin/arguments.ts";
import { isDetached, upkeepOf } from "../../scripts/ramekin/detach_flags.ts";
import { SUBCOMMANDS } from "../../scripts/ramekin/subcommands.ts";
import { UsageError } from "../../scripts/ramekin/usage.ts";
import { LogFile } from "../../services/log_file.ts";
import { claim } from "../leftovers.ts";
import { decode, isAlive, type ScriptResult, until } from "../other_scripts.ts";
import { notRoot, test } from "../support.ts";
import { ramekinWith, RUN } from "./support.ts";

const BOX = `steps:
  - step: unshare
    kinds: [user, pid, mount]
  - step: mapRoot
  - step: proc
`;

/** A name that no other test has. */
const NAME = `soup-${Deno.pid}`;

/** A user's runtime directory, with a recipe. */
class Runtime implements Disposable {
  readonly directory = Deno.makeTempDirSync();
  readonly recipe = `${this.directory}/box.yaml`;

  constructor() {
    Deno.writeTextFileSync(this.recipe, BOX);
  }

  async ramekin(...words: string[]): Promise<ScriptResult> {
    return await ramekinWith({ env: { XDG_RUNTIME_DIR: this.directory, NO_COLOR: "1" } }, ...words);
  }

  /** Runs a script of sh in a container that runs on. */
  async detach(script: string, ...flags: string[]): Promise<ScriptResult> {
    const name = flags.some((flag) => flag.startsWith("--name")) ? [] : [`--name=${NAME}`];
    const words = ["-d", "-A", ...name, ...flags, this.recipe, "--", "sh", "-c", script];
    return await this.ramekin("run", ...words);
  }

  state(name = NAME): DetachedState {
    return JSON.parse(Deno.readTextFileSync(`${this.records}/${name}/state.json`));
  }

  get records(): string {
    return `${this.directory}/ramekin-detached`;
  }

  /** Kills what a test that has failed has left. */
  [Symbol.dispose](): void {
    for (const { name } of names(this.records)) {
      if (names(`${this.records}/${name}`).length === 0) continue;
      const { supervisor } = this.state(name);
      if (isAlive(supervisor.pid)) Deno.kill(supervisor.pid, "SIGKILL");
    }
    Deno.removeSync(this.directory, { recursive: true });
  }
}

function names(directory: string): readonly Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(directory)];
  } catch {
    return [];
  }
}

const TRAPS = "trap 'echo bye; exit 3' TERM; echo leek; while :; do sleep 0.01; done";

test("a detached program is listed, entered, attached to, stopped, waited for and removed", async () => {
  using user = new Runtime();
  assertEquals(await user.detach(TRAPS), {
    code: 0,
    signal: null,
    stdout: `${NAME}\n`,
    stderr: "",
  });
  const { supervisor, container, recipe, status, isReady } = user.state();
  assertEquals([recipe, status, isReady], [user.recipe, "running", true]);
  assertEquals(Deno.statSync(user.records).mode! & 0o777, 0o700);
  assertEquals(Deno.statSync(`${user.records}/${NAME}/state.json`).mode! & 0o777, 0o600);

  const listed = JSON.parse((await user.ramekin("ps", "--json")).stdout)
    .find(({ name }: { name: string }) => name === NAME);
  assertEquals([listed.pid, listed.script, listed.own], [container!.pid, supervisor.pid, true]);
  assertEquals(listed.detached.program, ["sh", "-c", TRAPS]);
  {
    using attached = attach(NAME);
    assertEquals(attached.identity, container);
  }
  const entered = await user.ramekin("enter", NAME, "--", "cat", "/proc/1/comm");
  assertEquals([entered.code, entered.stdout], [0, "sh\n"]);
  const again = await user.detach("true");
  assertEquals(again.code, 125);
  assertStringIncludes(again.stderr, `a detached container has the name ${NAME} already`);
  assertStringIncludes((await user.ramekin("rm", NAME)).stderr, `${NAME} runs; ramekin stop`);

  const stopped = await user.ramekin("stop", "--json", "--grace=60s", NAME);
  assertEquals([stopped.code, JSON.parse(stopped.stdout).end.code], [0, 3]);
  assert(!isAlive(supervisor.pid) && !isAlive(container!.pid));
  assertEquals((await user.ramekin("stop", NAME)).code, 0);
  assertEquals((await user.ramekin("logs", "--tail=1", "-f", NAME)).stdout, "bye\n");
  const waited = await user.ramekin("wait", "--json", NAME);
  assertEquals([waited.code, JSON.parse(waited.stdout).reason], [3, "failed with code 3"]);
  const { stdout } = await user.ramekin("ps", "--all");
  assertMatch(stdout, new RegExp(`^- +${NAME} +failed with code 3 `, "m"));

  assertStringIncludes((await user.detach("true")).stderr, `ramekin rm ${NAME} removes its log`);
  const replaced = JSON.parse((await user.detach("true", "--replace", "--json")).stdout);
  assertEquals([replaced.name, replaced.supervisor], [NAME, user.state().supervisor]);
  assertEquals((await user.ramekin("wait", NAME)).code, 0);
  assertEquals(JSON.parse((await user.ramekin("rm", "--json", NAME)).stdout), { name: NAME });
  assertEquals([...Deno.readDirSync(user.records)], []);
  assertStringIncludes((await user.ramekin("logs", NAME)).stderr, "no detached container");
});

test("the example of docs/running.md writes what it says", async () => {
  using user = new Runtime();
  const text = Deno.readTextFileSync(new URL("../../docs/running.md", import.meta.url));
  const [, script, output] = /```sh\n(ramekin sandbox -d[^`]*)```\n\n```\n([^`]*)```/.exec(text)!;
  const command = RUN.map((word) => `'${word}'`).join(" ");
  const { stdout, stderr } = await new Deno.Command("sh", {
    args: ["-c", `ramekin() { ${command} "$@"; }\n${script}`],
    env: { XDG_RUNTIME_DIR: user.directory },
  }).output();
  assertEquals(decode(stdout), output, decode(stderr));
  assertEquals([...Deno.readDirSync(user.records)], []);
});

test("what cannot be started is told to the caller, and leaves nothing", async () => {
  using user = new Runtime();
  const { recipe, directory } = user;
  const cases: readonly (readonly [words: readonly string[], code: number, says: string])[] = [
    [["run", "-d", "-A", recipe, "--", "/nonesuch"], 127, "/nonesuch"],
    [["run", "-d", recipe, "--", "true"], 125, "--allow-"],
    [["sandbox", "-d", "--name=x", "--ready=1", "--", "false"], 125, "before it was ready"],
  ];
  for (const [words, code, says] of cases) {
    const result = await user.ramekin(...words);
    assertEquals([result.code, result.stdout], [code, ""], result.stderr);
    assertStringIncludes(result.stderr, says);
  }
  assertEquals([...Deno.readDirSync(user.records)].map(({ name }) => name), ["x"]);
  Deno.removeSync(user.records, { recursive: true });

  // What others could write, or a link of theirs, is not believed.
  Deno.mkdirSync(`${directory}/other`);
  Deno.symlinkSync(`${directory}/other`, user.records);
  assertStringIncludes((await user.detach("true")).stderr, "is not there, or no directory");
  Deno.removeSync(user.records);
  Deno.chmodSync(directory, 0o777);
  assertStringIncludes((await user.detach("true")).stderr, "can be written by other users");
  assertEquals((await user.ramekin("ps", "--all")).code, 0);
});

test("flags of what runs on are refused without -d, and where they make no sense", () => {
  const cases: readonly (readonly [words: readonly string[], says: string])[] = [
    [["-d", "--name=a/b"], "--name=a/b is no name"],
    [["--name=4711"], "not digits alone"],
    [["--restart=always"], "is for --detach"],
    [["--json"], "--status-fd=NUMBER tells"],
    [["-d", "--status-fd=1"], "ramekin wait tells its end"],
    [["-d", "--audit"], "ramekin wait tells its end"],
    [["-d", "--restart=ever"], "--restart=ever: it is never"],
    [["-d", "--ready=soon"], "--ready=soon: it is a port"],
    [["-d", "--log-size=much"], "--log-size=much is no size"],
    [["-d", "--health-interval=1s"], "is for --health-cmd"],
  ];
  const sandbox = SUBCOMMANDS.find(({ name }) => name === "sandbox")!;
  for (const [words, says] of cases) {
    const read = () => {
      const given = readArguments(words, sandbox);
      return isDetached(given) && upkeepOf(given);
    };
    assertThrows(read, UsageError, says);
  }
});

test("records of another user are not believed", async () => {
  using user = new Runtime();
  Deno.mkdirSync(`${user.records}/${NAME}`, { recursive: true, mode: 0o700 });
  Deno.chownSync(user.records, 65534, 65534);
  assertStringIncludes((await user.detach("true")).stderr, "is another user's");
  assertStringIncludes((await user.ramekin("logs", NAME)).stderr, "no detached container");
  Deno.chownSync(user.directory, 65534, 65534);
  assertStringIncludes((await user.detach("true")).stderr, "is another user's");
}, notRoot);

test("what is no directory of the user's own is no record, and is not followed", async () => {
  using user = new Runtime();
  Deno.mkdirSync(user.records, { mode: 0o700 });
  const other = `${user.directory}/other`;
  Deno.mkdirSync(other, { mode: 0o700 });
  Deno.writeTextFileSync(`${other}/letter`, "leek");
  Deno.symlinkSync(other, `${user.records}/${NAME}`);
  Deno.mkdirSync(`${user.records}/open`);
  Deno.chmodSync(`${user.records}/open`, 0o777);
  for (const name of [NAME, "open"]) {
    assertStringIncludes((await user.ramekin("rm", "-f", name)).stderr, "no detached container");
  }
  assertEquals(Deno.readTextFileSync(`${other}/letter`), "leek");
  Deno.removeSync(`${user.records}/${NAME}`);
});

/** A program that says by sd_notify(3) that it is ready. */
const NOTIFIES = `exec perl -e '
  use Socket; $| = 1; $SIG{TERM} = sub { print "bye\\n"; exit 3 }; print "leek\\n";
  socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die;
  my $to = pack_sockaddr_un("\\0" . substr($ENV{NOTIFY_SOCKET}, 1));
  send($s, "STATUS=leek soup\\nREADY=1", 0, $to) or die; select undef, undef, undef, 0.1 while 1'`;

test("a program that says when it is ready, and fails, is started again until it is stopped", async () => {
  using user = new Runtime();
  const { code, stderr } = await user.detach(NOTIFIES, "--restart=on-failure", "--ready=notify");
  assertEquals(code, 0, stderr);
  const { container, supervisor, statusText } = user.state();
  assertEquals(statusText, "leek soup");
  Deno.kill(container!.pid, "SIGKILL");
  await until(() => user.state().restarts === 1 && user.state().isReady);
  assertEquals((await user.ramekin("stop", "--grace=60s", NAME)).code, 0);
  const { status, end, restarts } = user.state();
  assertEquals([status, end!.code, restarts], ["ended", 3, 1]);
  assert(!isAlive(supervisor.pid));
  assertEquals((await user.ramekin("logs", NAME)).stdout, "leek\nleek\nbye\n");
});

test("who gives up waiting for a program that is not ready leaves none", async () => {
  using user = new Runtime();
  const env = { XDG_RUNTIME_DIR: user.directory };
  const words = ["run", "-d", "-A", `--name=${NAME}`, "--ready=notify", user.recipe];
  const waiting = new Deno.Command(RUN[0]!, {
    args: [...RUN.slice(1), ...words, "--", "sleep", "1000"],
    env,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  claim(waiting.pid);
  const started = () => {
    try {
      return user.state().container;
    } catch {
      return undefined;
    }
  };
  await until(() => started() !== undefined);
  const { supervisor, container } = user.state();
  waiting.kill("SIGINT");
  const { stderr } = await waiting.output();
  await until(() => !isAlive(supervisor.pid));
  assert(!isAlive(container!.pid));
  assertEquals(names(user.records), []);
  assertEquals(decode(stderr), "");
});

test("the proxy to granted hosts lives with a detached sandbox", async () => {
  using user = new Runtime();
  await using server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    () => new Response("leek soup"),
  );
  const host = `127.0.0.1:${server.addr.port}`;
  const flags = ["-d", `--name=${NAME}`, `--allow-net=${host}`, "--ready=3128"];
  const started = await user.ramekin("sandbox", ...flags, "--", "sleep", "100");
  assertEquals(started.code, 0, started.stderr);
  const ask =
    `exec 3<>/dev/tcp/127.0.0.1/3128; printf 'GET http://${host}/ HTTP/1.0\\r\\n\\r\\n' >&3;
    cat <&3`;
  const { stdout, stderr } = await user.ramekin("enter", NAME, "--", "bash", "-c", ask);
  assertStringIncludes(stdout, "leek soup", stderr);
  assertEquals((await user.ramekin("rm", "-f", NAME)).code, 0);
  assertEquals([...Deno.readDirSync(user.records)], []);
});

/** A limit, where a container can have a control group. */
function limits(): readonly string[] {
  try {
    planCgroup({ pids: 10 });
    return ["  - step: limits\n    pids: 50\n"];
  } catch (error) {
    if (error instanceof UnsupportedError) return [];
    throw error;
  }
}

test("of a killed supervisor, rm -f leaves nothing", async () => {
  using user = new Runtime();
  // Its container outlives it, and has processes beside the first.
  const steps = ["  - step: dieWithParent\n    signal: null\n", ...limits()];
  Deno.writeTextFileSync(user.recipe, BOX + steps.join(""));
  const { code, stderr } = await user.detach("sleep 1000 & exec sleep 1000");
  assertEquals(code, 0, stderr);
  const { supervisor, container, cgroups } = user.state();
  assertEquals(cgroups!.length > 0, limits().length > 0);
  Deno.kill(supervisor.pid, "SIGKILL");
  await until(() => !isAlive(supervisor.pid));
  assert(isAlive(container!.pid));
  const waited = await user.ramekin("wait", NAME);
  assertEquals(waited.code, 125);
  assertStringIncludes(waited.stderr, `the supervisor of ${NAME} was killed`);
  assertMatch((await user.ramekin("ps", "--all")).stdout, /its supervisor was killed/);
  assertEquals((await user.ramekin("rm", "-f", NAME)).code, 0);
  assert(!isAlive(container!.pid));
  for (const { directory } of cgroups!) {
    assertEquals(linuxStat(directory), "ENOENT");
  }
  assertEquals([...Deno.readDirSync(user.records)], []);
});

function linuxStat(path: string): string | undefined {
  try {
    linux.statx(linux.AT_FDCWD, path);
    return undefined;
  } catch (error) {
    return (error as { code?: string }).code;
  }
}

test("a log is read on over its changes of files", () => {
  const directory = Deno.makeTempDirSync();
  try {
    const path = `${directory}/log`;
    using log = new LogFile({ path, maxBytes: 10, keep: 1 });
    const [write, text] = [
      (line: string) => log.write(new TextEncoder().encode(line)),
      (reader: LogReader) => {
        let text = "";
        reader.read((bytes) => text += new TextDecoder().decode(bytes));
        return text;
      },
    ];
    using reader = new LogReader(path);
    const read = [write("1 leek\n"), text(reader)];
    write("2 leek\n");
    read.push(text(reader));
    write("3 leek\n");
    write("4 leek\n");
    read.push(text(reader), text(reader));
    assertEquals(read, [undefined, "1 leek\n", "2 leek\n", "3 leek\n4 leek\n", ""]);
    using late = new LogReader(path);
    assertEquals(text(late), "3 leek\n4 leek\n");
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});
