/**
 * Words of docker, podman, bwrap, unshare and Deno, and what there is in their place here.
 *
 * @module
 */

const STARTS = "ramekin run RECIPE starts a container, each time anew";
const ENDS = "ramekin stop ends a container";
const GONE = "a container leaves nothing when it has ended";
const LIVE = "a script has it, as a member of its container: docs/running.md";

/** What is in the place of other tools' subcommands. */
export const PEER_SUBCOMMANDS: ReadonlyMap<string, string> = new Map([
  ["attach", "ramekin enter runs a program in a running container"],
  ["bash", "a program comes after --: ramekin sandbox -- bash"],
  ["container", "ramekin ps lists the containers that run"],
  ["create", STARTS],
  ["down", ENDS],
  ["exec", "ramekin enter runs a program in a running container"],
  ["history", "ramekin plan shows each step of a recipe"],
  ["image", "ramekin images lists the images in the store"],
  ["info", "ramekin check shows what this machine can do"],
  ["install", "ramekin pull gets an image"],
  ["kill", ENDS],
  ["list", "ramekin ps lists containers, and ramekin ls namespaces"],
  [
    "login",
    "docker login, podman login and skopeo login leave what ramekin pull reads: docs/images.md",
  ],
  ["ns", "ramekin ls lists namespaces"],
  ["pause", LIVE],
  ["prune", "ramekin images --prune removes what no image uses"],
  ["restart", STARTS],
  ["sh", "a program comes after --: ramekin sandbox -- sh"],
  ["shell", "ramekin sandbox, without a program, runs your shell"],
  ["start", STARTS],
  ["test", "ramekin plan shows what a recipe would do, and ramekin check what this machine can"],
  ["top", "ramekin enter NAME -- top"],
  ["unit", "ramekin export systemd RECIPE writes a service of systemd"],
  ["unpause", LIVE],
  ["up", STARTS],
  ["update", LIVE],
  ["validate", "ramekin plan shows what is wrong with a recipe, without running it"],
  ["version", "ramekin --version"],
]);

/** Flags of other tools that have one thing in their place. */
interface PeerFlag {
  /** Its names, without dashes. */
  readonly names: readonly string[];
  /** What the flags of a sandbox have for it. */
  readonly sandbox?: string;
  /** What the flags of an image have for it. */
  readonly image?: string;
  /** What a recipe has for it. */
  readonly recipe?: string;
  /** What holds for any subcommand that runs a program. */
  readonly always?: string;
}

/** What is in the place of the flags of other tools. */
export const PEER_FLAGS: readonly PeerFlag[] = [
  {
    names: ["ro-bind", "ro-bind-try", "ro-bind-data"],
    sandbox: "--allow-read=PATH shows a file or directory, --bind=PATH:TARGET:ro at another path",
    recipe: "in a recipe it is the step bind, with readOnly",
  },
  {
    names: ["bind", "bind-try", "bind-data", "dev-bind", "dev-bind-try"],
    sandbox:
      "--allow-write=PATH shows a file or directory that may be changed, --bind=PATH:TARGET " +
      "at another path",
    recipe: "in a recipe it is the step bind",
  },
  {
    names: ["v", "volume", "mount", "volumes-from"],
    sandbox: "--allow-read=PATH shows a file or directory, --allow-write=PATH lets it be changed",
    recipe: "in a recipe it is one of the steps bind and mount",
  },
  {
    names: ["read-only", "remount-ro"],
    sandbox: "only what --allow-write=PATH names can be changed",
    recipe: "in a recipe it is the step remount, or bind with readOnly",
  },
  {
    names: ["overlay", "overlay-src", "tmp-overlay", "ro-overlay"],
    sandbox: "--overlay=PATHS shows directories whose changes are thrown away",
    recipe: "in a recipe it is the step overlay",
  },
  {
    names: ["tmpfs", "shm-size"],
    sandbox:
      "a sandbox has a /tmp and a /dev/shm of its own; --tmp-size and --shm-size size them, " +
      "and --tmpfs=PATHS makes further ones",
    recipe: "in a recipe it is the step tmpfs",
  },
  {
    names: ["proc", "mount-proc", "dev", "mqueue"],
    sandbox: "a sandbox has its own /proc and /dev",
    recipe: "in a recipe it is one of the steps proc, devices and mqueue",
  },
  {
    names: ["dir", "symlink", "file", "chmod"],
    sandbox: "a recipe has it: the steps mkdir, symlink and writeFile",
    recipe: "in a recipe it is one of the steps mkdir, symlink and writeFile",
  },
  {
    names: ["device", "gpus"],
    sandbox: "--allow-device=DEVICES and --gpus=all let devices be used",
    recipe: "in a recipe it is the step devices, with extra or gpus",
  },
  {
    names: ["network", "unshare-net", "share-net", "dns", "add-host"],
    sandbox: "a sandbox has no network without --allow-net",
    image: "it has no network without --allow-net, and this machine's with it",
    recipe: 'in a recipe it is the step unshare with the kind "net", before those for the network',
  },
  {
    names: ["p", "publish", "expose"],
    sandbox: "a program is reached from outside with --allow-net, without hosts",
    image: "its ports are this machine's with --allow-net, and reached by nobody without",
    recipe: "in a recipe it is the step publish",
  },
  {
    names: [
      ...["unshare-all", "unshare-user", "unshare-user-try", "unshare-pid", "unshare-ipc"],
      ...["unshare-uts", "unshare-cgroup", "unshare-cgroup-try", "unshare-mount"],
      ...["pid", "ipc", "uts", "user-ns", "userns", "cgroupns", "time", "fork"],
    ],
    sandbox: "a sandbox has namespaces of its own, without a flag",
    recipe: "in a recipe it is the step unshare, or join for those of a process",
  },
  {
    names: ["map-root-user", "map-current-user", "map-user", "map-group", "map-auto", "uidmap"],
    sandbox: "the program runs as you",
    recipe: "in a recipe it is the step mapRoot, mapCurrentUser or mapIds",
  },
  {
    names: ["u", "user", "uid", "gid", "group-add", "setuid", "setgid"],
    sandbox: "the program runs as you",
    recipe: "in a recipe it is the step setUser, or mapIds",
  },
  {
    names: ["e", "env", "env-file", "unsetenv", "clearenv"],
    sandbox: "--allow-env=NAME passes a variable, and --setenv=NAME=VALUE sets one",
    recipe: "in a recipe it is one of the steps setEnv and clearEnv",
  },
  {
    names: ["w", "workdir", "chdir", "wd"],
    sandbox: "a program begins in the working directory, if that is shown, or in --cwd=PATH",
    recipe: "in a recipe it is the step chdir",
  },
  {
    names: ["domainname"],
    sandbox: "--hostname=NAME sets the name; a recipe has the step domainname",
    recipe: "in a recipe it is one of the steps hostname and domainname",
  },
  {
    names: ["cap-add", "cap-drop", "privileged", "keep-caps"],
    sandbox: "the program has no capabilities; a recipe chooses them: the step capabilities",
    recipe: "in a recipe it is the step capabilities",
  },
  {
    names: ["seccomp", "add-seccomp-fd", "security-opt", "disable-userns"],
    sandbox: "a sandbox has a filter of system calls, and can make no namespaces",
    recipe: "in a recipe it is one of the steps seccomp, noNewPrivileges and disableUserNamespaces",
  },
  {
    names: ["m", "memory", "memory-swap", "cpus", "cpu-shares", "cpuset-cpus", "pids-limit"],
    sandbox: "--memory, --swap, --cpus and --pids limit it; a recipe has the step limits",
    recipe: "in a recipe it is the step limits",
  },
  {
    names: ["ulimit"],
    sandbox: "--open-files limits files; else the limits of your shell hold for it: ulimit -c 0",
    recipe: "in a recipe it is the step rlimit",
  },
  {
    names: ["sysctl"],
    sandbox: "a recipe has it: the step sysctl",
    recipe: "in a recipe it is the step sysctl",
  },
  {
    names: ["new-session", "die-with-parent", "as-pid-1", "init", "kill-child"],
    sandbox: "a sandbox has that without a flag",
    recipe: "in a recipe it is one of the steps newSession, dieWithParent and init",
  },
  { names: ["root"], recipe: "in a recipe it is the step pivotRoot or chroot" },
  { names: ["args"], always: "flags come from the command line alone; a recipe is a file" },
  { names: ["rm"], always: GONE },
  {
    names: ["i", "t", "it", "ti", "interactive", "tty"],
    always: "a program that is started at a terminal has one, without a flag",
  },
  {
    names: ["log-driver", "log-opt", "stop-timeout", "stop-signal"],
    always: "ramekin logs and ramekin stop have it: docs/running.md",
  },
  { names: ["entrypoint"], always: "a program comes after --" },
  {
    names: ["allow-ffi", "allow-import", "allow-hrtime", "allow-scripts", "no-prompt"],
    always: "it is a flag of deno, which stands before the file of ramekin",
  },
  {
    names: ["allow-run", "allow-sys", "deny-run", "deny-sys", "deny-ffi", "deny-import"],
    sandbox: "the program may start what it sees, and has no access to the machine",
    recipe: "what is not allowed is denied",
  },
];

/** Which flags and steps a subcommand has in place of other tools' flags. */
export type PeerPlace = "sandbox" | "image" | "recipe" | "container";

/** Returns what there is here in the place of a flag of another tool, given without its dashes. */
export function peerFlag(name: string, place: PeerPlace): string | undefined {
  const found = PEER_FLAGS.find(({ names }) => names.includes(name));
  if (found === undefined) return undefined;
  return found.always ?? (place === "container" ? undefined : found[place]);
}
