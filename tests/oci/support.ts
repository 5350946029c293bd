/** Shared parts of the tests of the OCI runtime: bundles of busybox, and the installed command. */

import { commandFiles } from "../../oci/install.ts";
import type { Config } from "../../oci/spec.ts";
import { exampleConfig } from "../../oci/verbs/spec.ts";
import { decode } from "../other_scripts.ts";
import { patience } from "../rounds.ts";
import { root } from "../support.ts";

export const RUNTIME: string = new URL("../../scripts/oci.ts", import.meta.url).pathname;

/** Why the tests are skipped. */
export const noBusybox: string | undefined = isThere("/bin/busybox")
  ? undefined
  : "needs /bin/busybox (busybox-static)";

/** Why tests with control groups are skipped. */
export const noGroups: string | undefined = root
  ? mayMakeGroups() ? undefined : "control groups cannot be made here"
  : "needs root";

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

function mayMakeGroups(): boolean {
  const tops = ["/sys/fs/cgroup", "/sys/fs/cgroup/pids"];
  return tops.some((top) => {
    const group = `${top}/ramekin-test-${Deno.pid}`;
    try {
      Deno.mkdirSync(group);
      Deno.statSync(`${group}/cgroup.procs`);
      return true;
    } catch {
      return false;
    } finally {
      try {
        Deno.removeSync(group);
      } catch {
        // It was not made.
      }
    }
  });
}

/** What the runtime has answered. */
export interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The names by which busybox is there. */
const APPLETS = [
  "cat",
  "echo",
  "env",
  "hostname",
  "id",
  "ls",
  "mount",
  "sh",
  "sleep",
  "stat",
  "true",
];

let made = 0;

/** A bundle, an installed runtime, and the containers of a test. */
export class Kitchen implements Disposable {
  readonly directory: string;
  readonly bundle: string;
  readonly #command: string;
  readonly #ids: string[] = [];

  readonly #state: string;

  constructor(state = "state") {
    this.#state = state;
    this.directory = Deno.makeTempDirSync({ prefix: "ramekin-oci-" });
    Deno.chmodSync(this.directory, 0o755);
    this.bundle = `${this.directory}/bundle`;
    this.#command = `${this.directory}/ramekin-oci`;
    const paths = { deno: Deno.execPath(), module: RUNTIME, cache: Deno.env.get("DENO_DIR") ?? "" };
    const cache = paths.cache || `${Deno.env.get("HOME") ?? "/root"}/.cache/deno`;
    for (const { path, bytes } of commandFiles(this.#command, { ...paths, cache })) {
      Deno.writeFileSync(path, bytes, { mode: 0o755 });
    }
    for (const path of ["bin", "dev", "etc", "proc", "sys", "tmp"]) {
      Deno.mkdirSync(`${this.bundle}/rootfs/${path}`, { recursive: true });
    }
    Deno.copyFileSync("/bin/busybox", `${this.bundle}/rootfs/bin/busybox`);
    for (const name of APPLETS) Deno.symlinkSync("busybox", `${this.bundle}/rootfs/bin/${name}`);
    Deno.writeTextFileSync(`${this.bundle}/rootfs/etc/passwd`, "root:x:0:0:root:/root:/bin/sh\n");
  }

  /** The path of a file in the root. */
  file(path: string): string {
    return `${this.bundle}/rootfs${path}`;
  }

  /** Writes a config.json that runs a shell's script, with what is changed. */
  configure(
    script: string | readonly string[],
    change: (config: Mutable) => void = () => {},
  ): void {
    const config = structuredClone(exampleConfig(!root)) as Mutable;
    const args = typeof script === "string" ? ["/bin/sh", "-c", script] : [...script];
    config.process = { ...config.process, terminal: false, args };
    config.process.rlimits = [];
    // The control groups of the machine are left alone, except by tests of them.
    config.mounts = config.mounts!.filter(({ type }) => type !== "cgroup");
    config.linux.namespaces = config.linux.namespaces!.filter(({ type }) => type !== "cgroup");
    config.linux.resources = {};
    config.root = { path: "rootfs" };
    change(config);
    Deno.writeTextFileSync(`${this.bundle}/config.json`, JSON.stringify(config));
  }

  /** Returns an id of a container of this test. */
  id(): string {
    const id = `test-${Deno.pid}-${++made}`;
    this.#ids.push(id);
    return id;
  }

  /** Where the runtime records its containers. */
  get state(): string {
    return `${this.directory}/${this.#state}`;
  }

  /** Calls the runtime as engines do: without an environment. */
  async call(...words: string[]): Promise<Answer> {
    return await this.callWith({}, ...words);
  }

  /** Calls the runtime without control groups. */
  async bare(...words: string[]): Promise<Answer> {
    return await this.callWith({}, "--cgroup-manager=disabled", ...words);
  }

  /** Returns a call of the runtime. */
  command(...words: string[]): { readonly program: string; readonly args: string[] } {
    return { program: this.#command, args: ["--root", this.state, ...words] };
  }

  /** Calls the runtime with what a child process can have. */
  async callWith(options: Deno.CommandOptions, ...words: string[]): Promise<Answer> {
    const { code, stdout, stderr } = await new Deno.Command(this.#command, {
      args: ["--root", this.state, ...words],
      clearEnv: true,
      cwd: this.bundle,
      stdin: "null",
      ...options,
      stdout: "piped",
      stderr: "piped",
    }).output();
    return { code, stdout: decode(stdout), stderr: decode(stderr) };
  }

  /** Calls the runtime for a command that is not waited for. */
  start(...words: string[]): Deno.ChildProcess {
    return this.startWith({}, ...words);
  }

  /** Calls it so with an environment. */
  startWith(env: Readonly<Record<string, string>>, ...words: string[]): Deno.ChildProcess {
    return new Deno.Command(this.#command, {
      args: ["--root", this.state, ...words],
      clearEnv: true,
      env,
      cwd: this.bundle,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
  }

  /** Runs the config.json to its end. */
  async run(...words: string[]): Promise<Answer> {
    return await this.bare("run", ...words, this.id());
  }

  /** Removes the containers and the files. */
  [Symbol.dispose](): void {
    for (const id of this.#ids) {
      new Deno.Command(this.#command, {
        args: ["--root", this.state, "delete", "--force", id],
        clearEnv: true,
        stdout: "null",
        stderr: "null",
      }).outputSync();
    }
    Deno.removeSync(this.directory, { recursive: true });
  }
}

/** config.json, to be changed. */
export interface Mutable extends DeepMutable<Omit<Config, "linux" | "process">> {
  process: DeepMutable<NonNullable<Config["process"]>>;
  linux: DeepMutable<NonNullable<Config["linux"]>>;
}

type DeepMutable<T> = T extends readonly (infer Item)[] ? DeepMutable<Item>[]
  : T extends object ? { -readonly [Key in keyof T]: DeepMutable<T[Key]> }
  : T;

/** Waits until something holds. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + patience(60_000);
  while (!await holds()) {
    if (performance.now() > end) throw new Error(`it did not happen: ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Returns the names in a directory; none if there is no such directory. */
export function listed(path: string): string[] {
  try {
    return Array.from(Deno.readDirSync(path), ({ name }) => name);
  } catch {
    return [];
  }
}
