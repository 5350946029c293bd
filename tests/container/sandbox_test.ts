/** `sandbox`: what a program in it can access. */

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  bind,
  hostname,
  mapRoot,
  mkdir,
  PROTECTED_NAMES,
  recipe,
  RecipeError,
  sandbox,
  seccomp,
  setEnv,
  SyscallError,
  tmpfs,
  unshare,
} from "../../mod.ts";
import { allSyscalls } from "../../ffi/seccomp/all_syscalls.ts";
import { assertRefused, failing, inDirectory, inside, notRoot, root, test } from "../support.ts";

const box = sandbox();

test("a program sees the host's programs, and no other files of the host", () => {
  const directories = inside(box, "ls /").split("\n");
  const expected = [
    "bin",
    "dev",
    "etc",
    "lib",
    "lib64",
    "proc",
    "run",
    "sbin",
    "tmp",
    "usr",
    "var",
  ];
  assertEquals(directories.filter((name) => !name.startsWith("lib3")), expected.filter(isHere));
  assertEquals(inside(box, "ls -A /tmp /run /dev/shm"), "/dev/shm:\n\n/run:\n\n/tmp:");
  assertEquals(inside(box, "echo /proc/[0-9]*"), "/proc/1 /proc/2");
  assertEquals(inside(box, "uname -n"), "sandbox");
  failing(box, "ls /home");
  failing(box, "ls /sys");
  failing(box, "cat /etc/shadow");
});

function isHere(name: string): boolean {
  if (!name.startsWith("lib")) return true;
  try {
    return Deno.statSync(`/${name}`).isDirectory;
  } catch {
    return false;
  }
}

test("a program is the same user, without any capability", () => {
  assertEquals(inside(box, "id -u; id -g"), `${Deno.uid()}\n${Deno.gid()}`);
  const sets = inside(box, "grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status | cut -f2");
  assertEquals(sets.split("\n"), [..."0".repeat(5)].map(() => "0".repeat(16)).concat("1", "2"));
});

test("only /tmp, /run and /dev can be changed", () => {
  for (const place of ["/", "/usr", "/bin", "/etc", "/var", "/proc/sys/kernel"]) {
    failing(box, `touch ${place}/a`);
  }
  inside(box, "touch /tmp/a /var/tmp/b /run/c /dev/shm/d");
});

test("the machine cannot be changed or read by /proc", () => {
  for (
    const setting of [
      "kernel/core_pattern",
      "kernel/pid_max",
      "vm/drop_caches",
      "user/max_user_namespaces",
    ]
  ) failing(box, `echo 1 > /proc/sys/${setting}`);
  failing(box, "echo h > /proc/sysrq-trigger");
  assertEquals(inside(box, "cat /proc/keys /proc/timer_list 2> /dev/null || true"), "");
});

test("only the program's own files of /proc can be opened for writing or hold secrets", () => {
  const writable = `find /proc -path '/proc/[0-9]*' -prune -o -type f -perm /u+w -print ` +
    `2> /dev/null | while read -r file; do test -f "$file" && (: >> "$file") 2> /dev/null && echo "$file"; done || true`;
  assertEquals(inside(box, writable), "");
  const secret = "find /proc -maxdepth 1 -type f ! -perm /o+r -exec head -qc 1 {} ';' 2> /dev/null";
  assertEquals(inside(box, `${secret} || true`), "");
});

test("no mounts, namespaces, devices or new roots can be made", () => {
  failing(box, "mount -t tmpfs none /tmp");
  failing(box, "mount -o remount,bind,rw /usr");
  failing(box, "umount /proc/keys");
  failing(box, "umount -l /usr");
  failing(box, "unshare -U true");
  failing(box, "unshare -m true");
  failing(box, "nsenter -t 1 -a true");
  failing(box, "mknod /tmp/disk b 8 0");
  failing(box, "chroot /tmp true");
});

test("user namespaces cannot be created even if the filter allows the calls", () => {
  const steps = box.steps.map((step) =>
    step.step === "seccomp" ? seccomp({ allow: ["@namespaces", "@mounts"] }) : step
  );
  assertStringIncludes(failing(recipe(...steps), "unshare -U true"), "No space left");
  failing(recipe(...steps), "mount -t tmpfs none /tmp");
  failing(recipe(...steps), "umount /proc/keys");
});

test("the program cannot kill or trace PID 1", () => {
  failing(box, "ls /proc/1/root/");
  failing(box, "cat /proc/1/environ");
  // The program starts shortly before the execve(2) of its init; root sees the number of open
  // files.
  const begun = "until grep -q init /proc/1/comm; do :; done";
  assertEquals(inside(box, `${begun}; ls /proc/1/fd`), "", "the init has nothing open");
  assertEquals(inside(box, `kill -9 1; ${begun}; cat /proc/1/comm`), "init");
  const PTRACE_ATTACH = 16, EPERM = "1";
  const number = allSyscalls(Deno.build.arch === "x86_64" ? "x86_64" : "aarch64").get("ptrace");
  const attach = `perl -e 'print syscall(${number}, ${PTRACE_ATTACH}, 1, 0, 0) == -1 ? $! + 0 : 0'`;
  assertEquals(inside(box, attach), EPERM);
});

test(
  "the program inherits no file of the script",
  inDirectory((directory) => {
    using file = Deno.openSync(`${directory}/file`, { write: true, create: true });
    assert(file);
    const open = inside(box, "ls -l /proc/self/fd");
    assert(!open.includes(directory), open);
    assertEquals(open.split("\n").filter((line) => line.includes("->")).length, 4);
  }),
);

test("the program gets only the variables of `env`", () => {
  Deno.env.set("RAMEKIN_SECRET", "soup");
  Deno.env.set("RAMEKIN_GIVEN", "bread");
  try {
    const names = (from: typeof box) =>
      inside(from, "cat /proc/self/environ | tr '\\0' '\\n' | cut -d= -f1 | sort").split("\n")
        .filter((name) => !["_", "OLDPWD", "PWD", "SHLVL"].includes(name));
    assertEquals(names(box), ["HOME", "LANG", "PATH"]);
    assertEquals(names(sandbox({ env: ["RAMEKIN_GIVEN", "NOT_SET"] })), [
      "HOME",
      "LANG",
      "PATH",
      "RAMEKIN_GIVEN",
    ]);
    assertEquals(inside(box.with(setEnv({ SALT: "yes" })), "echo $SALT"), "yes");
  } finally {
    Deno.env.delete("RAMEKIN_SECRET");
    Deno.env.delete("RAMEKIN_GIVEN");
  }
});

test("the program starts in the root directory, and has no terminal", () => {
  assertEquals(inside(box, "pwd"), "/");
  failing(box, "true < /dev/tty");
  const typing = box.command("perl", {
    args: ["-e", "my $x = 'x'; ioctl(STDIN, 0x5412, $x); print $! + 0"],
  });
  assertEquals(new TextDecoder().decode(typing.outputSync().stdout), "1");
});

test("a terminal of its own works as one", async () => {
  const program = box.command("sh", {
    args: ["-c", "tty; test -t 0 && echo yes"],
    terminal: true,
    stdin: "null",
    stdout: "piped",
  });
  const { code, stdout } = await program.output();
  assertEquals(new TextDecoder().decode(stdout).split(/\r?\n/), ["/dev/pts/0", "yes", ""]);
  assertEquals(code, 0);
});

test(
  "the paths of `read` and `write` are at their places",
  inDirectory((directory) => {
    for (const name of ["read", "read/write", "write", "write/read", "hidden"]) {
      Deno.mkdirSync(`${directory}/${name}`);
      Deno.writeTextFileSync(`${directory}/${name}/file`, name);
    }
    const given = sandbox({
      read: [`${directory}/read`, `${directory}/write/read/`],
      write: [`${directory}/read/write`, `${directory}/write`, `${directory}/hidden/file`],
    });
    assertEquals(
      inside(given, `cd ${directory}; cat */file */*/file`).replaceAll("\n", ""),
      "hiddenreadwriteread/writewrite/read",
    );
    for (const place of ["write", "read/write"]) inside(given, `touch ${directory}/${place}/new`);
    for (const place of ["read", "write/read"]) failing(given, `touch ${directory}/${place}/new`);
    inside(given, `echo soup > ${directory}/hidden/file`);
    assertEquals(Deno.readTextFileSync(`${directory}/hidden/file`), "soup\n");
    // Its parent directory is the sandbox's own.
    assertEquals(inside(given, `ls ${directory}/hidden; ls /tmp`).split("\n").length, 2);
    assertEquals([...Deno.readDirSync(`${directory}/write`)].map(({ name }) => name).sort(), [
      "file",
      "new",
      "read",
    ]);
  }),
);

test(
  "all of the host can be read, except what the sandbox mounts itself",
  inDirectory((directory) => {
    const reading = sandbox({ read: ["/"] });
    assertEquals(inside(reading, "ls /"), inside(recipe(), "ls /"));
    assertEquals(
      inside(reading, "ls -A /tmp /run /sys; ls /dev | wc -l"),
      "/run:\n\n/sys:\n\n/tmp:\n13",
    );
    assertEquals(inside(reading, "echo /proc/[0-9]*"), "/proc/1 /proc/2");
    failing(reading, "touch /var/tmp/a");
    failing(reading, "touch /sys/a");
    const writing = sandbox({ read: ["/"], write: [directory] });
    inside(writing, `touch ${directory}/a`);
    assertEquals(inside(recipe(), `ls ${directory}`), "a");
    const all = sandbox({ write: ["/"] });
    const file = `/var/tmp/ramekin-${crypto.randomUUID()}`;
    inside(all, `touch ${file}`);
    Deno.removeSync(file);
    for (
      const place of ["/proc/sys/kernel/core_pattern", "/sys/power/state", "/proc/sysrq-trigger"]
    ) {
      failing(all, `echo > ${place}`);
    }
  }),
);

test(
  "setuid programs and devices in the paths of `read` have no effect",
  inDirectory((directory) => {
    Deno.copyFileSync("/usr/bin/id", `${directory}/id`);
    Deno.chmodSync(`${directory}/id`, 0o4755);
    const given = sandbox({ write: [directory] });
    assertEquals(inside(given, `${directory}/id -u`), String(Deno.uid()));
    assertStringIncludes(
      inside(given, `grep ' ${directory} ' /proc/self/mountinfo`),
      "nosuid,nodev",
    );
  }),
);

test("without a network there is a loopback interface, and no socket of the host", () => {
  assertEquals(inside(box, "ls /proc/sys/net/ipv4/conf"), "all\ndefault\nlo");
  const talk = `perl -MIO::Socket::INET -e '
    $s = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1") or die $!;
    print IO::Socket::INET->new("127.0.0.1:" . $s->sockport) ? "yes" : "no"'`;
  assertEquals(inside(box, talk), "yes");
  assertEquals(inside(box, "cat /proc/net/unix | wc -l"), "1");
});

test("with the host's network the program can connect, but not change it", () => {
  const host = sandbox({ net: "host" });
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const connect =
    `perl -MIO::Socket::INET -e 'print IO::Socket::INET->new("127.0.0.1:${port}") ? 1 : 0'`;
  assertEquals(inside(host, connect), "1");
  assertEquals(inside(box, connect), "0");
  failing(host, "ip link set lo down");
  failing(host, "echo 1 > /proc/sys/net/ipv4/ip_forward");
});

const PROGRAMS: Readonly<Record<string, string>> = {
  deno: `${Deno.execPath()} eval 'console.log(1 + 1)'`,
  gcc: "cd /tmp && echo 'int main() { return 0; }' | gcc -x c - -o a && ./a && echo built",
  git: "cd /tmp && git init -q . && git status --short && echo clean",
  node: "node -e 'console.log(1 + 1)'",
  perl: "perl -e 'print 1 + 1'",
  python3: "/usr/bin/python3 -c 'import json; print(json.dumps([1]))'",
};

for (const [program, script] of Object.entries(PROGRAMS)) {
  const there = new Deno.Command("sh", {
    args: ["-c", `command -v ${script.match(/(\S*\/)?(deno|gcc|git|node|perl|python3)/)![0]}`],
    env: { PATH: "/usr/bin:/bin" },
    stdout: "null",
  }).outputSync().success;
  test(`${program} works`, () => {
    const given = sandbox({ read: [Deno.execPath()] }).with(setEnv({ DENO_DIR: "/tmp" }));
    assert(inside(given, script) !== "");
  }, there ? undefined : "is not installed here");
}

test("filesystems in memory are bounded, in size and in files", () => {
  const sizeOf = (from: typeof box, path: string) => {
    const told = inside(from, `stat -fc '%b %S %c' ${path}`).split(" ").map(Number);
    const [blocks, blockSize, files] = told as [number, number, number];
    return [blocks * blockSize / 2 ** 20, files] as const;
  };
  assertEquals(sizeOf(box, "/dev"), [4, 1024]);
  assertEquals(sizeOf(box, "/dev/shm"), [64, 65536]);
  assertEquals(sizeOf(box, "/run"), [16, 16384]);
  const memory = Deno.systemMemoryInfo().total / 2 ** 20;
  const [size, files] = sizeOf(box, "/tmp");
  assert(size < memory / 3, `${size} of ${memory} MB`);
  assertEquals(files, 409600);
  const other = sandbox({ tmp: "3m", shm: "2m" });
  assertEquals([sizeOf(other, "/tmp")[0], sizeOf(other, "/dev/shm")[0]], [3, 2]);
  assertStringIncludes(failing(other, "head -c 4m /dev/zero > /tmp/file"), "No space left");
});

test("certificates are shown with any network, and private keys with none", () => {
  const shown = (from: typeof box) =>
    inside(from, "cd /etc; find -L ssl pki ca-certificates 2> /dev/null || true").split("\n");
  for (const from of [box, sandbox({ net: "host" })]) {
    const paths = shown(from);
    assertEquals(paths.filter((path) => /private|entitlement/.test(path)), []);
    for (const path of ["ssl/certs", "ssl/openssl.cnf", "pki/tls/cert.pem"]) {
      if (isFile(`/etc/${path}`)) assert(paths.includes(path), path);
    }
  }
});

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path) !== undefined;
  } catch {
    return false;
  }
}

test("what is asked for below a link of the root, such as /lib, is shown there alone", () => {
  for (const path of ["/bin", "/lib"].filter((path) => Deno.lstatSync(path).isSymlink)) {
    assertEquals(inside(box, `readlink ${path}`), Deno.readLinkSync(path));
    const { name } = [...Deno.readDirSync(path)].find(({ isFile }) => isFile)!;
    const given = sandbox({ read: [`${path}/${name}`] });
    const mounts = inside(given, `ls -d ${path}/${name}; cut -d' ' -f5 /proc/self/mountinfo`);
    assertEquals(mounts.split("\n").filter((line) => line.endsWith(`/${name}`)), [
      `${path}/${name}`,
      `${path}/${name}`,
    ]);
  }
});

test("localhost and the container's own name are found, without a network and with the host's", () => {
  const lookUp = `perl -MSocket -e 'print inet_ntoa(scalar gethostbyname $_), " " for @ARGV'`;
  const script = `hostname; ${lookUp} localhost "$(hostname)"`;
  assertEquals(inside(box, script), "sandbox\n127.0.0.1 127.0.0.1");
  assertEquals(inside(sandbox({ net: "host" }), script), "localhost\n127.0.0.1 127.0.0.1");
});

test(
  "what is protected can be listed, or not be protected",
  inDirectory((directory) => {
    for (const name of [".bashrc", "deploy.sh"]) Deno.writeTextFileSync(`${directory}/${name}`, "");
    const write = [directory];
    const denied = (protect?: boolean | string[]) =>
      inside(
        sandbox({ write, ...(protect !== undefined && { protect }) }),
        `cd ${directory}; for f in *.sh .bashrc; do (echo >> $f) 2> /dev/null || echo $f; done`,
      ).split("\n");
    assertEquals(denied(), [".bashrc"]);
    assertEquals(denied(true), [".bashrc"]);
    assertEquals(denied(["deploy.sh"]), ["deploy.sh"]);
    assertEquals(denied([...PROTECTED_NAMES, "deploy.sh"]), ["deploy.sh", ".bashrc"]);
    for (const none of [false, []]) assertEquals(denied(none), [""]);
    const named = sandbox({ write: [directory, `${directory}/.bashrc`] });
    inside(named, `echo >> ${directory}/.bashrc`);
  }),
);

test(
  "what is denied wins over what is granted, in each of a sandbox's directories",
  inDirectory((directory) => {
    for (const path of ["a/b/c", "d/e", "link"]) {
      Deno.mkdirSync(`${directory}/${path}`, { recursive: true });
    }
    for (const path of ["a/b/c/kept", "d/e/.env", "d/e/x"]) {
      Deno.writeTextFileSync(`${directory}/${path}`, "soup\n");
    }
    const box = sandbox({
      write: [directory, `${directory}/a/b`, `${directory}/link`],
      read: [`${directory}/d`, "/etc/hosts"],
      denyRead: [`${directory}/d/e/.env`, `${directory}/new`, "/etc/hosts", "/usr/share"],
      denyWrite: [`${directory}/a/b/c/kept`, `${directory}/a/b/c/none`, `${directory}/link`],
    });
    assertEquals(
      inside(box, `cd ${directory}; cat d/e/.env d/e/x a/b/c/kept /etc/hosts; ls -A /usr/share`),
      "soup\nsoup",
    );
    for (const path of ["a/b/c/kept", "a/b/c/none/x", "link/x", "new", "new/x", "d/e/.env"]) {
      failing(box, `echo evil > ${directory}/${path}`);
    }
    for (const path of ["a", "a/b", "a/b/c", "d", "link", "new"]) {
      failing(box, `perl -e 'exit !rename("${directory}/${path}", "${directory}/old")'`);
    }
    inside(box, `cd ${directory}; echo salt > a/b/c/x; echo salt > a/b/x; echo salt > x`);
    assertEquals(
      [...Deno.readDirSync(directory)].map(({ name }) => name).sort(),
      ["a", "d", "link", "x"],
    );
    // A grant within what is denied is not one.
    const denied = sandbox({ write: [`${directory}/a/b`], denyWrite: [`${directory}/a`] });
    failing(denied, `echo evil > ${directory}/a/b/c/x`);
    const hidden = sandbox({ write: [`${directory}/a/b`], denyRead: [`${directory}/a`] });
    assertEquals(inside(hidden, `ls -A ${directory}/a/b`), "");
    const all = sandbox({ read: ["/"], denyRead: ["/usr/share", "/usr/bin/env"] });
    assertEquals(inside(all, "ls -A /usr/share; cat /bin/env"), "");
  }),
);

test(
  "a directory that its owner cannot write to, and a program could open, is refused",
  inDirectory((directory) => {
    Deno.chmodSync(directory, 0o555);
    const box = () => sandbox({ write: [directory] });
    if (root) inside(box(), "true");
    else assertRefused(box, { step: "protect", says: "chmod u+rwx" });
    inside(sandbox({ write: [directory], protect: [] }), "true");
    Deno.chmodSync(directory, 0o755);
  }),
);

test(
  "what root's sandbox may not reach, as another user's, is left as it is",
  inDirectory((directory) => {
    Deno.mkdirSync(`${directory}/home/.ssh`, { recursive: true });
    for (const name of [".bashrc", ".ssh/key", "secret"]) {
      Deno.writeTextFileSync(`${directory}/home/${name}`, "");
    }
    Deno.writeTextFileSync(`${directory}/.bashrc`, "");
    for (const path of ["home", "home/.ssh"]) Deno.chownSync(`${directory}/${path}`, 1234, 1234);
    Deno.chmodSync(`${directory}/home`, 0o700);
    const box = sandbox({
      write: [directory],
      denyRead: [`${directory}/home/secret`],
      denyWrite: [`${directory}/home/.ssh/key`],
    });
    inside(box, `echo salt > ${directory}/new`);
    failing(box, `echo evil >> ${directory}/.bashrc`);
    for (const attack of ["ls", "chmod 777", "rm -r", "touch"]) {
      failing(box, `${attack} ${directory}/home/secret`);
    }
    failing(box, `mv ${directory}/home ${directory}/old`);
    // A directory of root's own in there could have been closed by a program, and opened again.
    Deno.mkdirSync(`${directory}/home/own`);
    Deno.writeTextFileSync(`${directory}/home/own/.bashrc`, "");
    const unsafe = () => sandbox({ write: [directory] });
    assertThrows(() => unsafe().command("true").outputSync(), SyscallError, "EACCES");
  }),
  notRoot,
);

test("unix sockets can be made where there is none of the host's, or by an option", () => {
  const socket = "perl -MSocket -e 'exit !socket(my $s, AF_UNIX, SOCK_STREAM, 0)'";
  for (const allowed of [{}, { env: ["LANG"] }, { read: ["/etc/hosts"], unixSockets: true }]) {
    inside(sandbox(allowed), socket);
  }
  for (
    const denied of [
      { read: ["/etc/hosts"] },
      { write: ["/etc/hosts"] },
      { net: "host" },
      { unixSockets: false },
    ] as const
  ) failing(sandbox(denied), socket);
});

test("another program can enter a running sandbox", async () => {
  await using running = box.command("sleep", { args: ["60"] }).spawn();
  const entered = running.enter("sh", { args: ["-c", "uname -n; id -u"] });
  const { stdout, stderr } = await entered.output();
  assertEquals(
    new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr),
    `sandbox\n${Deno.uid()}\n`,
  );
});

test("a sandbox is data like any recipe", () => {
  const steps = JSON.parse(JSON.stringify(box)).steps;
  assertEquals(recipe(...steps).plan().toString(), box.plan().toString());
});

test("an unknown option is refused", () => {
  const refused = (options: unknown, says: string) =>
    assertThrows(() => sandbox(options as never), RecipeError, says);
  refused({ reed: [] }, 'did you mean "read"?');
  refused({ read: ["usr"] }, "has to begin with /");
  refused({ write: ["/a/.."] }, "..");
  refused({ read: ["/proc/sys"] }, "has its own /proc");
  refused({ denyRead: ["/proc/sys"] }, "has its own /proc");
  refused({ denyWrite: ["etc"] }, "has to begin with /");
  refused({ write: ["//dev/"] }, "has its own /dev");
  refused({ net: "all" }, '"none", "host"');
  refused({ unixSockets: "yes" }, "true or false");
  refused({ setuidFile: true }, 'did you mean "setuidFiles"?');
  refused({ env: ["A=B"] }, "=");
  refused({ protect: ["/etc/passwd"] }, "is no name, and no end of a path");
  refused({ tmp: "lots" }, "is not a number of bytes");
});

test("a missing path is reported", () => {
  const error = assertThrows(() =>
    sandbox({ read: ["/no/such/path"] }).command("true").outputSync()
  );
  assertStringIncludes(String(error), "/no/such/path");
});

test("a sandbox is where its options say", () => {
  const box = sandbox({ cwd: "/usr", setEnv: { A: "1", HOME: "/usr" }, hostname: "pot" });
  const script = 'pwd; echo "$A $HOME"; uname -n; getent hosts pot | tr -s " "';
  assertEquals(inside(box, script), "/usr\n1 /usr\npot\n127.0.0.1 localhost pot");
  assertThrows(() => sandbox({ cwd: "usr" }), RecipeError, "begin with /");
  assertThrows(() => sandbox({ setEnv: { "A=B": "" } }), RecipeError, "setEnv");
  assertThrows(() => sandbox({ hostname: "" }), RecipeError, "hostname");
});

test("what a sandbox has no rights to any more is refused when it is planned", () => {
  for (const step of [tmpfs("/mnt"), bind("/etc", "/mnt"), hostname("pot")]) {
    const error = assertThrows(() => sandbox().with(step).plan(), RecipeError);
    assertStringIncludes(error.message, 'a later unshare("user")');
    assertEquals(error.step, step.step);
  }
  // A namespace of its own is another matter, and so are files.
  const own = recipe(
    unshare("user", "mount"),
    mapRoot(),
    unshare("user", "mount"),
    mapRoot(),
    tmpfs("/mnt"),
  );
  assertEquals(inside(own, "ls -A /mnt"), "");
  assertEquals(inside(sandbox().with(mkdir("/tmp/soup")), "ls /tmp"), "soup");
});
