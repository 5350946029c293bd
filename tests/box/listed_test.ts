/** Boxes that run, in `ramekin ps` and `enter`. */

import { assertEquals, assertMatch } from "@std/assert";
import { runningContainers } from "../../host.ts";
import { init, mapRoot, type Recipe, recipe, sandbox, unshare } from "../../mod.ts";
import { decode, until } from "../other_scripts.ts";
import { ramekin } from "../ramekin/support.ts";
import { test } from "../support.ts";
import { BoxFile } from "./support.ts";

/** Runs a box with a program that waits, and looks at it once the program runs. */
async function whileItRuns(
  recipe: Recipe,
  { program, given = [] }: { program?: readonly string[]; given?: readonly string[] },
  look: (box: number) => Promise<void> | void,
): Promise<void> {
  using box = new BoxFile(recipe, program && { program });
  const process = box.spawn(given, { stdin: "piped" });
  try {
    const reader = process.stdout.getReader();
    assertEquals(decode((await reader.read()).value!), "ready\n");
    reader.releaseLock();
    await look(process.pid);
  } finally {
    process.kill("SIGKILL");
    await process.stdin.close();
    await process.stdout.cancel();
    await process.stderr.cancel();
    await process.status;
  }
}

const WAIT = ["sh", "-c", "echo ready; read line"];
const ofBox = (box: number) => runningContainers().filter(({ script }) => script === box);

test("ps lists a box that runs, by the name of its program", async () => {
  const containers = [
    [sandbox(), ["mount", "pid", "uts", "ipc", "net", "cgroup", "user"], 2],
    [recipe(unshare("user", "pid"), mapRoot(), init()), ["user", "pid"], 2],
    [recipe(unshare("user", "uts"), mapRoot()), ["user", "uts"], 1],
  ] as const;
  for (const [container, kinds, processes] of containers) {
    for (const words of [{ program: WAIT }, { given: WAIT }]) {
      await whileItRuns(container, words, (box) => {
        const [found, ...others] = ofBox(box);
        assertEquals(others, []);
        assertEquals([found!.name, found!.namedBy, found!.own], ["sh", "script", true]);
        assertEquals(Object.keys(found!.namespaces).sort(), kinds.toSorted());
        assertEquals(found!.pid === found!.program, processes === 1);
        assertMatch(found!.command, /^sh -c echo ready/);
      });
    }
  }
});

test("enter runs a program in a box, with its user and its limits", () =>
  whileItRuns(sandbox(), { program: WAIT }, async (box) => {
    const [{ pid } = { pid: 0 }] = ofBox(box);
    const script =
      "hostname; id -u; grep -c Seccomp:.2 /proc/self/status; test -e /home || echo none";
    const { code, stdout } = await ramekin("enter", String(pid), "--", "sh", "-c", script);
    assertEquals([code, stdout], [0, `sandbox\n${Deno.uid()}\n1\nnone\n`]);
  }));

test("the copies of a box's streams are no containers", async () => {
  using box = new BoxFile(sandbox());
  const directory = Deno.makeTempDirSync();
  // The shell makes it at any time after it has told the pid.
  Deno.writeTextFileSync(`${directory}/out`, "");
  try {
    const shell = new Deno.Command("sh", {
      args: ["-c", `"$0" sh -c 'echo ready; exec sleep 30' >out 2>err & echo $!; wait`, box.path],
      cwd: directory,
      stdout: "piped",
    }).spawn();
    const reader = shell.stdout.getReader();
    const pid = Number(decode((await reader.read()).value!));
    await until(() => Deno.readTextFileSync(`${directory}/out`) === "ready\n");
    assertEquals(ofBox(pid).map(({ name }) => name), ["sh"]);
    Deno.kill(pid, "SIGKILL");
    await reader.cancel();
    await shell.status;
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

test("a box that a container runs is not one's own, whatever its note says", async () => {
  const program = ["sleep", "30"];
  using inner = new BoxFile(recipe(unshare("user"), mapRoot()), { program });
  const running = recipe(unshare("user", "pid"), mapRoot()).command("sh", {
    args: ["-c", '"$0" & sleep 30', inner.path],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const found = () => runningContainers().filter(({ script }) => isIn(script, running.hostPid));
  try {
    await until(() => found().length > 0);
    assertEquals(found().map(({ own, name }) => [own, name]), [[false, "sleep"]]);
  } finally {
    running.kill("SIGKILL");
    await running.status;
  }
});

/** Whether a process is a child of another. */
function isIn(script: number | undefined, parent: number): boolean {
  if (script === undefined) return false;
  try {
    return new RegExp(`^PPid:\\s*${parent}$`, "m").test(
      Deno.readTextFileSync(`/proc/${script}/status`),
    );
  } catch {
    return false;
  }
}
