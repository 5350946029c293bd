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
import { Kitchen, noBusybox, until } from "./support.ts";

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
  assertEquals([code, stderr.length < 10_000], [1, true]);
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
