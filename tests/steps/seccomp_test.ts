/** `seccomp`: what the program can do. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  capabilities,
  DEFAULT_SECCOMP_PROFILE,
  hostname,
  init,
  mapRoot,
  noNewPrivileges,
  proc,
  recipe,
  sandbox,
  seccomp,
  type SeccompProfile,
  type SeccompStep,
  setUser,
  tmpfs,
  unshare,
} from "../../mod.ts";
import { allSyscalls } from "../../ffi/seccomp/all_syscalls.ts";
import { deniesKernelCalls } from "../../plan/access/kernel_calls.ts";
import { filterOfStep } from "../../plan/steps/seccomp.ts";
import { SECCOMP_FILTERS } from "../../plan/steps/seccomp_filters.ts";
import { DENIED, filters } from "../../scripts/filters.ts";
import {
  assertFails,
  assertRefused,
  failing,
  inDirectory,
  inside,
  test,
  testOn,
} from "../support.ts";

const native = Deno.build.arch === "x86_64" ? "x86_64" : "aarch64";
const notX86 = native === "x86_64" ? undefined : "is about x86_64";
const NUMBER = allSyscalls(native);
const EPERM = "1",
  EBADF = "9",
  ENOSYS = "38",
  ENOTTY = "25",
  ESOCKTNOSUPPORT = "94",
  EAFNOSUPPORT = "97",
  OK = "0";

/** A script that makes a system call by its number, and prints its errno, or 0. */
function errnoOf(name: string, ...args: readonly (number | string)[]): string {
  const list = [NUMBER.get(name) ?? name, ...args].join(", ");
  return `perl -e 'print syscall(${list}) == -1 ? $! + 0 : 0'`;
}

const open = recipe();
const closed = recipe(seccomp());

testOn(
  ["mount", "uts"],
  "programs cannot make mounts and namespaces, rename the host",
  (mounts) => {
    const box = mounts.with(seccomp());
    assertStringIncludes(failing(box, "unshare -U true"), "Operation not permitted");
    failing(box, "mount -t tmpfs none /mnt");
    failing(box, "umount /proc");
    failing(box, "hostname soup");
    assertEquals(inside(box, errnoOf("unshare", 0x2000_0000)), EPERM);
    assertEquals(inside(box, errnoOf("setns", 0, 0)), EPERM);
    assertEquals(inside(box, errnoOf("open_tree", 0, 0, 0)), EPERM);
  },
);

test("programs may unshare attributes other than namespaces", () => {
  const CLONE_FILES = 0x400;
  assertEquals(inside(closed, errnoOf("unshare", CLONE_FILES)), OK);
});

test("calls that administer the machine return EPERM", () => {
  for (
    const name of [
      "add_key",
      "bpf",
      "finit_module",
      "io_uring_setup",
      "kexec_load",
      "keyctl",
      "open_by_handle_at",
      "perf_event_open",
      "reboot",
      "request_key",
      "settimeofday",
      "swapon",
      "syslog",
      "userfaultfd",
    ]
  ) assertEquals(inside(closed, errnoOf(name, 0, 0, 0, 0, 0)), EPERM, name);
});

test("clone makes no namespaces, and clone3 returns ENOSYS", () => {
  const CLONE_NEWUSER = 0x1000_0000, SIGCHLD = 17;
  assertEquals(inside(closed, errnoOf("clone", CLONE_NEWUSER + SIGCHLD, 0, 0, 0, 0)), EPERM);
  assertEquals(inside(closed, errnoOf("clone3", 0, 0)), ENOSYS);
});

test("an unknown call returns ENOSYS", () => {
  assertEquals(inside(closed, errnoOf("1000", 0)), ENOSYS);
});

test("TIOCSTI is denied, whatever the upper half of the request", () => {
  for (const request of [0x5412, 0x541c, "0x100005412", "0xdeadbeef0000541c"]) {
    const ioctl = errnoOf("ioctl", 0, request, 0);
    assertEquals(inside(open, ioctl), ENOTTY);
    assertEquals(inside(closed, ioctl), EPERM);
  }
  const TCGETS = 0x5401;
  assertEquals(inside(closed, errnoOf("ioctl", 0, TCGETS, 0)), ENOTTY);
});

test("only sockets of the common families can be made", () => {
  const SOCK_DGRAM = 2, AF_ALG = 38, AF_VSOCK = 40;
  for (const family of [1, 2, 16]) {
    const socket = errnoOf("socket", family, SOCK_DGRAM, 0);
    assertEquals(inside(closed, socket), inside(open, socket));
  }
  for (const family of [AF_ALG, AF_VSOCK, 31, `0x1000000${AF_VSOCK.toString(16)}`]) {
    const socket = errnoOf("socket", family, SOCK_DGRAM, 0);
    assertEquals(inside(closed, socket), EAFNOSUPPORT, String(family));
    assertEquals(inside(closed, errnoOf("socketpair", family, SOCK_DGRAM, 0, 0)), EAFNOSUPPORT);
  }
});

test("address space randomization cannot be turned off", () => {
  const ADDR_NO_RANDOMIZE = 0x4_0000;
  assertEquals(inside(closed, errnoOf("personality", ADDR_NO_RANDOMIZE)), EPERM);
  assertEquals(inside(closed, `setarch --uname-2.6 uname -r | cut -c1-4`), "2.6.");
});

const PROGRAMS: Readonly<Record<string, string>> = {
  bash: `bash -c 'for i in 1 2 3; do echo $i & done; wait; cat <(echo sub)' | sort`,
  deno: `${Deno.execPath()} eval 'await new Promise((r) => setTimeout(r, 5)); console.log(1 + 1)'`,
  gcc: `cd /tmp && echo 'int main() { return 0; }' | gcc -x c - -o a && ./a && echo built`,
  git: "git --version && git hash-object --stdin < /dev/null",
  ls: "ls -l /usr",
  node: `node -e 'new (require("worker_threads").Worker)("console.log(2)", { eval: true })'`,
  perl: `perl -e 'print fork == 0 ? "" : wait > 0' `,
  python3: `python3 -c 'import threading, subprocess
t = threading.Thread(target=lambda: print(subprocess.check_output(["echo", "3"])))
t.start()
t.join()'`,
  sleep: "sleep 0.01",
  tar: "cd /usr/share && tar -cf - doc/base-files | tar -tf - | head -3",
};

for (const [program, script] of Object.entries(PROGRAMS)) {
  test(`${program} works under the default profile, if it works without`, () => {
    const mounts = recipe(unshare("user", "mount"), mapRoot(), tmpfs("/tmp"));
    const run = (box: typeof mounts) => {
      const options = { args: ["-c", script], env: { HOME: "/tmp", DENO_DIR: "/tmp" } };
      const { code, stdout, stderr } = box.command("sh", options).outputSync();
      return { code, stdout: decode(stdout), stderr: decode(stderr) };
    };
    assertEquals(run(mounts.with(seccomp())), run(mounts));
  });
}

test(
  "a 32-bit call ends the program",
  inDirectory((directory) => {
    const getpid = [0xb8, 20, 0, 0, 0, 0xcd, 0x80]; // mov eax, 20; int 0x80
    const program = writeProgram(directory, [...getpid, ...EXIT_0]);
    assertEquals(open.command(program).outputSync().code, 0);
    assertEquals(closed.command(program).outputSync().signal as string, "SIGSYS");
  }),
  notX86,
);

test(
  "calls by x32 numbers return ENOSYS",
  inDirectory((directory) => {
    const program = writeProgram(directory, [
      ...[0xb8, 39, 0, 0, 0x40, 0x0f, 0x05], // mov eax, 0x40000027; syscall
      ...[0x48, 0x83, 0xf8, 0xda, 0x0f, 0x95, 0xc0], // cmp rax, -38; setne al
      ...[0x0f, 0xb6, 0xf8, 0xb8, 231, 0, 0, 0, 0x0f, 0x05], // movzx edi, al; exit_group(edi)
    ]);
    const profile: SeccompProfile = { defaultAction: "SCMP_ACT_ALLOW" };
    assertEquals(recipe(seccomp(profile)).command(program).outputSync().code, 0);
  }),
  notX86,
);

/** xor edi, edi; mov eax, 231; syscall */
const EXIT_0 = [0x31, 0xff, 0xb8, 231, 0, 0, 0, 0x0f, 0x05];

/** Writes a program with this machine code: an ELF header, a program header, and the code. */
function writeProgram(directory: string, code: readonly number[]): string {
  const bytes = new Uint8Array(120 + code.length);
  const view = new DataView(bytes.buffer);
  const base = 0x40_0000n;
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true); // ET_EXEC
  view.setUint16(18, 62, true); // EM_X86_64
  view.setUint32(20, 1, true);
  view.setBigUint64(24, base + 120n, true); // entry
  view.setBigUint64(32, 64n, true); // program headers
  view.setUint16(52, 64, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 1, true);
  view.setUint32(64, 1, true); // PT_LOAD
  view.setUint32(68, 5, true); // readable, executable
  view.setBigUint64(80, base, true);
  view.setBigUint64(88, base, true);
  view.setBigUint64(96, BigInt(bytes.length), true);
  view.setBigUint64(104, BigInt(bytes.length), true);
  view.setBigUint64(112, 0x1000n, true);
  bytes.set(code, 120);
  const path = `${directory}/program`;
  Deno.writeFileSync(path, bytes, { mode: 0o755 });
  return path;
}

test("calls can be allowed in addition to the default profile", () => {
  const base = recipe(unshare("user", "mount"), mapRoot());
  const mounts = base.with(seccomp({ allow: ["@mounts", "keyctl"] }));
  assertEquals(inside(mounts, "mount -t tmpfs none /mnt && findmnt -no FSTYPE /mnt"), "tmpfs");
  assert(inside(mounts, errnoOf("keyctl", 99_999, 0, 0, 0, 0)) !== EPERM);
  failing(mounts, "unshare -m true");
  const namespaces = base.with(seccomp({ allow: ["@mounts", "@namespaces"] }));
  assertEquals(inside(namespaces, "unshare -Urmpf sh -c 'echo $$'"), "1");
});

test("calls can be denied, even allowed ones, and by a profile that allows them", () => {
  const denying = seccomp({ allow: ["keyctl", "@mounts"], deny: ["keyctl", "getppid", "@mounts"] });
  const box = recipe(unshare("user", "mount"), mapRoot(), denying);
  assertEquals(inside(box, errnoOf("getppid")), EPERM);
  assertEquals(inside(box, errnoOf("keyctl", 99_999, 0, 0, 0, 0)), EPERM);
  failing(box, "mount -t tmpfs none /mnt");
  const profile: SeccompProfile = { defaultAction: "SCMP_ACT_ALLOW" };
  const other = recipe({ step: "seccomp", profile, deny: ["getppid"] });
  assertEquals(inside(other, errnoOf("getppid")), EPERM);
});

test("what a call is used for can be denied", () => {
  const AF_UNIX = 1, AF_INET = 2, SOCK_STREAM = 1, SOCK_DGRAM = 2;
  const box = recipe(seccomp({ deny: ["@setuid-files", "@unix-sockets"] }));
  assertEquals(inside(box, errnoOf("socket", AF_UNIX, SOCK_STREAM, 0)), EAFNOSUPPORT);
  assertEquals(inside(box, errnoOf("socketpair", AF_UNIX, SOCK_DGRAM, 0, 0)), ESOCKTNOSUPPORT);
  assertEquals(inside(box, errnoOf("socket", AF_INET, SOCK_DGRAM, 0)), OK);
  assertEquals(inside(box, errnoOf("fchmod", -1, 0o4755)), EPERM);
  assertEquals(inside(box, errnoOf("fchmod", -1, 0o1755)), EBADF);
  assertEquals(inside(box, errnoOf("openat2", 0, 0, 0, 0)), ENOSYS);
});

test("the filter does not apply to later steps and the init", () => {
  const box = recipe(
    unshare("user", "pid", "mount", "uts"),
    mapRoot(),
    seccomp(),
    tmpfs("/mnt"),
    proc(),
    hostname("soup"),
    init(),
    capabilities({ bounding: [] }),
    setUser({ uid: 0 }),
  );
  assertEquals(
    inside(box, "uname -n; grep -h ^Seccomp: /proc/1/status /proc/self/status"),
    "soup\nSeccomp:\t0\nSeccomp:\t2",
  );
});

test("the program runs with no_new_privs, which the kernel requires of unprivileged users", () => {
  assertEquals(inside(closed, "grep NoNewPrivs /proc/self/status"), "NoNewPrivs:\t1");
  const calls = (box: typeof open) =>
    box.plan().entries.filter(({ call }) => call.includes("PR_SET_NO_NEW_PRIVS")).length;
  assertEquals([closed, recipe(noNewPrivileges(), seccomp())].map(calls), [1, 1]);
});

test("two filters apply together", () => {
  const noChmod: SeccompProfile = {
    defaultAction: "SCMP_ACT_ALLOW",
    syscalls: [{
      names: ["fchmodat", "fchmodat2", "chmod"],
      action: "SCMP_ACT_ERRNO",
      errnoRet: 95,
    }],
  };
  const box = recipe(seccomp(), seccomp(noChmod));
  assertEquals(inside(box, errnoOf("fchmodat", -100, 0, 0)), "95");
  assertEquals(inside(box, errnoOf("keyctl", 0, 0)), EPERM);
  const noSeccomp: SeccompProfile = {
    defaultAction: "SCMP_ACT_ALLOW",
    syscalls: [{ names: ["seccomp"], action: "SCMP_ACT_ERRNO" }],
  };
  assertFails(recipe(seccomp(noSeccomp), seccomp()), {
    step: "seccomp",
    at: 1,
    code: "EPERM",
    says: "does not allow another",
  });
});

test("a profile can kill, deny and allow, by arguments too", () => {
  const profile: SeccompProfile = {
    defaultAction: "SCMP_ACT_ALLOW",
    architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_AARCH64"],
    flags: ["SECCOMP_FILTER_FLAG_TSYNC"],
    syscalls: [
      { names: ["sync", "a_call_of_the_future"], action: "SCMP_ACT_KILL_PROCESS" },
      {
        names: ["getpriority"],
        action: "SCMP_ACT_ERRNO",
        errnoRet: 77,
        args: [{ index: 0, value: 2, op: "SCMP_CMP_GE" }, {
          index: 1,
          value: 5,
          op: "SCMP_CMP_EQ",
        }],
      },
      {
        names: ["umask"],
        action: "SCMP_ACT_ERRNO",
        errnoRet: 78,
        args: [{
          index: 0,
          value: "0x7",
          valueTwo: 1,
          op: "SCMP_CMP_MASKED_EQ",
        }],
      },
    ],
  };
  const box = recipe(seccomp(profile));
  assertEquals(box.command("sync").outputSync().signal as string, "SIGSYS");
  assertEquals(inside(box, errnoOf("getpriority", 2, 5)), "77");
  assertEquals(inside(box, errnoOf("getpriority", 2, 6)) === "77", false);
  assertEquals(inside(box, errnoOf("umask", 0x11)), "78");
  assertEquals(inside(box, errnoOf("umask", 0x12)), OK);
});

test("conditions on one argument are alternatives, as in OCI runtimes", () => {
  const either: SeccompProfile = {
    defaultAction: "SCMP_ACT_ALLOW",
    syscalls: [{
      names: ["umask"],
      action: "SCMP_ACT_ERRNO",
      errnoRet: 78,
      args: [{ index: 0, value: 1, op: "SCMP_CMP_EQ" }, { index: 0, value: 2, op: "SCMP_CMP_EQ" }],
    }],
  };
  const box = recipe(seccomp(either));
  const answers = [1, 2, 3].map((mask) => inside(box, errnoOf("umask", mask)));
  assertEquals(answers, ["78", "78", OK]);
});

test("a profile under which no program could be started is refused", () => {
  for (const name of ["execve", "exit_group"]) {
    assertRefused(() =>
      recipe(seccomp({
        defaultAction: "SCMP_ACT_ALLOW",
        syscalls: [{ names: [name], action: "SCMP_ACT_ERRNO" }],
      })), { step: "seccomp", at: 0, says: `does not allow ${name}` });
  }
  assertRefused(() => recipe(seccomp({ defaultAction: "SCMP_ACT_KILL" })), {
    step: "seccomp",
    says: "execve",
  });
});

test("a missing program is reported as without a filter", () => {
  for (
    const box of [
      closed,
      recipe(seccomp({
        ...DEFAULT_SECCOMP_PROFILE,
        syscalls: [
          { names: ["execve", "exit_group"], action: "SCMP_ACT_ALLOW" },
        ],
      })),
    ]
  ) {
    let message = "";
    try {
      box.command("/no/such/program").outputSync();
    } catch (error) {
      message = String(error);
    }
    assertStringIncludes(message, "program not found on this machine");
  }
});

test("an invalid profile is reported with the position of the error", () => {
  const wrong: readonly [unknown, string][] = [
    [{ defaultAction: "SCMP_ACT_ALOW" }, 'did you mean "SCMP_ACT_ALLOW"?'],
    [{ defaultAction: "SCMP_ACT_UNKNOWN" }, "is none of"],
    [{ defaultAction: "SCMP_ACT_ALLOW", syscals: [] }, 'did you mean "syscalls"?'],
    [{ defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: [], action: "SCMP_ACT_LOG" }] }, "one"],
    [rule({ index: 6, value: 0, op: "SCMP_CMP_EQ" }), "from 0 to 5"],
    [rule({ index: 0, value: -1, op: "SCMP_CMP_EQ" }), "unsigned 64-bit"],
    [rule({ index: 0, value: 2 ** 64, op: "SCMP_CMP_EQ" }), "write it as a string"],
    [rule({ index: 0, value: "0x10000000000000000", op: "SCMP_CMP_EQ" }), "unsigned 64-bit"],
    [rule({ index: 0, value: 0, op: "SCMP_CMP_SAME" }), "is none of"],
  ];
  for (const [profile, says] of wrong) {
    assertRefused(() => recipe(seccomp(profile as SeccompProfile)), {
      step: "seccomp",
      at: 0,
      says,
    });
  }
  assertRefused(() => recipe(seccomp({ allow: ["unshar"] })), { says: 'did you mean "unshare"?' });
  assertRefused(() => recipe(seccomp({ allow: ["@mount"] })), { says: 'did you mean "@mounts"?' });
  assertRefused(() => recipe(seccomp({ deny: ["@unix-socket"] })), {
    says: 'mean "@unix-sockets"?',
  });
  assertRefused(() => recipe(seccomp({ allow: ["@unix-sockets"] })), { says: "there is no call" });
  assertRefused(() => recipe(seccomp({ deny: ["execve"] })), { says: "does not allow execve" });
});

function rule(arg: Record<string, unknown>): unknown {
  const syscalls = [{ names: ["read"], action: "SCMP_ACT_LOG", args: [arg] }];
  return { defaultAction: "SCMP_ACT_ALLOW", syscalls };
}

test("a profile is the same after JSON", () => {
  const step = seccomp(DEFAULT_SECCOMP_PROFILE);
  const box = recipe(JSON.parse(JSON.stringify(step)));
  assertEquals(box.plan().toString(), recipe(seccomp()).plan().toString());
});

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

test("the filters that are compiled before are those of the rules: deno task filters", () => {
  for (const architecture of ["x86_64", "aarch64"] as const) {
    assertEquals(SECCOMP_FILTERS[architecture], filters(architecture));
  }
  for (const deny of DENIED) assert(deniesKernelCalls(filterOfStep(seccomp({ deny }))));
});

test("they are the filters of `seccomp()` and of all sandboxes", () => {
  for (const net of ["none", "host"] as const) {
    for (const setuidFiles of [false, true]) {
      for (const unixSockets of [false, true]) {
        const step = sandbox({ net, setuidFiles, unixSockets }).steps
          .find(({ step }) => step === "seccomp") as SeccompStep;
        assertEquals([step.profile, step.allow], [undefined, undefined]);
        assert(step.deny!.join() in SECCOMP_FILTERS[native]);
      }
    }
  }
  assert("" in SECCOMP_FILTERS[native]);
});
