/** A container, or another user, against who runs the runtime. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { close } from "../../ffi/calls/files.ts";
import { sendDescriptor } from "../../ffi/calls/sockets.ts";
import { connectUnix, unixAddress, unixDatagramSocket } from "../../ffi/calls/unix_sockets.ts";
import { syscall } from "../../ffi/syscalls.ts";
import { ReadySocket } from "../../oci/notify.ts";
import type { ContainerRecord } from "../../oci/state.ts";
import { decode } from "../other_scripts.ts";
import { root, test } from "../support.ts";
import { Kitchen, noBusybox, noGroups, until } from "./support.ts";

/** Runs programs by `exec` in a container that does nothing. */
async function execIn(
  kitchen: Kitchen,
  body: (exec: (...words: string[]) => ReturnType<Kitchen["bare"]>) => Promise<void>,
): Promise<void> {
  kitchen.configure("exec sleep 1000", (config) => {
    config.process.env = ["PATH=/bin"];
    // The programs of /bin are seen as they are here.
    config.root!.readonly = false;
  });
  const id = kitchen.id();
  const running = kitchen.start("--cgroup-manager=disabled", "run", id);
  await until(async () => (await kitchen.bare("state", id)).stdout.includes('"running"'));
  await body((...words) => {
    const signal = AbortSignal.timeout(20_000);
    return kitchen.callWith({ signal }, "--cgroup-manager=disabled", "exec", id, ...words);
  });
  await kitchen.bare("delete", "--force", id);
  await running.status;
}

test("exec makes Deno no program of the container (CVE-2019-5736)", async () => {
  using kitchen = new Kitchen();
  Deno.writeTextFileSync(kitchen.file("/bin/tool"), "#!/proc/self/exe\n", { mode: 0o755 });
  // Deno's executable would be started by what the container has in place of its loader.
  for (
    const [directory, name] of [["lib64", "ld-linux-x86-64.so.2"], ["lib", "ld-linux-aarch64.so.1"]]
  ) {
    Deno.mkdirSync(kitchen.file(`/${directory}`));
    Deno.copyFileSync("/bin/busybox", kitchen.file(`/${directory}/${name}`));
    Deno.chmodSync(kitchen.file(`/${directory}/${name}`), 0o755);
  }
  Deno.symlinkSync("/proc/self/exe", kitchen.file("/bin/link"));
  await execIn(kitchen, async (exec) => {
    for (const program of ["tool", "link"]) {
      // Deno's executable would end by SIGSEGV: busybox is no loader, but another program can be one.
      const { code, stderr } = await exec(program);
      assertEquals([code, /the program could not be started/.test(stderr)], [126, true], stderr);
    }
    assertEquals((await exec("echo", "dish")).stdout, "dish\n");
  });
}, noBusybox);

test("exec does not wait for a pipe that a container has in place of its users", async () => {
  using kitchen = new Kitchen();
  Deno.removeSync(kitchen.file("/etc/passwd"));
  new Deno.Command("mkfifo", { args: [kitchen.file("/etc/passwd")] }).outputSync();
  await execIn(kitchen, async (exec) => {
    assertEquals(await exec("sh", "-c", "echo $HOME"), { code: 0, stdout: "/\n", stderr: "" });
  });
}, noBusybox);

test("a container with a line end in its name has not ended", async () => {
  using kitchen = new Kitchen();
  // The kernel shows the name as it is, in the first of two lines.
  kitchen.configure(
    "printf 'a) Z\\nb' > /proc/self/comm; exec 3<> /tmp/never; read -r _ <&3",
    (config) => {
      config.root!.readonly = false;
    },
  );
  new Deno.Command("mkfifo", { args: [kitchen.file("/tmp/never")] }).outputSync();
  const id = kitchen.id();
  const running = kitchen.start("--cgroup-manager=disabled", "run", id);
  const process = `${kitchen.state}/${id}/process`;
  const named = () => {
    const [pid] = Deno.readTextFileSync(process).split(" ");
    return Deno.readTextFileSync(`/proc/${pid}/comm`) === "a) Z\nb\n";
  };
  await until(() => isThere(process) && named());
  assertStringIncludes((await kitchen.bare("state", id)).stdout, '"status": "running"');
  assertStringIncludes((await kitchen.bare("delete", id)).stderr, "that is not stopped: running");
  await kitchen.bare("delete", "--force", id);
  await running.status;
}, noBusybox);

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

test("what another user records for root is not believed", async () => {
  using kitchen = new Kitchen();
  const theirs = `${kitchen.directory}/theirs`;
  const record = `${theirs}/ramekin/planted`;
  Deno.mkdirSync(record, { recursive: true });
  const state = { ociVersion: "1.3.0", id: "planted", bundle: "/", rootfs: "/", annotations: {} };
  const hook = { path: "/bin/busybox", args: ["touch", `${kitchen.directory}/bad`] };
  const files = {
    "state.json": `${JSON.stringify(state, null, 2)}\n`,
    process: "999999999 1\n",
    cgroups: "",
    hooks: "",
    "config.json": JSON.stringify({ hooks: { poststop: [hook] } }),
  };
  for (const [name, text] of Object.entries(files)) {
    Deno.writeTextFileSync(`${record}/${name}`, text);
  }
  Deno.chownSync(theirs, 65534, 65534);
  // As su(1) leaves it to root. The first is answered by a shell, the second by Deno.
  for (const words of [["state", "planted"], ["delete", "planted"], ["list"]]) {
    const { stdout, stderr } = await new Deno.Command(`${kitchen.directory}/ramekin-oci`, {
      args: words,
      clearEnv: true,
      env: { XDG_RUNTIME_DIR: theirs },
    }).output();
    assertEquals(decode(stdout).includes("planted"), false, words.join(" "));
    if (words.length > 1) assertStringIncludes(decode(stderr), "does not exist");
  }
  assertEquals(isThere(`${kitchen.directory}/bad`), false);
}, noBusybox ?? (root ? undefined : "needs root"));

test("what a hook of the container says without end is not read to its end", async () => {
  using kitchen = new Kitchen();
  // The program is the image's, and its output a file in memory, which grows by a word.
  const hook = "echo oh no >&2; /bin/busybox truncate -s 20M /proc/self/fd/2; exit 1";
  kitchen.configure("true", (config) => {
    config.hooks = { startContainer: [{ path: "/bin/sh", args: ["sh", "-c", hook] }] };
  });
  const { code, stderr } = await kitchen.run();
  // Each zero byte is shown by six characters.
  assertEquals([code, stderr.length < 30_000], [1, true]);
  assertStringIncludes(stderr, "oh no");
}, noBusybox);

test("no descriptors are taken of the messages of a container", async () => {
  using kitchen = new Kitchen();
  const directory = `${kitchen.directory}/notify`;
  Deno.mkdirSync(directory);
  Deno.env.set("NOTIFY_SOCKET", `${kitchen.directory}/nobody`);
  const sender = syscall(unixDatagramSocket());
  try {
    const record = { notify: directory, config: {} } as unknown as ContainerRecord;
    const socket = ReadySocket.of(record)!;
    const count = () => Array.from(Deno.readDirSync("/proc/self/fd")).length;
    syscall(connectUnix(sender, unixAddress(`${directory}/notify`)));
    const before = count();
    for (let round = 0; round < 5; round++) syscall(sendDescriptor(sender, sender));
    await new Promise((resolve) => setTimeout(resolve, 50));
    assertEquals(count(), before);
    await socket.close();
  } finally {
    Deno.env.delete("NOTIFY_SOCKET");
    syscall(close(sender));
  }
}, noBusybox);

/** A process in a group of its own, which is no container's. */
async function withVictim(
  body: (group: string, top: string, victim: Deno.ChildProcess) => Promise<void>,
): Promise<void> {
  const top = ["/sys/fs/cgroup/pids", "/sys/fs/cgroup"].find((path) => {
    try {
      return Deno.statSync(`${path}/cgroup.procs`).isFile;
    } catch {
      return false;
    }
  })!;
  const group = `${top}/ramekin-test-victim-${Deno.pid}`;
  Deno.mkdirSync(group);
  const victim = new Deno.Command("sleep", { args: ["1000"] }).spawn();
  try {
    Deno.writeTextFileSync(`${group}/cgroup.procs`, String(victim.pid));
    await body(group, top, victim);
  } finally {
    try {
      victim.kill("SIGKILL");
    } catch {
      // The attack has worked.
    }
    await victim.status;
    await until(() => {
      try {
        Deno.removeSync(group);
        return true;
      } catch {
        return false;
      }
    });
  }
}

test(
  "a path of control groups leads to no processes of others, which would be killed",
  () =>
    withVictim(async (group, top, victim) => {
      using kitchen = new Kitchen();
      for (
        const [path, says] of [
          // Each group is a line of the record: this was two, and what is in the second was killed.
          [`/x\n${group}`, "no group has a line end"],
          [group.slice(top.length), "is in use: 1 processes"],
          [`${group.slice(top.length)}/..`, 'it may not contain ".."'],
          ["//.", "it is the group of all processes"],
        ] as const
      ) {
        kitchen.configure("true", (config) => config.linux.cgroupsPath = path);
        const id = kitchen.id();
        const { code, stderr } = await kitchen.call("create", id);
        assertEquals(code, 1);
        assertStringIncludes(stderr, says);
        assertEquals((await kitchen.call("delete", "--force", id)).code, 0);
        victim.kill("SIGCONT");
      }
    }),
  noBusybox ?? noGroups,
);

test(
  "groups deeper than a path is long, and processes that fork on, end with the container",
  async () => {
    using kitchen = new Kitchen();
    kitchen.configure("while :; do sleep 0.01 & wait; done & while :; do sleep 0.01; done");
    const id = kitchen.id();
    const running = kitchen.start("run", id);
    await until(async () => (await kitchen.call("state", id)).stdout.includes('"running"'));
    const groups = Deno.readTextFileSync(`${kitchen.state}/${id}/cgroups`).trim().split("\n");
    const group = groups.find((path) => path.includes("/pids/")) ?? groups[0]!;
    const deep =
      `chdir $ARGV[0] or die; my $name = "n" x 250; for (1 .. 20) { mkdir $name or die; ` +
      `chdir $name or die } open my $procs, ">", "cgroup.procs" or die; print $procs $$; close $procs; ` +
      `print "in\\n"; exec "sleep", "1000"`;
    const inside = new Deno.Command("perl", {
      args: ["-e", `$| = 1; ${deep}`, group],
      stdout: "piped",
    }).spawn();
    for await (const _ of inside.stdout) break;
    const listed = (await kitchen.call("ps", "--format=json", id)).stdout;
    assertStringIncludes(listed, String(inside.pid));
    assertEquals((await kitchen.call("kill", "--all", id, "KILL")).stderr, "");
    assertEquals([(await running.status).code, (await inside.status).signal], [137, "SIGKILL"]);
    assertEquals((await kitchen.call("delete", "--force", id)).stderr, "");
    for (const path of groups) assertEquals(isDirectory(path), false, path);
  },
  noBusybox ?? noGroups,
);

function isDirectory(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}
