/**
 * The sandboxes that are compared: each is asked for the same, a build in a project that it may
 * change, without a network, with the flags that its own documentation begins with.
 *
 * @module
 */

import { findProgram } from "../machine.ts";
import type { World } from "./world.ts";

/** Where a tool runs a program. */
export type Place = Pick<World, "home" | "project" | "directory" | "isRoot">;

/** A sandbox. */
export interface Tool {
  readonly name: string;
  /** Its version; `undefined` where it is not installed. */
  version(): string | undefined;
  /** The words of its command line as the page shows them. */
  readonly shown: string;
  /** The command line that runs a program. */
  command(place: Place, program: readonly string[]): readonly string[];
  /** Makes what the command line needs, before any program runs. */
  prepare?(place: Place): void;
}

const ROOT = new URL("../../", import.meta.url).pathname;

/** Ramekin's command, as it is installed. */
const COMMAND = [
  Deno.execPath(),
  ...["run", "--no-config", "--no-lock", "--allow-ffi", "--allow-read", "--allow-net"],
  `${ROOT}dist/command.js`,
];

/** `ramekin sandbox`. */
export const COMMAND_TOOL: Tool = {
  name: "ramekin sandbox",
  version: () => "this one",
  shown: "ramekin sandbox --allow-write=PROJECT -- …",
  command: ({ project }, program) => [
    ...COMMAND,
    ...["sandbox", `--allow-write=${project}`, "--", ...program],
  ],
};

/** `sandbox()` in a script. */
export const SCRIPT_TOOL: Tool = {
  name: "a script",
  version: () => "this one",
  shown: "sandbox({ write: [PROJECT], cwd: PROJECT }).command(…).output()",
  command: ({ project }, program) => [
    Deno.execPath(),
    ...["run", "--no-config", "--no-lock", "-A", "--no-check", `${ROOT}bench/sandboxes/script.ts`],
    ...[project, ...program],
  ],
};

/** A box of `ramekin build --sandbox`. */
export const BOX_TOOL: Tool = {
  name: "a box",
  version: () => "this one",
  shown: "ramekin build --sandbox --allow-write=PROJECT -o box; ./box …",
  command: ({ directory }, program) => [`${directory}/box`, ...program],
  prepare({ directory, project }) {
    const [deno, ...words] = COMMAND;
    const flags = [`--allow-write=${project}`, "-o", `${directory}/box`];
    const { success, stderr } = new Deno.Command(deno!, {
      args: [words[0]!, "--allow-write", ...words.slice(1), "build", "--sandbox", ...flags],
    }).outputSync();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
  },
};

const BWRAP: Tool = {
  name: "bwrap",
  version: () => versionOf("bwrap", /[\d.]+/),
  shown: "bwrap --unshare-all --die-with-parent --new-session --ro-bind /usr /usr " +
    "--symlink usr/bin /bin --symlink usr/lib /lib --symlink usr/lib64 /lib64 " +
    "--ro-bind /etc /etc --proc /proc --dev /dev --tmpfs /tmp --bind PROJECT PROJECT " +
    "--chdir PROJECT …",
  command: ({ project }, program) => [
    ...["bwrap", "--unshare-all", "--die-with-parent", "--new-session"],
    ...["--ro-bind", "/usr", "/usr"],
    ...["bin", "lib", "lib64"].flatMap((name) => ["--symlink", `usr/${name}`, `/${name}`]),
    ...["--ro-bind", "/etc", "/etc", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"],
    ...["--bind", project, project, "--chdir", project],
    ...program,
  ],
};

const SRT_SETTINGS = {
  network: { allowedDomains: [], deniedDomains: [] },
  filesystem: { denyRead: ["~/.ssh"], allowWrite: ["."], denyWrite: [] },
};

const SRT: Tool = {
  name: "srt",
  version() {
    const path = srtPath();
    return path === undefined ? undefined : versionOf(path, /[\d.]+/);
  },
  shown: `srt --settings FILE …, with ${JSON.stringify(SRT_SETTINGS)} in the file`,
  command: ({ directory }, program) => [
    srtPath()!,
    ...["--settings", `${directory}/srt.json`, "-c", program.map(quoted).join(" ")],
  ],
  prepare({ directory }) {
    Deno.writeTextFileSync(`${directory}/srt.json`, JSON.stringify(SRT_SETTINGS));
  },
};

/** Where srt is: in PATH, or in the node_modules of the directory that `RAMEKIN_BENCH_RIVALS` names. */
function srtPath(): string | undefined {
  const rivals = Deno.env.get("RAMEKIN_BENCH_RIVALS");
  if (rivals === undefined) return findProgram("srt");
  const path = `${rivals}/node_modules/.bin/srt`;
  try {
    return Deno.statSync(path).isFile ? path : undefined;
  } catch {
    return undefined;
  }
}

const FIREJAIL: Tool = {
  name: "firejail",
  version: () => versionOf("firejail", /[\d.]+/),
  shown: "firejail --quiet --net=none --private-tmp --blacklist=HOME/.ssh --read-only=HOME " +
    "--read-write=PROJECT …, with its default profile; for root with --allusers, as root sees no " +
    "home directory otherwise",
  command: ({ home, project, isRoot }, program) => [
    ...["firejail", "--quiet", "--net=none", "--private-tmp", `--blacklist=${home}/.ssh`],
    ...[`--read-only=${home}`, `--read-write=${project}`],
    ...(isRoot ? ["--allusers"] : []),
    ...program,
  ],
};

/** Ramekin's ways. */
export const OWN: readonly Tool[] = [COMMAND_TOOL, SCRIPT_TOOL, BOX_TOOL];

/** The others. */
export const PEERS: readonly Tool[] = [BWRAP, SRT, FIREJAIL];

/** No sandbox: what it shows of a probe is that it would get through. */
export const NONE: Tool = {
  name: "none",
  version: () => undefined,
  shown: "",
  command: (_, program) => program,
};

function versionOf(program: string, pattern: RegExp): string | undefined {
  const path = program.startsWith("/") ? program : findProgram(program);
  if (path === undefined) return undefined;
  const { stdout } = new Deno.Command(path, { args: ["--version"] }).outputSync();
  return new TextDecoder().decode(stdout).match(pattern)?.[0] ?? "unknown";
}

/** A word for a shell. */
export function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
