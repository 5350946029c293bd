/** `ramekin sandbox`: a program can access only what the flags allow. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { mapRoot, mkdir, recipe, tmpfs, unshare, writeFile } from "../../mod.ts";
import { test } from "../support.ts";
import { noOtherDevice, otherDevice } from "../other_device.ts";
import { decode } from "../other_scripts.ts";
import { ramekin, ramekinWith, RUN, TestTerminal, withFiles } from "./support.ts";
import { patience } from "../rounds.ts";

const inDirectory = (body: (directory: string) => Promise<void>) =>
  withFiles({ "soup.txt": "leek\n" }, async (directory) => {
    Deno.chmodSync(directory, 0o777);
    await body(Deno.realPathSync(directory));
  });

/** Returns the output of a script in a sandbox with these flags. */
async function inside(cwd: string, flags: readonly string[], script: string): Promise<string> {
  const env = { SOUP: "leek", SPOON: "silver" };
  const words = ["sandbox", ...flags, "--", "sh", "-c", script];
  const { stdout, stderr } = await ramekinWith({ cwd, env }, ...words);
  assertEquals(stderr.replace(TOLD, ""), "");
  return stdout;
}

/** What is told of a denied name that is not there. */
const TOLD = /^ramekin: --deny-read=new: there is no such file now; .*\n/;

test(
  "without flags there are only programs",
  inDirectory(async (directory) => {
    // Its init, the shell, and what the shell lists with.
    assertMatch(
      await inside(directory, [], "pwd; ls /tmp; ls /proc | grep -c '^[0-9]'"),
      /^\/\n[2-4]\n$/,
    );
    assertEquals(
      await inside(directory, [], "echo $SOUP $SPOON; tail -n +3 /proc/net/dev | wc -l"),
      "\n1\n",
    );
    assertEquals(
      await inside(directory, [], "touch /usr/x 2>/dev/null || echo no; id -u"),
      `no\n${Deno.uid()}\n`,
    );
  }),
);

test(
  "devices are there that a flag names",
  inDirectory(async (directory) => {
    const list = `ls -d /dev/zero ${otherDevice} 2> /dev/null || true`;
    assertEquals(await inside(directory, [], list), "/dev/zero\n");
    const seen = await inside(directory, [`--allow-device=/dev/full,${otherDevice}`], list);
    assertEquals(seen.split("\n").sort(), ["", "/dev/zero", otherDevice].sort());
  }),
  noOtherDevice,
);

test(
  "files are shown at other paths, in memory, or not at all",
  inDirectory(async (directory) => {
    const show = (...flags: string[]) =>
      inside(directory, flags, "pwd; cat soup.txt; echo x > new");
    assertEquals(await show("--overlay=."), `${directory}\nleek\n`);
    const script = "pwd; cat /in/soup.txt; echo salt > /in/salt; stat -fc %T /mem; ls /in/none";
    const flags = ["--bind=.:/in", "--try-read=none,soup.txt", "--tmpfs=/mem", "--cwd=/in"];
    assertEquals(
      await inside(directory, flags, `${script} 2> /dev/null || true`),
      "/in\nleek\ntmpfs\n",
    );
    assertEquals(Deno.readTextFileSync(`${directory}/salt`), "salt\n");
    const around = directory.slice(0, directory.lastIndexOf("/"));
    assertEquals(await inside(directory, [`--tmpfs=${around}`], "pwd"), "/\n");
    assertEquals(await inside(directory, [`--tmpfs=${around}`, "--allow-read"], "pwd"), "/\n");
    const read = await inside(
      directory,
      ["--bind=.:/in:ro"],
      "(echo > /in/a) 2> /dev/null || echo no",
    );
    assertEquals(read, "no\n");
    Deno.mkdirSync(`${directory}/root`);
    for (const name of ["bin", "lib", "lib64"]) {
      Deno.symlinkSync(`usr/${name}`, `${directory}/root/${name}`);
    }
    const rooted = await inside(directory, ["--root=root", "-R=/usr"], "pwd; echo /*");
    assertEquals(rooted, "/\n/bin /dev /etc /lib /lib64 /proc /run /tmp /usr\n");
    for (const flag of ["--bind=.", "--bind=.:in", "--bind=.:/in:rw", "--bind=.:/in:ro:x"]) {
      const { code, stderr } = await ramekinWith({ cwd: directory }, "sandbox", flag, "--", "true");
      assertEquals(code, 125);
      assertStringIncludes(stderr, "is not of the form --bind=PATH:/TARGET or PATH:/TARGET:ro");
    }
  }),
);

test(
  "what is run outside later stays as it is, by its name",
  inDirectory(async (directory) => {
    const script =
      "for f in .mcp.json soup.txt salt; do (echo x >> $f) 2> /dev/null || echo $f; done; " +
      "ls -A; df -m --output=size /tmp /dev/shm | tail -n 2 | tr -d ' '; test -d .mcp.json || rm -f .mcp.json";
    const flags = ["--allow-write=.", "--tmp-size=3m", "--shm-size=2m"];
    const of = (...more: string[]) => inside(directory, [...flags, ...more], script);
    assertMatch(await of(), /^\.mcp\.json\n[^]*\n\.claude\n[^]*\nsoup\.txt\n3\n2\n$/);
    assertMatch(await of("--protect=soup.txt,x"), /^\.mcp\.json\nsoup\.txt\n/);
    assertEquals(await of("--no-protect"), ".mcp.json\nsalt\nsoup.txt\n3\n2\n");
    assertEquals(
      await of("--no-protect", "--protect=soup.txt"),
      "soup.txt\n.mcp.json\nsalt\nsoup.txt\n3\n2\n",
    );
    assertEquals([...Deno.readDirSync(directory)].map(({ name }) => name).sort(), [
      "salt",
      "soup.txt",
    ]);
  }),
);

test(
  "flags say where it is",
  inDirectory(async (directory) => {
    const flags = ["--cwd=/usr", "--setenv=A=b=c", "--hostname=pot"];
    assertEquals(await inside(directory, flags, "pwd; echo $A; uname -n"), "/usr\nb=c\npot\n");
    const { stderr } = await ramekin("sandbox", "--setenv=A", "--", "true");
    assertStringIncludes(stderr, "NAME=VALUE");
  }),
);

test(
  "an audit tells at the end what was denied, or writes it to a file",
  inDirectory(async (directory) => {
    const words = ["sandbox", "--audit", "--", "sh", "-c", "cat /etc/shadow; exit 3"];
    const { code, stderr } = await ramekin(...words);
    assertEquals(code, 3);
    assertStringIncludes(stderr, "\n  cat: read /etc/shadow (--allow-read=/etc/shadow)\n");
    const file = `${directory}/denied.json`;
    await ramekin("sandbox", `--audit=${file}`, ...words.slice(2));
    const lines = Deno.readTextFileSync(file).trim().split("\n").map((line) => JSON.parse(line));
    assertEquals(lines.at(-1).what, "/etc/shadow");
    const refused = await ramekin("sandbox", `--audit=${directory}/none/x`, ...words.slice(2));
    assertStringIncludes(refused.stderr, "ENOENT");
  }),
);

test(
  "an audit is written to no file that a program has put a link to in its place",
  inDirectory(async (directory) => {
    Deno.writeTextFileSync(`${directory}/startup`, "");
    Deno.mkdirSync(`${directory}/work`);
    const file = `${directory}/work/denied`;
    const flags = [
      "sandbox",
      `--audit=${file}`,
      `--allow-write=${directory}/work`,
      "--",
      "sh",
      "-c",
    ];
    const script = `ln -sf ../startup ${file}; cat '/nonesuch/$(evil)'`;
    // The second time the link is there before.
    const [first, second] = [await ramekin(...flags, script), await ramekin(...flags, script)];
    assertEquals(first.code, 1, first.stderr);
    assertEquals(Deno.readTextFileSync(`${directory}/startup`), "");
    assertStringIncludes(second.stderr, "is a symbolic link");
    const there = await ramekin("sandbox", "--audit=/dev/stderr", "--", "cat", "/etc/shadow");
    assertStringIncludes(there.stderr, '"what":"/etc/shadow"');
  }),
);

test(
  "what it uses of the machine is limited by flags",
  inDirectory(async (directory) => {
    const flags = ["--pids=300", "--open-files=99", "--tmp-size=unlimited", "--timeout=10s"];
    const script =
      "ulimit -n; cat /proc/sys/kernel/pid_max; mkdir /tmp/x; df --output=size /tmp | tail -n 1";
    assertMatch(await inside(directory, flags, script), /^99\n\d+\n *0\n$/);
    const slow = await ramekin("sandbox", "--timeout=100ms", "--", "sleep", "60");
    assertEquals(slow.code, 124);
    assertStringIncludes(slow.stderr, "--timeout=TIME");
    const [bad, none, large] = await Promise.all(
      ["--timeout=soon", "--pids=many", "--memory=lots"].map((flag) =>
        ramekin("sandbox", flag, "--", "true")
      ),
    );
    assertStringIncludes(bad!.stderr, "30s, 5m, 2h");
    assertStringIncludes(none!.stderr, "not a number");
    assertStringIncludes(large!.stderr, "--memory=lots is no size");
  }),
);

test(
  "certificates are there with a list of hosts",
  inDirectory(async (directory) => {
    const count = "ls /etc/ssl/certs /etc/pki/tls/certs 2> /dev/null | wc -l";
    const outside = new Deno.Command("sh", { args: ["-c", count] }).outputSync();
    assertEquals(
      await inside(directory, ["--allow-net=localhost:443"], count),
      decode(outside.stdout),
    );
  }),
);

test(
  "what a flag denies wins over what another allows",
  inDirectory(async (directory) => {
    for (const name of [".env", "kept"]) Deno.writeTextFileSync(`${directory}/${name}`, "secret\n");
    const script = "cat .env kept; for f in .env kept new soup.txt; do " +
      "(echo x > $f) 2> /dev/null || echo $f; done; rm soup.txt; echo leek > soup.txt";
    const denied = ["--deny-read=.env,new", "--deny-write=./kept"];
    // The whole machine has directories of other tests, which come and go.
    const all = ["-A", "--no-protect"];
    const expected = "secret\n.env\nkept\nnew\n";
    assertEquals(await inside(directory, ["--allow-write=.", ...denied], script), expected);
    assertEquals(
      await inside(directory, ["--no-protect", "--allow-write", "-W=.", ...denied], script),
      expected,
    );
    assertEquals(
      await inside(directory, [...all, ...denied], `cd ${directory}; ${script}`),
      expected,
    );
    // Without a value, what is listed stays.
    assertEquals(
      await inside(directory, ["--allow-read", "--allow-read=kept", "--deny-read"], "ls; cat kept"),
      "kept\nsecret\n",
    );
    assertEquals(await inside(directory, ["--allow-write", "--deny-write"], "pwd"), "/\n");
    const show = "echo $SOUP $SPOON";
    assertEquals(await inside(directory, ["--allow-env", "--deny-env=SP*"], show), "leek\n");
    assertEquals(await inside(directory, ["--allow-env=S*", "--deny-env=SOUP"], show), "silver\n");
    assertEquals(await inside(directory, [...all, "--deny-env"], show), "\n");
    assertEquals(await inside(directory, [...all, "--deny-env", "-E=SOUP"], show), "leek\n");
    assertEquals([...Deno.readDirSync(directory)].map(({ name }) => name).sort(), [
      ".env",
      "kept",
      "soup.txt",
    ]);
  }),
);

test(
  "unix sockets and set-user-ID files are made where a flag lets it",
  inDirectory(async (directory) => {
    const script = `cp /usr/bin/true setuid; chmod 4755 setuid 2>/dev/null && echo setuid
      perl -MSocket -e 'socket(my $s, AF_UNIX, SOCK_STREAM, 0) and print "socket\\n"'; true`;
    const writing = ["--allow-write=."];
    assertEquals(await inside(directory, writing, script), "");
    assertEquals(await inside(directory, [...writing, "--unix-sockets"], script), "socket\n");
    assertEquals(await inside(directory, [...writing, "--setuid-files"], script), "setuid\n");
    // The whole machine has directories of other tests, which come and go.
    const all = ["-A", "--no-protect"];
    assertEquals(await inside(directory, all, script), "setuid\nsocket\n");
    assertEquals(await inside(directory, [], "cd /tmp; " + script), "socket\n");
  }),
);

test(
  "a directory that may be read cannot be written to, and one that may be written to can",
  inDirectory(async (directory) => {
    const script = "pwd; cat soup.txt; (echo salt >> soup.txt) 2>/dev/null || echo no";
    assertEquals(await inside(directory, ["--allow-read=."], script), `${directory}\nleek\nno\n`);
    assertEquals(
      await inside(directory, [`--allow-read=${directory}`], script),
      `${directory}\nleek\nno\n`,
    );
    assertEquals(
      await inside(directory, ["--allow-write=../" + directory.split("/").at(-1)], script),
      `${directory}\nleek\n`,
    );
    assertEquals(Deno.readTextFileSync(`${directory}/soup.txt`), "leek\nsalt\n");
    const file = ["--allow-read=soup.txt"];
    assertEquals(await inside(directory, file, `cat ${directory}/soup.txt`), "leek\nsalt\n");
  }),
);

test(
  "no flag is followed over a link that the program has made, whatever the name of its directory",
  inDirectory(async (directory) => {
    for (const name of ["real/project/place/kept", "real/project/other", "private/there"]) {
      Deno.mkdirSync(`${directory}/${name}`, { recursive: true });
    }
    Deno.writeTextFileSync(`${directory}/private/secret`, "leek and potato");
    Deno.symlinkSync("real", `${directory}/home`);
    const cwd = `${directory}/home/project`;
    const lay = "rm -r place/kept other; ln -s ../../../private place/kept; " +
      "ln -s ../../private/there other; echo laid";
    const kept = `--allow-read=${cwd}/place/kept`;
    assertEquals(await inside(cwd, ["--allow-write=.", kept], lay), "laid\n");
    const look = ["--", "cat", `${directory}/private/secret`];
    const refused = await ramekinWith({ cwd }, "sandbox", "--allow-write=.", kept, ...look);
    assertEquals([refused.code, refused.stdout], [125, ""]);
    assertStringIncludes(refused.stderr, "the symbolic link");
    Deno.writeTextFileSync(`${cwd}/secret`, "salt");
    const climbing = "--allow-read=other/../secret";
    const other = await ramekinWith({ cwd }, "sandbox", "--allow-write=.", climbing, ...look);
    assertEquals([other.code, other.stdout], [1, ""]);
    assertEquals(
      await inside(cwd, ["--allow-read=place/../../project"], "ls"),
      "other\nplace\nsecret\n",
    );
  }),
);

test(
  "flags allow variables and the network",
  inDirectory(async (directory) => {
    const show = "echo $SOUP $SPOON";
    assertEquals(await inside(directory, ["--allow-env=SOUP"], show), "leek\n");
    assertEquals(await inside(directory, ["--allow-env=SP*,SOU"], show), "silver\n");
    assertEquals(await inside(directory, ["--allow-env"], show), "leek silver\n");
    assertEquals(
      await inside(directory, ["--allow-net"], "readlink /proc/self/ns/net"),
      `${Deno.readLinkSync("/proc/self/ns/net")}\n`,
    );
  }),
);

test("a list of hosts allows those, and no others", async () => {
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response("soup"),
  );
  const { port } = server.addr;
  const client = `
    const get = (port) => fetch("http://127.0.0.1:" + port).then(
      async (response) => console.log(response.status, await response.text()),
      (error) => console.log("failed"));
    await get(${port});
    await get(${port === 1 ? 2 : 1});`;
  const directory = Deno.execPath().replace(/\/[^/]*$/, "");
  const { stdout, stderr, code } = await ramekin(
    "sandbox",
    `--allow-net=127.0.0.1:${port}`,
    `--allow-read=${Deno.realPathSync(Deno.execPath())},${directory}`,
    ...["--", Deno.realPathSync(Deno.execPath()), "eval", client],
  );
  assertEquals([code, stderr], [0, ""]);
  assertMatch(stdout, /^200 soup\n(403 .*|failed)\n/);
});

test("for a list of hosts ramekin needs the permission itself, and says so", async () => {
  const words = RUN.filter((word) => word !== "--allow-net");
  const { code, stderr } = await new Deno.Command(words[0]!, {
    args: [...words.slice(1), "sandbox", "--allow-net=example.org:443", "--", "true"],
  }).output();
  assertEquals(code, 125);
  assertMatch(decode(stderr), /example\.org:443 through ramekin, which needs --allow-net/);
  assertStringIncludes(decode(stderr), "deno install --global --force --allow-ffi");
});

test("a host that could never match is refused with the flag, before anything runs", async () => {
  for (const host of ["!evil.org", "*", "**.x", ":0", "a b", "10.0.0.0/33"]) {
    const { code, stderr } = await ramekin("sandbox", `--allow-net=${host}`, "--", "true");
    assertEquals(code, 125);
    assertStringIncludes(stderr, `--allow-net=${host}: this is not a host`);
  }
  const granted = ["*.example.org:443", "10.0.0.0/8", "[fd00::]/8:80", "localhost", ":80"].join();
  const { code, stderr } = await ramekin("sandbox", `-N=${granted}`, "--", "true");
  assertEquals([code, stderr], [0, ""]);
});

/** Returns how a server of this machine answers a program with these flags. */
async function answerTo(...flags: readonly string[]): Promise<string> {
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response("soup"),
  );
  const { port } = server.addr;
  const client = `const answer = await fetch("http://127.0.0.1:${port}");
    console.log(answer.status, await answer.text());`;
  const deno = Deno.realPathSync(Deno.execPath());
  const directory = Deno.execPath().replace(/\/[^/]*$/, "");
  const { stdout } = await ramekin(
    "sandbox",
    ...flags.map((flag) => flag.replace("PORT", String(port))),
    `--allow-read=${deno},${directory}`,
    ...["--", deno, "eval", client],
  );
  return stdout;
}

test("a port alone is one of this machine, as in Deno", async () => {
  assertEquals(await answerTo("--allow-net=:PORT"), "200 soup\n");
  assertMatch(await answerTo("--allow-net=:1"), /^(403 .*\n)?$/);
});

test("a host that is denied is not reached, whatever name or range allows it", async () => {
  assertEquals(await answerTo("--allow-net=127.0.0.0/8", "--deny-net=127.0.0.2"), "200 soup\n");
  for (const denied of ["127.0.0.1", "127.0.0.1:PORT", ":PORT", "localhost", "127.0.0.0/8"]) {
    const flags = ["--allow-net=127.0.0.0/8,localhost", `--deny-net=${denied}`];
    assertMatch(await answerTo(...flags), /^(403 .*\n)?$/, denied);
  }
});

test("the network of this machine is not held to hosts, and a fix is given", async () => {
  for (const flag of ["-A", "--allow-net"]) {
    const { code, stderr } = await ramekin("sandbox", flag, "--deny-net=a.example", "--", "true");
    assertEquals(code, 125);
    assertStringIncludes(
      stderr,
      "--deny-net=a.example: the network of this machine cannot be held",
    );
    assertStringIncludes(stderr, "--allow-net=HOSTS");
  }
});

test(
  "a unix socket of --allow-net is reached, and no other",
  inDirectory(async (directory) => {
    using server = Deno.listen({ transport: "unix", path: `${directory}/a.sock` });
    using _other = Deno.listen({ transport: "unix", path: `${directory}/b.sock` });
    for (const name of ["a", "b"]) Deno.chmodSync(`${directory}/${name}.sock`, 0o777);
    const answering = (async () => {
      for await (const connection of server) {
        await connection.write(new TextEncoder().encode("soup\n"));
        connection.close();
      }
    })();
    const ask = (name: string) =>
      `perl -MIO::Socket::UNIX -e 'print IO::Socket::UNIX->new("${directory}/${name}.sock")->getline'`;
    const flag = `--allow-net=unix:${directory}/a.sock`;
    assertEquals(await inside(directory, [flag], ask("a")), "soup\n");
    assertEquals(
      await inside(directory, [flag, "--allow-net=a.example"], `${ask("a")}; ls ${directory}`),
      "soup\na.sock\n",
    );
    const refused = async (says: string, ...flags: readonly string[]) => {
      const { code, stderr } = await ramekinWith(
        { cwd: directory },
        "sandbox",
        ...flags,
        "--",
        "true",
      );
      assertEquals(code, 125);
      assertStringIncludes(stderr, says);
    };
    await refused(`reach the unix sockets in ${directory}; --unix-sockets`, flag, "--allow-read=.");
    assertEquals(
      await inside(directory, [flag, "--allow-read=.", "--unix-sockets"], ask("a")),
      "soup\n",
    );
    await refused("there is no such file", `${flag}s`);
    await refused("has to begin with /", "--allow-net=unix:a.sock");
    await refused("is no unix socket", `--allow-net=unix:${directory}/soup.txt`);
    await refused(
      `--deny-read=${directory}/a.sock hides a socket`,
      `--deny-net=unix:${directory}/a.sock`,
    );
    server.close();
    await answering.catch(() => {});
  }),
);

test(
  "-A allows all files, the network and the environment, but no privileges",
  inDirectory(async (directory) => {
    const script =
      "pwd; cat soup.txt; echo $SPOON; grep CapEff /proc/self/status; ls -d /etc/hostname";
    assertEquals(
      // Without protection: sandboxes of other tests come and go in the shared /tmp.
      await inside(directory, ["-A", "--no-protect"], script),
      `${directory}\nleek\nsilver\nCapEff:\t0000000000000000\n/etc/hostname\n`,
    );
  }),
);

test(
  "128 open files are enough for a sandbox that has all",
  inDirectory(async (cwd) => {
    const flags = ["--allow-net=localhost:443", "--allow-write=.", "--allow-read=/usr/share"];
    const { code, stderr } = await new Deno.Command("sh", {
      args: ["-c", 'ulimit -n 128; exec "$@"', "sh", ...RUN, "sandbox", ...flags, "--", "true"],
      cwd,
      stdin: "null",
    }).output();
    assertEquals([code, decode(stderr)], [0, ""]);
  }),
);

test("files of /sys are shown, which Deno lets nobody look at without all permissions", async () => {
  const words = ["--allow-read=/sys/class/net", "--", "ls", "/sys/class/net"];
  const { code, stdout, stderr } = await ramekin("sandbox", ...words);
  assertEquals([code, stderr], [0, ""]);
  assertStringIncludes(stdout, "lo");
});

test("usage errors are reported before anything runs", async () => {
  const missing = await ramekin("sandbox", "--allow-read=/no/such/file", "--", "true");
  assertEquals([missing.code, missing.stdout], [125, ""]);
  assertStringIncludes(missing.stderr, "--allow-read=/no/such/file: there is no such file");
  const mistyped = await ramekin("sandbox", "--allow-wrte=.", "--", "true");
  assertEquals(mistyped.code, 125);
  assertStringIncludes(mistyped.stderr, "did you mean --allow-write?");
  const climbing = await ramekin("sandbox", "--protect=a/../b", "--", "true");
  assertEquals(climbing.code, 125);
  assertStringIncludes(
    climbing.stderr,
    "ramekin: --protect=a/../b: this is no name, and no end",
  );
  const proc = await ramekin("sandbox", "--allow-read=/proc", "--", "true");
  assertEquals(proc.code, 125);
  assertStringIncludes(proc.stderr, "/proc");
});

test(
  "a denied name that is not there is told, and denied when it comes",
  withFiles({ secrets: "soup" }, async (cwd) => {
    const denied = async (...flags: string[]) => {
      const words = ["sandbox", "--allow-read=.", ...flags, "--", "true"];
      const { code, stderr } = await ramekinWith({ cwd }, ...words);
      return [code, stderr];
    };
    assertEquals(await denied("--deny-read=secrets"), [0, ""]);
    assertEquals(await denied("--deny-read=secerts"), [
      0,
      "ramekin: --deny-read=secerts: there is no such file now; it is denied if it comes; did you " +
      'mean "secrets"?\n',
    ]);
    assertEquals(await denied("--deny-write=x/y"), [
      0,
      "ramekin: --deny-write=x/y: there is no such file now; it is denied if it comes\n",
    ]);
    const [code, stderr] = await denied("--deny-read=~/.ssh");
    assertEquals(code, 125);
    assertStringIncludes(String(stderr), "write $HOME");
  }),
);

test("the exit status is the program's, or says why there was none", async () => {
  const code = async (...words: string[]) => (await ramekin("sandbox", "--", ...words)).code;
  assertEquals(await code("sh", "-c", "exit 3"), 3);
  assertEquals(await code("sh", "-c", "kill -KILL $$"), 128 + 9);
  assertEquals(await code("no-such-program"), 127);
  assertEquals(await code("/etc/passwd"), 126);
});

test("a sandbox at a terminal gets its own, with job control", async () => {
  await using terminal = new TestTerminal([...RUN, "sandbox", "--", "bash", "--norc"]);
  await terminal.shows(/[#$] $/);
  await terminal.type("tty; hostname\n");
  await terminal.shows(/\/dev\/pts\/0\nsandbox\n/);
  // What it says is not what is typed, so that it runs by then.
  await terminal.type("sh -c 'echo be''gun; exec sleep 100'\n");
  await terminal.shows("begun\n");
  await terminal.type("\x1a");
  await terminal.shows("Stopped");
  await terminal.type("p=$(jobs -p %1); kill -9 %1; while test -e /proc/$p; do sleep 0.01; done\n");
  await terminal.shows("Killed");
  await terminal.type("exit 6\n");
  assertEquals(await terminal.code(), 6);
});

const tmux = (() => {
  try {
    return new Deno.Command("tmux", { args: ["-V"] }).outputSync().success ? undefined : "no tmux";
  } catch {
    return "no tmux here";
  }
})();

test(
  "a sandbox runs in tmux, and follows the size of its window",
  inDirectory(async (directory) => {
    const run = async (...args: string[]) => {
      const command = new Deno.Command("tmux", {
        args: ["-S", `${directory}/tmux`, "-f", "/dev/null", ...args],
        env: { TERM: "xterm", SHELL: "/bin/sh" },
        stdin: "null",
      });
      const { stdout } = await command.output();
      return decode(stdout);
    };
    const shows = async (text: RegExp) => {
      for (let attempt = 0; attempt < patience(1200); attempt++) {
        if (text.test(await run("capture-pane", "-p"))) return;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      assertMatch(await run("capture-pane", "-p"), text);
    };
    const words = [...RUN, "sandbox", "--", "sh"].map((word) => `'${word}'`).join(" ");
    await run("new-session", "-d", "-x", "90", "-y", "30", `${words}; echo status $?; exec cat`);
    try {
      await shows(/^[#$]/m);
      await run("send-keys", "stty size; hostname", "Enter");
      await shows(/^30 90\nsandbox$/m);
      await run("resize-window", "-x", "70", "-y", "20");
      // The size is passed on with a signal, which may take a while.
      const loop = 'until test "$(stty size)" = "20 70"; do sleep 0.05; done; stty size';
      await run("send-keys", loop, "Enter");
      await shows(/^20 70$/m);
      await run("send-keys", "exit 7", "Enter");
      await shows(/^status 7$/m);
    } finally {
      await run("kill-server");
    }
  }),
  tmux,
);

test("a device that a file of /var/run/cdi describes is named as its vendor does", () => {
  const text = JSON.stringify({
    cdiVersion: "0.6.0",
    kind: "kitchen.org/stove",
    containerEdits: { env: ["HEAT=high"] },
    devices: [{
      name: "left",
      containerEdits: { deviceNodes: [{ path: "/dev/stove", hostPath: "/dev/zero" }] },
    }],
  });
  const machine = recipe(
    unshare("user", "mount"),
    mapRoot(),
    tmpfs("/run"),
    mkdir("/run/cdi"),
    writeFile("/run/cdi/stove.json", text),
  );
  const told = (...flags: string[]) => {
    const script = "head -c 2 /dev/stove | wc -c; echo $HEAT";
    const { stdout, stderr } = machine.command(RUN[0]!, {
      args: [...RUN.slice(1), "sandbox", ...flags, "--", "sh", "-c", script],
      env: { NO_COLOR: "1" },
    }).outputSync();
    return decode(stdout) + decode(stderr);
  };
  assertEquals(told("--allow-device=kitchen.org/stove=left"), "2\nhigh\n");
  assertStringIncludes(
    told("--allow-device=/dev/zero,kitchen.org/stove=right"),
    "kitchen.org/stove=right is described by no file of /etc/cdi and /var/run/cdi",
  );
  assertStringIncludes(
    told("--allow-device=kitchen.org/stove=left", "--root=/usr"),
    'and "root" has others',
  );
});
