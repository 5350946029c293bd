/** Containers beside the child of `Deno.Command`: signals, streams, output() and the end. */

import type { Container } from "../../mod.ts";
import { decode, until } from "../other_scripts.ts";
import { compare, got, type Make, type Rows, shell, statusOf, thrown } from "./side_by_side.ts";

const STREAMS = { stdout: "piped", stderr: "piped" } as const;

/** Spawns a program that sleeps, does something with it, and ends it. */
const sleeping = (act: (child: Deno.ChildProcess | Container) => unknown) => async (make: Make) => {
  const child = make("sleep", { args: ["100"], ...NO_STREAMS }).spawn();
  try {
    return await act(child);
  } finally {
    if (isAlive(child)) child.kill("SIGKILL");
    await child.status;
  }
};

const NO_STREAMS = { stdin: "null", stdout: "null", stderr: "null" } as const;

function isAlive(child: Deno.ChildProcess | Container): boolean {
  try {
    child.kill("SIGCONT");
    return true;
  } catch {
    return false;
  }
}

/** What kill() does with a value. */
const kill = (...signal: unknown[]) =>
  sleeping((child) => {
    (child.kill as (...signal: unknown[]) => void)(...signal);
    return statusOf(child);
  });

const KILLS: Rows = {
  "none": kill(),
  "undefined": kill(undefined),
  "SIGTERM": kill("SIGTERM"),
  "SIGKILL": kill("SIGKILL"),
  "SIGUSR1": kill("SIGUSR1"),
  "SIGPOLL": kill("SIGPOLL"),
  "SIGUNUSED": kill("SIGUNUSED"),
  "a number": kill(10),
  "0": sleeping((child) => child.kill(0)),
  "null": kill(null),
  "a name without SIG": kill("TERM"),
  "a name in small letters": kill("sigterm"),
  "a signal of another system": kill("SIGINFO"),
  "no name": kill(""),
  "a negative number": kill(-1),
  "no such number": kill(65),
  "a fraction": kill(1.5),
  "a number as a text": kill("9"),
  "an object": kill({}),
  "after the end": async (make) => {
    const child = make("true", NO_STREAMS).spawn();
    await child.status;
    child.kill();
  },
  "after the end, a wrong one": async (make) => {
    const child = make("true", NO_STREAMS).spawn();
    await child.status;
    child.kill("TERM" as Deno.Signal);
  },
};

/** Spawns a program with pipes, and ends it. */
const piped = (
  script: string,
  act: (child: Deno.ChildProcess | Container) => unknown,
  options: object = {},
) =>
async (make: Make) => {
  const child = make("sh", { ...shell(script), ...STREAMS, stdin: "piped", ...options }).spawn();
  try {
    return await act(child);
  } finally {
    if (isAlive(child)) child.kill("SIGKILL");
    await child.status;
    await child.stdin.abort().catch(() => {});
    for (const stream of [child.stdout, child.stderr]) {
      if (!stream.locked) await stream.cancel();
    }
  }
};

type Piped = Deno.ChildProcess | Container;

async function collected(child: Piped): Promise<unknown> {
  const { code, signal, stdout, stderr } = await child.output();
  return [code, signal, decode(stdout), decode(stderr)];
}

async function write(child: Piped, ...chunks: unknown[]): Promise<void> {
  const writer = child.stdin.getWriter();
  try {
    for (const chunk of chunks) await writer.write(chunk as Uint8Array);
    await writer.close();
  } finally {
    writer.releaseLock();
  }
}

const bytes = new TextEncoder().encode("soup\n");

const CHILDREN: Rows = {
  "members of a child without pipes": sleeping((child) => [
    typeof child.pid,
    child.status === child.status,
    got(() => child.stdin),
    got(() => child.stdout),
    got(() => child.stderr),
    child.ref(),
    child.unref(),
    child.unref(),
    child.ref(),
    got(() => Object.assign(child, { pid: 1 })) === child,
  ]),
  "output() of a child without pipes": sleeping(async (child) => {
    child.kill();
    const output = await child.output();
    return [output.code, got(() => output.stdout), got(() => output.stderr)];
  }),
  "members that are the same each time": piped("cat", (child) => [
    child.stdin === child.stdin,
    child.stdout === child.stdout,
    child.stderr === child.stderr,
    Object.prototype.toString.call(child.stdin),
  ]),
  "ref() and unref() after the end": piped("true", async (child) => {
    await child.stdin.close();
    await child.status;
    return [child.ref(), child.unref()];
  }),
  "text()": piped("echo out", (child) => child.stdout.text()),
  "json()": piped("echo '{}'", (child) => child.stdout.json()),
  "json() of no JSON": piped("echo '{'", (child) => child.stdout.json()),
  "bytes()": piped("echo out", async (child) => [...await child.stdout.bytes()]),
  "arrayBuffer()": piped("echo out", async (child) => {
    return [...new Uint8Array(await child.stdout.arrayBuffer())];
  }),
  "text() twice": piped("echo out", async (child) => {
    await child.stdout.text();
    return await child.stdout.text();
  }),
  "output() after text()": piped("echo out", async (child) => {
    await child.stdout.text();
    return await collected(child);
  }),
  "output()": piped("echo out; echo err >&2; exit 3", collected),
  "output() twice": piped("echo out", async (child) => {
    await collected(child);
    return await collected(child);
  }),
  "output() while it is read": piped("echo out", async (child) => {
    const reader = child.stdout.getReader();
    const error = await child.output().catch((error) => error);
    reader.releaseLock();
    return [thrown(error), (error as Error).message];
  }),
  "output() after a part was read": piped("echo a; read line; echo b", async (child) => {
    const reader = child.stdout.getReader();
    const { value } = await reader.read();
    reader.releaseLock();
    await write(child, bytes);
    return [decode(value!), await collected(child)];
  }),
  "output() after cancel()": piped("read line; echo out", async (child) => {
    await child.stdout.cancel();
    await write(child, bytes);
    return await collected(child);
  }),
  "a stream after output()": piped("echo out", async (child) => {
    await collected(child);
    return [child.stdout.locked, await child.stdout.text().catch(thrown)];
  }),
  "stdin is written after output() is called": piped("cat", async (child) => {
    const output = collected(child);
    await write(child, bytes);
    return await output;
  }),
  "stdin is closed": piped("cat; echo end", async (child) => {
    await child.stdin.close();
    return await collected(child);
  }),
  "stdin is aborted": piped("cat; echo end", async (child) => {
    await child.stdin.abort(new Error("no soup"));
    return await collected(child);
  }),
  "stdin takes views of any kind": piped("od -An -tx1", async (child) => {
    const part = new DataView(new Uint8Array([1, 2, 3, 4]).buffer, 1, 2);
    await write(child, new Uint16Array([5, 6]), part, new Uint8Array([7]).buffer);
    return await collected(child);
  }),
  "stdin takes no text, and is closed then": piped("cat; echo end", async (child) => {
    const writer = child.stdin.getWriter();
    const error = await writer.write("soup" as unknown as Uint8Array).catch((error) => error);
    return [thrown(error), (error as Error).message, await collected(child)];
  }),
  "stdin of a program that has ended": piped("true", async (child) => {
    await child.status;
    await write(child, bytes);
  }),
  "for await over a part": piped("echo out; exec sleep 100", async (child) => {
    for await (const chunk of child.stdout) return decode(chunk);
    return "nothing";
  }),
  "a signal that is aborted": async (make) => {
    const { signal, abort } = aborting();
    const made = make("sh", shell(TRAPS, { stdout: "piped", signal }));
    const child = made.spawn();
    const reader = child.stdout.getReader();
    await reader.read();
    reader.releaseLock();
    abort();
    const { code, stdout } = await child.output();
    return [code, decode(stdout)];
  },
  "a signal that is aborted while output() waits": async (make) => {
    const { signal, abort } = aborting();
    const output = make("sleep", { args: ["100"], stdin: "null", signal }).output();
    abort();
    return await statusOf({ status: output });
  },
  "a signal that is aborted after the end": async (make) => {
    const { signal, abort } = aborting();
    const output = await make("true", { stdin: "null", signal }).output();
    abort();
    return output.code;
  },
  "await using": async (make) => {
    await using child = make("sleep", { args: ["100"], ...NO_STREAMS }).spawn();
    await child[Symbol.asyncDispose]();
    return await statusOf(child);
  },
  "await using of what traps SIGTERM": async (make) => {
    const child = make("sh", shell(TRAPS, { stdout: "piped" })).spawn();
    const reader = child.stdout.getReader();
    await reader.read();
    await child[Symbol.asyncDispose]();
    reader.releaseLock();
    await child.stdout.cancel();
    return await statusOf(child);
  },
  "the session of a detached child": (make) => session(make, true),
  "the session of another child": (make) => session(make, false),
  "a child that stops and continues": async (make) => {
    const child = make("sh", shell("kill -STOP $$; exit 4", NO_STREAMS)).spawn();
    const stat = () => Deno.readTextFileSync(`/proc/${child.pid}/stat`);
    await until(() => /\) T /.test(stat()));
    child.kill("SIGCONT");
    return await statusOf(child);
  },
};

const TRAPS = "trap 'echo trapped; exit 7' TERM; echo ready; while :; do sleep 0.01; done";

function aborting(): { signal: AbortSignal; abort(): void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}

/** Whether a child leads a group, and a session, of its own. */
async function session(make: Make, detached: boolean): Promise<unknown> {
  const script = "cut -d' ' -f5,6 /proc/$$/stat; echo $$";
  const child = make("sh", shell(script, { stdout: "piped", detached })).spawn();
  const [group, leader, pid] = (await child.stdout.text()).trim().split(/\s/);
  await child.status;
  return [group === pid, leader === pid];
}

compare("kill()", KILLS);
compare("a child", CHILDREN);
