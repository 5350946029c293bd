/** The direct calls of processes, users, files and directories, against what Deno says of the same. */

import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { call, Output } from "../../ffi/call.ts";
import { readDirectoryEntries } from "../../ffi/calls/getdents.ts";
import { engine } from "../../ffi/engine/engine.ts";
import { SyscallError } from "../../ffi/errors.ts";
import * as linux from "../../ffi/linux/mod.ts";
import { inThread, notRoot, openFiles } from "./linux_thread.ts";
import { run, testWith } from "./support.ts";

/** A field of /proc/thread-self/status. */
function status(field: string): string[] {
  const line = Deno.readTextFileSync("/proc/thread-self/status").split("\n")
    .find((line) => line.startsWith(`${field}:`));
  return line!.split("\t").slice(1);
}

Deno.test("the ids of the process are those in /proc", () => {
  assertEquals(linux.getpid(), Deno.pid);
  assertEquals(linux.getppid(), Deno.ppid);
  assertEquals(`${Deno.pid}/task/${linux.gettid()}`, Deno.readLinkSync("/proc/thread-self"));
  const numbers = (field: string) => status(field).map(Number);
  const { real, effective, saved } = linux.getresuid();
  assertEquals([real, effective, saved], numbers("Uid").slice(0, 3));
  assertEquals([linux.getuid(), linux.geteuid()], [real, effective]);
  const groups = linux.getresgid();
  assertEquals([groups.real, groups.effective, groups.saved], numbers("Gid").slice(0, 3));
  assertEquals([linux.getgid(), linux.getegid()], [groups.real, groups.effective]);
  assertEquals(linux.getgroups(), status("Groups")[0]!.split(" ").filter(Boolean).map(Number));
});

Deno.test("the capabilities are those in /proc", () => {
  const bits = (names: readonly linux.CapabilityName[]) =>
    names.reduce((sum, name) => sum + 2n ** BigInt(linux.CAPABILITIES[name]), 0n);
  const { effective, permitted, inheritable } = linux.capget();
  const set = (field: string) => BigInt(`0x${status(field)[0]}`);
  assertEquals(bits(effective), set("CapEff"));
  assertEquals(bits(permitted), set("CapPrm"));
  assertEquals(bits(inheritable), set("CapInh"));
});

testWith(notRoot, "capset drops capabilities of its own thread only", async () => {
  const before = linux.capget();
  const after = await inThread((linux) => {
    const kept = ["CAP_SYSLOG", "CAP_CHOWN"] as const;
    linux.capset({ effective: ["CAP_CHOWN"], permitted: kept, inheritable: ["CAP_SYSLOG"] });
    return linux.capget();
  });
  const expected = {
    effective: ["CAP_CHOWN"],
    permitted: ["CAP_CHOWN", "CAP_SYSLOG"],
    inheritable: ["CAP_SYSLOG"],
  } as const;
  assertEquals(after, expected as unknown as typeof after);
  assertEquals(linux.capget(), before);
});

testWith(notRoot, "setresuid, setresgid and setgroups change their own thread only", async () => {
  const before = [linux.getresuid(), linux.getresgid(), linux.getgroups()];
  const after = await inThread((linux) => {
    linux.setgroups([7, 4_000_000_000, 8]);
    linux.setresgid(10, 11, 12);
    linux.setresuid(20, 21, 22);
    return [linux.getresuid(), linux.getresgid(), linux.getgroups()];
  });
  assertEquals(after, [
    { real: 20, effective: 21, saved: 22 },
    { real: 10, effective: 11, saved: 12 },
    [7, 8, 4_000_000_000],
  ]);
  assertEquals([linux.getresuid(), linux.getresgid(), linux.getgroups()], before);
  // The memory of all threads is undumpable now (prctl(2)).
  linux.prctl(linux.PR_SET_DUMPABLE, 1);
});

Deno.test("prctl gets what it has set", async () => {
  const seen = await inThread((linux) => {
    linux.prctl(linux.PR_SET_NAME, "a name of more than fifteen bytes");
    linux.prctl(linux.PR_SET_PDEATHSIG, linux.SIGNALS.SIGTERM);
    const signal = linux.prctl(linux.PR_GET_PDEATHSIG);
    linux.prctl(linux.PR_SET_PDEATHSIG, 0);
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1);
    return [
      linux.prctl(linux.PR_GET_NAME),
      signal,
      linux.prctl(linux.PR_GET_NO_NEW_PRIVS),
      linux.prctl(linux.PR_GET_CHILD_SUBREAPER),
    ];
  });
  assertEquals(seen, ["a name of more ", 15, 1, 0]);
});

Deno.test("prlimit returns all limits as /proc does", () => {
  const names: Partial<Record<linux.ResourceName, string>> = {
    CPU: "Max cpu time",
    STACK: "Max stack size",
    NOFILE: "Max open files",
    AS: "Max address space",
    RTTIME: "Max realtime timeout",
  };
  const limits = Deno.readTextFileSync("/proc/self/limits").split("\n");
  const text = (limit: bigint) => limit === linux.RLIM_INFINITY ? "unlimited" : String(limit);
  for (const [resource, name] of Object.entries(names)) {
    const line = limits.find((line) => line.startsWith(name))!.slice(name.length);
    const { soft, hard } = linux.prlimit(0, resource as linux.ResourceName);
    assertEquals(line.trim().split(/\s+/).slice(0, 2), [text(soft), text(hard)], name);
  }
});

Deno.test("prlimit returns the old limit", () => {
  const before = linux.prlimit(0, "CORE");
  assertEquals(linux.prlimit(0, "CORE", { soft: 0, hard: before.hard }), before);
  assertEquals(linux.prlimit(0, "CORE", before), { soft: 0n, hard: before.hard });
  const impossible = { soft: 2, hard: 1 };
  assertThrows(() => linux.prlimit(0, "CORE", impossible), SyscallError, "above the hard one");
});

Deno.test("a child is signalled by its descriptor, and waited for", async () => {
  const child = new Deno.Command("sleep", { args: ["100"] }).spawn();
  {
    using pidfd = linux.pidfd_open(child.pid);
    const { WEXITED, WNOHANG, WNOWAIT } = linux;
    assertEquals(linux.waitid(pidfd, WEXITED | WNOHANG | WNOWAIT), undefined);
    linux.pidfd_send_signal(pidfd, "SIGTERM");
    const state = linux.waitid(pidfd, WEXITED | WNOWAIT)!;
    const { SIGTERM } = linux.SIGNALS;
    const uid = linux.getuid();
    assertEquals(state, { code: linux.CLD_KILLED, pid: child.pid, uid, status: SIGTERM });
  }
  assertEquals((await child.status).signal, "SIGTERM");
  assertThrows(() => linux.kill(child.pid, "SIGTERM"), SyscallError, "ESRCH");
});

Deno.test("statx agrees with Deno's stat", () => {
  for (const path of ["/", "/dev/null", "/proc/self/status", Deno.execPath()]) {
    const ours = linux.statx(linux.AT_FDCWD, path);
    const theirs = Deno.statSync(path);
    assertEquals(Number(ours.ino), theirs.ino, path);
    assertEquals(
      [ours.mode, ours.uid, ours.gid, ours.nlink, ours.size, ours.rdev],
      [theirs.mode, theirs.uid, theirs.gid, theirs.nlink, theirs.size, theirs.rdev],
      path,
    );
    assertEquals(ours.dev, theirs.dev, path);
  }
  const link = linux.statx(linux.AT_FDCWD, "/proc/self", linux.AT_SYMLINK_NOFOLLOW);
  assertEquals(link.mode & linux.S_IFMT, linux.S_IFLNK);
});

Deno.test("directories and links are created and removed by descriptor", () => {
  const path = Deno.makeTempDirSync();
  try {
    using directory = linux.open(path, linux.O_PATH | linux.O_DIRECTORY | linux.O_CLOEXEC);
    const old = linux.umask(0o027);
    linux.mkdirat(directory, "sub", 0o777);
    assertEquals(linux.umask(old), 0o027);
    assertEquals(linux.statx(directory, "sub").mode, linux.S_IFDIR | 0o750);
    linux.symlinkat("sub", directory, "link");
    assertEquals(linux.readlinkat(directory, "link"), "sub");
    linux.mknodat(directory, "pipe", linux.S_IFIFO | 0o600);
    assertEquals(linux.statx(directory, "pipe").mode & linux.S_IFMT, linux.S_IFIFO);
    using written = linux.openat(directory, "ünï", linux.O_CREAT | linux.O_WRONLY, 0o600);
    assertEquals(linux.write(written, new TextEncoder().encode("text")), 4);
    assertEquals(Deno.readTextFileSync(`${path}/ünï`), "text");
    assertEquals(names(path), ["link", "pipe", "sub", "ünï"]);
    const error = assertThrows(() => linux.unlinkat(directory, "sub"), SyscallError, "EISDIR");
    assert(error.message.includes("AT_REMOVEDIR"));
    linux.unlinkat(directory, "sub", linux.AT_REMOVEDIR);
    for (const name of ["link", "pipe", "ünï"]) linux.unlinkat(directory, name);
    assertEquals([...Deno.readDirSync(path)], []);
  } finally {
    Deno.removeSync(path, { recursive: true });
  }
});

/** The names in a directory, by getdents64 with room for a few at a time. */
function names(path: string): string[] {
  using directory = linux.open(path);
  const found: string[] = [];
  for (;;) {
    const entries = new Output(64);
    const list = call("getdents64", directory.number, entries, entries.size);
    const outcome = run([{ call: list }]);
    const size = Number(outcome.result(list));
    if (size === 0) return found.sort();
    found.push(...readDirectoryEntries(outcome.output(entries), size).map(({ name }) => name));
  }
}

Deno.test("the working directory is Deno's", () => {
  const before = Deno.cwd();
  using here = linux.open(".", linux.O_PATH | linux.O_CLOEXEC);
  try {
    linux.chdir("/proc");
    assertEquals([Deno.cwd(), linux.getcwd()], ["/proc", "/proc"]);
  } finally {
    linux.fchdir(here);
  }
  assertEquals(linux.getcwd(), before);
});

Deno.test("openat2 keeps a path in its directory", () => {
  using proc = linux.open("/proc", linux.O_PATH | linux.O_CLOEXEC);
  const open = (path: string, resolve: number) => {
    using file = linux.openat2(proc, path, { flags: linux.O_PATH | linux.O_CLOEXEC, resolve });
    return file.number;
  };
  const beneath = () => open("../etc", linux.RESOLVE_BENEATH);
  assertThrows(beneath, SyscallError, "openat2(");
  assertThrows(beneath, SyscallError, "RESOLVE_BENEATH}, 24) failed: EXDEV");
  assertThrows(() => open("self", linux.RESOLVE_NO_SYMLINKS), SyscallError, "ELOOP");
  assert(open("../version", linux.RESOLVE_IN_ROOT) > 2);
});

Deno.test("read and write transfer at most 64 KiB", () => {
  const before = openFiles();
  {
    const [reader, writer] = linux.pipe2();
    using _reader = reader;
    using _writer = writer;
    const sent = crypto.getRandomValues(new Uint8Array(60_000));
    assertEquals(linux.write(writer, sent), sent.length);
    const received = new Uint8Array(100_000);
    assertEquals(linux.read(reader, received), sent.length);
    assertEquals(received.subarray(0, sent.length), sent);
    using zeros = linux.open("/dev/zero", linux.O_RDWR | linux.O_CLOEXEC);
    assertEquals(linux.write(zeros, new Uint8Array(100_000)), 65_536);
    assertEquals(linux.read(zeros, received), 65_536);
    using memory = linux.memfd_create("kitchen");
    assertMatch(Deno.readLinkSync(`/proc/self/fd/${memory.number}`), /^\/memfd:kitchen/);
  }
  assertEquals(openFiles(), before);
});

Deno.test("the descriptors of the process itself can be copied by a pidfd", () => {
  using myself = linux.pidfd_open(Deno.pid);
  using nothing = linux.open("/dev/null");
  using copy = linux.pidfd_getfd(myself, nothing.number);
  assertEquals(Deno.readLinkSync(`/proc/self/fd/${copy.number}`), "/dev/null");
});

Deno.test("uname agrees with the architecture of the engine", () => {
  const { sysname, machine } = linux.uname();
  assertEquals([sysname, machine], ["Linux", engine().architecture]);
});
