/** Files and terminals as the standard streams of programs with a root of their own. */

import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { linux, RamekinError, sandbox } from "../../mod.ts";
import { inDirectory, test } from "../support.ts";
import { printed, started } from "./started_script.ts";

/** A test with a directory that all users may write to. */
const inShared = (body: (directory: string) => void) =>
  inDirectory((directory) => {
    Deno.chmodSync(directory, 0o777);
    body(directory);
  });

/** How a script runs a program whose streams are its own. */
const RUNS = {
  "spawn()": (box: string, script: string) =>
    `const { code } = await sh(${box}, ${JSON.stringify(script)}).spawn().status;`,
  "output()": (box: string, script: string) =>
    `const { code } = await sh(${box}, ${JSON.stringify(script)}, INHERIT).output();`,
  "outputSync()": (box: string, script: string) =>
    `const { code } = sh(${box}, ${JSON.stringify(script)}, INHERIT).outputSync();`,
} as const;
const INHERIT = 'const INHERIT = { stdin: "inherit", stdout: "inherit", stderr: "inherit" };';

for (const [name, run] of Object.entries(RUNS)) {
  test(
    `a file is copied to the program, and what it writes to a file is there: ${name}`,
    inShared((directory) => {
      const bytes = new Uint8Array(3_000_000).map((_, index) => index % 251);
      Deno.writeFileSync(`${directory}/in`, bytes);
      printed(`${INHERIT} ${run("sandbox()", "cat; exit 0")} Deno.exit(code)`, {
        cwd: directory,
        redirected: "< in > out",
      });
      assert(Deno.readFileSync(`${directory}/out`).every((byte, index) => byte === bytes[index]));
      assertEquals(Deno.statSync(`${directory}/out`).size, bytes.length);
    }),
  );

  test(
    `what the program has not read stays for the next one: ${name}`,
    inShared((directory) => {
      Deno.writeTextFileSync(`${directory}/in`, "one\ntwo\nthree\nfour\n");
      const code = `${INHERIT}
        { ${run("sandbox()", "read line; echo got $line")} }
        { ${run("sandbox()", "true")} }
        { ${run("recipe()", "read line; echo got $line")} }`;
      const { stdout } = started(code, { cwd: directory, redirected: "< in; cat < in" });
      assertEquals(stdout, "got one\ngot two\none\ntwo\nthree\nfour\n");
      const { stdout: shared } = started(code, {
        cwd: directory,
        before: "exec < in",
        redirected: "; cat",
      });
      assertEquals(shared, "got one\ngot two\nthree\nfour\n");
    }),
  );

  test(
    `a file that cannot be written is an error of the script's: ${name}`,
    () => {
      const code = `${INHERIT}
        try { ${run("sandbox()", "echo soup")} }
        catch (error) { console.error(error.name, error.syscall, error.code) }`;
      assertEquals(
        started(code, { redirected: "> /dev/full" }).stderr,
        "SyscallError write ENOSPC\n",
      );
    },
  );
}

test(
  "a script that reads its stdin while a program has it misses nothing, and is not set back",
  inShared((directory) => {
    const text = Array.from({ length: 200_000 }, (_, n) => `${n}\n`).join("");
    Deno.writeTextFileSync(`${directory}/in`, text);
    const code = `
      const child = sh(sandbox(), "read line; echo got $line; exec sleep 60", { stdout: "piped" })
        .spawn();
      const reader = child.stdout.getReader();
      print(new TextDecoder().decode((await reader.read()).value));
      const size = (await new Response(Deno.stdin.readable).bytes()).length;
      child.kill();
      await child.status;
      print(String(size));`;
    const { stdout } = started(code, {
      cwd: directory,
      before: "exec < in",
      redirected: "; cat",
    });
    assertEquals(stdout, `got 0\n${text.length}`);
  }),
);

test(
  "a program that writes to its own input brings nothing back that the script has read",
  inShared((directory) => {
    Deno.writeTextFileSync(`${directory}/in`, "secret line\nrest 1\nrest 2\n");
    const evil = 'sysread STDIN, my $x, 4096; open(my $w, "+<", "/proc/self/fd/0") or die; ' +
      'syswrite($w, "x" x 1000) == 1000 or die';
    const code = `
      Deno.stdin.readSync(new Uint8Array("secret line\\n".length));
      const args = ["-e", ${JSON.stringify(evil)}];
      await sandbox().command("perl", { args }).spawn().status;
      await sandbox().command("cat").spawn().status;`;
    assertEquals(
      printed(code, { cwd: directory, redirected: "< in" }),
      "rest 1\nrest 2\n",
    );
  }),
);

for (
  const [kind, at] of [
    ["appended to", (size: number) => [`truncate -s ${size} out`, "", ">> out"]],
    [
      "written to",
      (size: number) => ["", `perl -e 'sysseek STDOUT, ${size}, 0; exec @ARGV'`, "> out"],
    ],
  ] as const
) {
  test(
    `what cannot be written as a whole to a file that is ${kind} is an error`,
    inShared((directory) => {
      const code = `
        try { await sh(sandbox(), "head -c 10000 /dev/zero").spawn().status }
        catch (error) { console.error(error.name, error.syscall, error.code) }`;
      // The limit is of the size of files, in blocks of 512 bytes.
      const limit = 2 ** 30;
      const [before, by, redirected] = at(limit - 5000) as [string, string, string];
      const { stderr } = started(code, {
        cwd: directory,
        before: `ulimit -f ${limit / 512}; ${before}`,
        by,
        redirected,
      });
      assertEquals(stderr, "SyscallError write EFBIG\n");
      assertEquals(Deno.statSync(`${directory}/out`).size, limit);
    }),
  );
}

test(
  "what the program has not read of a named pipe stays in it",
  inShared((directory) => {
    const read = RUNS["spawn()"]("sandbox()", "read line; echo got $line");
    const code = `{ ${read} } { ${RUNS["spawn()"]("sandbox()", "true")} } { ${read} }`;
    const { stdout, stderr } = started(code, {
      cwd: directory,
      before: `mkfifo fifo; exec 3<> fifo; printf 'one\\ntwo\\nthree\\n' >&3; exec < fifo 3>&-`,
      redirected: "; cat",
    });
    assertEquals([stdout, stderr], ["got one\ngot two\nthree\n", ""]);
  }),
);

test(
  "named pipes are copied to the program and from it",
  inShared((directory) => {
    const bytes = new Uint8Array(1_000_000).map((_, index) => index % 251);
    Deno.writeFileSync(`${directory}/in`, bytes);
    printed(RUNS["spawn()"]("sandbox()", "cat; exit 0"), {
      cwd: directory,
      before: "mkfifo from to; cat in > from & cat to > out &",
      redirected: "< from > to; wait",
    });
    assertEquals(Deno.readFileSync(`${directory}/out`), bytes);
  }),
);

test(
  "a named pipe that nobody reads any more ends the program, and is no error",
  inShared((directory) => {
    const code = `const { code } = await sh(sandbox(), "exec yes").spawn().status;
      console.error(code)`;
    const { stderr } = started(code, {
      cwd: directory,
      before: "mkfifo fifo; head -n 1 fifo &",
      redirected: "> fifo; wait",
    });
    assertEquals(stderr, "141\n");
  }),
);

test(
  "a named pipe has no reader any more when the script was killed",
  inShared((directory) => {
    const code = `await sh(sandbox(), "echo up; exec sleep 60").spawn().status`;
    const { code: status } = started(code, {
      cwd: directory,
      before: "mkfifo fifo; touch out; exec 3<> fifo",
      redirected: `< fifo 3>&- > out &
        until grep -q up out; do :; done
        exec 3>&-
        kill -9 $!
        while dd if=/dev/null of=fifo oflag=nonblock 2> errors; do :; done
        grep -q "No such device" errors`,
    });
    assertEquals(status, 0);
  }),
);

test(
  "a connection of TCP is copied",
  () => {
    const by = `perl -MSocket -e '
      socket(my $listening, AF_INET, SOCK_STREAM, 0) or die;
      listen($listening, 1) or die;
      socket(my $ours, AF_INET, SOCK_STREAM, 0) or die;
      connect($ours, getsockname($listening)) or die "connect: $!";
      accept(my $theirs, $listening) or die;
      if (!fork) {
        open(STDIN, "<&", $theirs); open(STDOUT, ">&", $theirs); close $ours; close $theirs;
        exec @ARGV;
      }
      close $theirs;
      syswrite $ours, "soup";
      shutdown($ours, 1);
      print <$ours>'`;
    const script = "test -p /dev/stdin && tr a-z A-Z";
    assertEquals(printed(RUNS["spawn()"]("sandbox()", script), { by }), "SOUP");
  },
);

test(
  "two streams to one file keep the order of what is written",
  inShared((directory) => {
    const script = "for i in 1 2 3; do echo out $i; echo err $i >&2; done";
    for (const redirected of ["> out 2>&1", ">> out 2>> out"]) {
      Deno.writeTextFileSync(`${directory}/out`, "");
      printed(RUNS["spawn()"]("sandbox()", script), { cwd: directory, redirected });
      assertEquals(
        Deno.readTextFileSync(`${directory}/out`),
        "out 1\nerr 1\nout 2\nerr 2\nout 3\nerr 3\n",
      );
    }
  }),
);

test(
  "pipes and sockets are the script's own, /dev/null is the container's, and files are pipes",
  inShared((directory) => {
    const script = "exec ls -l /proc/self/fd";
    const code = RUNS["spawn()"]("sandbox()", script);
    const { stdout } = started(code, { cwd: directory, redirected: "< /dev/null 2> out | cat" });
    assertMatch(stdout, /0 -> \/dev\/null\n/);
    assertMatch(stdout, /1 -> pipe:/);
    assertMatch(stdout, /2 -> pipe:/);
    assert(!stdout.includes(directory));
  }),
);

test(
  "without a root of its own, a program has the script's files",
  inShared((directory) => {
    const script = "exec 3>&1; readlink /proc/self/fd/3 >&2";
    const code = RUNS["spawn()"]("recipe()", script);
    const { stderr } = started(code, { cwd: directory, redirected: "> out" });
    assertEquals(stderr, `${Deno.realPathSync(directory)}/out\n`);
  }),
);

test(
  "a program that enters a container gets no file either",
  inShared((directory) => {
    const code = `
      await using container = sandbox().command("sleep", { args: ["60"], stdout: "null" }).spawn();
      await container.enter("sh", { args: ["-c", "exec 3>&1; readlink /proc/self/fd/3 >&2"] }).spawn().status;`;
    assertMatch(started(code, { cwd: directory, redirected: "> out" }).stderr, /^pipe:/);
  }),
);

test(
  "a program that outlives its script goes on writing",
  inShared((directory) => {
    const code = `
      const box = sandbox().with(ramekin.dieWithParent(null));
      sh(box, "echo early; read line; echo late").spawn().unref();`;
    const { code: status } = started(code, {
      cwd: directory,
      before: "mkfifo gate; exec 3<> gate",
      redirected: "> out < gate; echo >&3; while ! grep -q late out; do :; done",
    });
    assertEquals(status, 0);
    assertEquals(Deno.readTextFileSync(`${directory}/out`), "early\nlate\n");
  }),
);

test(
  "processes that are left behind and write without end are not waited for",
  inShared((directory) => {
    const code = `
      const { unshare, mapRoot, chroot } = ramekin;
      const box = recipe(unshare("user"), mapRoot(), chroot("/"));
      ${RUNS["spawn()"]("box", "yes > /dev/stdout & echo done")}
      Deno.exit(code)`;
    printed(code, { cwd: directory, redirected: "> out" });
    assertStringIncludes(Deno.readTextFileSync(`${directory}/out`), "done\n");
  }),
);

test("a socket without a connection is refused", () => {
  const code = `
    try { sandbox().command("true").spawn() } catch (error) { console.log(error.message) }`;
  const making = {
    datagrams: "socketpair(my $stdin, my $other, AF_UNIX, SOCK_DGRAM, 0)",
    unconnected: "socket(my $stdin, AF_UNIX, SOCK_STREAM, 0)",
  };
  for (const make of Object.values(making)) {
    const by = `perl -MSocket -e '${make} or die; open(STDIN, "<&", $stdin); exec @ARGV'`;
    assertMatch(printed(code, { by }), /^stdin is a socket without a connection, /);
  }
});

test("a directory is refused, and nothing is left", () => {
  const code = `
    try { sandbox().command("true").spawn() } catch (error) { console.log(error.message) }
    const { code } = await sandbox().command("true", { stdin: "null" }).spawn().status;
    console.log(code)`;
  assertMatch(printed(code, { redirected: "< /" }), /^stdin is a directory, .*\n0\n$/);
});

test("a descriptor that only names a file is refused", () => {
  using file = linux.open("/etc/passwd", linux.O_PATH | linux.O_CLOEXEC);
  const error = assertThrows(
    () => sandbox().command("cat", { stdin: file.number }).outputSync(),
    RamekinError,
  );
  assertMatch(error.message, /^stdin is opened with O_PATH, /);
});
