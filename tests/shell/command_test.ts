/** Template commands: how they are read, fail, and are changed. */

import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { init, mapRoot, recipe, sandbox, seccomp, SyscallError, unshare } from "../../mod.ts";
import { $, CommandError, shell } from "../../shell/mod.ts";
import { inDirectory, test } from "../support.ts";

const PROJECT = new URL("../../", import.meta.url).pathname;

/** Where commands run: for each of them everything is the same. */
const SHELLS = {
  "on the host": $,
  "in a container": shell(recipe(unshare("user", "mount", "pid"), mapRoot())),
  "in a container with an init": shell(recipe(unshare("user", "pid"), mapRoot(), init())),
  "in a sandbox": shell(sandbox()),
} as const;

for (const [where, $] of Object.entries(SHELLS)) {
  test(`output is read as a text, bytes, lines and a value, ${where}`, async () => {
    assertEquals(await $`printf 'a\nb\n\n'`.text(), "a\nb\n");
    assertEquals(await $`printf 'a\r\n'`.text(), "a");
    assertEquals(await $`printf '\0\377'`.bytes(), new Uint8Array([0, 255]));
    assertEquals(await Array.fromAsync($`printf 'a\n\nb\r\nc'`.lines()), ["a", "", "b", "c"]);
    assertEquals(await Array.fromAsync($`true`.lines()), []);
    assertEquals(await $`echo '[1, "é"]'`.json<unknown[]>(), [1, "é"]);
    assertEquals(await $`sh -c 'exit 7'`.code(), 7);
  });

  test(`a failure is an error that tells all, ${where}`, async () => {
    const script = "i=0; while [ $i -lt 30 ]; do i=$((i+1)); echo line $i >&2; done; exit 5";
    const command = $`sh -c ${script}`.quiet().cwd("/usr");
    const error = await assertRejects(async () => await command, CommandError);
    assertEquals([error.code, error.signal, error.success, error.timedOut], [
      5,
      null,
      false,
      false,
    ]);
    assertEquals(error.command, `sh -c '${script}'`);
    assertEquals(error.cwd, "/usr");
    assertEquals(
      error.stderr,
      Array.from({ length: 20 }, (_, index) => `line ${index + 11}`).join("\n"),
    );
    assert(error.durationMs > 0 && error.usage.userMs >= 0);
    assertMatch(error.message, /failed with code 5 after \d+ ms in \/usr\n {2}line 11\n/);
    for (const read of ["text", "bytes", "json"] as const) {
      await assertRejects(() => $`false`[read](), CommandError, "false failed with code 1");
    }
    const lines: string[] = [];
    await assertRejects(
      async () => {
        for await (const line of $`sh -c 'echo one; exit 2'`.lines()) lines.push(line);
      },
      CommandError,
      "code 2",
    );
    assertEquals(lines, ["one"]);
  });

  test(`a signal is told by its name, ${where}`, async () => {
    const error = await assertRejects(
      () => $`sh -c 'kill -KILL $$; sleep 1'`.text(),
      CommandError,
    );
    // PID 1 of a pid namespace cannot be killed from inside, and init tells a signal by the code.
    if (where === "on the host") {
      assertEquals([error.signal, error.code], ["SIGKILL", 137]);
      assertStringIncludes(error.message, "was killed by SIGKILL");
    }
  }, where === "in a container" ? "PID 1 cannot kill itself" : undefined);

  test(`timeouts and signals kill, ${where}`, async () => {
    const error = await assertRejects(() => $`sleep 60`.timeout(30).text(), CommandError);
    assertEquals(error.timedOut, true);
    assertStringIncludes(error.message, "timeout");
    const result = await $`sleep 60`.timeout(30).noThrow();
    assertEquals([result.timedOut, result.success], [true, false]);

    const stop = new AbortController();
    const running = $`sleep 60`.signal(stop.signal).text();
    setTimeout(() => stop.abort(new Error("enough")), 10);
    await assertRejects(() => running, Error, "enough");
    await assertRejects(() => $`true`.signal(stop.signal).text(), Error, "enough");
  });

  test(`all kinds of input are read, ${where}`, async () => {
    const read = $`cat`;
    assertEquals(await read.text(), "");
    assertEquals(await read.stdin("text").text(), "text");
    assertEquals(await read.stdin(new Uint8Array([65])).text(), "A");
    assertEquals(await read.stdin(new Blob(["blob"])).text(), "blob");
    assertEquals(await read.stdin(new Response("response")).text(), "response");
    assertEquals(await read.stdin(new Response(null)).text(), "");
    assertEquals(await read.stdin(new Blob(["stream"]).stream()).text(), "stream");
    using file = await Deno.open("/etc/passwd");
    assertStringIncludes(await read.stdin(file).text(), "root:");
    assertStringIncludes(await read.stdin({ path: "/etc/passwd" }).text(), "root:");
    assertStringIncludes(await read.stdin(new URL("file:///etc/passwd")).text(), "root:");
    const large = "x".repeat(3_000_000);
    assertEquals(await read.stdin(large).text(), large);
  });

  test(`output goes to files and streams, ${where}`, async () => {
    const directory = await Deno.makeTempDir();
    try {
      const path = `${directory}/file`;
      await $`echo one`.stdout(path);
      await $`sh -c 'echo two; echo three >&2'`.all().stdout(path, { append: true });
      assertEquals(Deno.readTextFileSync(path), "one\ntwo\nthree\n");
      {
        using file = await Deno.open(path, { write: true, truncate: true });
        await $`echo four`.stdout(file);
        await $`echo five`.stdout(file).quiet();
      }
      assertEquals(Deno.readTextFileSync(path), "four\nfive\n");
      await $`sh -c 'echo error >&2'`.stderr(path);
      assertEquals(Deno.readTextFileSync(path), "error\n");
      const parts: string[] = [];
      const stream = new WritableStream<Uint8Array>({
        write: (bytes) => void parts.push(new TextDecoder().decode(bytes)),
      });
      await $`echo six`.stdout(stream);
      assertEquals(parts.join(""), "six\n");
      assertEquals(await $`echo seven`.tee(path).tee(`${path}2`).text(), "seven");
      assertEquals([path, `${path}2`].map((path) => Deno.readTextFileSync(path)), [
        "seven\n",
        "seven\n",
      ]);
      assertEquals(await Array.fromAsync($`echo eight`.tee(path, { append: true }).lines()), [
        "eight",
      ]);
      assertEquals(Deno.readTextFileSync(path), "seven\neight\n");
      await $`echo nine`.quiet().tee(path);
      assertEquals(Deno.readTextFileSync(path), "nine\n");
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  });

  test(`variables are added, the last one counts, ${where}`, async () => {
    const command = $`sh -c 'echo $A $B'`.env("A", "1").env({ B: "2" });
    assertEquals(await command.text(), "1 2");
    assertEquals(await command.env("A", "3").text(), "3 2");
    assertEquals(await command.text(), "1 2");
  });
}

test("a command never changes, and runs each time anew", async () => {
  const command = $`sh -c 'echo $$'`;
  assert(await command.text() !== await command.text());
  assert(command.quiet() !== command);
  assertEquals(await $`false`.noThrow().code(), 1);
});

test(
  "a command that is not awaited does not run",
  inDirectory((directory) => {
    $`touch ${directory}/made`;
    $`touch ${directory}/made`.quiet().retry(2);
    assertEquals([...Deno.readDirSync(directory)], []);
  }),
);

test("a retry runs it again while it fails, with growing delays", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const script = `echo x >> ${directory}/tries; test $(wc -l < ${directory}/tries) -ge 3`;
    const failures: number[] = [];
    const delay = (failed: number) => {
      failures.push(failed);
      return 1;
    };
    await $`sh -c ${script}`.retry(5, { delay });
    assertEquals(failures, [1, 2]);
    await Deno.remove(`${directory}/tries`);
    await assertRejects(() => $`sh -c ${script}`.retry(1).text(), CommandError);
    assertEquals(Deno.readTextFileSync(`${directory}/tries`), "x\nx\n");
    await Deno.remove(`${directory}/tries`);
    assertEquals(await $`sh -c ${script}`.retry(5).code(), 0);
    assertEquals((await $`sh -c ${"exit 4"}`.retry(2, { delay }).noThrow()).code, 4);
    assertEquals(failures, [1, 2, 1, 2]);
    const stop = new AbortController();
    const retried = $`false`.retry(1, { delay: 60_000 }).signal(stop.signal).text();
    setTimeout(() => stop.abort(new Error("enough")), 20);
    await assertRejects(() => retried, Error, "enough");
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
  const stream = () => new Blob(["x"]).stream();
  using file = await Deno.open("/etc/passwd");
  for (const input of [stream(), new Response("x"), file, Deno.stdin]) {
    await assertRejects(() => $`cat`.stdin(input).retry(1).text(), TypeError, "only once");
  }
  for (const input of ["x", new Blob(["x"]), { path: "/etc/passwd" }]) {
    await assertRejects(() => $`grep nonesuch`.stdin(input).retry(1).text(), CommandError);
  }
  await assertRejects(() => $`cat`.retry(1).lines().next(), TypeError, "cannot be retried");
  assertThrows(() => $`true`.retry(-1), TypeError, "0 or more");
});

test("a program that cannot be started is an error of the launch, also with noThrow()", async () => {
  await assertRejects(() => $`nonesuch`.code(), Deno.errors.NotFound, "nonesuch");
  await assertRejects(
    () => $`true`.noThrow().cwd("/nonesuch").text(),
    SyscallError,
    "does not exist",
  );
  await assertRejects(() => $`true`.stdin({ path: "/nonesuch" }).text(), SyscallError, "stdin");
});

test("what is sent elsewhere cannot be read", async () => {
  const message = "cannot read what stdout() sends elsewhere";
  await assertRejects(() => $`echo`.stdout("/dev/null").text(), TypeError, message);
  await assertRejects(() => $`echo`.stdout("/dev/null").lines().next(), TypeError, message);
});

test("a failing stream is an error, and ends the program", async () => {
  const burnt = new ReadableStream<Uint8Array>({ pull: () => Promise.reject(new Error("burnt")) });
  await assertRejects(() => $`sleep 60`.stdin(burnt).text(), Error, "burnt");
  const full = () =>
    new WritableStream<Uint8Array>({ write: () => Promise.reject(new Error("full")) });
  await assertRejects(async () => await $`yes`.stdout(full()), Error, "full");
  await assertRejects(() => $`yes`.tee(full()).text(), Error, "full");
});

test("what goes to the script's streams is there in order", async () => {
  const code = `import { $ } from "${PROJECT}shell/mod.ts";
    await $\`echo one\`;
    await $\`sh -c 'echo error >&2'\`;
    await $\`echo hidden\`.quiet();
    await $\`sh -c 'echo hidden >&2; false'\`.quiet().noThrow();
    await $\`echo \${"t w o"}\`.printCommand();
    await $\`echo three\`.stdout(Deno.stderr);
    console.log(await $\`echo four\`.tee().text());
    await $\`echo five\`.tee("/dev/null");
    await $\`cat\`.stdin(Deno.stdin);`;
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(file, code);
  await Deno.chmod(file, 0o644);
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-config", "--no-check", "--allow-ffi", file],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
  const writer = command.stdin.getWriter();
  await writer.write(new TextEncoder().encode("six\n"));
  await writer.close();
  const { stdout, stderr } = await command.output();
  await Deno.remove(file);
  assertEquals(new TextDecoder().decode(stdout), "one\nt w o\nfour\nfour\nfive\nsix\n");
  assertEquals(new TextDecoder().decode(stderr), "error\n$ echo 't w o'\nthree\n");
});

test("programs enter a container that runs", async () => {
  const box = recipe(unshare("user", "pid"), mapRoot(), init());
  const container = box.command("sleep", { args: ["60"] }).spawn();
  const inside = shell(container, { env: { DISH: "soup" } });
  assertEquals(await inside`printenv DISH`.text(), "soup");
  assertEquals(await $`echo stew`.pipe(inside`cat`).text(), "stew");
  await container[Symbol.asyncDispose]();
  await assertRejects(() => inside`true`.code(), TypeError, "ended");
});

test("options of a shell are those of its commands", async () => {
  const $ = shell(sandbox(), { cwd: "/usr", permissions: { read: true } });
  assertEquals(await $`pwd`.text(), "/usr");
  const none = shell(sandbox({ read: ["/etc/hostname"] }), { permissions: {} });
  await assertRejects(() => none`true`.code(), Error, "read");
});

test("what is no template, command, recipe or container is refused", () => {
  assertThrows(() => $("ls" as never), TypeError, 'as $`ls` or .pipe`cat`, not "ls"');
  assertThrows(() => $`true`.pipe("cat" as never), TypeError, 'not "cat"');
  assertThrows(() => $`true`.pipe(undefined as never), TypeError, "should be a template");
  for (const target of ["sandbox", undefined, null, {}, sandbox]) {
    assertThrows(() => shell(target as never), TypeError, "as shell(sandbox())");
  }
});

test("the kinds of recipe.command() are no names of files", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const command = $`echo soup`.cwd(directory);
    for (const method of ["stdout", "stderr", "tee"] as const) {
      assertThrows(
        () => command[method]("null"),
        TypeError,
        '.quiet() to drop it, or write "./null"',
      );
      assertThrows(() => command[method]("piped"), TypeError, ".text()");
      assertThrows(() => command[method]("inherit"), TypeError, "leave it out");
      assertThrows(() => command[method]("stdout"), TypeError, ".all()");
    }
    await command.stdout(`${directory}/null`);
    assertEquals(Deno.readTextFileSync(`${directory}/null`), "soup\n");
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

test("files of URLs are those that they name", async () => {
  for (const url of ["file://host/tmp", "file:///tmp%2f", "file:///tmp%00", "file:///tmp%ff"]) {
    await assertRejects(() => $`pwd`.cwd(new URL(url)).text(), TypeError, "file://");
    await assertRejects(() => $`cat`.stdin(new URL(url)).text(), TypeError, "file://");
    await assertRejects(async () => await $`true`.stdout(new URL(url)), TypeError, "file://");
  }
});

test("a directory is missing on this machine or in the container, whose files those are", async () => {
  const messageOf = async (run: () => Promise<unknown>) =>
    (await assertRejects(run, SyscallError)).message;
  const here = "the directory does not exist on this machine";
  assertStringIncludes(await messageOf(() => $`pwd`.cwd("/nonesuch").text()), here);
  const named = recipe(unshare("user", "uts"), mapRoot());
  assertStringIncludes(await messageOf(() => shell(named)`pwd`.cwd("/nonesuch").text()), here);
  const inside = "the directory does not exist in the container";
  assertStringIncludes(
    await messageOf(() => shell(sandbox())`pwd`.cwd("/nonesuch").text()),
    inside,
  );
});

test("the error of a program that a filter has killed says so", async () => {
  const syscalls = [{ names: ["uname"], action: "SCMP_ACT_KILL_PROCESS" }] as const;
  const killing = seccomp({ defaultAction: "SCMP_ACT_ALLOW", syscalls });
  for (const box of [recipe(killing), recipe(unshare("user", "pid"), mapRoot(), init(), killing)]) {
    const { message } = await assertRejects(() => shell(box)`uname`.text(), CommandError);
    assertStringIncludes(message, "for a system call that seccomp() denies");
  }
});

test("the error of a missing program says where it was looked for", async () => {
  const messageOf = async (run: () => Promise<unknown>) =>
    (await assertRejects(run, Deno.errors.NotFound)).message;
  const here = await messageOf(() => $`nonesuch`.code());
  assertStringIncludes(here, 'program not found on this machine: "nonesuch"');
  assertStringIncludes(here, "\n  is it installed?");
  const script = await Deno.makeTempFile({ dir: "/tmp" });
  await Deno.writeTextFile(script, "#!/nonesuch\n");
  await Deno.chmod(script, 0o755);
  await assertRejects(
    () => $`${script}`.code(),
    SyscallError,
    '"/nonesuch" is not on this machine',
  );
  await Deno.remove(script);
  const inside = await messageOf(() => shell(sandbox())`nonesuch`.code());
  assertStringIncludes(inside, 'program not found in the container: "nonesuch"');
  assertStringIncludes(inside, "\n  is it in the container's file tree?");
  // One of this machine that it is not shown: the file that shows it is named.
  const name = `ramekin-lacking-${Deno.pid}`;
  const file = `${await Deno.makeTempDir({ dir: "/tmp" })}/${name}`;
  await Deno.writeTextFile(file, "#!/bin/sh\n", { mode: 0o755 });
  const advice = `\n  ${file} is on this machine alone; bind() shows it in a recipe, and in a ` +
    `sandbox --allow-read=${file}, or the option read`;
  assertStringIncludes(await messageOf(() => shell(sandbox())`${file}`.code()), advice);
  const [before, cwd] = [Deno.env.get("PATH")!, Deno.cwd()];
  try {
    Deno.env.set("PATH", `${before}:${file.slice(0, -name.length - 1)}`);
    assertStringIncludes(await messageOf(() => shell(sandbox())`${name}`.code()), advice);
    Deno.chdir("/tmp");
    const relative = `.${file.slice("/tmp".length)}`;
    assertStringIncludes(await messageOf(() => shell(sandbox())`${relative}`.code()), advice);
  } finally {
    Deno.env.set("PATH", before);
    Deno.chdir(cwd);
  }
  await Deno.remove(file.slice(0, -name.length - 1), { recursive: true });
  for (const target of [recipe(), sandbox()]) {
    const words = await messageOf(() => target.command("ls -l").output());
    assertStringIncludes(
      words,
      "\n  a blank is a part of the program's name; give arguments by themselves (args)",
    );
  }
});
