/**
 * The root of a sandbox: the files that its program sees.
 *
 * @module
 */

import { RecipeError } from "./errors.ts";
import { loopbackHosts } from "./network_files.ts";
import { isWithin, normalize, parentOf } from "./path.ts";
import { protectedFiles } from "./protected_files.ts";
import type { SandboxOptions } from "./sandbox.ts";
import { bind, type BindOptions, type BindStep } from "./steps/bind.ts";
import {
  denyFiles,
  devices,
  maskPaths,
  mkdir,
  pivotRoot,
  proc,
  remount,
  symlink,
  tmpfs,
  writeFile,
} from "./steps/builders.ts";
import type { Step } from "./steps.ts";
import { CURRENT_SYSTEM, HIDDEN_FILES, SYSTEM_FILES, systemNetworkFiles } from "./system_files.ts";

/** What a program may do with a file of the host's. */
type Access = "read" | "write";

/** The files of the host that a sandbox is asked to show. */
export type AskedPaths = ReadonlyMap<string, Access>;

/** Returns the paths; one of both lists is to be written. */
export function askedPaths(read: readonly string[], write: readonly string[]): AskedPaths {
  return new Map<string, Access>([
    ...read.map((path) => [normalize(path), "read"] as const),
    ...write.map((path) => [normalize(path), "write"] as const),
  ]);
}

/** The name of a sandbox. */
export const HOSTNAME = "sandbox";

/** Directories that are empty at first and end with the sandbox. */
const TEMPORARY = ["/tmp", "/run"];

/** Returns the steps that make the root and enter it. */
export function sandboxRoot(asked: AskedPaths, options: SandboxOptions): readonly Step[] {
  return new SandboxRoot(asked, options).steps();
}

class SandboxRoot {
  readonly #asked: AskedPaths;
  readonly #options: SandboxOptions;
  /**
   * Where the new root is put together: the one place of the host that no sandbox shows. The /proc
   * outside has to be seen until it is shown.
   */
  readonly #root: "/proc" | "/sys";

  constructor(asked: AskedPaths, options: SandboxOptions) {
    this.#asked = asked;
    this.#options = options;
    this.#root = options.weakerProc === true ? "/sys" : "/proc";
    const covered = [...asked.keys()].find((path) => isWithin(path, this.#root));
    if (covered === undefined) return;
    throw new RecipeError(
      `sandbox: ${covered} cannot be shown with "weakerProc", as the root is put together at ` +
        `${this.#root}`,
    );
  }

  steps(): readonly Step[] {
    const { denyRead = [], denyWrite = [], weakerProc, protect, tmp = "25%", shm } = this.#options;
    const whole = this.#asked.get("/");
    // A directory comes before what is in it, so that nothing is covered.
    const paths = [...this.#asked.keys()].filter((path) => path !== "/").sort();
    return [
      ...(whole === undefined ? this.#smallRoot(paths) : [this.#grantedFile("/", whole)]),
      // tmpfs(5): 0 is no limit.
      tmpfs(
        this.#at("/tmp"),
        tmp === "unlimited"
          ? { options: "size=0,nr_inodes=0" }
          : { size: tmp, options: "nr_inodes=400k" },
      ),
      tmpfs(this.#at("/run"), { size: "16m", mode: 0o755, options: "nr_inodes=16k" }),
      this.#hostFile("/run", { readOnly: true, entries: CURRENT_SYSTEM }),
      devices(this.#at("/dev"), { ...(shm !== undefined && { shm }) }),
      ...paths.map((path) => this.#askedFile(path)),
      ...protectedFiles(
        this.#written(),
        (path) => this.#accessAround(path).includes("write"),
        protect,
      ),
      ...(denyRead.length + denyWrite.length === 0
        ? []
        : [denyFiles({ read: denyRead, write: denyWrite })]),
      proc(this.#at("/proc"), weakerProc === true ? { outer: true } : {}),
      pivotRoot(this.#root),
      whole === undefined ? remount("/", "ro,nosuid,nodev") : maskPaths("/sys"),
    ];
  }

  /** Returns where a path of the sandbox is while the root is put together. */
  #at(path: string): string {
    return path === "/" ? this.#root : this.#root + path;
  }

  /**
   * Shows what was asked for. In a directory that a program may write to, an earlier program may have
   * put a link to any file of the host. Such a path is looked up in the new root, where that
   * directory is mounted already and no link leads out.
   */
  #askedFile(path: string): Step {
    const access = this.#asked.get(path)!;
    const around = this.#accessAround(path);
    if (!around.includes("write")) return this.#grantedFile(path, access);
    if (access === "write" && around[0] === "read") {
      throw new RecipeError(
        `sandbox, "write": ${path} is in a directory to be read, and that is in one to be written; ` +
          "name either the two inner ones alone, or the outer one",
      );
    }
    return { ...this.#grantedFile(path, access), source: this.#at(path) };
  }

  /** Returns the access to each directory around the path that was asked for, the innermost first. */
  #accessAround(path: string): readonly Access[] {
    const around: Access[] = [];
    for (let at = parentOf(path); at !== "/"; at = parentOf(at)) {
      const access = this.#asked.get(at);
      if (access !== undefined) around.push(access);
    }
    const whole = this.#asked.get("/");
    if (
      whole === undefined || path === "/" ||
      TEMPORARY.some((directory) => isWithin(path, directory))
    ) {
      return around;
    }
    return [...around, whole];
  }

  /** Returns the directories to be written, and where each is while the root is put together. */
  #written(): ReadonlyMap<string, string> {
    const written = [...this.#asked].filter(([, access]) => access === "write");
    return new Map(written.map(([path]) => path).sort().map((path) => [path, this.#at(path)]));
  }

  /** A root with nothing but what programs need. */
  #smallRoot(asked: readonly string[]): readonly Step[] {
    const { net = "none" } = this.#options;
    // What is asked for comes later, and would cover these.
    const isCovered = (path: string) => asked.some((directory) => isWithin(`/${path}`, directory));
    const others = [...SYSTEM_FILES, ...(net === "host" ? systemNetworkFiles() : [])]
      .filter((path) => !isCovered(path));
    // Of the others some may be links, such as /bin; a mount below would be one elsewhere.
    const holdsAsked = (path: string) => asked.some((inner) => isWithin(inner, path));
    const [apart, entries] = [true, false].map((isApart) =>
      others.filter((path) => holdsAsked(`/${path}`) === isApart)
    ) as [string[], string[]];
    return [
      tmpfs(this.#root, { mode: 0o755 }),
      mkdir(this.#at("/var")),
      // A mount on a link would be one on /tmp.
      ...(holdsAsked("/var/tmp") ? [] : [symlink("/tmp", this.#at("/var/tmp"))]),
      this.#hostFile("/", { readOnly: true, entries, hide: HIDDEN_FILES }),
      ...apart.map((path) => this.#hostFile(`/${path}`, { readOnly: true, optional: true })),
      ...(net === "none" && !isCovered("etc/hosts")
        ? [
          mkdir(this.#at("/etc")),
          writeFile(this.#at("/etc/hosts"), loopbackHosts(this.#options.hostname ?? HOSTNAME)),
        ]
        : []),
    ];
  }

  #grantedFile(path: string, access: Access): BindStep {
    return this.#hostFile(path, { readOnly: access === "read", untrusted: true });
  }

  #hostFile(path: string, options: BindOptions): BindStep {
    return bind(path, this.#at(path), { ...options, restrict: ["nosuid", "nodev"] });
  }
}
