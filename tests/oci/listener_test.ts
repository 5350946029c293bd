/** Filters that ask another process, which gets their listener by a socket. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { Listener } from "../../audit/listener.ts";
import { call, Output } from "../../ffi/call.ts";
import { close } from "../../ffi/calls/files.ts";
import { controlOutput, descriptorOf, message } from "../../ffi/calls/sockets.ts";
import { bindUnix, unixAddress, unixStreamSocket } from "../../ffi/calls/unix_sockets.ts";
import { engine } from "../../ffi/engine/engine.ts";
import { ERRNO } from "../../ffi/errno.ts";
import { allSyscalls } from "../../ffi/seccomp/all_syscalls.ts";
import { syscall, syscalls } from "../../ffi/syscalls.ts";
import { decode } from "../other_scripts.ts";
import { root, test } from "../support.ts";
import { Kitchen, noBusybox, until } from "./support.ts";

const [SOCK_NONBLOCK, MSG_CMSG_CLOEXEC] = [0o4000, 0x4000_0000];

/** Who is asked: it takes one connection. */
class Agent implements Disposable {
  readonly #socket = syscall(unixStreamSocket());

  constructor(path: string) {
    syscall(bindUnix(this.#socket, unixAddress(path)));
    syscall(call("listen", this.#socket, 1));
    syscall(call("fcntl", this.#socket, 4, SOCK_NONBLOCK));
  }

  /** Waits for a connection, and returns its message and its descriptor. */
  async take(): Promise<{ readonly state: string; readonly fd: number | undefined }> {
    const accept = call("accept4", this.#socket, null, null, 0);
    let connection = -1;
    await until(() => {
      const outcome = syscalls([{ call: accept, accept: ["EAGAIN"] }]);
      connection = Number(outcome.result(accept));
      return connection >= 0;
    });
    const [data, control] = [new Output(8192), controlOutput()];
    const receive = call("recvmsg", connection, message(data, control, "&state"), MSG_CMSG_CLOEXEC);
    const outcome = syscalls([{ call: receive }]);
    const { buffer, byteOffset } = outcome.output(data);
    const state = decode(new Uint8Array(buffer, byteOffset, Number(outcome.result(receive))));
    const fd = descriptorOf(outcome.output(control));
    syscall(close(connection));
    return { state, fd };
  }

  [Symbol.dispose](): void {
    syscall(close(this.#socket));
  }
}

const execve = allSyscalls(engine().architecture).get("execve");

for (const noNewPrivileges of root ? [true, false] : [true]) {
  const how = noNewPrivileges ? "without new privileges" : "with CAP_SYS_ADMIN";
  test(`a filter ${how} asks who listens at a socket, also about execve(2) and exec`, async () => {
    using kitchen = new Kitchen();
    for (const name of ["mkdir", "touch"]) {
      Deno.symlinkSync("busybox", kitchen.file(`/bin/${name}`));
    }
    const listenerPath = `${kitchen.directory}/agent`;
    using agent = new Agent(listenerPath);
    const script = "mkdir /tmp/a 2> /tmp/said; mkdir /tmp/b; touch /tmp/done; exec sleep 1000";
    kitchen.configure(script, ({ process, linux }) => {
      process.noNewPrivileges = noNewPrivileges;
      linux.seccomp = {
        defaultAction: "SCMP_ACT_ALLOW",
        listenerPath,
        listenerMetadata: "some words",
        flags: ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"],
        syscalls: [{ names: ["mkdir", "mkdirat", "execve"], action: "SCMP_ACT_NOTIFY" }],
      };
    });
    const id = kitchen.id();
    const creating = kitchen.start("--cgroup-manager=disabled", "create", id).status;
    const { state, fd } = await agent.take();
    const listener = new Listener(fd!);
    // Until the test has ended, one more than there are.
    const answers = [ERRNO.ENOANO, undefined, undefined];
    const answering = (async () => {
      while (answers.length > 0) {
        const notified = listener.next(0);
        if (typeof notified === "object") {
          listener.answer(notified, notified.number === execve ? undefined : answers.shift());
        }
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    })();
    assertEquals((await creating).code, 0);
    const { pid, ...recorded } = JSON.parse((await kitchen.call("state", id)).stdout);
    const said = JSON.parse(state);
    assertEquals([said.fds, said.pid, said.metadata], [["seccompFd"], pid, "some words"]);
    assertEquals(said.state, { ...recorded, pid, status: "creating" });
    assertEquals((await kitchen.call("start", id)).code, 0);
    await until(() => Array.from(Deno.readDirSync(kitchen.file("/tmp"))).length === 3);
    const names = Array.from(Deno.readDirSync(kitchen.file("/tmp")), ({ name }) => name);
    assertEquals(names.sort(), ["b", "done", "said"]);
    assertStringIncludes(Deno.readTextFileSync(kitchen.file("/tmp/said")), "No anode");

    const entering = kitchen.bare("exec", id, "mkdir", "/tmp/c");
    const again = await agent.take();
    assertEquals(JSON.parse(again.state).state.status, "running");
    const second = new Listener(again.fd!);
    await until(() => {
      const notified = second.next(0);
      if (typeof notified !== "object") return false;
      second.answer(notified, notified.number === execve ? undefined : ERRNO.ENOANO);
      return notified.number !== execve;
    });
    assertStringIncludes((await entering).stderr, "No anode");
    answers.length = 0;
    await answering;
    listener.close();
    second.close();
  }, noBusybox);
}

test("a filter that asks needs somebody to ask, before it is in force", async () => {
  using kitchen = new Kitchen();
  const refused = async (names: string[], listenerPath: string | undefined, words: string) => {
    kitchen.configure("true", ({ linux }) => {
      linux.seccomp = {
        defaultAction: "SCMP_ACT_ALLOW",
        syscalls: [{ names, action: "SCMP_ACT_NOTIFY" }],
        ...(listenerPath !== undefined && { listenerPath }),
      };
    });
    const { code, stderr } = await kitchen.bare("create", kitchen.id());
    assertEquals(code, 1);
    assertStringIncludes(stderr, words);
  };
  await refused(["mkdir"], undefined, "linux.seccomp.listenerPath: it is missing");
  await refused(["sendmsg"], "/nonesuch", "does not allow sendmsg");
  await refused(["mkdir"], "/nonesuch", "no such file or directory");
  assertEquals(Array.from(Deno.readDirSync(kitchen.state)), []);
}, noBusybox);
