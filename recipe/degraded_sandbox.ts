/**
 * The steps of a sandbox without namespaces, for machines that refuse them: Landlock holds the files,
 * and a filter of system calls the network. What the two cannot hold is refused.
 *
 * @module
 */

import { SCOPES_SINCE } from "./landlock_rights.ts";
import { isWithin, normalize } from "./path.ts";
import { boundSteps, checkOptions, environmentSteps, type SandboxOptions } from "./sandbox.ts";
import { type ShownFiles, shownFiles } from "./sandbox_files.ts";
import {
  capabilities,
  chdir,
  landlock,
  newSession,
  noNewPrivileges,
  seccomp,
} from "./steps/builders.ts";
import type { Step } from "./steps.ts";
import { SYSTEM_FILES, systemNetworkFiles } from "./system_files.ts";
import { optionError } from "./sandbox_option.ts";

/**
 * Returns the steps.
 *
 * @throws {RecipeError} where an option is unknown, or cannot be held without namespaces
 */
export function degradedSteps(options: SandboxOptions = {}): readonly Step[] {
  checkOptions(options);
  const { net = "none", architectures = [] } = options;
  const asked = shownFiles(options);
  refuseUnheld(options, asked);
  const written = [...asked.values()].filter(({ access }) => access === "write")
    .map(({ path }) => path);
  const system = net === "host" ? [...SYSTEM_FILES, ...systemNetworkFiles()] : SYSTEM_FILES;
  return [
    newSession(),
    ...boundSteps(options),
    capabilities({ permitted: [] }),
    noNewPrivileges(),
    landlock({
      execute: [...asked.keys()],
      write: [...written, ...WRITABLE_DEVICES],
      // What a pattern stands for may have passwords in it, which a mount would hide.
      public: [
        ...system.filter((path) => !path.includes("*")).map((path) => `/${path}`),
        ...DEVICES,
        "/proc",
      ],
      ...(asked.has("/") && { except: OWN }),
      untrusted: true,
    }),
    ...denials(options),
    landlock({ isolate: ["abstractSockets", "signals"], degrade: true }),
    seccomp({ deny: denied(options, written), ...(architectures.length > 0 && { architectures }) }),
    // No other user can make this directory.
    ...environmentSteps(options, "/nonexistent"),
    chdir(options.cwd ?? "/"),
  ];
}

/** What a sandbox has of its own, if it is shown all files; without namespaces it has none of it. */
const OWN = ["/dev", "/proc", "/run", "/sys", "/tmp"];

/** Devices that are the same for all, and the terminal of its own session, if it has one. */
const WRITABLE_DEVICES = ["/dev/null", "/dev/zero", "/dev/full", "/dev/tty"];
const DEVICES = [...WRITABLE_DEVICES, "/dev/random", "/dev/urandom"];

/** Rules beside those of what is shown: what is used has to be allowed by both. */
function denials({ denyRead = [], denyWrite = [] }: SandboxOptions): readonly Step[] {
  if (denyRead.length + denyWrite.length === 0) return [];
  if ([...denyRead, ...denyWrite].some((path) => normalize(path) === "/")) {
    throw optionError("denyRead", "the root itself cannot be denied; leave out what shows it");
  }
  const rules = { execute: ["/"], write: ["/"], except: denyRead, exceptWrite: denyWrite };
  return [landlock(rules)];
}

/** What the filter denies. */
function denied(
  { net = "none", setuidFiles = false }: SandboxOptions,
  written: readonly string[],
): readonly string[] {
  return [
    ...(setuidFiles ? [] : ["@setuid-files"]),
    // By the path of a socket Landlock lets everybody connect.
    "@unix-sockets",
    ...(net === "host" ? [] : ["socket"]),
    // A program that writes its own files sets their modes, too.
    ...(written.length === 0 ? ["@attributes"] : []),
    "@subvolumes",
    "@ipc",
    "@limits-of-others",
  ];
}

/** What is about files and names of a sandbox's own. */
const OWN_OPTIONS = [
  "bind",
  "overlay",
  "tmpfs",
  "root",
  "hostname",
  "tmp",
  "shm",
  "devices",
  "gpus",
] as const;

/** Refuses what neither Landlock nor a filter holds. */
function refuseUnheld(options: SandboxOptions, asked: ShownFiles): void {
  const [name, reason] = unheld(options, asked) ?? [];
  if (name === undefined) return;
  throw optionError(
    name,
    `this machine refuses user namespaces, and without them ${reason}`,
  );
}

function unheld(
  options: SandboxOptions,
  asked: ShownFiles,
): readonly [name: keyof SandboxOptions, reason: string] | undefined {
  const { write = [], protect = true } = options;
  if (options.changes !== undefined) {
    return ["changes", "each change is made at once, and cannot be held"];
  }
  if (write.length > 0 && protect !== false && (protect === true || protect.length > 0)) {
    return [
      "protect",
      `no file in ${
        write[0]
      } stays read-only; with false (--no-protect) the program can change what ` +
      "is run or trusted later, such as .git/hooks and .bashrc",
    ];
  }
  const inner = [...asked.values()].find(({ path, access }) =>
    access === "read" && write.some((outer) => isWithin(path, normalize(outer)))
  );
  if (inner !== undefined) {
    return ["read", `${inner.path} does not stay read-only in what "write" names`];
  }
  if (options.unixSockets === true) {
    return [
      "unixSockets",
      "the program would reach every unix socket of the machine (-A asks for them, too)",
    ];
  }
  if (typeof options.net === "object") return ["net", "nothing holds a program to some hosts"];
  if (options.nest === true) return ["nest", "the program can make none either"];
  if (options.dropGroups === true) return ["dropGroups", "an ordinary user's groups stay"];
  const own = OWN_OPTIONS.find((option) => options[option] !== undefined);
  return own && [own, "it has nothing of the kind of its own"];
}

/**
 * Returns in short what is not held, for whoever runs it.
 *
 * @param landlockVersion the version of the kernel's Landlock
 */
export function lacksOf(
  { write = [] }: SandboxOptions,
  landlockVersion: number,
): readonly string[] {
  return [
    "it sees all processes, and their arguments",
    ...(landlockVersion < SCOPES_SINCE ? ["it can send signals to processes of this user"] : []),
    "it can ask for the names, sizes and times of all files (stat)",
    ...(write.length > 0
      ? ["it can change modes, times and attributes of all files of this user"]
      : []),
    "what it leaves running goes on",
    "it has no /tmp, no hostname and no loopback of its own",
  ];
}
