/**
 * Attacks by recipes that need what no namespace holds, and are granted only files to read. The
 * script that runs them has a terminal, a key in the keyring of its session and a virtual socket.
 */

import {
  bind,
  capabilities,
  devices,
  type HostAccessKind,
  init,
  mapCurrentUser,
  mkdir,
  mount,
  newSession,
  noNewPrivileges,
  pivotRoot,
  type Recipe,
  recipe,
  seccomp,
  type Step,
  tmpfs,
  unshare,
} from "../../mod.ts";

const SYSTEM = ["/usr", "/bin", "/lib", "/lib64", "/sbin"];

/** Steps as a stranger may send them: all namespaces, a root of its own, no capabilities. */
export interface Stranger {
  /** Steps before the root is entered. */
  readonly root?: readonly Step[];
  /** Steps for the program. */
  readonly program?: readonly Step[];
}

/** Returns the recipe of a stranger. */
export function stranger({ root = [], program = [] }: Stranger): Recipe {
  return recipe(
    unshare("user", "mount", "pid", "net", "ipc", "uts", "cgroup"),
    mapCurrentUser(),
    tmpfs("/mnt"),
    ...SYSTEM.map((path) => bind(path, `/mnt${path}`, { readOnly: true, optional: true })),
    devices("/mnt/dev"),
    mkdir("/mnt/x"),
    ...root,
    pivotRoot("/mnt"),
    ...program,
    capabilities({ keep: [] }),
    noNewPrivileges(),
  );
}

/** The files that a stranger's recipe reads. */
export const READ: readonly string[] = stranger({}).needs()
  .flatMap((need) => need.kind === "read" ? [need.path] : []);

/** An attack of a recipe that is granted only {@linkcode READ}, and the steps that avoid it. */
export interface GateAttack {
  readonly name: string;
  readonly attack: string;
  /** The steps with which it succeeds, where all is granted. */
  readonly steps: Stranger;
  /** The need that it has then. */
  readonly need: HostAccessKind["kind"];
  /** The steps with which that is no need. */
  readonly held: Stranger;
  /** What the attack says then. */
  readonly says: RegExp;
  /** Whether its standard input is the script's, the terminal. */
  readonly atTerminal?: boolean;
}

/** The key in the keyring of the script's session. */
export const KEY = { description: "ramekin-test", payload: "pass word" } as const;

/** The port that the script's virtual socket listens on. */
export const PORT = 47_111;

/** An init that the program cannot trace. */
const TIED: readonly Step[] = [init(), unshare("user")];
const APART: readonly Step[] = [newSession(), ...TIED];

const GROUPS = mount("cgroup2", "/mnt/x", { type: "cgroup2" });

/** The attacks. A kernel, or a user, with which one cannot succeed says so in its output. */
export const GATE_ATTACKS: readonly GateAttack[] = [
  {
    name: "typing by the inherited terminal",
    attack: String.raw`my $typed = "x"; call("ioctl", 0, 0x5412, $typed)`,
    steps: { program: TIED },
    need: "terminal",
    held: { program: APART },
    says: /Operation not permitted/,
    atTerminal: true,
  },
  {
    name: "typing by /dev/tty",
    attack: String.raw`
      open(my $terminal, "+<", "/dev/tty") or die "/dev/tty: $!\n";
      my $typed = "x";
      call("ioctl", fileno($terminal), 0x5412, $typed);
    `,
    steps: { program: TIED },
    need: "terminal",
    held: { program: APART },
    says: /No such device/,
  },
  {
    name: "reading a key of the session",
    attack: String.raw`
      my ($type, $description, $bytes) = ("user", "${KEY.description}", "\0" x 64);
      my $key = call("keyctl", 10, -3, $type, $description, 0);
      my $size = syscall(number("keyctl"), 11, $key, $bytes, 64);
      substr($bytes, 0, $size) eq "${KEY.payload}" or die "it is another one\n";
    `,
    steps: { program: APART },
    need: "kernel",
    held: { program: [...APART, seccomp()] },
    says: /Operation not permitted/,
  },
  {
    // The port is in use only where these are the host's sockets.
    name: "the host's virtual sockets",
    attack: String.raw`
      my $socket = call("socket", 40, 1, 0);
      my $address = pack("SSLLx4", 40, 0, ${PORT}, 0xffffffff);
      exit 0 if syscall(number("bind"), $socket, $address, 16) == -1 && $!{EADDRINUSE};
      die "bind: $!\n";
    `,
    steps: { program: APART },
    need: "kernel",
    held: { program: [...APART, seccomp()] },
    says: /Address family not supported/,
  },
  {
    // Nothing is written: the kernel checks the permission when the file is opened.
    name: "ending the script's control group by a mount of a step",
    attack: String.raw`writable("/x/cgroup.procs")`,
    steps: { root: [GROUPS], program: APART },
    need: "namespace",
    held: { root: [{ ...GROUPS, options: "ro" }], program: APART },
    says: /Read-only file system|Permission denied/,
  },
  {
    name: "ending the script's control group by a mount of the program",
    attack: String.raw`
      call("unshare", 0x10000000 | 0x00020000 | 0x02000000);
      my ($type, $path) = ("cgroup2", "/x");
      call("mount", $type, $path, $type, 0, 0);
      writable("/x/cgroup.procs");
    `,
    steps: { program: [newSession()] },
    need: "kernel",
    held: { program: [...APART, seccomp()] },
    says: /Operation not permitted/,
  },
];
