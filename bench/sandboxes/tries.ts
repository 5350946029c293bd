/**
 * Tries the probes in a tool.
 *
 * @module
 */

import { PRELUDE, type Probe } from "./probes.ts";
import { quoted, type Tool } from "./tools.ts";
import { marked, SECRET, type World } from "./world.ts";

/** What came of a probe in a tool. */
export type Outcome = "held" | "through";

/** Why a tool does not start a program here; `undefined` where it does. */
export async function refusal(tool: Tool, world: World): Promise<string | undefined> {
  const { project } = world;
  const builds = `use Cwd; Cwd::getcwd() eq "${project}" or stopped("another directory");
    put("${project}/main.o", "soup"); print "begun"`;
  const { stdout, stderr } = await run(tool, world, builds);
  if (stdout.includes("begun")) return undefined;
  if (stdout.includes("stopped")) return `the project: ${stdout.trim()}`;
  return stderr.trim().split("\n").at(-1) || "it says nothing";
}

/** Tries a probe. */
export async function attempt(tool: Tool, probe: Probe, world: World): Promise<Outcome> {
  const attack = probe.attack(world);
  if (probe.start === "killed") return await outlives(tool, world, attack) ? "through" : "held";
  const { stdout } = await run(tool, world, attack, probe.start);
  if (probe.start === "left") return await isLeft(world, 20) ? "through" : "held";
  if (probe.start === "terminal") return stdout.includes("typed:soup") ? "through" : "held";
  const came = probe.came?.(world) ?? stdout.includes("through");
  return came ? "through" : "held";
}

interface Ended {
  readonly stdout: string;
  readonly stderr: string;
}

async function run(
  tool: Tool,
  world: World,
  attack: string,
  start?: Probe["start"],
): Promise<Ended> {
  const child = commandOf(tool, world, attack, start).spawn();
  const { stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { stdout: decoder.decode(stdout.slice(-4096)), stderr: decoder.decode(stderr) };
}

function commandOf(
  tool: Tool,
  world: World,
  attack: string,
  start: Probe["start"],
): Deno.Command {
  const { home, project, directory } = world;
  const words = tool.command(world, ["perl", "-e", `${PRELUDE}${attack}`]);
  const [program, ...args] = [...world.prefix, ...startedAs(start, words, directory)];
  return new Deno.Command(program!, {
    args,
    cwd: project,
    env: {
      HOME: home,
      XDG_CACHE_HOME: `${home}/.cache`,
      DENO_DIR: `${directory}/deno`,
      API_TOKEN: SECRET,
      ...((start === "log" || start === "killed") && { STREAMS: "inherit" }),
    },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

/** Reads what was typed into the terminal, when the tool has ended. */
const TYPED = "use Fcntl; fcntl(STDIN, F_SETFL, O_NONBLOCK); " +
  "for (1 .. 9) { my $line; sysread(STDIN, $line, 99) and exit print 'typed:' . $line; " +
  "select(undef, undef, undef, 0.03) }";

/** The command line that starts a tool so. */
function startedAs(
  start: Probe["start"],
  words: readonly string[],
  directory: string,
): readonly string[] {
  const shell = (redirect: string) => ["sh", "-c", `exec "$@" ${redirect}`, "sh", ...words];
  switch (start) {
    case "descriptor":
      return shell(`9<${quoted(`${directory}/input`)}`);
    case "input":
      return shell(`<${quoted(`${directory}/input`)}`);
    case "log":
      return shell(`>>${quoted(`${directory}/log`)}`);
    case "terminal": {
      const line = `${words.map(quoted).join(" ")}; perl -e ${quoted(TYPED)}`;
      return ["script", "-qec", line, "/dev/null"];
    }
    default:
      return words;
  }
}

/** Whether a program goes on when its tool is killed. */
async function outlives(tool: Tool, world: World, attack: string): Promise<boolean> {
  const child = commandOf(tool, world, attack, "killed").spawn();
  const reader = child.stdout.getReader();
  for (let text = ""; !text.includes("ready");) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`${tool.name} ends before its program`);
    text += new TextDecoder().decode(value);
  }
  child.kill("SIGKILL");
  await child.status;
  const isAlive = await isLeft(world, 40);
  for (const pid of goingOn(world)) Deno.kill(pid, "SIGKILL");
  await reader.cancel();
  await child.stderr.cancel();
  return isAlive;
}

/** Whether a process of a probe is there, after so many looks. */
async function isLeft(world: World, looks: number): Promise<boolean> {
  for (let look = 0; look < looks; look++) {
    if (goingOn(world).length === 0) return false;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return true;
}

function goingOn({ marker }: World): readonly number[] {
  return marked(`${marker} goes on`, "startsWith");
}
