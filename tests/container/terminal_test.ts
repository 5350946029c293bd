/** Terminals of programs, and their connection with the script's terminal. */

import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { devices, init, mapRoot, newSession, proc, recipe, type Step, unshare } from "../../mod.ts";
import { decode, readUntil } from "../other_scripts.ts";
import { test } from "../support.ts";

const MOD = new URL("../../mod.ts", import.meta.url).href;
const own = recipe(unshare("user", "mount", "pid", "uts"), mapRoot(), proc());

/** Writes to a container's terminal. */
async function type(stdin: WritableStream<Uint8Array>, text: string): Promise<void> {
  const writer = stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  writer.releaseLock();
}

const PLACES: [string, Step[]][] = [["the script's /dev", []], ["a /dev of its own", [devices()]]];

for (const [place, steps] of PLACES) {
  test(`a program has a terminal from ${place}`, async () => {
    const { stdout, code } = await own.with(...steps).command("sh", {
      args: ["-c", "test -t 0 && test -t 1 && test -t 2 && tty && ps -o tpgid= -p $$; exit 5"],
      terminal: true,
      stdin: "null",
      stdout: "piped",
    }).output();
    assertMatch(decode(stdout), /^\/dev\/pts\/\d+\r\n\s*1\r\n$/);
    assertEquals(code, 5);
  });

  test(`a shell with a terminal from ${place} has job control`, async () => {
    await using container = own.with(...steps).command("bash", {
      args: ["--norc", "--noediting"],
      terminal: true,
      stdin: "piped",
      stdout: "piped",
      env: { PS1: "> " },
    }).spawn();
    const { stdin, stdout } = container;
    // What it says is not what is typed, so that it runs by then.
    await type(stdin, "sh -c 'echo be''gun; exec sleep 100'\n");
    await readUntil(stdout, (text) => text.includes("begun\r\n"));
    await type(stdin, "\x1a");
    await readUntil(stdout, (text) => text.includes("Stopped"));
    await type(stdin, "p=$(jobs -p %1); kill -9 %1; while test -e /proc/$p; do sleep 0.01; done\n");
    await readUntil(stdout, (text) => text.includes("Killed"));
    await type(stdin, "exit 3\n");
    assertEquals((await container.status).code, 3);
  });
}

test("a program that is a session leader already gets the terminal", async () => {
  for (const steps of [[newSession()], [newSession(), init()], [init(), newSession()]]) {
    const { stdout } = await own.with(...steps).command("sh", {
      args: ["-c", "echo < /dev/tty && ps -o tty= -p $$"],
      terminal: true,
      stdin: "null",
      stdout: "piped",
    }).output();
    assertMatch(decode(stdout), /^\r\npts\/\d+\r\n$/);
  }
});

test("Ctrl-C reaches the program through its terminal", async () => {
  await using container = own.command("sh", {
    args: ["-c", "trap 'exit 9' INT; echo ready; while :; do sleep 0.02; done"],
    terminal: true,
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  await readUntil(container.stdout, (text) => text.includes("ready"));
  await type(container.stdin, "\x03");
  assertEquals((await container.status).code, 9);
});

test("a terminal needs the event loop", () => {
  assertThrows(() => own.command("true", { terminal: true }).outputSync(), TypeError, "event loop");
});

/** Runs a script with a terminal of its own, whose settings it prints before and after. */
async function inTerminal(
  code: string,
  act: (stdin: WritableStream<Uint8Array>, stdout: ReadableStream<Uint8Array>) => Promise<void>,
): Promise<string> {
  const path = Deno.makeTempFileSync({ suffix: ".ts" });
  try {
    Deno.writeTextFileSync(path, `import * as ramekin from "${MOD}";\n${code}`);
    Deno.chmodSync(path, 0o644);
    const deno = `${Deno.execPath()} run --no-check --no-config --quiet --allow-ffi ${path}`;
    // What restores the settings of a script that is killed may need its time.
    const waiting = 'for i in $(seq 200); do test "$(stty -g)" = "$b" && break; sleep 0.05; done';
    const script = `stty rows 30 cols 100; b=$(stty -g); echo $b; ${deno}; ${waiting}`;
    await using terminal = recipe().command("sh", {
      args: ["-c", `${script}; echo; stty -g; echo end`],
      terminal: true,
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const decoder = new TextDecoder();
    let text = "";
    const [acted, kept] = terminal.stdout.tee();
    const collected = (async () => {
      for await (const bytes of kept) text += decoder.decode(bytes, { stream: true });
    })();
    await act(terminal.stdin, acted);
    await terminal.status;
    await collected;
    await acted.cancel();
    return text;
  } finally {
    Deno.removeSync(path);
  }
}

const INNER = `
const box = ramekin.recipe(ramekin.unshare("user", "pid"), ramekin.mapRoot());
const container = box.command("sh", {
  args: ["-c", "stty size; echo ready; read line; echo got $line; exec sleep 0.1"],
  terminal: true,
}).spawn();
`;

test("the script's terminal is raw while the program runs, and is restored afterwards", async () => {
  const text = await inTerminal(INNER + "await container.status;", async (stdin, stdout) => {
    await readUntil(stdout, (text) => text.includes("ready"));
    await type(stdin, "hello\r");
  });
  assertMatch(text, /30 100\r\n/);
  assertMatch(text, /got hello/);
  const [before, after] = [text.split("\r\n")[0], text.split("\r\n").at(-3)];
  assertEquals(after, before);
  assert(before!.split(":").length > 4, text);
});

test("the script's terminal is restored if the script is killed", async () => {
  const text = await inTerminal(
    INNER + `ramekin.linux.kill(Deno.pid, "SIGKILL");`,
    () => Promise.resolve(),
  );
  const lines = text.split("\r\n").filter((line) => /^[0-9a-f]+(:[0-9a-f]+){4,}$/.test(line));
  assertEquals(lines.length, 2, text);
  assertEquals(lines[1], lines[0]);
});

/** Runs a script with all permissions, and returns what it writes to the file that it is given. */
async function writtenBy(code: string, run: (deno: string[]) => Promise<unknown>): Promise<string> {
  const directory = Deno.makeTempDirSync();
  try {
    const [path, file] = [`${directory}/script.ts`, `${directory}/file`];
    Deno.writeTextFileSync(path, `import * as ramekin from "${MOD}";\n${code}`);
    await run(["run", "--no-check", "--no-config", "--quiet", "--allow-all", path, file]);
    return Deno.readTextFileSync(file);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

test("input that does not end with a line end is followed by the end of the input", async () => {
  for (const [text, lines] of [["a\nb", "a\r\nb"], ["a\n", "a"], ["", ""]] as const) {
    const code = `
      const options = { args: ["-c", 'printf "[%s] " "$(cat)"; stty size'], terminal: true };
      const command = ramekin.recipe().command("sh", { ...options, stdin: "inherit" });
      const { stdout } = await command.output();
      Deno.writeFileSync(Deno.args[0], stdout);`;
    const written = await writtenBy(code, async (args) => {
      const script = `printf '%s' "$0" | "$@"`;
      const words = ["-c", script, text, Deno.execPath(), ...args];
      await new Deno.Command("setsid", { args: ["sh", ...words], stderr: "inherit" }).output();
    });
    // Without a terminal of the script's, the size is the usual one.
    assert(written.endsWith(`[${lines}] 24 80\r\n`), JSON.stringify(written));
  }
});

test("a terminal that hangs up hangs up the program's, and the script goes on", async () => {
  const code = `
    Deno.addSignalListener("SIGHUP", () => {});
    const args = ["-c", "echo ready; while :; do echo more; sleep 0.01; done"];
    const { code, signal } =
      await ramekin.recipe().command("sh", { args, terminal: true }).spawn().status;
    Deno.writeTextFileSync(Deno.args[0], JSON.stringify({ code, signal }));`;
  const written = await writtenBy(code, async (args) => {
    const options = { args, terminal: true, stdin: "piped", stdout: "piped" } as const;
    await using outer = recipe().command(Deno.execPath(), options).spawn();
    await readUntil(outer.stdout, (text) => text.includes("ready"));
    await outer.stdout.cancel();
    await outer.stdin.close();
    await outer.status;
  });
  assertEquals(JSON.parse(written), { code: 129, signal: "SIGHUP" });
});
