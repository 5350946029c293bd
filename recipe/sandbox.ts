/**
 * The steps of a container for an untrusted program: every protection at once.
 *
 * @module
 */

import { DEFAULT_PATH } from "./default_path.ts";
import { RecipeError } from "./errors.ts";
import { CERTIFICATES, loopbackHosts, NETWORK_FILES } from "./network_files.ts";
import { isWithin, normalize, parentOf } from "./path.ts";
import {
  absolutePath,
  boolean,
  either,
  invalidField,
  lazy,
  list,
  oneOf,
  optional,
  type Schemas,
} from "./schema.ts";
import { protectedFiles } from "./protected_files.ts";
import { type SeccompArchitecture, seccompArchitectures } from "./seccomp_profile.ts";
import { quoted } from "./shown.ts";
import type { Step } from "./steps.ts";
import { protectedName } from "./steps/protect.ts";
import { bind, type BindOptions, type BindStep } from "./steps/bind.ts";
import {
  capabilities,
  clearEnv,
  denyFiles,
  devices,
  hostname,
  init,
  landlock,
  loopback,
  mapCurrentUser,
  maskPaths,
  mkdir,
  newSession,
  noNewPrivileges,
  pivotRoot,
  proc,
  readonlyPaths,
  remount,
  seccomp,
  setEnv,
  symlink,
  sysctl,
  tmpfs,
  unshare,
  writeFile,
} from "./steps/builders.ts";
import { tmpfsSize } from "./steps/mounts.ts";
import { includesVariable, variablePattern } from "./variable_pattern.ts";

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
  /** Files and directories that appear at their own paths, and can be changed too. */
  readonly write?: readonly string[];
  /**
   * Files and directories that are hidden, whatever `read` and `write` say, also by another name that
   * shows them. A file appears empty, and a directory too. See `denyFiles()`.
   */
  readonly denyRead?: readonly string[];
  /** Files and directories that stay read-only, whatever `write` says. See `denyFiles()`. */
  readonly denyWrite?: readonly string[];
  /**
   * The network: the host's, or nothing but a loopback interface. With `unixSockets`,
   * those of the host with abstract names are out of reach even with its network, from Linux 6.12 on.
   *
   * @default {"none"}
   */
  readonly net?: "none" | "host";
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
  /**
   * The size of /tmp, as `tmpfs()` takes it. It holds 400,000 files at most.
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
}

/** What each of the options may be. */
const optionFields = lazy((): Schemas<SandboxOptions> => {
  const paths = optional(list(absolutePath((path) => {
    const own = ["/proc", "/dev"].find((directory) => isWithin(normalize(path), directory));
    return own && `${quoted(path)} cannot be the host's, as a sandbox has its own ${own}`;
  })));
  return {
    read: paths,
    write: paths,
    denyRead: paths,
    denyWrite: paths,
    net: optional(oneOf(["none", "host"])),
    env: optional(list(variablePattern())),
    protect: optional(either(boolean(), list(protectedName()))),
    unixSockets: optional(boolean()),
    setuidFiles: optional(boolean()),
    architectures: optional(seccompArchitectures()),
    tmp: optional(tmpfsSize()),
    shm: optional(tmpfsSize()),
  };
});

/**
 * Returns the steps of a sandbox, in their order.
 *
 * @throws {RecipeError} where an option is unknown, or a path does not begin with `/`
 */
export function sandboxSteps(options: SandboxOptions = {}): readonly Step[] {
  const invalid = invalidField({ ...options }, optionFields());
  if (invalid !== undefined) {
    throw new RecipeError(`sandbox, "${invalid.field}": ${invalid.issue}`);
  }
  const { read = [], write = [], net = "none", env = [], architectures = [] } = options;
  const asked = new Map<string, Access>();
  for (const path of read) asked.set(normalize(path), "read");
  for (const path of write) asked.set(normalize(path), "write");
  const { setuidFiles = false, unixSockets = asked.size === 0 && net === "none" } = options;
  const denied = [
    ...(setuidFiles ? [] : ["@setuid-files"]),
    ...(unixSockets ? [] : ["@unix-sockets"]),
  ];
  const usual = Object.entries({ PATH: DEFAULT_PATH, HOME: "/tmp", LANG: "C.UTF-8" });
  return [
    unshare("user", "mount", "pid", "uts", "ipc", "cgroup"),
    ...(net === "none" ? [unshare("net")] : []),
    mapCurrentUser(),
    ...(net === "none" ? [loopback()] : []),
    hostname(HOSTNAME),
    ...newRoot(asked, net, options),
    // One more user namespace can be made, and the program runs in that one: it can make no other,
    // and has no capabilities over the mounts and the network.
    sysctl({ "user.max_user_namespaces": 1 }),
    maskPaths(...MASKED),
    readonlyPaths(...READ_ONLY),
    newSession(),
    init(),
    unshare("user"),
    mapCurrentUser(),
    capabilities({ keep: [] }),
    noNewPrivileges(),
    // The host's network has the host's abstract unix sockets: of a desktop, of a bus.
    ...(net === "host" ? [landlock({ isolate: ["abstractSockets"], degrade: true })] : []),
    seccomp({ deny: denied, ...(architectures.length > 0 && { architectures }) }),
    clearEnv({ keep: env }),
    setEnv(Object.fromEntries(usual.filter(([name]) => !includesVariable(env, name)))),
  ];
}

/** What a program may do with a file of the host's. */
type Access = "read" | "write";

const HOSTNAME = "sandbox";

/** Where the new root is put together: the one place of the host that no sandbox shows. */
const ROOT = "/proc";

/** Directories that are empty at first and end with the sandbox. */
const TEMPORARY = ["/tmp", "/run"];

function newRoot(
  asked: ReadonlyMap<string, Access>,
  net: "none" | "host",
  { denyRead = [], denyWrite = [], protect, tmp = "25%", shm }: SandboxOptions,
): readonly Step[] {
  const whole = asked.get("/");
  // A directory comes before what is in it, so that nothing is covered.
  const paths = [...asked.keys()].filter((path) => path !== "/").sort();
  return [
    ...(whole === undefined ? smallRoot(net, paths) : [grantedFile("/", whole)]),
    tmpfs(`${ROOT}/tmp`, { size: tmp, options: "nr_inodes=400k" }),
    tmpfs(`${ROOT}/run`, { size: "16m", mode: 0o755, options: "nr_inodes=16k" }),
    devices(`${ROOT}/dev`, { ...(shm !== undefined && { shm }) }),
    ...paths.map((path) => askedFile(path, asked)),
    ...protectedFiles(
      writtenIn(asked),
      (path) => accessAround(path, asked).includes("write"),
      protect,
    ),
    ...(denyRead.length + denyWrite.length === 0
      ? []
      : [denyFiles({ read: denyRead, write: denyWrite })]),
    proc(`${ROOT}/proc`),
    pivotRoot(ROOT),
    whole === undefined ? remount("/", "ro,nosuid,nodev") : maskPaths("/sys"),
  ];
}

/**
 * Shows what was asked for. In a directory that a program may write to, an earlier program may have
 * put a link to any file of the host. Such a path is looked up in the new root, where that
 * directory is mounted already and no link leads out.
 */
function askedFile(path: string, asked: ReadonlyMap<string, Access>): Step {
  const access = asked.get(path)!;
  const around = accessAround(path, asked);
  if (!around.includes("write")) return grantedFile(path, access);
  if (access === "write" && around[0] === "read") {
    throw new RecipeError(
      `sandbox, "write": ${path} is in a directory to be read, and that is in one to be written; ` +
        "name either the two inner ones alone, or the outer one",
    );
  }
  return { ...grantedFile(path, access), source: ROOT + path };
}

/** Returns the access to each directory around the path that was asked for, the innermost first. */
function accessAround(path: string, asked: ReadonlyMap<string, Access>): readonly Access[] {
  const around: Access[] = [];
  for (let at = parentOf(path); at !== "/"; at = parentOf(at)) {
    const access = asked.get(at);
    if (access !== undefined) around.push(access);
  }
  const whole = asked.get("/");
  if (
    whole === undefined || path === "/" || TEMPORARY.some((directory) => isWithin(path, directory))
  ) {
    return around;
  }
  return [...around, whole];
}

/** Returns the directories to be written, and where each is while the new root is put together. */
function writtenIn(asked: ReadonlyMap<string, Access>): ReadonlyMap<string, string> {
  const written = [...asked].filter(([, access]) => access === "write").map(([path]) => path);
  return new Map(written.sort().map((path) => [path, path === "/" ? ROOT : ROOT + path]));
}

/** A root with nothing but what programs need. */
function smallRoot(net: "none" | "host", asked: readonly string[]): readonly Step[] {
  const system = [...SYSTEM, ...CERTIFICATES, ...(net === "host" ? NETWORK_FILES : [])];
  // What is asked for comes later, and would cover these.
  const others = system.filter((path) => !asked.some((directory) => isWithin(path, directory)));
  return [
    tmpfs(ROOT, { mode: 0o755 }),
    mkdir(`${ROOT}/var`),
    // A mount on a link would be one on /tmp.
    ...(asked.some((directory) => isWithin(directory, "/var/tmp"))
      ? []
      : [symlink("/tmp", `${ROOT}/var/tmp`)]),
    ...others.map((path) => hostFile(path, { readOnly: true, optional: true })),
    ...(net === "none" && !asked.some((directory) => isWithin("/etc/hosts", directory))
      ? [mkdir(`${ROOT}/etc`), writeFile(`${ROOT}/etc/hosts`, loopbackHosts(HOSTNAME))]
      : []),
  ];
}

function grantedFile(path: string, access: Access): BindStep {
  return hostFile(path, { readOnly: access === "read", untrusted: true });
}

function hostFile(path: string, options: BindOptions): BindStep {
  const target = path === "/" ? ROOT : ROOT + path;
  return bind(path, target, { ...options, restrict: ["nosuid", "nodev"] });
}

/** Programs and libraries, and the files of /etc that they cannot run without. */
const SYSTEM = [
  "/usr",
  "/bin",
  "/sbin",
  "/lib",
  "/lib32",
  "/lib64",
  "/etc/alternatives",
  "/etc/group",
  "/etc/ld.so.cache",
  "/etc/localtime",
  "/etc/nsswitch.conf",
  "/etc/passwd",
];

/** What shows the machine, its memory and its keys. */
const MASKED = [
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
const READ_ONLY = [
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
