/** Commands and containers: the streams, environment and exit status of a program. */

import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import {
  bind,
  type Container,
  init,
  mapCurrentUser,
  mapRoot,
  OutputLimitError,
  proc,
  recipe,
  sandbox,
  setEnv,
  SyscallError,
  tmpfs,
  unshare,
} from "../../mod.ts";
import { allSyscalls } from "../../ffi/seccomp/all_syscalls.ts";
import { decode, isAlive, until } from "../other_scripts.ts";
import { test } from "../support.ts";

const box = recipe(unshare("user", "pid", "mount"), mapRoot(), proc());
const shell = (script: string) => ({ args: ["-c", script] });

test("output() returns the output and the status of the program", async () => {
  const output = await box.command("sh", shell("echo out; echo err >&2; exit 3")).output();
  assertEquals(
    [output.code, output.success, output.signal, output.timedOut],
    [3, false, null, false],
  );
  assertEquals(decode(output.stdout), "out\n");
  assertEquals(decode(output.stderr), "err\n");
});

test("outputSync() returns the same, and blocks the thread", () => {
  const output = box.command("sh", shell("echo out; echo err >&2; exit 3")).outputSync();
  assertEquals([output.code, output.success, output.signal], [3, false, null]);
  assertEquals(decode(output.stdout), "out\n");
  assertEquals(decode(output.stderr), "err\n");
});

test("a stream that is not piped throws", async () => {
  const output = await box.command("true", { stdout: "null" }).output();
  assertThrows(() => output.stdout, TypeError, "not piped");
  await using container = box.command("true", { stdin: "null", stdout: "null" }).spawn();
  assertThrows(() => container.stdin, TypeError, "not piped");
  assertThrows(() => container.stdout, TypeError, "not piped");
});

test("a piped stdin is for spawn() only", async () => {
  const command = box.command("cat", { stdin: "piped" });
  assertThrows(() => command.outputSync(), TypeError, "spawn()");
  await assertRejects(() => command.output(), TypeError, "spawn()");
});

test("stdin, stdout and stderr are web streams", async () => {
  await using container = box.command("sh", {
    ...shell("tr a-z A-Z; echo done >&2"),
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = container.stdin.getWriter();
  await writer.write(new TextEncoder().encode("hello"));
  await writer.close();
  assertEquals(await container.stdout.text(), "HELLO");
  assertEquals(await container.stderr.text(), "done\n");
  assertEquals((await container.status).success, true);
});

test("64 MiB pass through a program unchanged, in both directions at once", async () => {
  const chunk = new Uint8Array(1 << 20);
  for (let i = 0; i < chunk.length; i++) chunk[i] = (i * 31) >>> 3;
  await using container = box.command("cat", { stdin: "piped", stdout: "piped" }).spawn();
  const written = (async () => {
    const writer = container.stdin.getWriter();
    for (let i = 0; i < 64; i++) {
      await writer.ready;
      await writer.write(chunk);
    }
    await writer.close();
  })();
  let size = 0;
  for await (const bytes of container.stdout) {
    for (let i = 0; i < bytes.length; i += 4099) {
      const at = (size + i) % chunk.length;
      if (bytes[i] !== chunk[at]) throw new Error(`byte ${size + i} is another`);
    }
    size += bytes.length;
  }
  await written;
  assertEquals(size, 64 << 20);
});

test("nothing is read before it is requested", async () => {
  await using container = box.command("sh", {
    ...shell("yes & wait"),
    stdout: "piped",
  }).spawn();
  const reader = container.stdout.getReader();
  await reader.read();
  await new Promise((resolve) => setTimeout(resolve, 200));
  const pipe = Deno.readTextFileSync(`/proc/${container.pid}/task/${container.pid}/children`);
  const written = Deno.readTextFileSync(`/proc/${pipe.trim()}/io`).match(/^wchar: (\d+)/m)![1];
  assert(Number(written) < 4 << 20, `${written} bytes were written`);
  reader.releaseLock();
});

test("a reader may bring a buffer of its own", async () => {
  await using container = box.command("echo", { args: ["hello"], stdout: "piped" }).spawn();
  const reader = container.stdout.getReader({ mode: "byob" });
  const { value } = await reader.read(new Uint8Array(3));
  assertEquals(decode(value!), "hel");
  const rest = await reader.read(new Uint8Array(64));
  assertEquals(decode(rest.value!), "lo\n");
  assertEquals((await reader.read(new Uint8Array(64))).done, true);
});

test("writing to a program that has ended fails, as it does with Deno.Command", async () => {
  await using container = box.command("true", { stdin: "piped", stdout: "null" }).spawn();
  await container.status;
  const writer = container.stdin.getWriter();
  await assertRejects(() => writer.write(new Uint8Array(1)), Deno.errors.BrokenPipe, "EPIPE");
});

test("a program whose output is closed gets SIGPIPE", async () => {
  await using container = box.command("sh", {
    ...shell("yes; kill -l $?"),
    stdout: "piped",
    stderr: "null",
  }).spawn();
  await container.stdout.cancel();
  assertEquals((await container.status).code > 0, true);
});

test("kill() sends a signal, which is in the status", async () => {
  await using container = recipe().command("sleep", { args: ["100"] }).spawn();
  container.kill("SIGUSR1");
  const status = await container.status;
  assertEquals([status.success, status.code, status.signal], [false, 138, "SIGUSR1"]);
  assertThrows(() => container.kill(), TypeError, "ended already");
});

test("a signal that Linux does not know is refused", async () => {
  await using container = recipe().command("sleep", { args: ["100"] }).spawn();
  assertThrows(() => container.kill("SIGINFO"), TypeError, "SIGINFO");
  const short = "TERM" as Deno.Signal;
  assertThrows(() => container.kill(short), TypeError, 'did you mean "SIGTERM"?');
});

test("an AbortSignal kills the container", async () => {
  const controller = new AbortController();
  const output = box.command("sleep", { args: ["100"], signal: controller.signal }).output();
  controller.abort();
  assertEquals((await output).signal, "SIGKILL");
});

test("a command that was aborted before is not started", async () => {
  const marker = Deno.makeTempFileSync();
  try {
    for (const terminal of [false, true]) {
      const command = box.command("rm", {
        args: [marker],
        terminal,
        signal: AbortSignal.abort(new Error("no soup")),
      });
      await assertRejects(() => command.output(), Error, "no soup");
      assertThrows(() => command.spawn(), Error, "no soup");
      if (!terminal) assertThrows(() => command.outputSync(), Error, "no soup");
    }
    assert(Deno.statSync(marker).isFile);
  } finally {
    Deno.removeSync(marker);
  }
});

test("a program that writes more than maxOutput is killed, and its output is an error", async () => {
  const bounded = (program: string, args: string[], stream: "stdout" | "stderr" = "stdout") => {
    const command = box.command(program, { args, maxOutput: 5 });
    const isIt = (error: unknown) => {
      assert(error instanceof OutputLimitError);
      assertEquals([error.stream, error.maxOutput], [stream, 5]);
    };
    return { command, isIt };
  };
  for (
    const { command, isIt } of [
      bounded("yes", []),
      bounded("echo", ["12345"]),
      bounded("sh", ["-c", "exec yes >&2"], "stderr"),
    ]
  ) {
    isIt(await command.output().catch((error) => error));
    isIt(assertThrows(() => command.outputSync()));
  }
  await using container = box.command("yes", { stdout: "piped", maxOutput: 5 }).spawn();
  await assertRejects(() => container.output(), OutputLimitError);
  assertEquals((await container.status).signal, "SIGKILL");
  const { command } = bounded("echo", ["1234"]);
  assertEquals(decode((await command.output()).stdout), "1234\n");
  assertEquals(decode(command.outputSync().stdout), "1234\n");
});

test("a program that has the script or its init trace it, and stops, has not ended", async () => {
  const traceMe = allSyscalls(Deno.build.arch).get("ptrace");
  // Its child kills it once it is in the stop; nobody else would end it.
  const script = String.raw`
    my $main = $$;
    sub stopped { open(my $file, "<", "/proc/$main/stat") or exit; <$file> =~ /\) t / }
    if (fork == 0) { select undef, undef, undef, 0.01 until stopped(); kill KILL => $main; exit }
    syscall(${traceMe}, 0, 0, 0, 0) == 0 or exit 9;
    kill USR1 => $$;
    exit 9;
  `;
  const initial = recipe(unshare("user", "mount", "pid"), mapRoot(), proc(), init());
  for (const box of [recipe(), initial, sandbox()]) {
    const program = box.command("perl", { args: ["-e", script], stdout: "null", stderr: "null" });
    const statuses = [program.outputSync(), await program.output(), await program.spawn().status];
    assertEquals(statuses.map(({ code }) => code), [137, 137, 137]);
  }
});

test("a timeout longer than a timer of Deno does not end at once", async () => {
  const command = box.command("sleep", { args: ["0.05"], timeout: 2 ** 31 });
  assertEquals((await command.output()).code, 0);
  assertEquals((await command.spawn().status).code, 0);
  assertEquals(command.outputSync().code, 0);
});

test("a timeout kills the container and is in the status", async () => {
  const command = box.command("sleep", { args: ["100"], timeout: 50 });
  for (const output of [await command.output(), command.outputSync()]) {
    assertEquals([output.signal, output.timedOut], ["SIGKILL", true]);
  }
});

test("await using ends the container and all that it has started", async () => {
  let container: Container;
  let pids: number[];
  {
    await using running = box.command("sh", shell("sleep 100 & sleep 100 & wait")).spawn();
    container = running;
    const children = `/proc/${running.pid}/task/${running.pid}/children`;
    await until(() => Deno.readTextFileSync(children).trim().split(" ").length === 2);
    pids = Deno.readTextFileSync(children).trim().split(" ").map(Number);
    assert(pids.every(isAlive));
  }
  await until(() => !pids.some(isAlive));
  assertEquals((await container.status).signal, "SIGKILL");
});

test("other processes in the program's pid namespace end with it", async () => {
  const marker = `${100 + Math.random()}`;
  await box.command("sh", shell(`sleep ${marker} >/dev/null 2>&1 &`)).output();
  const { stdout } = new Deno.Command("ps", { args: ["-eo", "args"] }).outputSync();
  assert(!decode(stdout).includes(`sleep ${marker}`));
});

test("the status resolves at the end of the program, even if its pipes are open elsewhere", async () => {
  await using container = recipe().command("sh", {
    ...shell("sleep 100 & echo $!"),
    stdout: "piped",
  }).spawn();
  const reader = container.stdout.getReader();
  const pid = Number(decode((await reader.read()).value!));
  assertEquals((await container.status).code, 0);
  assert(isAlive(pid));
  Deno.kill(pid, "SIGKILL");
  assertEquals((await reader.read()).done, true);
});

test("environment: inherited, changed by the recipe, changed by the command, or none", async () => {
  Deno.env.set("RAMEKIN_TEST", "inherited");
  const printed = async (options: object, ...steps: Parameters<typeof recipe>) =>
    decode((await recipe(...steps).command("/usr/bin/env", options).output()).stdout)
      .split("\n").filter((line) => /^(RAMEKIN|ONLY)/.test(line)).sort();
  assertEquals(await printed({}), ["RAMEKIN_TEST=inherited"]);
  assertEquals(await printed({}, setEnv({ RAMEKIN_TEST: "step" })), ["RAMEKIN_TEST=step"]);
  assertEquals(
    await printed({ env: { RAMEKIN_TEST: "command" } }, setEnv({ RAMEKIN_TEST: "step" })),
    ["RAMEKIN_TEST=command"],
  );
  const { stdout } = await recipe(setEnv({ ONLY: "this" }))
    .command("/usr/bin/env", { clearEnv: true }).output();
  assertEquals(decode(stdout), "ONLY=this\n");
  Deno.env.delete("RAMEKIN_TEST");
});

test("the program is looked up in its own PATH", async () => {
  const directory = Deno.makeTempDirSync();
  try {
    Deno.chmodSync(directory, 0o755);
    Deno.writeTextFileSync(`${directory}/hello-box`, "#!/bin/sh\necho found\n", { mode: 0o755 });
    const { stdout } = await box.command("hello-box", { env: { PATH: directory } }).output();
    assertEquals(decode(stdout), "found\n");
    await assertRejects(() => box.command("hello-box").output(), Deno.errors.NotFound, "hello-box");
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

test("cwd is a path or a file URL in the container", async () => {
  for (const cwd of ["/usr", new URL("file:///usr")]) {
    assertEquals(decode((await box.command("pwd", { cwd }).output()).stdout), "/usr\n");
  }
  const error = await assertRejects(
    () => box.command("pwd", { cwd: "/nonesuch" }).output(),
    SyscallError,
    "does not exist in the container",
  );
  assertEquals([error.syscall, error.code], ["openat2", "ENOENT"]);
});

test("a covered working directory gives no access to the files beneath the mount", async () => {
  const directory = Deno.makeTempDirSync();
  const here = Deno.cwd();
  try {
    Deno.chmodSync(directory, 0o755);
    Deno.chdir(directory);
    const covered = box.with(bind(directory, directory, { readOnly: true }));
    const touched = await covered.command("sh", shell("pwd; touch a")).output();
    assertEquals([touched.success, decode(touched.stdout)], [false, `${directory}\n`]);
    const gone = await box.with(tmpfs(directory.split("/").slice(0, 2).join("/"))).command("pwd")
      .output();
    assertEquals(decode(gone.stdout), "/\n");
    assertEquals([...Deno.readDirSync(directory)], []);
  } finally {
    Deno.chdir(here);
    Deno.removeSync(directory, { recursive: true });
  }
});

test("uid and gid are those of the container's user namespace", async () => {
  const { stdout } = await box.command("id", { args: ["-u"], uid: 0, gid: 0 }).output();
  assertEquals(decode(stdout), "0\n");
  const error = await assertRejects(() => box.command("id", { uid: 1234 }).output(), SyscallError);
  assertEquals([error.syscall, error.code], ["setresuid", "EINVAL"]);
  assertMatch(error.hint!, /mapIds/);
});

test("the program gets three descriptors, and no signal ignored or blocked", async () => {
  const { stdout } = await box.command("sh", shell("echo /proc/self/fd/*; cat /proc/self/status"))
    .output();
  const [fds, ...status] = decode(stdout).split("\n");
  // The fourth is the descriptor by which the shell reads the directory.
  assertEquals(fds, "/proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 /proc/self/fd/3");
  for (const field of ["SigBlk", "SigIgn", "ShdPnd"]) {
    assertEquals(status.find((line) => line.startsWith(field)), `${field}:\t0000000000000000`);
  }
});

test("PATH is not searched for a name with a slash, and an empty name is refused", async () => {
  await assertRejects(() => box.command("./nonesuch").output(), Deno.errors.NotFound);
  assertThrows(() => box.command(""), TypeError, "empty");
  assertThrows(() => box.command("a\0b"), TypeError, "NUL");
  assertThrows(() => box.command("true", { args: ["a\0b"] }), TypeError, '"args"');
  assertThrows(() => box.command("true", { cwd: new URL("http://x/") }), TypeError, "file: URL");
});

test("an unknown option is refused, with the nearest one", () => {
  const options = { stdou: "null" } as object;
  assertThrows(() => box.command("true", options), TypeError, 'did you mean "stdout"?');
  const wrong = { stdout: "pipe" } as object;
  assertThrows(() => box.command("true", wrong), TypeError, 'did you mean "piped"?');
  const none = (program: unknown) => () => box.command(program as string);
  for (const program of [undefined, null, 3, ["sh"]]) {
    assertThrows(none(program), TypeError, "should be a string or a file: URL");
  }
  assertThrows(() => box.command("sh", ["-c"] as object), TypeError, "not a list or a string");
});

test("the error says why a program cannot be started", async () => {
  const directory = Deno.makeTempDirSync();
  const file = (name: string, text: string, mode: number) => {
    Deno.writeTextFileSync(`${directory}/${name}`, text);
    Deno.chmodSync(`${directory}/${name}`, mode);
    return `${directory}/${name}`;
  };
  Deno.chmodSync(directory, 0o755);
  try {
    const cases: [path: string, code: string, hint: RegExp][] = [
      [file("plain", "text", 0o644), "EACCES", /chmod \+x/],
      [file("script", "#!/nonesuch/sh -e\n", 0o755), "ENOENT", /interpreter "\/nonesuch\/sh"/],
      [file("nothing", "hello\n", 0o755), "ENOEXEC", /neither a program nor a script/],
      [file("empty", "", 0o755), "ENOEXEC", /neither a program nor a script/],
      [
        file("crlf", "#!/bin/sh\r\ntrue\r\n", 0o755),
        "ENOENT",
        /"\/bin\/sh\\r" ends with a carriage/,
      ],
      [file("mark", "\ufeff#!/bin/sh\ntrue\n", 0o755), "ENOEXEC", /a byte order mark/],
      [file("none", "#!\n", 0o755), "ENOEXEC", /has no name behind/],
      [file("by", `#!${file("sh", "#!/bin/sh\n", 0o644)}\n`, 0o755), "EACCES", /sh" may not be/],
      [file("elf", "\x7fELF and no more", 0o755), "ENOEXEC", /for another architecture/],
      [directory, "EACCES", /directory/],
    ];
    for (const [path, code, hint] of cases) {
      const error = await assertRejects(() => box.command(path).output(), SyscallError);
      assertEquals([error.syscall, error.code], ["execve", code]);
      assertMatch(error.hint!, hint);
    }
    await assertRejects(
      () => box.command(`${directory}/nonesuch`).output(),
      Deno.errors.NotFound,
      `${directory}/nonesuch`,
    );
    const busy = file("busy", "#!/bin/sh\n", 0o755);
    using _written = Deno.openSync(busy, { append: true });
    const error = await assertRejects(() => box.command(busy).output(), SyscallError);
    assertEquals(error.code, "ETXTBSY");
    assertMatch(error.hint!, /open for writing/);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

test("arguments that are too long are reported", async () => {
  const args = Array.from({ length: 40 }, () => "x".repeat(100_000));
  const error = await assertRejects(() => box.command("true", { args }).output(), SyscallError);
  assertEquals(error.code, "E2BIG");
  assert(error.message.includes("the arguments and the environment are larger"), error.message);
});

test("fifty concurrent containers have separate output", async () => {
  const outputs = await Promise.all(
    Array.from(
      { length: 50 },
      (_, i) => box.command("sh", shell(`for n in $(seq 200); do echo ${i}; done`)).output(),
    ),
  );
  outputs.forEach(({ stdout }, i) => assertEquals(decode(stdout), `${i}\n`.repeat(200)));
});

test("a recipe of no steps runs a program as it is", async () => {
  const { stdout } = await recipe().command("readlink", { args: ["/proc/self/ns/uts"] }).output();
  assertEquals(decode(stdout).trim(), Deno.readLinkSync("/proc/self/ns/uts"));
});

test("a command can be run repeatedly", async () => {
  const command = box.command("sh", shell("echo $$"));
  for (let i = 0; i < 3; i++) assertEquals(decode((await command.output()).stdout), "1\n");
});

test("the init reaps orphans, forwards signals, and exits like the program", async () => {
  const withInit = box.with(init());
  // A zombie is one until the init has been given time.
  const orphan = `sh -c 'sleep 0.01 &'; sleep 0.1
    for i in $(seq 300); do
      seen=$(ps -eo stat,comm)
      case $seen in *Z*) sleep 0.1;; *) break;; esac
    done
    echo "$seen"`;
  const { stdout } = await withInit.command("sh", shell(orphan)).output();
  assertMatch(decode(stdout), /init/);
  assert(!/Z/.test(decode(stdout)), decode(stdout));
  await using container = withInit.command("sh", {
    ...shell("trap 'exit 7' TERM; echo ready; while :; do sleep 0.02; done"),
    stdout: "piped",
  }).spawn();
  await container.stdout.getReader().read();
  container.kill("SIGTERM");
  assertEquals((await container.status).code, 7);
  assertEquals((await withInit.command("sh", shell("kill -9 $$")).output()).code, 137);
});

test("the init has no copy of the script's memory", async () => {
  await using container = box.with(init()).command("sleep", { args: ["100"] }).spawn();
  let status = "";
  // The program starts shortly before the execve(2) of its init.
  await until(() => {
    status = Deno.readTextFileSync(`/proc/${container.pid}/status`);
    return /^Name:\s+init$/m.test(status);
  });
  assert(Number(status.match(/^VmSize:\s+(\d+) kB/m)![1]) < 300, status);
});

test("a program never sees the script in the process that becomes its init", async () => {
  const command = box.with(init()).command("/usr/bin/readlink", { args: ["/proc/1/exe"] });
  // Without protection, about one launch in five shows the script's own program.
  for (let i = 0; i < 100; i++) {
    const exe = decode((await command.output()).stdout).trim();
    assert(exe === "" || exe.startsWith("/memfd:ramekin-init"), exe);
  }
});

test("a step that fails after the init is reported, and nothing is left", async () => {
  const error = await assertRejects(
    () => box.with(init(), tmpfs("/nonesuch")).command("true").output(),
    SyscallError,
  );
  assertEquals([error.step, error.stepIndex, error.code], ["tmpfs", 4, "ENOENT"]);
});

test("output() of a killed container returns what it has written", async () => {
  await using container = box.command("sh", {
    ...shell("echo first; exec sleep 100"),
    stdout: "piped",
  }).spawn();
  const reader = container.stdout.getReader();
  assertEquals(decode((await reader.read()).value!), "first\n");
  container.kill("SIGKILL");
  assertEquals((await reader.read()).done, true);
});

test("mapCurrentUser keeps the current user", async () => {
  const { stdout } = await recipe(unshare("user"), mapCurrentUser())
    .command("id", { args: ["-u"] }).output();
  assertEquals(decode(stdout).trim(), String(Deno.uid()));
});
