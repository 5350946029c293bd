/** `audit`: what a program is denied is told, each once, with what would allow it. */

import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  type CommandOptions,
  type Denial,
  describeDenial,
  mapRoot,
  recipe,
  RecipeError,
  sandbox,
  type SandboxOptions,
  seccomp,
  SyscallError,
  unshare,
} from "../../mod.ts";
import { test } from "../support.ts";

/** Runs a script, and returns what it was denied in words. */
async function denied(
  script: string,
  options: SandboxOptions = {},
  more: CommandOptions = {},
): Promise<readonly string[]> {
  const denials = await denialsOf(
    sandbox(options).command("sh", {
      args: ["-c", script],
      audit: true,
      stdout: "null",
      stderr: "null",
      ...more,
    }),
  );
  return denials.map(describeDenial);
}

/** A test in a directory that every user may change. */
function inDirectory(body: (directory: string) => Promise<void>): () => Promise<void> {
  return async () => {
    const directory = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "ramekin-audit-" }));
    try {
      await body(directory);
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  };
}

async function denialsOf(command: ReturnType<ReturnType<typeof sandbox>["command"]>) {
  const container = command.spawn();
  await container.status;
  return container.denials.list;
}

test("a file that the host has and the sandbox has not is told, once", async () => {
  assertEquals(await denied("cat /etc/shadow; cat /etc/shadow; cat /etc/nonesuch"), [
    "cat: read /etc/shadow (--allow-read=/etc/shadow)",
  ]);
  assertEquals(await denied("cd /home; [ -e ../root ]"), [
    "sh: read /home (--allow-read=/home)",
    "sh: read /root (--allow-read=/root)",
  ]);
});

test("what the sandbox itself has, and what it can change, is not told", async () => {
  assertEquals(
    await denied("cat /etc/passwd /proc/self/status; echo x > /tmp/x; ls /dev; : > /dev/null"),
    [],
  );
});

test(
  "a file that stays as it is, is told with what would let it be changed",
  inDirectory(async (directory) => {
    Deno.mkdirSync(`${directory}/.git/hooks`, { recursive: true });
    Deno.mkdirSync(`${directory}/kept`);
    Deno.writeTextFileSync(`${directory}/secret`, "");
    Deno.writeTextFileSync(`${directory}/.bashrc`, "");
    const script = "echo > ok; mkdir kept/x; rm .bashrc; touch /usr/x; cat secret; mv ok /root/x";
    const options = {
      write: [directory],
      denyWrite: [`${directory}/kept`],
      denyRead: [`${directory}/secret`],
    };
    // Names such as .bashrc mean something in a home directory only.
    const home = Deno.env.get("HOME");
    Deno.env.set("HOME", directory);
    try {
      assertEquals(
        await denied(script, options, { cwd: directory }),
        [
          `mkdir: change ${directory}/kept/x (without --deny-write=${directory}/kept)`,
          `rm: change ${directory}/.bashrc (--no-protect)`,
          "touch: change /usr/x (--allow-write=/usr/x)",
          `cat: read ${directory}/secret (without --deny-read=${directory}/secret)`,
          "mv: change /root/x (--allow-write=/root/x)",
        ].filter((text) => Deno.uid() === 0 || !text.includes("mv: read")),
      );
    } finally {
      if (home === undefined) Deno.env.delete("HOME");
      else Deno.env.set("HOME", home);
    }
  }),
);

test("hosts and addresses are told, but none of its own", async () => {
  const connect = (port: number, host: string) =>
    `perl -MSocket -e 'socket(my $s, AF_INET, SOCK_STREAM, 0); ` +
    `connect($s, sockaddr_in(${port}, inet_aton(q{${host}})))'`;
  const listen = `perl -MSocket -e 'socket(my $l, AF_INET, SOCK_STREAM, 0); ` +
    `bind($l, sockaddr_in(4242, INADDR_ANY)) or die; listen($l, 1); ` +
    `socket(my $s, AF_INET, SOCK_STREAM, 0); connect($s, sockaddr_in(4242, INADDR_LOOPBACK))'`;
  const told = await denied(
    `${connect(443, "192.0.2.1")}; ${
      connect(5432, "127.0.0.1")
    }; ${listen}; getent hosts example.org`,
  );
  assertEquals(told.filter((text) => !text.includes("/etc/")), [
    "perl: connect to 192.0.2.1:443 (--allow-net=192.0.2.1:443)",
    "perl: connect to 127.0.0.1:5432 (--allow-net=127.0.0.1:5432)",
    "getent: reach the host example.org (--allow-net=example.org)",
  ]);
});

test("a host that the proxy refuses is told", async () => {
  const permissions = { read: true, write: true, run: true, sys: true, env: true } as const;
  const request = `perl -MIO::Socket::INET -e 'my ($p) = $ENV{http_proxy} =~ /:(\\d+)/; ` +
    `my $s = IO::Socket::INET->new("127.0.0.1:$p"); print $s "CONNECT example.com:443 ` +
    `HTTP/1.1\\r\\nHost: example.com\\r\\n\\r\\n"; <$s>'`;
  const told = await denied(request, {}, {
    permissions: { ...permissions, net: ["example.org:443"] },
  });
  assertEquals(told, ["a program: reach the host example.com:443 (--allow-net=example.com:443)"]);
});

test("calls that the filter denies are told, and fail as without an audit", async () => {
  const script = "unshare -U true; touch /tmp/x; chmod u+s /tmp/x; " +
    "perl -MSocket -e 'socket(my $s, AF_UNIX, SOCK_STREAM, 0) and exit 9; exit $!{EAFNOSUPPORT}'; " +
    "echo $?";
  const options = { read: ["/etc/passwd"] };
  const command = sandbox(options).command("sh", {
    args: ["-c", script],
    audit: true,
    stdout: "piped",
    stderr: "piped",
  });
  const container = command.spawn();
  const { stdout, stderr } = await container.output();
  const plain = sandbox(options).command("sh", { args: ["-c", script] }).outputSync();
  const decoder = new TextDecoder();
  assertEquals(decoder.decode(stdout), decoder.decode(plain.stdout));
  assertEquals(decoder.decode(stderr), decoder.decode(plain.stderr));
  assertEquals(
    container.denials.list.filter(({ kind }) => kind !== "read").map(({ what, flag }) =>
      `${what} ${flag}`
    ).map((text) => text.replace(/^(fchmodat2?|chmod) /, "chmod ")),
    ["unshare undefined", "chmod --setuid-files", "a unix socket --unix-sockets"],
  );
});

test("denials come while the program runs, and end with it", async () => {
  const container = sandbox().command("sh", {
    args: ["-c", "cat /etc/shadow; read x; cat /etc/gshadow"],
    audit: true,
    stdin: "piped",
    stderr: "null",
  }).spawn();
  const told: Denial[] = [];
  for await (const denial of container.denials) {
    if (denial.what.includes("locale")) continue;
    told.push(denial);
    if (told.length === 1) await container.stdin.close();
  }
  assertEquals(told.map(({ what }) => what).slice(0, 1), ["/etc/shadow"]);
  assertEquals((await container.status).code === 0, false);
});

test("a program without an audit is asked nothing, whatever ran before", async () => {
  const box = sandbox();
  await denialsOf(box.command("true", { audit: true }));
  const container = box.command("true").spawn();
  assertEquals((await container.status).success, true);
  assertThrows(() => container.denials, TypeError, "audit: true");
});

test("a program that cannot be started is an error, as without an audit", async () => {
  await assertRejects(
    () => sandbox().command("nonesuch", { audit: true }).output(),
    Deno.errors.NotFound,
  );
  await assertRejects(
    () => sandbox().command("/etc/passwd", { audit: true }).output(),
    Error,
    "EACCES",
  );
});

test("an audit is refused where there is none", async () => {
  const error = assertThrows(() => recipe().command("true", { audit: true }), RecipeError);
  assertStringIncludes(error.message, "seccomp()");
  assertThrows(() => sandbox().command("true", { audit: true }).outputSync(), TypeError, "event");
  const { success } = await sandbox().command("true", { audit: true }).output();
  assert(success);
});

test("a program that enters an audited sandbox can be audited itself", async () => {
  await using container = sandbox().command("sleep", { args: ["60"], audit: true }).spawn();
  const entered = container.enter("cat", { args: ["/etc/shadow"], audit: true, stderr: "null" })
    .spawn();
  await entered.status;
  assertEquals(entered.denials.list.map(({ what }) => what).includes("/etc/shadow"), true);
});

test("a filter that denies what an audit begins with is an error, and no wait", async () => {
  const box = recipe(unshare("user", "mount"), mapRoot());
  for (const name of ["dup3", "sendmsg"] as const) {
    const command = box.with(seccomp({ deny: [name] })).command("true", { audit: true });
    const error = await assertRejects(() => command.output(), SyscallError, "an audit begins");
    assertEquals([error.code, error.syscall], ["EPERM", name]);
  }
  const closed = box.with(seccomp({ deny: ["seccomp"] }), seccomp());
  const another = closed.command("true", { audit: true });
  await assertRejects(() => another.output(), SyscallError, "does not allow another one");
  // What the program is denied is told as ever.
  const program = box.with(seccomp({ deny: ["sethostname"] }));
  const denials = await denialsOf(program.command("hostname", { args: ["x"], audit: true }));
  assert(denials.some(({ kind, what }) => kind === "call" && what === "sethostname"));
});
