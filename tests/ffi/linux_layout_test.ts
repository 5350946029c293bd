/**
 * Constants and structures against C: what the kernel's headers say, where there is a compiler;
 * and what the calls are printed as.
 */

import { assert, assertEquals } from "@std/assert";
import { type Call, describeCall, Output, ResultOf, Struct } from "../../ffi/call.ts";
import * as events from "../../ffi/calls/events.ts";
import * as files from "../../ffi/calls/files.ts";
import { readDirectoryEntries } from "../../ffi/calls/getdents.ts";
import * as mounts from "../../ffi/calls/mounts.ts";
import * as namespaces from "../../ffi/calls/namespaces.ts";
import * as processes from "../../ffi/calls/processes.ts";
import { readStatfs } from "../../ffi/calls/statfs.ts";
import * as statx from "../../ffi/calls/statx.ts";
import * as users from "../../ffi/calls/users.ts";
import * as waiting from "../../ffi/calls/waiting.ts";
import { missing, testWith } from "./support.ts";

/** The headers of Linux (Debian: linux-libc-dev), none of libc's, which contradict them. */
const HEADERS = [
  "linux/capability.h",
  "linux/close_range.h",
  "linux/eventpoll.h",
  "linux/fcntl.h",
  "linux/fs.h",
  "linux/memfd.h",
  "linux/mount.h",
  "linux/openat2.h",
  "linux/prctl.h",
  "linux/resource.h",
  "linux/sched.h",
  "linux/securebits.h",
  "linux/signal.h",
  "linux/stat.h",
  "linux/time.h",
  "linux/time_types.h",
  "linux/timerfd.h",
  "linux/utsname.h",
  "linux/wait.h",
  "asm/ioctls.h",
  "asm/poll.h",
  "asm/statfs.h",
];

/** The offsets of fields, and the size; from the headers of Linux 6.1 on x86_64. */
const LAYOUTS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  "struct mount_attr": { attr_set: 0, attr_clr: 8, propagation: 16, userns_fd: 24, size: 32 },
  "struct open_how": { flags: 0, mode: 8, resolve: 16, size: 24 },
  "struct epoll_event": { events: 0, data: 4, size: 12 },
  "struct rlimit64": { rlim_cur: 0, rlim_max: 8, size: 16 },
  "struct pollfd": { fd: 0, events: 4, revents: 6, size: 8 },
  "struct __kernel_itimerspec": { "it_interval.tv_nsec": 8, "it_value.tv_sec": 16, size: 32 },
  "struct __user_cap_data_struct": { effective: 0, permitted: 4, inheritable: 8, size: 12 },
  "struct new_utsname": { sysname: 0, nodename: 65, machine: 260, domainname: 325, size: 390 },
  "struct statfs": { f_type: 0, f_bsize: 8, f_bavail: 32, f_ffree: 48, f_flags: 80, size: 120 },
  "siginfo_t": { si_code: 8, si_pid: 16, si_uid: 20, si_status: 24, size: 128 },
  "struct statx": {
    stx_mask: 0,
    stx_nlink: 16,
    stx_uid: 20,
    stx_gid: 24,
    stx_mode: 28,
    stx_ino: 32,
    stx_size: 40,
    stx_blksize: 4,
    stx_blocks: 48,
    "stx_atime.tv_sec": 64,
    "stx_atime.tv_nsec": 72,
    "stx_btime.tv_sec": 80,
    "stx_btime.tv_nsec": 88,
    "stx_mtime.tv_sec": 112,
    "stx_mtime.tv_nsec": 120,
    "stx_ctime.tv_sec": 96,
    "stx_ctime.tv_nsec": 104,
    stx_rdev_major: 128,
    stx_rdev_minor: 132,
    stx_dev_major: 136,
    stx_dev_minor: 140,
    stx_mnt_id: 144,
    size: 256,
  },
};

/** Ours; and one that asm/signal.h defines by a name that it leaves undefined. */
const NOT_IN_HEADERS = ["SIGRTMAX"];

/** Every constant by its name in C. */
function constants(): Map<string, number | bigint> {
  const found = new Map<string, number | bigint>();
  const modules = [events, files, mounts, namespaces, processes, statx, users];
  for (const [name, value] of modules.flatMap((module) => Object.entries(module))) {
    if (typeof value === "number" && !NOT_IN_HEADERS.includes(name)) found.set(name, value);
  }
  const groups = [processes.SIGNALS, users.CAPABILITIES];
  for (const group of groups) for (const entry of Object.entries(group)) found.set(...entry);
  for (const [name, value] of Object.entries(processes.RLIMITS)) found.set(`RLIMIT_${name}`, value);
  return found;
}

const ENUMERATORS = /^FSCONFIG_(SET|CMD_(CREATE|RECONFIGURE)$)/;

/** What a C program of these expressions prints, by their names. */
function askC(expressions: ReadonlyMap<string, string>): Map<string, bigint> {
  const lines = [...expressions].map(([name, expression]) => {
    const print = `printf("%s %lld\\n", ${JSON.stringify(name)}, (long long)(${expression}));`;
    const isMacro = name === expression && !ENUMERATORS.test(name);
    return isMacro ? `#ifdef ${name}\n${print}\n#endif` : print;
  });
  const source = [
    ...HEADERS.map((header) => `#include <${header}>`),
    "int printf(const char *, ...);",
    `int main(void) {\n${lines.join("\n")}\n}`,
  ].join("\n");
  const directory = Deno.makeTempDirSync();
  try {
    Deno.writeTextFileSync(`${directory}/ask.c`, source);
    const build = new Deno.Command("gcc", { args: ["-o", "ask", "ask.c"], cwd: directory });
    const { success, stderr } = build.outputSync();
    assert(success, new TextDecoder().decode(stderr));
    const { stdout } = new Deno.Command(`${directory}/ask`).outputSync();
    const answers = new TextDecoder().decode(stdout).trim().split("\n");
    return new Map(answers.map((line) => {
      const at = line.lastIndexOf(" ");
      return [line.slice(0, at), BigInt(line.slice(at + 1))];
    }));
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

const noCompiler = missing("gcc");

testWith(noCompiler, "constants are those of the kernel's headers", () => {
  const known = constants();
  const answers = askC(new Map([...known.keys()].map((name) => [name, name])));
  for (const [name, value] of answers) assertEquals(known.get(name), Number(value), name);
  // What is younger than the headers, or an enumerator of libc's, is not answered.
  const unanswered = [...known.keys()].filter((name) => !answers.has(name));
  assert(answers.size > 250, `${answers.size} answered; not: ${unanswered.join(" ")}`);
});

testWith(
  noCompiler ?? (Deno.build.arch === "x86_64" ? undefined : "the table is x86_64's"),
  "the layouts of structures are those of the kernel's headers",
  () => {
    const expressions = new Map<string, string>();
    const expected = new Map<string, bigint>();
    for (const [type, layout] of Object.entries(LAYOUTS)) {
      for (const [field, offset] of Object.entries(layout)) {
        const name = `${type}.${field}`;
        expected.set(name, BigInt(offset));
        const offsetof = `__builtin_offsetof(${type}, ${field})`;
        expressions.set(name, field === "size" ? `sizeof(${type})` : offsetof);
      }
    }
    assertEquals(askC(expressions), expected);
  },
);

/** The first structure among a call's arguments. */
function structOf(call: Call): DataView {
  const struct = call.args.find((argument) => argument instanceof Struct);
  assert(struct !== undefined);
  return new DataView(struct.bytes.buffer, struct.bytes.byteOffset, struct.bytes.length);
}

/** A structure of random bytes, and its fields read by the table: the slow and obvious way. */
function random(type: string): { view: DataView; field: (name: string, bits: number) => bigint } {
  const layout = LAYOUTS[type]!;
  const view = new DataView(crypto.getRandomValues(new Uint8Array(layout.size!)).buffer);
  const field = (name: string, bits: number) => {
    let value = 0n;
    for (let i = bits / 8 - 1; i >= 0; i--) {
      value = value * 256n + BigInt(view.getUint8(layout[name]! + i));
    }
    return value;
  };
  return { view, field };
}

Deno.test("structures are encoded as the table says", () => {
  const attributes = structOf(mounts.mount_setattr(3, "", 0, {
    attr_set: 1,
    attr_clr: 0x70,
    propagation: mounts.MS_PRIVATE,
    userns_fd: 9,
  }));
  const layout = LAYOUTS["struct mount_attr"]!;
  assertEquals(attributes.byteLength, layout.size);
  assertEquals(attributes.getBigUint64(layout.attr_set!, true), 1n);
  assertEquals(attributes.getBigUint64(layout.attr_clr!, true), 0x70n);
  assertEquals(attributes.getBigUint64(layout.propagation!, true), BigInt(mounts.MS_PRIVATE));
  assertEquals(attributes.getBigUint64(layout.userns_fd!, true), 9n);

  const event = { events: events.EPOLLIN | events.EPOLLET, data: 77 };
  const packed = structOf(events.epoll_ctl(3, events.EPOLL_CTL_ADD, 4, event, "x86_64"));
  assertEquals([packed.byteLength, packed.getUint32(4, true)], [12, 77]);
  const aligned = structOf(events.epoll_ctl(3, events.EPOLL_CTL_ADD, 4, event, "aarch64"));
  assertEquals([aligned.byteLength, aligned.getUint32(8, true)], [16, 77]);
  assertEquals(aligned.getUint32(0, true), 0x8000_0001);
  assertEquals(events.readEpollEvents(aligned, 1, "aarch64"), [{ events: 0x8000_0001, data: 77 }]);

  const limits = structOf(
    processes.prlimit64(0, 7, { soft: 5, hard: processes.RLIM_INFINITY }, null),
  );
  assertEquals([limits.getBigUint64(0, true), limits.getBigUint64(8, true)], [5n, 2n ** 64n - 1n]);
});

Deno.test("structures are decoded as the table says, on random bytes", () => {
  for (let round = 0; round < 100; round++) {
    const file = random("struct statx");
    const read = statx.readStatx(file.view);
    const device = (name: string) =>
      files.makedev(
        Number(file.field(`${name}_major`, 32)),
        Number(file.field(`${name}_minor`, 32)),
      );
    assertEquals(read, {
      mask: Number(file.field("stx_mask", 32)),
      nlink: Number(file.field("stx_nlink", 32)),
      uid: Number(file.field("stx_uid", 32)),
      gid: Number(file.field("stx_gid", 32)),
      mode: Number(file.field("stx_mode", 16)),
      ino: file.field("stx_ino", 64),
      size: Number(file.field("stx_size", 64)),
      ...Object.fromEntries(
        ["ctime", "atime", "mtime", "btime"].map((name) => [
          name,
          BigInt.asIntN(64, file.field(`stx_${name}.tv_sec`, 64)) * 1_000_000_000n +
          file.field(`stx_${name}.tv_nsec`, 32),
        ]),
      ) as Record<"ctime" | "atime" | "mtime" | "btime", bigint>,
      blocks: Number(file.field("stx_blocks", 64)),
      blksize: Number(file.field("stx_blksize", 32)),
      rdev: device("stx_rdev"),
      dev: device("stx_dev"),
      mnt_id: Number(file.field("stx_mnt_id", 64)),
    });

    const filesystem = random("struct statfs");
    const { type, bsize, bavail, ffree, flags } = readStatfs(filesystem.view);
    const fields = ["f_type", "f_bsize", "f_bavail", "f_ffree", "f_flags"];
    assertEquals(
      [type, bsize, bavail, ffree, flags],
      fields.map((name) => Number(filesystem.field(name, 64))),
    );

    const info = random("siginfo_t");
    const signed = (name: string) => Number(BigInt.asIntN(32, info.field(name, 32)));
    assertEquals(waiting.readChildState(info.view), {
      code: signed("si_code"),
      pid: signed("si_pid"),
      uid: Number(info.field("si_uid", 32)),
      status: signed("si_status"),
    });

    const limit = random("struct rlimit64");
    assertEquals(processes.readRlimit(limit.view), {
      soft: limit.field("rlim_cur", 64),
      hard: limit.field("rlim_max", 64),
    });
  }
});

Deno.test("every capability is decoded as it was encoded", () => {
  const names = Object.keys(users.CAPABILITIES) as users.CapabilityName[];
  assertEquals(names.length, 41);
  for (const name of names) {
    const state = { effective: [name], permitted: names, inheritable: [] };
    const [, data] = users.capset(state).args as [Struct, Struct];
    assertEquals(users.readCapabilities(new DataView(data.bytes.buffer)), state, name);
  }
});

Deno.test("names are decoded from entries of any length", () => {
  const bytes = new Uint8Array(96);
  const view = new DataView(bytes.buffer);
  // Two entries of struct linux_dirent64: inode, offset, length, type, name; then "..".
  [[24, 4, "."], [40, 8, "a longer name"], [32, 4, ".."]].reduce((at, [length, type, name]) => {
    view.setBigUint64(Number(at), 2n ** 63n, true);
    view.setUint16(Number(at) + 16, Number(length), true);
    view.setUint8(Number(at) + 18, Number(type));
    bytes.set(new TextEncoder().encode(String(name)), Number(at) + 19);
    return Number(at) + Number(length);
  }, 0);
  const expected = [{ ino: 2n ** 63n, type: files.S_IFREG, name: "a longer name" }];
  assertEquals(readDirectoryEntries(view, 96), expected);
  assertEquals(readDirectoryEntries(view, 0), []);
});

Deno.test("calls are printed as C writes them", () => {
  const tree = mounts.open_tree(
    files.AT_FDCWD,
    "/usr",
    mounts.OPEN_TREE_CLONE | mounts.AT_RECURSIVE | mounts.OPEN_TREE_CLOEXEC,
  );
  const pid = new Output(4, "&pid");
  const attributes = { attr_set: mounts.MOUNT_ATTR_RDONLY, attr_clr: 0x70, userns_fd: 3 };
  const printed: [Call, string][] = [
    [
      mounts.mount("tmpfs", "/tmp", "tmpfs", mounts.MS_NOSUID | mounts.MS_NODEV, "size=10m"),
      'mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID|MS_NODEV, "size=10m")',
    ],
    [tree, 'open_tree(AT_FDCWD, "/usr", OPEN_TREE_CLONE|AT_RECURSIVE|OPEN_TREE_CLOEXEC)'],
    [
      mounts.mount_setattr(new ResultOf(tree, "tree"), "", files.AT_EMPTY_PATH, attributes),
      'mount_setattr(tree, "", AT_EMPTY_PATH, ' +
      "{attr_set=MOUNT_ATTR_RDONLY, attr_clr=MOUNT_ATTR__ATIME, userns_fd=3}, 32)",
    ],
    [
      mounts.fsconfig(5, mounts.FSCONFIG_SET_FD, "lower", null, files.AT_FDCWD),
      'fsconfig(5, FSCONFIG_SET_FD, "lower", NULL, AT_FDCWD)',
    ],
    [
      namespaces.clone(namespaces.CLONE_VM | namespaces.CLONE_NEWUSER, pid),
      "clone(CLONE_VM|CLONE_PARENT_SETTID|CLONE_NEWUSER|SIGCHLD, NULL, &pid, 0, 0)",
    ],
    [
      namespaces.clone(namespaces.CLONE_PIDFD | namespaces.CLONE_IO, pid),
      "clone(CLONE_PIDFD|CLONE_IO|SIGCHLD, NULL, &pid, 0, 0)",
    ],
    [namespaces.clone(0, null), "clone(SIGCHLD, NULL, NULL, 0, 0)"],
    [
      files.openat(files.AT_FDCWD, "x", files.O_TMPFILE | files.O_RDWR, 0o600),
      'openat(AT_FDCWD, "x", O_TMPFILE|O_RDWR, 0600)',
    ],
    [files.mkdirat(3, "a", 0o755), 'mkdirat(3, "a", 0755)'],
    [files.faccessat(3, "a", files.R_OK | files.X_OK), 'faccessat(3, "a", R_OK|X_OK)'],
    [processes.kill(1, processes.SIGRTMIN + 2), "kill(1, SIGRTMIN+2)"],
    [processes.kill(1, 0), "kill(1, 0)"],
    [
      processes.prctl(processes.PR_CAP_AMBIENT, processes.PR_CAP_AMBIENT_RAISE, 10),
      "prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_BIND_SERVICE, 0, 0)",
    ],
    [
      processes.prctl(processes.PR_SET_PDEATHSIG, 9),
      "prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)",
    ],
    [
      processes.prlimit64(0, processes.RLIMITS.NOFILE, { soft: 1, hard: 2 }, null),
      "prlimit64(0, RLIMIT_NOFILE, {1, 2}, NULL)",
    ],
    [
      waiting.waitid(waiting.P_PIDFD, 5, null, waiting.WEXITED | waiting.WNOHANG),
      "waitid(P_PIDFD, 5, NULL, WNOHANG|WEXITED, NULL)",
    ],
    [
      statx.statx(files.AT_FDCWD, "/", 0, statx.STATX_BASIC_STATS | statx.STATX_MNT_ID, pid),
      'statx(AT_FDCWD, "/", 0, STATX_BASIC_STATS|STATX_MNT_ID, &pid)',
    ],
    [
      events.epoll_ctl(3, events.EPOLL_CTL_MOD, 4, { events: 5, data: 4 }, "x86_64"),
      "epoll_ctl(3, EPOLL_CTL_MOD, 4, {EPOLLIN|EPOLLOUT, 4})",
    ],
  ];
  for (const [call, text] of printed) assertEquals(describeCall(call), text);
});
