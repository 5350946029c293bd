/** What the direct calls say when they fail. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { SyscallError } from "../../ffi/errors.ts";
import * as linux from "../../ffi/linux/mod.ts";
import { rounds } from "../rounds.ts";
import { inThread, isRoot } from "./linux_thread.ts";
import { testWith } from "./support.ts";

/** The error of a call that has to fail with this errno. */
function failure(code: string, attempt: () => unknown): SyscallError {
  const error = assertThrows(attempt, SyscallError);
  assertEquals(error.code, code, error.message);
  return error;
}

Deno.test("a user namespace needs a process of one thread, and so a recipe", () => {
  const error = failure("EINVAL", () => linux.unshare(linux.CLONE_NEWUSER | linux.CLONE_NEWNS));
  assertEquals(error.syscall, "unshare");
  assertEquals(error.call, "unshare(CLONE_NEWNS|CLONE_NEWUSER)");
  assert(error.hint?.includes('recipe(unshare("user"), ...)'), error.hint);

  using mine = linux.open("/proc/self/ns/user");
  for (const kind of [linux.CLONE_NEWUSER, 0]) {
    const { hint } = failure("EINVAL", () => linux.setns(mine, kind));
    assert(hint?.includes('recipe(unshare("user"), ...)'), hint);
  }
});

Deno.test("a user namespace cannot be entered from a Worker either", async () => {
  const message = await inThread((linux) => {
    try {
      linux.unshare(linux.CLONE_NEWUSER);
      return "entered";
    } catch (error) {
      return String(error);
    }
  });
  assert(message.includes("EINVAL") && message.includes("several threads"), message);
});

testWith(isRoot, "an error of missing privilege points to a recipe", () => {
  using root = linux.open("/");
  const denied = {
    unshare: () => linux.unshare(linux.CLONE_NEWUTS),
    setns: () => {
      using mine = linux.open("/proc/self/ns/uts");
      linux.setns(mine, linux.CLONE_NEWUTS);
    },
    mount: () => linux.mount("tmpfs", "/tmp", "tmpfs"),
    umount2: () => linux.umount2("/proc"),
    pivot_root: () => linux.pivot_root("/", "/"),
    chroot: () => linux.chroot("/"),
    sethostname: () => linux.sethostname("box"),
    setdomainname: () => linux.setdomainname("box"),
    open_tree: () => linux.open_tree(linux.AT_FDCWD, "/", linux.OPEN_TREE_CLONE),
    move_mount: () => linux.move_mount(root, "", root, "", linux.MOVE_MOUNT_F_EMPTY_PATH),
    mount_setattr: () => linux.mount_setattr(linux.AT_FDCWD, "/", 0, { attr_set: 1 }),
    fsopen: () => linux.fsopen("tmpfs"),
    fspick: () => linux.fspick(linux.AT_FDCWD, "/"),
  };
  for (const [syscall, attempt] of Object.entries(denied)) {
    const error = failure("EPERM", attempt);
    assertEquals(error.syscall, syscall);
    assert(error.hint?.includes('recipe(unshare("user"'), `${syscall}: ${error.hint}`);
  }
});

testWith(isRoot, "an error of a missing capability names it", () => {
  const uid = linux.getuid();
  const rights: [string, () => void][] = [
    ["CAP_SETUID", () => linux.setresuid(uid + 1, -1, -1)],
    ["CAP_SETGID", () => linux.setresgid(linux.getgid() + 1, -1, -1)],
    ["CAP_SETGID", () => linux.setgroups([1])],
    ["CAP_KILL", () => linux.kill(1, 0)],
    ["CAP_SYS_RESOURCE", () => {
      const { soft, hard } = linux.prlimit(0, "NOFILE");
      linux.prlimit(0, "NOFILE", { soft, hard: hard + 1n });
    }],
    ["CAP_SETPCAP", () => linux.prctl(linux.PR_CAPBSET_DROP, linux.CAPABILITIES.CAP_CHOWN)],
    ["keep capabilities", () => {
      linux.capset({ effective: [], permitted: ["CAP_CHOWN"], inheritable: [] });
    }],
  ];
  for (const [right, attempt] of rights) {
    const { hint } = failure("EPERM", attempt);
    assert(hint?.includes(right), `${right}: ${hint}`);
  }
});

Deno.test("the use of a closed descriptor is an error, and it is not closed twice", () => {
  const root = linux.open("/");
  const { number } = root;
  root.close();
  root.close();
  assertThrows(() => root.number, TypeError, "closed");
  failure("EBADF", () => linux.close(number));
});

Deno.test("a NUL in a path is refused before the kernel sees the first half", () => {
  const error = failure("EINVAL", () => linux.open("/etc\0/passwd"));
  assert(error.hint?.includes("NUL"), error.hint);
});

Deno.test("errnos are exact, also while memory is allocated", () => {
  const attempts: [string, () => unknown][] = [
    ["EBADF", () => linux.close(-1)],
    ["ENOENT", () => linux.open("/no-such-file")],
    ["ENOTDIR", () => linux.chdir("/dev/null")],
    ["EINVAL", () => linux.readlinkat(linux.AT_FDCWD, "/")],
    ["ESRCH", () => linux.kill(0x3fff_ffff, 0)],
  ];
  let garbage: unknown[] = [];
  let wrong = 0;
  for (let i = 0; i < rounds(20_000); i++) {
    garbage.push(new Uint8Array(512), { i });
    if (garbage.length > 1000) garbage = [];
    const [code, attempt] = attempts[i % attempts.length]!;
    try {
      attempt();
      wrong++;
    } catch (error) {
      if (!(error instanceof SyscallError) || error.code !== code) wrong++;
    }
  }
  assertEquals(wrong, 0);
});

Deno.test("without the permission the first call names it", () => {
  const script = Deno.makeTempFileSync({ suffix: ".ts" });
  try {
    const module = import.meta.resolve("../../ffi/linux/mod.ts");
    Deno.writeTextFileSync(script, `import * as linux from "${module}"; linux.getpid();`);
    const { code, stderr } = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--no-config", script],
      env: { NO_COLOR: "1" },
    }).outputSync();
    const text = new TextDecoder().decode(stderr);
    assertEquals(code, 1, text);
    assert(
      text.includes("Uncaught (in promise) PermissionError") && text.includes("--allow-ffi"),
      text,
    );
  } finally {
    Deno.removeSync(script);
  }
});
