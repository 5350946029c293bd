/**
 * Commands and their options beside those of `Deno.Command`. docs/deno_command.md has the differences,
 * which the last table holds.
 */

import { assertEquals } from "@std/assert";
import { Command, Container } from "../../mod.ts";
import { decode } from "../other_scripts.ts";
import { notOrdinary, notRoot, test } from "../support.ts";
import {
  compare,
  deno,
  got,
  type Make,
  ours,
  printed,
  resultOf,
  type Rows,
  shell,
  statusOf,
} from "./side_by_side.ts";

const PRINT = "printf %s";

/** Runs by each of the methods, with the options. */
const byEach = (script: string, options: object = {}) => async (make: Make) => {
  const results: unknown[] = [];
  const command = () => make("sh", { ...shell(script), ...options });
  for (const output of [await command().output(), command().outputSync()]) {
    const { success, code, signal } = output;
    const streams = [got(() => decode(output.stdout)), got(() => decode(output.stderr))];
    results.push([success, code, signal, ...streams]);
  }
  const child = command().spawn();
  // Streams that are piped have to be read.
  results.push(await statusOf({ status: options === STREAMS ? child.output() : child.status }));
  return results;
};

const STREAMS = { stdout: "piped", stderr: "piped" } as const;

const OPTIONS: Rows = {
  "the exit code and both streams": byEach("echo out; echo err >&2; exit 3", STREAMS),
  "the end by a signal": byEach("kill -9 $$", STREAMS),
  "no streams": byEach("echo out", { stdout: "null", stderr: "null" }),
  "stderr alone": (make) =>
    make("sh", shell("echo err >&2", { stdout: "null" })).outputSync().stderr,
  "stdout alone": (make) =>
    make("sh", shell("echo out; echo err >&2", { stderr: "null" })).outputSync().stdout,
  "args": (make) => printed(make("printf", { args: ["%s|", "", " ", "ä", "a b", "$HOME", "*"] })),
  "no args": (make) => printed(make("pwd")),
  "env": (make) => printed(make("sh", shell(`${PRINT} "$A|$B"`, { env: { A: "1", B: "" } }))),
  "clearEnv": (make) => printed(make("env", { clearEnv: true })),
  "clearEnv and env": (make) => printed(make("env", { clearEnv: true, env: { A: "ä=" } })),
  "cwd": (make) => printed(make("pwd", { cwd: "/usr" })),
  "a relative cwd": (make) => printed(make("pwd", { cwd: "tests" })),
  "cwd as a URL": (make) => printed(make("pwd", { cwd: new URL("file:///usr/bin/../lib") })),
  "a cwd of http:": (make) => make("pwd", { cwd: new URL("http://x/") }).output(),
  "a program as a URL": (make) => printed(make(new URL("file:///bin/pwd"), { cwd: "/usr" })),
  "a program of http:": (make) => make(new URL("http://x/")).output(),
  "a program in a directory of the cwd": (make) => printed(make("./pwd", { cwd: "/usr/bin" })),
  "a program that is not there": (make) => make("nonesuch").output(),
  "a path that is not there": (make) => make("/nonesuch").output(),
  "a path that is not there, at once": (make) => make("/nonesuch").outputSync(),
  "a path that is not there, spawned": (make) => make("/nonesuch").spawn().pid,
  "a program of a PATH of its own": (make) => make("ls", { env: { PATH: "/nonesuch" } }).output(),
  "no program": (make) => make().output(),
  "a program that is no text": (make) => make(["sh"]).output(),
  "NUL in an argument": (make) => make("echo", { args: ["a\0b"] }).output(),
  "NUL in a variable": (make) => make("true", { env: { A: "a\0b" } }).output(),
  "a variable that is no text": (make) => make("true", { env: { A: 1 } }).output(),
  "a stream of an unknown kind": (make) => make("true", { stdout: "pipe" }).output(),
  "no options but undefined ones": async (make) => {
    const names = ["args", "cwd", "env", "clearEnv", "uid", "gid", "signal", "stdin", "detached"];
    const options = Object.fromEntries(names.map((name) => [name, undefined]));
    return (await make("true", options).output()).code;
  },
  "options that are null": (make) => make("true", null as unknown as object).output(),
  "windowsRawArguments": (make) =>
    printed(make("echo", { args: ['"a b"'], windowsRawArguments: true })),
  "its own uid and gid": (make) => printed(make("id", { uid: Deno.uid()!, gid: Deno.gid()! })),
  "its own uid alone": (make) => printed(make("id", { uid: Deno.uid()! })),
  "its own gid alone": (make) => printed(make("id", { gid: Deno.gid()! })),
  "a piped stdin of output()": (make) => make("cat", { stdin: "piped" }).output(),
  "a piped stdin of outputSync()": (make) => make("cat", { stdin: "piped" }).outputSync(),
};

compare("options", OPTIONS);

const AS_ROOT: Rows = {
  "uid": (make) => printed(make("id", { uid: 65534 })),
  "gid": (make) => printed(make("id", { gid: 65534 })),
  "uid and gid": (make) => printed(make("id", { uid: 1, gid: 65534 })),
};

compare("as root", AS_ROOT, notRoot);

/** The rows of docs/deno_command.md: what each of the two does. */
const DIFFERENCES: Readonly<
  Record<string, readonly [row: (make: Make) => unknown, deno: unknown, ours: unknown]>
> = {
  "a file that may not be executed": [
    (make) => make("/etc/passwd").output(),
    "PermissionDenied EACCES",
    "SyscallError EACCES",
  ],
  "a cwd that is not there": [
    (make) => make("pwd", { cwd: "/nonesuch" }).output(),
    "NotFound ENOENT",
    "SyscallError ENOENT",
  ],
  "a script without #!": [
    async (make) => {
      const path = Deno.makeTempFileSync();
      try {
        Deno.writeTextFileSync(path, "echo soup\n");
        Deno.chmodSync(path, 0o755);
        return await printed(make(path));
      } finally {
        Deno.removeSync(path);
      }
    },
    "soup\n",
    "SyscallError ENOEXEC",
  ],
  "argv[0]": [
    async (make) => {
      const [name] = (await printed(make("cat", { args: ["/proc/self/cmdline"] }))).split("\0");
      return name!.startsWith("/");
    },
    true,
    false,
  ],
  "options are checked when the command is made": [
    (make) => typeof make("true", { stdout: "pipe" }),
    "object",
    "TypeError",
  ],
  "an unknown option": [
    async (make) => (await make("true", { soup: 1 }).output()).code,
    0,
    "TypeError",
  ],
  "an argument that is a number": [
    (make) => printed(make("echo", { args: [1] })),
    "1\n",
    "TypeError",
  ],
  "a variable with = in its name": [
    async (make) => (await make("true", { env: { "A=B": "c" } }).output()).code,
    0,
    "TypeError",
  ],
  "no program's name": [(make) => make("").output(), "NotFound ENOENT", "TypeError"],
  "a signal that was aborted before": [
    async (make) => await statusOf(make("true", { signal: AbortSignal.abort() }).spawn()) !== null,
    true,
    "DOMException",
  ],
  "the session of output()": [
    async (make) => {
      const script = "cut -d' ' -f6 /proc/$$/stat; echo $$";
      const [leader, pid] = (await printed(make("sh", shell(script, { detached: true }))))
        .split("\n");
      return leader === pid;
    },
    false,
    true,
  ],
  "a real-time signal": [
    async (make) => {
      const streams = { stdin: "null", stdout: "null", stderr: "null" };
      const child = make("sleep", { args: ["100"], ...streams }).spawn();
      try {
        child.kill(34);
      } catch (error) {
        child.kill("SIGKILL");
        await child.status;
        throw error;
      }
      return (await child.status).code;
    },
    "TypeError",
    128 + 34,
  ],
  "members of the status": [
    async (make) => Object.keys(await make("true").spawn().status),
    ["success", "code", "signal"],
    ["success", "code", "signal", "timedOut", "outOfMemory", "usage", "durationMs"],
  ],
};

for (const [name, [row, denos, own]] of Object.entries(DIFFERENCES)) {
  test(`other than Deno.Command: ${name}`, async () => {
    const found = { deno: await resultOf(row, deno), ours: await resultOf(row, ours) };
    assertEquals(found, { deno: denos, ours: own });
  });
}

test("other than Deno.Command: a user that one may not be", async () => {
  const asOther = async (make: Make) => (await make("true", { uid: 1 }).output()).code;
  assertEquals(await resultOf(asOther, deno), "PermissionDenied EPERM");
  assertEquals(await resultOf(asOther, ours), "SyscallError EPERM");
}, notOrdinary);

test("a command and a container have all members of Deno.Command and its child", () => {
  const missing = (theirs: object, own: object) =>
    Reflect.ownKeys(theirs).filter((member) => !(member in own));
  assertEquals(missing(Deno.Command.prototype, Command.prototype), []);
  assertEquals(missing(Deno.ChildProcess.prototype, Container.prototype), []);
});
