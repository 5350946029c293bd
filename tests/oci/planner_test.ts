/** The planner, and its client: by a command whose own Deno is missing, so that nobody else answers. */

import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { commandFiles } from "../../oci/install.ts";
import { ASK } from "../../oci/ask_bytes.ts";
import { OciError } from "../../oci/errors.ts";
import { Planner } from "../../oci/planner/serve.ts";
import { askModule, tool } from "../../scripts/assemble.ts";
import { missing, testWith } from "../ffi/support.ts";
import { decode } from "../other_scripts.ts";
import { root, test } from "../support.ts";
import { Kitchen, listed, noBusybox, noGroups, RUNTIME, until } from "./support.ts";

const noTools = missing(
  tool("as", "x86_64"),
  tool("ld", "x86_64"),
  tool("as", "aarch64"),
  tool("ld", "aarch64"),
);

/** A planner, and a runtime that can do nothing without it. */
class Planned implements AsyncDisposable {
  readonly kitchen = new Kitchen();
  readonly run: string;
  /** The command that has no Deno. */
  readonly lame: string;
  planner: Deno.ChildProcess;

  private constructor() {
    const { directory } = this.kitchen;
    [this.run, this.lame] = [`${directory}/run`, `${directory}/lame`];
    Deno.mkdirSync(this.run);
    const paths = { deno: "/nonesuch", module: RUNTIME, cache: "/nonesuch" };
    for (const { path, bytes } of commandFiles(this.lame, paths)) {
      Deno.writeFileSync(path, bytes, { mode: 0o755 });
    }
    this.planner = this.#start();
  }

  static async begin(): Promise<Planned> {
    const planned = new Planned();
    await planned.ready();
    return planned;
  }

  get socket(): string {
    return `${this.run}/ramekin-planner`;
  }

  get env(): Record<string, string> {
    return { XDG_RUNTIME_DIR: this.run };
  }

  #start(): Deno.ChildProcess {
    const { program } = this.kitchen.command();
    return new Deno.Command(program, {
      args: ["planner"],
      clearEnv: true,
      env: this.env,
      stdin: "null",
      stdout: "null",
    }).spawn();
  }

  async ready(): Promise<void> {
    await until(() => listed(this.run).includes("ramekin-planner"));
  }

  async restart(): Promise<void> {
    Deno.removeSync(this.socket);
    this.planner = this.#start();
    await this.ready();
  }

  /** Calls a command, whose standard error goes to a file: a container that waits keeps it open. */
  async call(program: string, args: readonly string[], around: readonly string[] = []) {
    const file = `${this.kitchen.directory}/stderr`;
    const words = [...around, program, "--root", this.kitchen.state, ...args];
    const script = `exec "$@" > ${this.kitchen.directory}/stdout 2> ${file}`;
    const { code } = await new Deno.Command("/bin/sh", {
      args: ["-c", script, "sh", ...words],
      clearEnv: true,
      env: this.env,
      cwd: this.kitchen.bundle,
      stdin: "null",
    }).output();
    return { code, stderr: Deno.readTextFileSync(file) };
  }

  /** Makes a container by the planner alone. */
  async create(id: string, ...words: string[]) {
    return await this.call(this.lame, ["--cgroup-manager=disabled", "create", ...words, id]);
  }

  get output(): string {
    return Deno.readTextFileSync(`${this.kitchen.directory}/stdout`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.planner.kill("SIGCONT");
      this.planner.kill("SIGTERM");
    } catch {
      // It was killed.
    }
    await this.planner.status;
    this.kitchen[Symbol.dispose]();
  }
}

testWith(
  noBusybox,
  "a container of the planner is the caller's, and its record the runtime's",
  async () => {
    await using planned = await Planned.begin();
    const { kitchen } = planned;
    kitchen.configure("echo $$ $HOME; cat /proc/self/status; ls /proc/self/fd; cat <&3");
    Deno.writeTextFileSync(`${kitchen.bundle}/given`, "handed on\n");
    const id = kitchen.id();
    const command =
      `exec ${planned.lame} --root ${kitchen.state} --cgroup-manager=disabled create ` +
      `--preserve-fds 2 --pid-file pid ${id} 3< given`;
    const made = await planned.call("/bin/sh", [], ["/bin/sh", "-c", command]);
    assertEquals(made, { code: 0, stderr: "" });
    const pid = Number(Deno.readTextFileSync(`${kitchen.bundle}/pid`));
    // Before it has a name of its own, it has that of the memory file.
    await until(() => /^Name:\s*ramekin-wait$/m.test(Deno.readTextFileSync(`/proc/${pid}/status`)));
    const parent = Number(/^PPid:\s*(\d+)/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`))![1]);
    assert(parent !== planned.planner.pid);
    const state = JSON.parse((await kitchen.bare("state", id)).stdout);
    assertEquals([state.status, state.pid, state.bundle], ["created", pid, kitchen.bundle]);
    assertEquals((await kitchen.bare("start", id)).code, 0);
    await until(() => planned.output.includes("handed on"));
    const [first, ...lines] = planned.output.split("\n");
    assertEquals(first, "1 /root");
    assertMatch(lines.join("\n"), /^SigBlk:\s*0+$/m);
    assertMatch(lines.join("\n"), /^SigIgn:\s*0+$/m);
    // The preserved one that is open, and that of the directory.
    assertStringIncludes(planned.output, "\n0\n1\n2\n3\n4\nhanded on\n");
    await until(async () =>
      JSON.parse((await kitchen.bare("state", id)).stdout).status === "stopped"
    );
    assertEquals((await kitchen.bare("delete", id)).code, 0);
    assertEquals(listed(kitchen.state), []);
  },
);

testWith(noBusybox, "what the planner cannot make fails in the runtime's words", async () => {
  await using planned = await Planned.begin();
  const { kitchen } = planned;
  kitchen.configure(["/nonesuch"]);
  const log = `${kitchen.directory}/log`;
  const words = ["--log", log, "--log-format", "json", "--cgroup-manager=disabled", "create"];
  const failed = await planned.call(planned.lame, [...words, kitchen.id()]);
  const text = Deno.readTextFileSync(log);
  Deno.removeSync(log);
  const alone = await kitchen.callWith({}, ...words, kitchen.id());
  assertEquals(failed.code, 1);
  assertMatch(failed.stderr, /^ramekin: exec: "\/nonesuch": no such file or directory/);
  assertEquals(failed.stderr, alone.stderr);
  assertEquals(JSON.parse(text).msg, JSON.parse(Deno.readTextFileSync(log)).msg);
  assertEquals(listed(kitchen.state), []);
  const id = kitchen.id();
  kitchen.configure("true");
  assertEquals((await planned.create(id)).code, 0);
  assertStringIncludes((await planned.create(id)).stderr, "already exists");
  kitchen.configure("true", (config) => config.mounts!.push({ destination: "/x", type: "nofs" }));
  assertStringIncludes((await planned.create(kitchen.id())).stderr, "nofs");
  assertEquals(listed(kitchen.state), [id]);
});

testWith(noBusybox, "others than the planner's own are left to the runtime", async () => {
  await using planned = await Planned.begin();
  const { kitchen } = planned;
  const hook = { path: "/bin/true" };
  // The command that has no Deno ends with 127.
  kitchen.configure("true", (config) => config.hooks = { createRuntime: [hook] });
  assertEquals((await planned.create(kitchen.id())).code, 127);
  kitchen.configure("true");
  const around = ["unshare", ...(root ? [] : ["--user", "--map-current-user"]), "--mount"];
  const words = ["--cgroup-manager=disabled", "create", kitchen.id()];
  assertEquals((await planned.call(planned.lame, words, around)).code, 127);
  const less = ["setpriv", "--no-new-privs"];
  assertEquals((await planned.call(planned.lame, words, less)).code, 127);
  // A command of another build.
  const text = Deno.readTextFileSync(planned.lame);
  const other = `${kitchen.directory}/other`;
  const changed = text.replace(/[0-9a-f]{16} (?=')/, "0123456789abcdef ");
  assert(changed !== text);
  Deno.writeTextFileSync(other, changed, { mode: 0o755 });
  assertEquals((await planned.call(other, words)).code, 127);
  assertEquals((await planned.create(kitchen.id())).code, 0);
});

testWith(noBusybox, "where the planner hangs or is dead, the runtime does it", async () => {
  await using planned = await Planned.begin();
  const { kitchen } = planned;
  kitchen.configure("true");
  const create = async () => {
    const id = kitchen.id();
    const { program } = kitchen.command();
    const { code } = await planned.call(program, ["--cgroup-manager=disabled", "create", id]);
    return [code, JSON.parse((await kitchen.bare("state", id)).stdout).status];
  };
  planned.planner.kill("SIGSTOP");
  assertEquals(await create(), [0, "created"]);
  planned.planner.kill("SIGKILL");
  await planned.planner.status;
  assertEquals(await create(), [0, "created"]);
  await planned.restart();
  assertEquals((await planned.create(kitchen.id())).code, 0);
});

testWith(
  noBusybox ?? (root ? noGroups : undefined),
  "nothing is left of what was cut off at any moment",
  async () => {
    await using planned = await Planned.begin();
    const { kitchen } = planned;
    kitchen.configure("true", (config) => {
      if (root) config.linux.cgroupsPath = `/ramekin-planner-test-${Deno.pid}`;
    });
    const { program } = kitchen.command();
    const groups = root ? [] : ["--cgroup-manager=disabled"];
    for (const [victim, wait] of [["client", 2], ["client", 8], ["planner", 4], ["planner", 12]]) {
      const id = kitchen.id();
      const client = new Deno.Command(planned.lame, {
        args: ["--root", kitchen.state, ...groups, "create", id],
        clearEnv: true,
        env: planned.env,
        cwd: kitchen.bundle,
        stdin: "null",
        stdout: "null",
        stderr: "null",
      }).spawn();
      await new Promise((resolve) => setTimeout(resolve, wait as number));
      const process = victim === "client" ? client : planned.planner;
      try {
        process.kill("SIGKILL");
      } catch {
        // The client has ended already.
      }
      await client.status;
      if (victim === "planner") {
        await process.status;
        await planned.restart();
      }
      const removed = await new Deno.Command(program, {
        args: ["--root", kitchen.state, "delete", "--force", id],
        clearEnv: true,
      }).output();
      assertEquals([removed.code, decode(removed.stderr)], [0, ""]);
      await until(() => !listed(kitchen.state).includes(id));
      await until(() => holders(`${kitchen.state}/${id}`).length === 0);
      const again = kitchen.id();
      const made = await planned.call(planned.lame, [...groups, "create", again]);
      assertEquals(made, { code: 0, stderr: "" });
      await kitchen.call("delete", "--force", again);
    }
    assertEquals(Array.from(Deno.readDirSync(`/proc/${planned.planner.pid}/fd`)).length < 40, true);
  },
);

/** The processes that have a file below a path open. */
function holders(path: string): string[] {
  return Array.from(Deno.readDirSync("/proc"), ({ name }) => name).filter((pid) =>
    /^\d+$/.test(pid) && listed(`/proc/${pid}/fd`).some((fd) => {
      try {
        return Deno.readLinkSync(`/proc/${pid}/fd/${fd}`).startsWith(path);
      } catch {
        return false;
      }
    })
  );
}

testWith(noBusybox, "a command that has lost what lies beside it leaves all to Deno", async () => {
  await using planned = await Planned.begin();
  const { kitchen } = planned;
  const { program } = kitchen.command();
  for (const name of ["ask", "remove"]) Deno.removeSync(`${program}-${name}`);
  kitchen.configure("true");
  const id = kitchen.id();
  const words = [["create", id], ["start", id], ["delete", "--force", id]];
  for (const [verb = "", ...rest] of words) {
    const { code } = await planned.call(program, ["--cgroup-manager=disabled", verb, ...rest]);
    assertEquals([verb, code], [verb, 0]);
  }
  assertEquals(listed(kitchen.state), []);
});

testWith(missing("qemu-aarch64-static"), "the client for aarch64 goes on without a planner", () => {
  const file = Deno.makeTempFileSync({ prefix: "ramekin-ask-" });
  Deno.writeFileSync(file, Uint8Array.fromBase64(ASK.aarch64), { mode: 0o755 });
  Deno.chmodSync(file, 0o755);
  const args = [file, "/nonesuch/socket", "build", "/bin/echo", "--without-planner", "create", "x"];
  const { code, stdout } = new Deno.Command("qemu-aarch64-static", { args }).outputSync();
  Deno.removeSync(file);
  assertEquals([code, decode(stdout)], [0, "--without-planner create x\n"]);
});

testWith(noTools, "the bytes of the client are those of its sources", async () => {
  const kept = await Deno.readTextFile(new URL("../../oci/ask_bytes.ts", import.meta.url));
  const bytesOf = (text: string) => text.replace(/[\s"+,:]|\\n/g, "");
  assertEquals(bytesOf(kept), bytesOf(askModule()));
});

test("where a planner may not make its socket, what names another place is told", () => {
  const error = assertThrows(() => new Planner("/nonesuch/planner", "build"), OciError);
  assertMatch(error.message, /^\/nonesuch\/planner cannot be made: .*; have XDG_RUNTIME_DIR name /);
});
