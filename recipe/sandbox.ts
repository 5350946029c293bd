/**
 * The steps of a container for an untrusted program: every protection at once.
 *
 * @module
 */

import { checkedSteps } from "./check.ts";
import { DEFAULT_PATH } from "./default_path.ts";
import { grantedHost } from "./granted_host.ts";
import { refuseUnheldByNest } from "./nested_sandbox.ts";
import { isWithin, normalize } from "./path.ts";
import { HOSTNAME, sandboxRoot } from "./sandbox_root.ts";
import { shownFiles } from "./sandbox_files.ts";
import {
  absolutePath,
  boolean,
  dictionary,
  either,
  integer,
  invalidField,
  lazy,
  list,
  object,
  oneOf,
  optional,
  type Schema,
  schema,
  type Schemas,
  text,
  variableName,
} from "./schema.ts";
import { type SeccompArchitecture, seccompArchitectures } from "./seccomp_profile.ts";
import { quoted } from "./shown.ts";
import type { Step } from "./steps.ts";
import { protectedName } from "./steps/protect.ts";
import {
  bounds,
  capabilities,
  chdir,
  clearEnv,
  hostname,
  init,
  landlock,
  limits,
  loopback,
  mapCurrentUser,
  maskPaths,
  newSession,
  noNewPrivileges,
  proxy,
  readonlyPaths,
  rlimit,
  seccomp,
  setEnv,
  sysctl,
  unshare,
} from "./steps/builders.ts";
import { boundFields } from "./steps/bounds.ts";
import { type FurtherDevice, furtherDevice, gpuNumbers } from "./steps/devices.ts";
import { limitFields, type Limits, type Size } from "./steps/limits.ts";
import { hostnameText } from "./steps/names.ts";
import { tmpfsSize } from "./steps/mounts.ts";
import { includesVariable, variablePattern } from "./variable_pattern.ts";
import { optionError } from "./sandbox_option.ts";

/**
 * What a sandbox is given of the host. Symbolic links in a path are followed on the host, except
 * within a directory that the same sandbox may write to: a path that reaches such a directory by
 * another name, and there a link, is an error. Filesystems of the kernel that
 * are mounted below a path, such as the /proc of a chroot, appear as empty directories.
 */
export interface SandboxOptions {
  /**
   * Files and directories that appear at their own paths, and can be read and executed. With `/`
   * all files do, except /sys and what a sandbox has of its own: /dev, /proc, /run and /tmp. In a
   * directory of `write` they stay read-only if they are named by its path and not by another one.
   *
   * A read-only mount protects files only: a program can still open a named pipe among them, and
   * with `unixSockets` connect to a socket, and talk to the process that serves it.
   */
  readonly read?: readonly string[];
  /** As `read`, and left out where they are missing. */
  readonly tryRead?: readonly string[];
  /** Files and directories that appear at their own paths, and can be changed too. */
  readonly write?: readonly string[];
  /**
   * Where changes of the directories of `write` go, which then stay as they are: for each the
   * directory that takes them, with an empty `upper` and `work` in it. `hold()` of ramekin/changes
   * makes these, tells the changes, and makes them in the end.
   */
  readonly changes?: Readonly<Record<string, string>>;
  /**
   * Files and directories that appear at another path: `["/home/me/work", "/work"]` can be changed as
   * with `write`, and `["/home/me/work", "/work", "ro"]` as little as with `read`. A path in a
   * directory that the program may change is refused.
   */
  readonly bind?: readonly SandboxBind[];
  /** Directories that appear at their own paths, and whose changes are thrown away. */
  readonly overlay?: readonly string[];
  /** Empty directories in memory, each of the size of /tmp (`tmp`) at most. */
  readonly tmpfs?: readonly string[];
  /**
   * A directory with a system in it, which takes the place of the programs and libraries of this
   * machine: an unpacked image, what debootstrap makes. It cannot be changed.
   */
  readonly root?: string;
  /**
   * Files and directories that are hidden, whatever `read` and `write` say, also by another name that
   * shows them. A file appears empty, and a directory too. See `denyFiles()`.
   */
  readonly denyRead?: readonly string[];
  /** Files and directories that stay read-only, whatever `write` says. See `denyFiles()`. */
  readonly denyWrite?: readonly string[];
  /**
   * The network: the host's, or nothing but a loopback interface. With a list such as
   * `["example.org:443"]` the script is a proxy to these hosts: see `proxy()`. The container has the name
   * `sandbox`, and with the host's network `localhost`, which can be looked up there. With `unixSockets`,
   * those of the host with abstract names are out of reach even with its network, from Linux 6.12 on.
   *
   * @default {"none"}
   */
  readonly net?: "none" | "host" | readonly string[];
  /** Hosts that are not reached, though the list of `net` has them. */
  readonly denyNet?: readonly string[];
  /**
   * Variables of the script's environment that the program gets, where they are set; `"AWS_*"` is
   * all that begin so.
   */
  readonly env?: readonly string[];
  /**
   * What stays read-only in the directories of `write`, as other programs run or trust it later: the
   * names of `PROTECTED_NAMES`, such as .git/hooks and .bashrc, or those of a list in their place.
   * See `protect()`. With `false` nothing does; nor does what `write` names itself.
   *
   * @default {true}
   */
  readonly protect?: boolean | readonly string[];
  /** Its working directory, which has to be there: shown, or one of its own. */
  readonly cwd?: string;
  /** Variables that it gets, over those of `env` and its own PATH, HOME and LANG. */
  readonly setEnv?: Readonly<Record<string, string>>;
  /**
   * Its hostname.
   *
   * @default {"sandbox", or "localhost" with the host's network}
   */
  readonly hostname?: string;
  /**
   * How much of the machine it may use: see `limits()`, which needs a control group. Processes need
   * none: where the kernel counts those of a namespace, `pids` holds without it, and without any
   * limits there are 4096 at most. `"unlimited"` lifts that. See `bounds()`.
   */
  readonly limits?: Limits;
  /** The number of files that each process may have open. */
  readonly openFiles?: number | "unlimited";
  /** The time after which it is ended, in milliseconds, unless a command has its own. */
  readonly timeout?: number | "unlimited";
  /**
   * The bytes that `output()` collects of each stream, unless a command has its own bound; a program
   * that writes more is killed.
   *
   * @default {"64m"}
   */
  readonly maxOutput?: Size | "unlimited";
  /**
   * The size of /tmp, as `tmpfs()` takes it, or `"unlimited"`. It holds 400,000 files at most.
   *
   * @default {"25%"}
   */
  readonly tmp?: string;
  /**
   * The size of /dev/shm, for memory that programs share.
   *
   * @default {"64m"}
   */
  readonly shm?: string;
  /**
   * Further devices of the machine, as the step `devices()` takes them in `extra`: `["/dev/fuse"]`. A
   * device gives what its driver gives; what is done with it is not held.
   */
  readonly devices?: readonly FurtherDevice[];
  /** The graphics processors of the machine, as the step `devices()` takes them. */
  readonly gpus?: "all" | readonly number[];
  /**
   * Whether the program can make unix sockets (`socket(AF_UNIX)`), with which it reaches what serves
   * in a directory that it is given: an ssh-agent, docker, a database. Pairs of connected streams
   * can be made in any case.
   *
   * @default {true without `read`, `write` and `net`, as there is no socket of the host's then}
   */
  readonly unixSockets?: boolean;
  /**
   * Whether the program can make set-user-ID and set-group-ID files. They do nothing in a sandbox,
   * but in a directory of `write` they stay, for whoever runs them outside. Package managers need
   * it.
   *
   * @default {false}
   */
  readonly setuidFiles?: boolean;
  /**
   * The architectures of programs beside the machine's own, as `seccomp()` takes them:
   * `["SCMP_ARCH_X86"]` for 32-bit programs on x86_64. Without it they are killed (SIGSYS).
   *
   * @default {[]}
   */
  readonly architectures?: readonly SeccompArchitecture[];
  /**
   * Whether the sandbox shows the /proc outside, read-only, where it can have none of its own: in a
   * container whose /proc is covered in part, as those of Docker and Kubernetes. **That is weaker**:
   * the program sees the processes outside and their arguments, and only the filter of system calls
   * keeps it from making user namespaces. See docs/security.md.
   *
   * @default {false}
   */
  readonly weakerProc?: boolean;
  /**
   * Whether the supplementary groups of the script are dropped, by which its user may read and change
   * files. Root's always are. An ordinary user needs `newgidmap` (Debian: uidmap) and a range in
   * /etc/subgid for it, and a launch takes some milliseconds more. See `mapCurrentUser()`.
   *
   * @default {false}
   */
  readonly dropGroups?: boolean;
  /**
   * Whether the sandbox is a weaker one where this machine refuses user namespaces, held by Landlock
   * and the filter of system calls alone; `recipe.degraded` says so then. What cannot be held so is an
   * error. See docs/sandbox.md.
   *
   * @default {false}
   */
  readonly degrade?: boolean;
  /**
   * Whether the program may make user namespaces, and in them containers: `sandbox({ weakerProc: true })`,
   * bubblewrap, rootless engines. **That is weaker**: in them it has all capabilities, over nothing that
   * is not theirs, but with much more of the kernel in reach; it can make set-user-ID files, as
   * `setuidFiles` lets it; and in a directory that can be changed no file stays read-only or denied, so
   * that `write` needs `protect: false` or `changes`. For ordinary users alone. See docs/sandbox.md.
   *
   * @default {false}
   */
  readonly nest?: boolean;
}

/** A file or directory of this machine, its path in the sandbox, and `"ro"` if it is only read. */
export type SandboxBind =
  | readonly [source: string, target: string]
  | readonly [source: string, target: string, mode: "ro"];

/** What each of the options may be. */
const optionFields = lazy((): Schemas<SandboxOptions> => {
  const path = absolutePath((path) => {
    const own = ["/proc", "/dev"].find((directory) => isWithin(normalize(path), directory));
    return own && `${quoted(path)} cannot be the host's, as a sandbox has its own ${own}`;
  });
  const paths = optional(list(path));
  return {
    read: paths,
    tryRead: paths,
    write: paths,
    changes: optional(dictionary(absolutePath(), absolutePath())),
    bind: optional(list(boundFile(path))),
    overlay: paths,
    tmpfs: paths,
    root: optional(path),
    denyRead: paths,
    denyWrite: paths,
    net: optional(either(oneOf(["none", "host"]), list(grantedHost()))),
    denyNet: optional(list(grantedHost())),
    env: optional(list(variablePattern())),
    protect: optional(either(boolean(), list(protectedName()))),
    unixSockets: optional(boolean()),
    setuidFiles: optional(boolean()),
    architectures: optional(seccompArchitectures()),
    weakerProc: optional(boolean()),
    dropGroups: optional(boolean()),
    degrade: optional(boolean()),
    nest: optional(boolean()),
    cwd: optional(absolutePath()),
    setEnv: optional(dictionary(variableName(), text())),
    hostname: optional(hostnameText()),
    limits: optional(object(limitFields())),
    openFiles: optional(either(integer(0), oneOf(["unlimited"]))),
    timeout: boundFields().timeout,
    maxOutput: boundFields().output,
    tmp: optional(tmpfsSize("unlimited")),
    shm: optional(tmpfsSize()),
    devices: optional(list(furtherDevice())),
    gpus: optional(gpuNumbers()),
  };
});

/** What an entry of `bind` may be. */
function boundFile(path: Schema): Schema {
  const expected = 'a list [source, target], or [source, target, "ro"]';
  return schema(expected, (value) => {
    if (!Array.isArray(value) || value.length < 2 || value.length > 3) return `is not ${expected}`;
    const [source, target, mode = "ro"] = value;
    if (mode !== "ro") return `has ${quoted(String(mode))} where only "ro" can be`;
    return path.issue(source) ?? path.issue(target);
  });
}

/**
 * Returns the steps of a sandbox, in their order.
 *
 * @throws {RecipeError} where an option is unknown, or a path does not begin with `/`
 */
export function sandboxSteps(options: SandboxOptions = {}): readonly Step[] {
  checkOptions(options);
  const { net = "none", architectures = [], weakerProc = false, nest = false } = options;
  const asked = shownFiles(options);
  refuseUnheldByNest(options, asked);
  const showsFiles = options.root !== undefined ||
    asked.values().some(({ option }) => option !== "tmpfs");
  const { setuidFiles = false, unixSockets = !showsFiles && net !== "host" } = options;
  const denied = [
    // A filter cannot see the mode of openat2(2), by which a nested sandbox opens paths.
    ...(setuidFiles || nest ? [] : ["@setuid-files"]),
    ...(unixSockets ? [] : ["@unix-sockets"]),
  ];
  const usual = usualSteps();
  return [
    ...usual.namespaces,
    ...(net === "host" ? [] : usual.network),
    ...(options.dropGroups === true ? [mapCurrentUser({ dropGroups: true })] : usual.user),
    ...networkSteps(options),
    // A name that the host's /etc/hosts has.
    hostname(options.hostname ?? (net === "host" ? "localhost" : HOSTNAME)),
    ...sandboxRoot(asked, options),
    // One more user namespace can be made, and the program runs in that one: it can make no other,
    // and has no capabilities over the mounts and the network. The /proc outside is read-only.
    ...(weakerProc
      ? []
      : nest
      ? [sysctl({ "user.max_user_namespaces": 1 + MAX_NESTED })]
      : usual.noNamespaces),
    ...boundSteps(options),
    ...usual.protection,
    // The host's network has the host's abstract unix sockets: of a desktop, of a bus.
    ...(net === "host" ? [landlock({ isolate: ["abstractSockets"], degrade: true })] : []),
    seccomp({
      ...(nest && { allow: NESTING }),
      deny: denied,
      ...(architectures.length > 0 && { architectures }),
    }),
    ...environmentSteps(options, "/tmp"),
    ...(options.cwd === undefined ? [] : [chdir(options.cwd)]),
  ];
}

/** The steps that are the same in every sandbox. */
const usualSteps = lazy(() => ({
  namespaces: checkedSteps([unshare("user", "mount", "pid", "uts", "ipc", "cgroup")]),
  network: checkedSteps([unshare("net")]),
  user: checkedSteps([mapCurrentUser()]),
  loopback: checkedSteps([loopback()]),
  noNamespaces: checkedSteps([sysctl({ "user.max_user_namespaces": 1 })]),
  protection: checkedSteps([
    maskPaths(...MASKED_FILES),
    readonlyPaths(...READ_ONLY_FILES),
    newSession(),
    init(),
    unshare("user"),
    mapCurrentUser(),
    capabilities({ keep: [] }),
    noNewPrivileges(),
  ]),
}));

/** The loopback interface, and a proxy on it where there are hosts. */
function networkSteps({ net = "none", denyNet }: SandboxOptions): readonly Step[] {
  if (typeof net === "object" && net.length > 0) return [proxy(net, denyNet && { deny: denyNet })];
  if (denyNet !== undefined) {
    throw optionError("denyNet", 'it is about the hosts of a list in "net"');
  }
  return net === "host" ? [] : usualSteps().loopback;
}

/** The user namespaces that a program with `nest` may have, all of those in them included. */
const MAX_NESTED = 64;

/** What the launch of a container calls, and the filter denies otherwise. */
const NESTING = ["@mounts", "@namespaces", "sethostname", "setdomainname"];

/** Checks that each option is what it may be. */
export function checkOptions(options: SandboxOptions): void {
  const invalid = invalidField({ ...options }, optionFields());
  if (invalid === undefined) return;
  throw optionError(invalid.field as keyof SandboxOptions, invalid.issue);
}

/** The variables of the program, with a home directory of its own. */
export function environmentSteps(
  { env = [], setEnv: variables }: SandboxOptions,
  home: string,
): readonly Step[] {
  const usual = Object.entries({
    PATH: `${DEFAULT_PATH}:${STORE_PATH}`,
    HOME: home,
    LANG: "C.UTF-8",
  }).filter(([name]) => !includesVariable(env, name));
  return [clearEnv({ keep: env }), setEnv({ ...Object.fromEntries(usual), ...variables })];
}

/** The processes and threads that a sandbox has at most, and the bytes of output, by default. */
const DEFAULT_BOUNDS = { pids: 4096, output: "64m" } as const;

/** What bounds the sandbox: a control group where one is asked for, and what needs none. */
export function boundSteps({ limits: group = {}, ...options }: SandboxOptions): readonly Step[] {
  const { pids, ...others } = group;
  const { timeout, maxOutput = DEFAULT_BOUNDS.output, openFiles = "unlimited" } = options;
  const needsGroup = Object.keys(others).length > 0;
  return [
    ...(needsGroup ? [limits(group)] : []),
    bounds({
      ...(pids === undefined ? { pids: DEFAULT_BOUNDS.pids, degrade: true } : { pids }),
      ...(timeout !== undefined && { timeout }),
      output: maxOutput,
    }),
    ...(openFiles === "unlimited" ? [] : [rlimit("nofile", openFiles)]),
  ];
}

/** Where NixOS and Guix System have their programs. */
const STORE_PATH = "/run/current-system/sw/bin:/run/current-system/profile/bin";

/** What shows the machine, its memory and its keys. */
export const MASKED_FILES: readonly string[] = [
  "/proc/acpi",
  "/proc/asound",
  "/proc/interrupts",
  "/proc/kallsyms",
  "/proc/kcore",
  "/proc/keys",
  "/proc/kmsg",
  "/proc/kpagecgroup",
  "/proc/kpagecount",
  "/proc/kpageflags",
  "/proc/latency_stats",
  "/proc/pagetypeinfo",
  "/proc/sched_debug",
  "/proc/scsi",
  "/proc/slabinfo",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/proc/vmallocinfo",
  "/proc/vmcore",
];

/** What changes the machine. */
export const READ_ONLY_FILES: readonly string[] = [
  "/proc/bus",
  "/proc/driver",
  "/proc/dynamic_debug",
  "/proc/fs",
  "/proc/irq",
  "/proc/mtrr",
  "/proc/pressure",
  "/proc/sys",
  "/proc/sysrq-trigger",
];
