/**
 * A container for a program that nobody has to trust: every protection at once.
 *
 * @module
 */

import { DEFAULT_PATH } from "../recipe/default_path.ts";
import { isWithin, normalize } from "../recipe/path.ts";
import {
  absolutePath,
  invalidField,
  list,
  oneOf,
  optional,
  type Schema,
  variableName,
} from "../recipe/schema.ts";
import { type Recipe, recipe } from "./recipe.ts";
import { RecipeError } from "../recipe/errors.ts";
import type { BindStep } from "../recipe/steps/bind.ts";
import type { Step } from "../recipe/steps.ts";
import {
  bind,
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
} from "../recipe/steps/builders.ts";

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

/** A path of the host's that a sandbox can show. */
function hostPath(): Schema {
  const base = absolutePath();
  return {
    ...base,
    issue(value) {
      const issue = base.issue(value);
      if (issue !== undefined) return issue;
      const own = ["/proc", "/dev"].find((directory) =>
        isWithin(normalize(value as string), directory)
      );
      return own && `"${value}" cannot be the host's, as a sandbox has its own ${own}`;
    },
  };
}

function optionFields(): Readonly<Record<keyof SandboxOptions, Schema>> {
  const paths = optional(list(hostPath()));
  return {
    read: paths,
    write: paths,
    net: optional(oneOf(["none", "host"])),
    env: optional(list(variableName())),
  };
}

/**
 * Makes a recipe for a program that nobody has to trust. It runs as the same user, in namespaces of
 * its own, on a root of its own that cannot be changed: with the programs and libraries of the host
 * (/usr, /bin, /lib ...) and what `read` and `write` name, a minimal /dev, and empty /tmp and /run
 * that are gone with it. /proc shows its own processes only, and nothing of the machine that is
 * there to be changed.
 *
 * It has no capabilities and can gain none, cannot make user namespaces, and makes the system calls
 * only that ordinary programs make (`seccomp()`). It gets no environment but PATH, HOME, and what
 * `env` names; no terminal of the script's to control; and it is killed when the script ends.
 *
 * It is a recipe like others: `sandbox().steps` lists the steps, and `.with(...)` adds to them.
 *
 * @example
 * ```ts
 * import { sandbox } from "@ramekin/ramekin";
 *
 * const box = sandbox({ read: ["/etc/os-release"] });
 * const { stdout } = await box.command("sh", { args: ["-c", "ls /; cat /proc/net/dev"] }).output();
 * console.log(new TextDecoder().decode(stdout));
 * ```
 *
 * @throws {RecipeError} where an option is unknown, or a path does not begin with `/`
 */
export function sandbox(options: SandboxOptions = {}): Recipe {
  const wrong = invalidField({ ...options }, optionFields());
  if (wrong !== undefined) {
    throw new RecipeError(`sandbox, "${wrong.field}": ${wrong.issue}`);
  }
  const { read = [], write = [], net = "none", env = [] } = options;
  const asked = new Map<string, Access>();
  for (const path of read) asked.set(normalize(path), "read");
  for (const path of write) asked.set(normalize(path), "write");
  const usual = Object.entries({ PATH: DEFAULT_PATH, HOME: "/tmp" });
  return recipe(
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
  );
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
