/**
 * The steps of a container for an untrusted program: every protection at once.
 *
 * @module
 */

import { DEFAULT_PATH } from "./default_path.ts";
import { RecipeError } from "./errors.ts";
import { isWithin, normalize } from "./path.ts";
import {
  absolutePath,
  invalidField,
  lazy,
  list,
  oneOf,
  optional,
  type Schemas,
  variableName,
} from "./schema.ts";
import { quoted } from "./shown.ts";
import type { Step } from "./steps.ts";
import { bind, type BindStep } from "./steps/bind.ts";
import {
  capabilities,
  clearEnv,
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
} from "./steps/builders.ts";

/**
 * What a sandbox is given of the host. Paths are followed over links on the host, but for those
 * within a directory that the same sandbox may write to.
 */
export interface SandboxOptions {
  /**
   * Files and directories that are seen at their own places, and can be read and executed. With `/` all
   * are, but for /sys and what a sandbox has of its own: /dev, /proc, /run and /tmp.
   *
   * Who serves a socket or a named pipe among them can be talked to, though the file itself cannot
   * be changed: read-only mounts are about files alone.
   */
  readonly read?: readonly string[];
  /** Files and directories that are seen at their own places, and can be changed too. */
  readonly write?: readonly string[];
  /**
   * The network: the host's, or none but a loopback interface of its own. The host's unix sockets
   * with abstract names are out of reach with it too, from Linux 6.12 on.
   *
   * @default {"none"}
   */
  readonly net?: "none" | "host";
  /** Variables of the script's environment that the program gets, where they are set. */
  readonly env?: readonly string[];
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
    net: optional(oneOf(["none", "host"])),
    env: optional(list(variableName())),
  };
});

/**
 * Returns the steps of a sandbox, in their order.
 *
 * @throws {RecipeError} where an option is unknown, or a path does not begin with `/`
 */
export function sandboxSteps(options: SandboxOptions = {}): readonly Step[] {
  const wrong = invalidField({ ...options }, optionFields());
  if (wrong !== undefined) {
    throw new RecipeError(`sandbox, "${wrong.field}": ${wrong.issue}`);
  }
  const { read = [], write = [], net = "none", env = [] } = options;
  const asked = new Map<string, Access>();
  for (const path of read) asked.set(normalize(path), "read");
  for (const path of write) asked.set(normalize(path), "write");
  const usual = Object.entries({ PATH: DEFAULT_PATH, HOME: "/tmp" });
  return [
    unshare("user", "mount", "pid", "uts", "ipc", "cgroup"),
    ...(net === "none" ? [unshare("net")] : []),
    mapCurrentUser(),
    ...(net === "none" ? [loopback()] : []),
    hostname("sandbox"),
    ...newRoot(asked, net),
    // One user namespace more may be made, and the program goes on in it: so it can make none, and
    // has no rights over the mounts and the network.
    sysctl({ "user.max_user_namespaces": 1 }),
    maskPaths(...MASKED),
    readonlyPaths(...READ_ONLY),
    newSession(),
    init(),
    unshare("user"),
    mapCurrentUser(),
    capabilities({ keep: [] }),
    noNewPrivileges(),
    // The host's network has its abstract unix sockets too: a desktop's, a bus's.
    ...(net === "host" ? [landlock({ isolate: ["abstractSockets"], degrade: true })] : []),
    seccomp(),
    clearEnv({ keep: env }),
    setEnv(Object.fromEntries(usual.filter(([name]) => !env.includes(name)))),
  ];
}

/** What may be done with a file of the host's. */
type Access = "read" | "write";

/** Where the new root is put together: at the one place of the host that no sandbox shows. */
const ROOT = "/proc";

/** Directories that begin empty and are gone with the sandbox. */
const TEMPORARY = ["/tmp", "/run"];

function newRoot(asked: ReadonlyMap<string, Access>, net: "none" | "host"): Step[] {
  const whole = asked.get("/");
  // Directories before what lies in them, so that nothing is covered.
  const others = [...asked].filter(([path]) => path !== "/").sort(([a], [b]) => a < b ? -1 : 1);
  return [
    ...(whole === undefined ? smallRoot(net) : [shown("/", whole)]),
    tmpfs(`${ROOT}/tmp`),
    tmpfs(`${ROOT}/run`, { mode: 0o755 }),
    devices(`${ROOT}/dev`),
    ...others.map(([path, access], index) => among(others.slice(0, index), path, access, whole)),
    proc(`${ROOT}/proc`),
    pivotRoot(ROOT),
    whole === undefined ? remount("/", "ro,nosuid,nodev") : maskPaths("/sys"),
  ];
}

/**
 * What lies in a directory that a program may write to is no longer what it was: a link to any file of
 * the host's may be in its place. So it is looked for in the new root, where that directory is shown
 * already, and where nothing leads out.
 */
function among(
  before: readonly (readonly [string, Access])[],
  path: string,
  access: Access,
  whole: Access | undefined,
): Step {
  const around = before.filter(([directory]) => isWithin(path, directory)).map(([, access]) =>
    access
  );
  if (whole !== undefined && !TEMPORARY.some((directory) => isWithin(path, directory))) {
    around.unshift(whole);
  }
  if (!around.includes("write")) return shown(path, access);
  if (access === "write" && around.at(-1) === "read") {
    throw new RecipeError(
      `sandbox, "write": ${path} lies in a directory to be read, and that in one to be written; ` +
        "name either the two inner ones alone, or the outer one",
    );
  }
  return { ...shown(path, access), source: ROOT + path };
}

/** A root with nothing but what programs need. */
function smallRoot(net: "none" | "host"): Step[] {
  const system = net === "host" ? [...SYSTEM, ...NETWORK_FILES] : SYSTEM;
  return [
    tmpfs(ROOT, { mode: 0o755 }),
    mkdir(`${ROOT}/var`),
    symlink("/tmp", `${ROOT}/var/tmp`),
    ...system.map((path) => shown(path, "read", true)),
  ];
}

function shown(path: string, access: Access, optional = false): BindStep {
  return bind(path, normalize(ROOT + path), {
    readOnly: access === "read",
    optional,
    restrict: ["nosuid", "nodev"],
  });
}

/** Programs and libraries, and those files of /etc that they cannot do without. */
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

/** How names are resolved and certificates are checked. */
const NETWORK_FILES = [
  "/etc/ca-certificates",
  "/etc/gai.conf",
  "/etc/hosts",
  "/etc/pki",
  "/etc/protocols",
  "/etc/resolv.conf",
  "/etc/services",
  "/etc/ssl",
];

/** What tells of the machine, its memory and its keys. */
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
