/** `seccomp` and programs of 32 bits: machine code that makes one call and ends with its errno. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { recipe, sandbox, seccomp, type SeccompProfile } from "../../mod.ts";
import { allSyscalls } from "../../ffi/seccomp/all_syscalls.ts";
import { assertRefused, inDirectory, test } from "../support.ts";

const I386 = allSyscalls("i386");
const AF_UNIX = 1, AF_INET = 2, AF_VSOCK = 40, SOCK_STREAM = 1;
const OK = 0, EPERM = 1, EFAULT = 14, ENOSYS = 38, ESOCKTNOSUPPORT = 94, EAFNOSUPPORT = 97;
const X86 = ["SCMP_ARCH_X86"] as const;

const open = recipe();
const closed = recipe(seccomp());
const narrow = recipe(seccomp({ architectures: X86 }));

/** The bytes of a number of 32 bits. */
function word(value: number): number[] {
  return [...new Uint8Array(new Uint32Array([value]).buffer)];
}

/** The instructions of a call by int 0x80: its number in eax, the arguments in ebx, ecx, edx. */
function call(name: string, ...args: readonly number[]): number[] {
  const into = [0xbb, 0xb9, 0xba];
  const loads = args.flatMap((value, index) => [into[index]!, ...word(value)]);
  return [...loads, 0xb8, ...word(I386.get(name)!), 0xcd, 0x80];
}

/** Ends with the errno of the call before, or with 0 if it has succeeded. */
const EXIT_WITH_ERRNO = [
  ...[0x89, 0xc3, 0xf7, 0xdb], // mov ebx, eax; neg ebx
  ...[0x85, 0xc0, 0x78, 0x02, 0x31, 0xdb], // test eax, eax; js over; xor ebx, ebx
  ...[0xb8, ...word(I386.get("exit")!), 0xcd, 0x80],
];

/** Writes a static program for i386, or for x86_64, which may make calls of i386 too. */
function writeProgram(directory: string, code: readonly number[], bits: 32 | 64 = 32): string {
  const base = 0x40_0000;
  const header = bits === 32 ? 52 + 32 : 64 + 56;
  const bytes = new Uint8Array(header + code.length);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, bits / 32, 1, 1]);
  view.setUint16(16, 2, true); // ET_EXEC
  view.setUint16(18, bits === 32 ? 3 : 62, true); // EM_386, EM_X86_64
  view.setUint32(20, 1, true);
  view.setUint32(24, base + header, true); // the entry
  const put = (at: number, value: number) => view.setUint32(at, value, true);
  if (bits === 32) {
    put(28, 52); // the program header
    [52, 32, 1].forEach((value, index) => view.setUint16(40 + index * 2, value, true));
    // PT_LOAD; readable, executable
    [1, 0, base, base, bytes.length, bytes.length, 5, 0x1000]
      .forEach((value, index) => put(52 + index * 4, value));
  } else {
    put(32, 64);
    [64, 56, 1].forEach((value, index) => view.setUint16(52 + index * 2, value, true));
    put(64, 1);
    put(68, 5);
    [0, base, base, bytes.length, bytes.length, 0x1000]
      .forEach((value, index) => put(72 + index * 8, value));
  }
  bytes.set(code, header);
  const path = `${directory}/program`;
  Deno.writeFileSync(path, bytes, { mode: 0o755 });
  return path;
}

/** Why there are no such programs here. */
function notHere(): string | undefined {
  if (Deno.build.arch !== "x86_64") return "is about x86_64";
  const directory = Deno.makeTempDirSync();
  try {
    const program = writeProgram(directory, call("exit", 7));
    const { code } = new Deno.Command(program).outputSync();
    return code === 7 ? undefined : "this kernel runs none (CONFIG_IA32_EMULATION)";
  } catch (error) {
    return `this kernel runs none (CONFIG_IA32_EMULATION): ${(error as Error).message}`;
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

const skip = notHere();

test(
  "a 32-bit program is killed, and runs where its architecture is in the list",
  inDirectory((directory) => {
    const program = writeProgram(directory, call("exit", 0));
    const profile: SeccompProfile = { defaultAction: "SCMP_ACT_ALLOW" };
    const run = (box: typeof open) => box.command(program).outputSync();
    for (const box of [closed, recipe(seccomp(profile))]) {
      assertEquals(run(box).signal as string, "SIGSYS");
    }
    assertEquals(run(sandbox({ read: [directory] })).code, 128 + 31);
    for (
      const box of [
        open,
        narrow,
        recipe(seccomp({ ...profile, architectures: X86 })),
        recipe(seccomp({ ...profile, architectures: ["SCMP_ARCH_MIPS", ...X86] })),
        sandbox({ read: [directory], architectures: X86 }),
      ]
    ) assertEquals([run(box).signal, run(box).code], [null, 0]);
  }),
  skip,
);

const errnoOf = (box: typeof open, directory: string, code: readonly number[], bits?: 64) => {
  const program = writeProgram(directory, [...code, ...EXIT_WITH_ERRNO], bits);
  const { code: errno, signal } = box.command(program).outputSync();
  assertEquals(signal, null);
  return errno;
};

test(
  "the rules hold for its calls by their own numbers",
  inDirectory((directory) => {
    const errno = (box: typeof open, code: readonly number[]) => errnoOf(box, directory, code);
    for (const box of [open, narrow]) {
      assertEquals(errno(box, call("getuid32")), OK);
      assertEquals(errno(box, call("stat64", 0, 0)), EFAULT);
      assertEquals(errno(box, call("socket", AF_INET, SOCK_STREAM, 0)), OK);
    }
    assertEquals(errno(narrow, call("mount", 0, 0, 0)), EPERM);
    assertEquals(errno(narrow, call("umount", 0)), EPERM);
    assertEquals(errno(narrow, call("unshare", 0x1000_0000)), EPERM);
    assertEquals(errno(narrow, call("clone3", 0, 0)), ENOSYS);
    assertEquals(errno(narrow, call("socket", AF_VSOCK, SOCK_STREAM, 0)), EAFNOSUPPORT);
    assertEquals(errno(narrow, call("vm86", 0, 0)), EPERM);
    const noPairs = recipe(seccomp({ deny: ["@unix-sockets", "getuid32"], architectures: X86 }));
    assertEquals(errno(noPairs, call("socket", AF_UNIX, SOCK_STREAM, 0)), EAFNOSUPPORT);
    assertEquals(errno(noPairs, call("socketpair", AF_UNIX, 2, 0)), ESOCKTNOSUPPORT);
    assertEquals(errno(noPairs, call("getuid32")), EPERM);
  }),
  skip,
);

test(
  "the upper halves of registers, which a call of 32 bits does not read, deceive no rule",
  inDirectory((directory) => {
    // mov rbx, (1 << 32) + family: the call sees the family alone.
    const socket = (family: number) =>
      [
        ...[...call("socket", family, SOCK_STREAM, 0)],
      ].toSpliced(0, 5, 0x48, 0xbb, ...word(family), ...word(1));
    for (const family of [AF_INET, AF_VSOCK]) {
      const expected = family === AF_INET ? OK : EAFNOSUPPORT;
      assertEquals(errnoOf(narrow, directory, socket(family), 64), expected, String(family));
    }
    const denied: SeccompProfile = {
      defaultAction: "SCMP_ACT_ALLOW",
      architectures: X86,
      syscalls: [{
        names: ["socket"],
        action: "SCMP_ACT_ERRNO",
        errnoRet: 77,
        args: [{ index: 0, value: AF_INET, op: "SCMP_CMP_EQ" }],
      }],
    };
    assertEquals(errnoOf(recipe(seccomp(denied)), directory, socket(AF_INET), 64), 77);
    assertEquals(errnoOf(recipe(seccomp(denied)), directory, socket(AF_UNIX), 64), OK);
  }),
  skip,
);

test(
  "socketcall(2), whose arguments no filter sees, passes by no rule",
  inDirectory((directory) => {
    const SYS_SOCKET = 1, SYS_CONNECT = 3, SYS_SHUTDOWN = 13;
    const errno = (box: typeof open, sub: number) =>
      errnoOf(box, directory, call("socketcall", sub, 0));
    assertEquals(errno(open, SYS_SOCKET), EFAULT);
    assertEquals(errno(narrow, SYS_SOCKET), EAFNOSUPPORT);
    assertEquals(errno(narrow, SYS_CONNECT), EFAULT);
    const named = recipe(seccomp({ allow: ["socketcall"], architectures: X86 }));
    assertEquals(errno(named, SYS_SOCKET), EFAULT);
    const denied = seccomp({ allow: ["socketcall"], deny: ["shutdown"], architectures: X86 });
    assertEquals(errno(recipe(denied), SYS_SHUTDOWN), EPERM);
    // ipc(2) has a version in the upper half of its number.
    const SEMGET = 2, SHMAT = 21;
    const ipc = (box: typeof open, sub: number) =>
      errnoOf(box, directory, call("ipc", sub, 0xffff_ffff));
    const noMemory = recipe(seccomp({ deny: ["shmat"], architectures: X86 }));
    assert(ipc(noMemory, SEMGET) !== EPERM);
    for (const version of [0, 1]) assertEquals(ipc(noMemory, (version << 16) + SHMAT), EPERM);
  }),
  skip,
);

test("an architecture that there is not is refused", () => {
  const architectures = ["SCMP_ARCH_I386"] as never;
  for (const step of [{ architectures }, { defaultAction: "SCMP_ACT_ALLOW", architectures }]) {
    assertRefused(() => recipe(seccomp(step as SeccompProfile)), { says: '"SCMP_ARCH_I386"' });
  }
});

test(
  "the command says of what the program has died",
  async () => {
    const directory = Deno.makeTempDirSync();
    try {
      Deno.chmodSync(directory, 0o755);
      const program = writeProgram(directory, call("exit", 3));
      const run = async (...flags: string[]) => {
        const { code, stderr } = await new Deno.Command(Deno.execPath(), {
          args: [
            ...["run", "-A", new URL("../../scripts/ramekin.ts", import.meta.url).href],
            ...["sandbox", `--allow-read=${directory}`, ...flags, "--", program],
          ],
        }).output();
        return { code, error: new TextDecoder().decode(stderr) };
      };
      const killed = await run();
      assertEquals(killed.code, 159);
      assertStringIncludes(killed.error, "ramekin sandbox --32-bit");
      assertEquals(await run("--32-bit"), { code: 3, error: "" });
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  },
  skip,
);
