/**
 * The root of a sandbox: the files that its program sees.
 *
 * @module
 */

import { checkedSteps } from "./check.ts";
import { loopbackHosts } from "./network_files.ts";
import { isWithin, normalize, parentOf } from "./path.ts";
import { protectedFiles, type WrittenDirectory } from "./protected_files.ts";
import type { SandboxOptions } from "./sandbox.ts";
import { lazy } from "./schema.ts";
import type { Access, ShownFile, ShownFiles } from "./sandbox_files.ts";
import { bind, type BindOptions, type BindStep } from "./steps/bind.ts";
import {
  denyFiles,
  devices,
  maskPaths,
  mkdir,
  overlay,
  pivotRoot,
  proc,
  remount,
  symlink,
  tmpfs,
  writeFile,
} from "./steps/builders.ts";
import type { Step } from "./steps.ts";
import { CURRENT_SYSTEM, HIDDEN_FILES, SYSTEM_FILES, systemNetworkFiles } from "./system_files.ts";
import { optionError } from "./sandbox_option.ts";

/** Where a new root is put together. */
type Place = "/proc" | "/sys";

/** How a directory is shown whose changes are thrown away. */
const THROWN_AWAY = { discard: true, untrusted: true } as const;

/** The name of a sandbox. */
export const HOSTNAME = "sandbox";

/** Directories that are empty at first and end with the sandbox. */
const TEMPORARY = ["/tmp", "/run"];

/** Returns the steps that make the root and enter it. */
export function sandboxRoot(asked: ShownFiles, options: SandboxOptions): readonly Step[] {
  return new SandboxRoot(asked, options).steps();
}

class SandboxRoot {
  readonly #asked: ShownFiles;
  readonly #options: SandboxOptions;
  /**
   * Where the new root is put together: the one place of the host that no sandbox shows. The /proc
   * outside has to be seen until it is shown.
   */
  readonly #root: Place;
  readonly #fixed: ReturnType<typeof fixedSteps>;

  constructor(asked: ShownFiles, options: SandboxOptions) {
    this.#asked = asked;
    this.#options = options;
    this.#root = options.weakerProc === true ? "/sys" : "/proc";
    this.#fixed = FIXED[this.#root]();
    this.#checkChanges();
    if (options.root !== undefined && asked.has("/")) {
      throw optionError("root", 'it takes the place of all files ("/")');
    }
    const named = [...asked.values()].flatMap(({ path, source }) => [path, source]);
    const covered = [...named, ...(options.root === undefined ? [] : [normalize(options.root)])]
      .find((path) => isWithin(path, this.#root));
    if (covered === undefined) return;
    throw optionError(
      "weakerProc",
      `${covered} cannot be shown with it, as the root is put together at ${this.#root}`,
    );
  }

  steps(): readonly Step[] {
    const { denyWrite = [], protect, root } = this.#options;
    const denyRead = [...this.#options.denyRead ?? [], ...this.#changesInSight()];
    const whole = this.#asked.get("/");
    // A directory comes before what is in it, so that nothing is covered.
    const paths = [...this.#asked.keys()].filter((path) => path !== "/").sort();
    return [
      ...(root !== undefined
        ? this.#otherRoot(normalize(root))
        : whole === undefined
        ? this.#smallRoot(paths)
        : [this.#shownFile(whole)]),
      this.#temporary("/tmp"),
      ...this.#fixed.run,
      ...(root === undefined ? this.#fixed.currentSystem : []),
      this.#devices(),
      ...paths.map((path) => this.#askedFile(this.#asked.get(path)!)),
      ...protectedFiles(this.#written(), protect),
      ...(denyRead.length + denyWrite.length === 0
        ? []
        : [denyFiles({ read: denyRead, write: denyWrite })]),
      ...this.#fixed.entering,
      ...(whole === undefined ? lastSteps().small : lastSteps().whole),
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
  #askedFile(file: ShownFile): Step {
    const { option, path, access } = file;
    if (option === "tmpfs") return this.#temporary(path);
    if (option === "overlay") return overlay(this.#at(path), { lower: [path], ...THROWN_AWAY });
    const around = this.#accessAround(path);
    const held = this.#changesOf(file);
    if (held !== undefined) return this.#heldDirectory(path, held);
    if (option === "bind" || !around.includes("write")) return this.#shownFile(file);
    if (access === "write" && around[0] === "read") {
      throw optionError(
        "write",
        `${path} is in a directory to be read, and that is in one to be written; ` +
          "name either the two inner ones alone, or the outer one",
      );
    }
    return { ...this.#shownFile(file), source: this.#at(path) };
  }

  /** Returns the access to each directory around the path that was asked for, the innermost first. */
  #accessAround(path: string): readonly Access[] {
    const around: Access[] = [];
    for (let at = parentOf(path); at !== "/"; at = parentOf(at)) {
      const file = this.#asked.get(at);
      if (file !== undefined) around.push(file.access);
    }
    const whole = this.#asked.get("/")?.access;
    if (
      whole === undefined || path === "/" ||
      TEMPORARY.some((directory) => isWithin(path, directory))
    ) {
      return around;
    }
    return [...around, whole];
  }

  /** Returns the directories to be written. */
  #written(): readonly WrittenDirectory[] {
    const written = [...this.#asked.values()].filter(({ access }) => access === "write");
    return written.sort((a, b) => a.path < b.path ? -1 : 1).map(({ option, path, source }) => ({
      source,
      target: this.#at(path),
      // What is shown at another path is not reached by that of a directory around it.
      isInner: option === "write" && this.#accessAround(path).includes("write"),
    }));
  }

  /** A directory with a system in it, in which mount points are made in memory. */
  #otherRoot(directory: string): readonly Step[] {
    const { net = "none" } = this.#options;
    return [
      overlay(this.#root, { lower: [directory], ...THROWN_AWAY }),
      ...(net !== "host"
        ? this.#loopbackHosts()
        : ["/etc/resolv.conf", "/etc/hosts"].map((path) =>
          this.#hostFile(path, { readOnly: true, optional: true })
        )),
    ];
  }

  /** The names of the loopback interface. */
  #loopbackHosts(): readonly Step[] {
    return [
      mkdir(this.#at("/etc")),
      writeFile(this.#at("/etc/hosts"), loopbackHosts(this.#options.hostname ?? HOSTNAME)),
    ];
  }

  #devices(): Step {
    const { shm, gpus, devices: extra } = this.#options;
    return devices(this.#at("/dev"), {
      ...(shm !== undefined && { shm }),
      ...(extra !== undefined && { extra }),
      ...(gpus !== undefined && { gpus }),
    });
  }

  /** An empty directory in memory. */
  #temporary(path: string): Step {
    const { tmp = "25%" } = this.#options;
    // tmpfs(5): 0 is no limit.
    return tmpfs(
      this.#at(path),
      tmp === "unlimited"
        ? { options: "size=0,nr_inodes=0" }
        : { size: tmp, options: "nr_inodes=400k" },
    );
  }

  /** A root with nothing but what programs need. */
  #smallRoot(asked: readonly string[]): readonly Step[] {
    const { net = "none", nest = false } = this.#options;
    // What is asked for comes later, and would cover these.
    const isCovered = (path: string) => asked.some((directory) => isWithin(`/${path}`, directory));
    const others = [...SYSTEM_FILES, ...(net === "host" ? systemNetworkFiles() : [])]
      .filter((path) => !isCovered(path));
    // Of the others some may be links, such as /bin; a mount below would be one elsewhere.
    const holdsAsked = (path: string) => asked.some((inner) => isWithin(inner, `/${path}`));
    const [apart, entries] = [true, false].map((isApart) =>
      others.filter((path) => holdsAsked(path) === isApart)
    ) as [string[], string[]];
    return [
      ...this.#fixed.empty,
      // Where a sandbox with the /proc outside puts its root together.
      ...(nest ? [mkdir(this.#at("/sys"))] : []),
      // A mount on a link would be one on /tmp.
      ...(holdsAsked("var/tmp") ? [] : [symlink("/tmp", this.#at("/var/tmp"))]),
      ...(net !== "host" && entries.length === SYSTEM_FILES.length
        ? this.#fixed.files
        : [systemFiles(this.#root, entries)]),
      ...apart.map((path) => this.#hostFile(`/${path}`, { readOnly: true, optional: true })),
      ...(net !== "host" && !isCovered("etc/hosts") ? this.#loopbackHosts() : []),
    ];
  }

  #shownFile({ option, path, source, access }: ShownFile): BindStep {
    const options = { readOnly: access === "read", untrusted: true };
    return this.#hostFile(
      path,
      { ...options, ...(option === "tryRead" && { optional: true }) },
      source,
    );
  }

  /** Refuses a path whose changes would go to the host, while those of others are held. */
  #checkChanges(): void {
    if (this.#options.changes === undefined) return;
    for (const file of this.#asked.values()) {
      const { option, path, access } = file;
      if (access !== "write" || this.#changesOf(file) !== undefined) continue;
      if (option === "write" && this.#accessAround(path).includes("write")) continue;
      throw optionError(
        "changes",
        path === "/"
          ? "those of / cannot be held, as there are other filesystems in it; " +
            'name the directories to be written in "write"'
          : `there is no directory for those of ${path}, which is to be written`,
      );
    }
  }

  /** The directory that takes the changes of one that is to be written, and lies in no other such. */
  #changesOf({ option, path, access }: ShownFile): string | undefined {
    const { changes } = this.#options;
    if (changes === undefined || option !== "write" || access !== "write" || path === "/") return;
    if (this.#accessAround(path).includes("write")) return;
    return Object.hasOwn(changes, path) ? changes[path] : undefined;
  }

  /** The directories that take changes, where the program would see them. */
  #changesInSight(): readonly string[] {
    const directories = Object.values(this.#options.changes ?? {}).map(normalize);
    return directories.filter((directory) =>
      this.#asked.values().some(({ source }) => isWithin(directory, source))
    );
  }

  #heldDirectory(path: string, held: string): Step {
    return overlay(this.#at(path), {
      lower: [path],
      upper: `${held}/upper`,
      work: `${held}/work`,
      untrusted: true,
    });
  }

  #hostFile(path: string, options: BindOptions, source = path): BindStep {
    return bind(source, this.#at(path), { ...options, restrict: RESTRICTIONS });
  }
}

const RESTRICTIONS = ["nosuid", "nodev"] as const;

/** Shows files of this machine without which programs do not run. */
function systemFiles(root: string, entries: readonly string[]): BindStep {
  return bind("/", root, {
    readOnly: true,
    entries,
    hide: HIDDEN_FILES,
    restrict: RESTRICTIONS,
  });
}

/** The steps that are the same in all sandboxes whose root is put together at a path. */
function fixedSteps(root: Place) {
  const run = `${root}/run`;
  return {
    empty: checkedSteps([tmpfs(root, { mode: 0o755 }), mkdir(`${root}/var`)]),
    /** All that most of them show of this machine. */
    files: checkedSteps([systemFiles(root, SYSTEM_FILES)]),
    run: checkedSteps([tmpfs(run, { size: "16m", mode: 0o755, options: "nr_inodes=16k" })]),
    currentSystem: checkedSteps([
      bind("/run", run, { readOnly: true, entries: CURRENT_SYSTEM, restrict: RESTRICTIONS }),
    ]),
    entering: checkedSteps([
      proc(`${root}/proc`, root === "/proc" ? {} : { outer: true }),
      pivotRoot(root),
    ]),
  };
}

/** What comes last, in the root. */
const lastSteps = lazy(() => ({
  small: checkedSteps([remount("/", "ro,nosuid,nodev")]),
  whole: checkedSteps([maskPaths("/sys")]),
}));

const FIXED = { "/proc": lazy(() => fixedSteps("/proc")), "/sys": lazy(() => fixedSteps("/sys")) };
