/**
 * The verb `exec`.
 *
 * @module
 */

import { close } from "../../ffi/calls/files.ts";
import { syscall } from "../../ffi/syscalls.ts";
import { ProgramTerminal } from "../../container/terminal/terminal.ts";
import { execSpec, type Terminal } from "../../launch/exec.ts";
import { Launcher } from "../../launch/launcher.ts";
import { planRecipe } from "../../plan/plan_recipe.ts";
import { checkedSteps } from "../../recipe/check.ts";
import type { Step } from "../../recipe/steps.ts";
import { type FlagTable, type Given, isSet, valueOf } from "../command_line.ts";
import { programOf } from "../config/process.ts";
import { withHome } from "../config/recipe.ts";
import type { Config, ConfigProcess } from "../spec.ts";
import { sendTo } from "../console.ts";
import { preserved, streamsOf, writePidFile } from "../create.ts";
import { enterSteps } from "../enter.ts";
import { OciError, wordsFor } from "../errors.ts";
import type { Runtime } from "../runtime.ts";
import { ContainerRecord } from "../state.ts";
import { listenerOf } from "../seccomp_listener.ts";
import { giveStreams } from "../stream_owner.ts";
import { waitForEnd } from "../wait.ts";
import { absolute } from "../create_options.ts";

export const flags: FlagTable = {
  values: [
    "apparmor",
    "cap",
    "cgroup",
    "console-socket",
    "cwd",
    "env",
    "pid-file",
    "preserve-fds",
    "process",
    "process-label",
    "user",
    "additional-gids",
  ],
  switches: ["detach", "no-new-privs", "tty", "ignore-paused"],
  letters: { c: "cap", d: "detach", e: "env", p: "process", t: "tty", u: "user" },
  endsAtWord: 1,
};

/** The status of a failure, which is none of the program's. */
const FAILED = 255;

/** Runs another program in a container. */
export async function run(runtime: Runtime, given: Given): Promise<number> {
  const [id, ...words] = given.words;
  if (id === undefined) throw new OciError("the id of the container is missing", FAILED);
  const record = ContainerRecord.open(runtime, id);
  const { process: first, status } = record;
  if (first === undefined) throw new OciError("cannot exec in a stopped container", FAILED);
  if (status === "paused" && !isSet(given, "ignore-paused")) {
    throw new OciError("cannot exec in a paused container", FAILED);
  }
  const { config } = record;
  const process = processOf(given, words, config);
  try {
    const steps = enterSteps(process, config, first, true);
    const socket = valueOf(given, "console-socket");
    const isDetached = isSet(given, "detach");
    const needsTerminal = process.terminal === true && socket === undefined;
    if (needsTerminal && isDetached) {
      throw new OciError("use --console-socket, as nobody else has the terminal's other side");
    }
    const terminal = needsTerminal ? new ProgramTerminal(true) : undefined;
    // Its root, also where the host cannot name that any more.
    const root = `/proc/${first.pid}/root`;
    const count = Number(valueOf(given, "preserve-fds") ?? 0);
    giveStreams({ process }, config);
    const taking = listenerOf(config.linux ?? {}, () => record.state);
    const launched = launch(process, steps, { root, count, terminal: terminal?.theirs, taking });
    if (launched.terminal !== undefined && socket !== undefined) {
      sendTo(absolute(socket), launched.terminal);
    }
    terminal?.join(launched.terminal, ["inherit", "inherit", "inherit"]);
    const file = valueOf(given, "pid-file");
    if (file !== undefined) writePidFile(absolute(file), launched.pid);
    if (isDetached) return 0;
    const code = await waitForEnd(launched);
    await terminal?.leave();
    return code;
  } catch (error) {
    throw new OciError(wordsFor(error, process.args?.[0]), FAILED);
  }
}

function launch(
  process: ConfigProcess,
  steps: readonly Step[],
  { root, count, terminal, taking }: {
    readonly root: string;
    readonly count: number;
    readonly terminal: Terminal | undefined;
    readonly taking: ReturnType<typeof listenerOf>;
  },
) {
  const fds = preserved(count);
  const { program, args, environment, searchPath, cwd } = withHome(
    programOf(process),
    process.user?.uid ?? 0,
    root,
  );
  try {
    const plan = planRecipe(checkedSteps(steps), { recorded: true, ...taking });
    const changes = { inherited: [], changes: environment };
    const spec = execSpec(program, { args, environment: changes, searchPath, cwd });
    return new Launcher(plan).spawn({ ...spec, ...streamsOf({ process }, terminal), fds });
  } finally {
    for (const { fd } of fds) syscall(close(fd));
  }
}

/** Returns the process of a file, or that of the container with what the flags change. */
function processOf(given: Given, words: readonly string[], config: Config): ConfigProcess {
  const file = valueOf(given, "process");
  if (file !== undefined) {
    try {
      return JSON.parse(Deno.readTextFileSync(file)) as ConfigProcess;
    } catch (error) {
      throw new OciError(`--process: ${wordsFor(error)}`, FAILED);
    }
  }
  if (words.length === 0) throw new OciError("exec takes a program, or --process", FAILED);
  const { process = {} } = config;
  const more = given.flags.get("cap") ?? [];
  const cwd = valueOf(given, "cwd");
  const gids = given.flags.get("additional-gids") ?? [];
  return {
    ...process,
    args: words,
    terminal: isSet(given, "tty"),
    env: [...process.env ?? [], ...given.flags.get("env") ?? []],
    ...(cwd !== undefined && { cwd }),
    user: {
      ...userOf(valueOf(given, "user"), process.user),
      ...(gids.length > 0 && { additionalGids: gids.map(Number) }),
    },
    ...(isSet(given, "no-new-privs") && { noNewPrivileges: true }),
    ...(more.length > 0 && { capabilities: withMore(process.capabilities, more) }),
  };
}

function userOf(text: string | undefined, user: ConfigProcess["user"]): ConfigProcess["user"] {
  if (text === undefined) return user;
  const [uid, gid] = text.split(":");
  const numbers = { uid: Number(uid), gid: Number(gid ?? user?.gid ?? 0) };
  if (Number.isNaN(numbers.uid) || Number.isNaN(numbers.gid)) {
    throw new OciError("--user takes numbers: uid[:gid]", FAILED);
  }
  return { ...user, ...numbers };
}

function withMore(
  sets: ConfigProcess["capabilities"] = {},
  more: readonly string[],
): NonNullable<ConfigProcess["capabilities"]> {
  const add = (set: readonly string[] | null | undefined) => [...set ?? [], ...more];
  return {
    ...sets,
    bounding: add(sets.bounding),
    permitted: add(sets.permitted),
    effective: add(sets.effective),
  };
}
