/**
 * Every subcommand and its flags: the one table from which the help, the completions and the parser
 * of the command line are made.
 *
 * @module
 */

import {
  ALLOW_ALL,
  DENIAL_FLAGS,
  NARROW_PROGRAMS,
  NEST,
  PERMISSION_FLAGS,
  SETUID_FILES,
  UNIX_SOCKETS,
  WEAKER_PROC,
} from "./permission_flags.ts";
import { AUDIT } from "./audit.ts";
import { DEGRADE, QUIET } from "./degrade.ts";
import { DETACH_FLAGS } from "./detach_flags.ts";
import {
  IMAGE_RUN_FLAGS,
  PROGRAM_FLAGS,
  PULL_FLAGS,
  REGISTRY_FLAGS,
  REPORT_FLAGS,
  VERIFY_KEY,
} from "./image_flags.ts";
import { FILE_FLAGS } from "./file_flags.ts";
import { LIMIT_FLAGS } from "./limit_flags.ts";
import { LEAVE_OUT } from "./leave_out.ts";
import { settingOf } from "./setting.ts";
import { signalOf } from "./signal_word.ts";
import { STATUS_FD } from "./status_fd.ts";
import { bytesOf, countOf, millisecondsOf } from "./units.ts";
import { VERBOSE } from "./verbose.ts";
import type { Flag, Subcommand } from "./usage.ts";

const JSON_FLAG: Flag = { name: "json", summary: "write JSON" };

const RECIPE = { name: "RECIPE", completes: "file" } as const;

const DETACHED = { name: "NAME", completes: "container" } as const;

const IMAGE = { name: "IMAGE", completes: "image" } as const;

/** The command line of another tool, as one word. */
const COMMAND_LINE = { name: "COMMAND", optional: true, completes: [] } as const;

const AS_SCRIPT: Flag = { name: "ts", summary: "write a script in place of YAML" };

const RECIPE_JSON: Flag = {
  ...JSON_FLAG,
  summary: "write the steps, the program and what is left out as JSON",
};

const LEFT_OUT = "What no recipe says is told, on the standard error and in the recipe; the exit " +
  "status is 1 then.";

const SET: Flag = {
  name: "set",
  value: "NAME=VALUE",
  repeated: true,
  check: settingOf,
  summary: "set a variable of the recipe, with its value as in YAML",
};

const PROTECT: Flag = {
  name: "protect",
  value: "NAMES",
  repeated: true,
  summary: "files that also stay as they are: deploy.sh, .config/tool",
};

const PROGRAM = "The program is your shell (SHELL, else sh) if none is given.";

const STREAM = "A recipe in YAML that comes by the standard input is -.";

const STATUS =
  "The exit status is the program's: 128 plus the signal's number if a signal has ended it; " +
  "127 if the program does not exist, 126 if it cannot be started, 125 if ramekin fails, 124 if " +
  "its time was over.";

const RUNS_ON =
  "With -d, the program runs on by itself, with an empty standard input, and the name " +
  "of its container is written once it runs. A process beside it, its supervisor, keeps its log and " +
  "its status until ramekin rm NAME; it ends when the program does.";

/** A flag that is known to be refused, with the reason. */
function hidden(flag: Flag): Flag {
  return { ...flag, hidden: true };
}

/** The flags by which a sandbox is told what it shows. */
const SANDBOX_FLAGS: readonly Flag[] = [
  PERMISSION_FLAGS.read,
  PERMISSION_FLAGS.write,
  PERMISSION_FLAGS.net,
  PERMISSION_FLAGS.env,
  PROTECT,
  { name: "no-protect", summary: "let it change those that are run or trusted later, too" },
  ...FILE_FLAGS,
  {
    name: "cwd",
    value: "PATH",
    completes: "file",
    summary: "its working directory, which is this one if that is shown",
  },
  {
    name: "setenv",
    value: "NAME=VALUE",
    repeated: true,
    summary: "set a variable of its environment",
  },
  { name: "hostname", value: "NAME", summary: "its hostname, which is sandbox" },
  ...LIMIT_FLAGS,
  UNIX_SOCKETS,
  SETUID_FILES,
  NARROW_PROGRAMS,
  WEAKER_PROC,
  {
    ...ALLOW_ALL,
    summary:
      "show it all files, the network and the environment, and lift --unix-sockets and --setuid-files",
  },
];

/** What is in the place of flags for what a program may read, as `learn` finds that out. */
const LEARNS_READS = Object.fromEntries(
  ["allow-read", "R", "allow-all", "A"].map((flag) => [
    flag,
    "it may read all that you may while it is learnt, but for secrets; --deny-read hides more",
  ]),
);

/** The flags of a program that is learnt: all that it may read is shown. */
const LEARN_FLAGS: readonly Flag[] = [
  ...SANDBOX_FLAGS.filter((flag) =>
    !["allow-read", "allow-write", "allow-net", "allow-all"].includes(flag.name) &&
    !FILE_FLAGS.includes(flag)
  ),
  {
    ...PERMISSION_FLAGS.write,
    summary: "let files and directories be changed while it is learnt, or else this directory",
  },
  {
    ...PERMISSION_FLAGS.net,
    summary: "let it use the network while it is learnt: *.example.org:443, or all of the host's",
  },
  ...Object.values(DENIAL_FLAGS),
  { name: "discard", summary: "throw away at its end what it has changed" },
  {
    name: "output",
    letter: "o",
    value: "FILE",
    completes: "file",
    summary: "write the recipe to this file, as YAML",
  },
  {
    name: "report",
    value: "FILE",
    completes: "file",
    summary: "write what is told to this file too, as JSON",
  },
];

const TABLE = [
  {
    name: "run",
    summary: "run a program in the container that a recipe makes, or in one of an image",
    more: "A recipe in YAML or JSON is data that you need not trust: it gets nothing of this " +
      "machine but what the flags grant, and at a terminal you are asked for the rest. A module in " +
      "TypeScript (export default recipe(...)) is a program that may do all that you may; the " +
      `flags, if there are any, hold for its recipe too. ${STREAM} ${PROGRAM}\n\n` +
      "With --image, the container is one of the image, which is pulled unless it is there: its " +
      "files, its user, its environment, and its entry point, which gets the words after --. What " +
      "the program changes is thrown away, and of this machine it sees nothing but volumes, and the " +
      `network with --allow-net.\n\n${RUNS_ON}\n\n${STATUS}`,
    operands: [{ ...RECIPE, optional: true }],
    program: true,
    runs: true,
    place: "recipe",
    flags: [
      SET,
      ...Object.values(PERMISSION_FLAGS),
      ALLOW_ALL,
      ...Object.values(DENIAL_FLAGS),
      ...IMAGE_RUN_FLAGS,
      ...DETACH_FLAGS,
      STATUS_FD,
      VERBOSE,
    ],
  },
  {
    name: "sandbox",
    summary: "run an untrusted program",
    more:
      "The program sees the programs and libraries of this machine, which it cannot change, and " +
      "nothing else but what the flags allow: no files of yours, no network, no environment, no " +
      "other processes. It runs as you, without further rights, under a filter of system " +
      "calls. Where it may change files, those stay as they are that shells, git and editors run " +
      "or trust later, outside: .git/hooks, .bashrc, .vscode and others. Once it is shown files or " +
      "the network of this machine, it can make no unix sockets, by which it could talk to services " +
      `of it. ${PROGRAM}\n\n${RUNS_ON}\n\n${STATUS}`,
    operands: [],
    program: true,
    runs: true,
    place: "sandbox",
    flags: [
      ...SANDBOX_FLAGS,
      NEST,
      DEGRADE,
      QUIET,
      ...Object.values(DENIAL_FLAGS),
      ...DETACH_FLAGS,
      AUDIT,
      STATUS_FD,
      VERBOSE,
    ],
  },
  {
    name: "learn",
    summary: "run a program, and tell the smallest sandbox that lets it do the same",
    more:
      "The program runs in a sandbox that shows it all that you may read, but for files where " +
      "secrets usually are (~/.ssh, ~/.aws, .env and others), and lets it change this directory, " +
      "unless that is your home directory or as wide, or what --allow-write lists; with --discard, " +
      "no change stays. At its end the " +
      "flags of ramekin sandbox are told that let it do what it did, and what it was denied, each " +
      "with the flag that would allow it. Run it so with a program that you trust with what you can " +
      "read; it reaches no host that --allow-net does not list. What is told is a report: a program " +
      "that hides what it does is only granted less. Which variables of the environment it reads " +
      `cannot be seen: list them with --allow-env.\n\n${STATUS}`,
    operands: [],
    program: true,
    needsProgram: true,
    runs: true,
    place: "sandbox",
    instead: LEARNS_READS,
    flags: LEARN_FLAGS,
  },
  {
    name: "try",
    summary: "run an untrusted program, and make its changes only if you want them",
    more:
      "The program runs as in ramekin sandbox. What it changes in the directories of --allow-write, " +
      "or else in this one, is kept apart, and told when it has ended: what it has added (+), " +
      "changed (~) and removed (-). At a terminal you are asked whether these changes are made; " +
      "else they are thrown away, unless there is --yes. Files that you have changed meanwhile are " +
      "left as they are, and so are those that shells, git and editors run or trust later.\n\n" +
      "All changes are made, or none: if ramekin is killed while it makes them, the next ramekin try " +
      `makes the rest, and ramekin try --resume does nothing else. ${PROGRAM}\n\n${STATUS}`,
    operands: [],
    program: true,
    runs: true,
    place: "sandbox",
    flags: [
      { name: "yes", letter: "y", summary: "make the changes without a question" },
      { name: "no", letter: "n", summary: "throw the changes away without a question" },
      { name: "overwrite", summary: "make changes of files too that were changed here meanwhile" },
      {
        name: "resume",
        summary: "make the rest of changes that were cut off, or with --no throw it away",
      },
      { ...JSON_FLAG, summary: "write the changes as JSON to the standard output" },
      ...SANDBOX_FLAGS,
      ...Object.values(DENIAL_FLAGS),
      AUDIT,
      STATUS_FD,
      VERBOSE,
    ],
  },
  {
    name: "build",
    summary: "write a recipe as an executable that needs no Deno",
    more:
      "The executable, a box, makes the recipe's container by itself, on any machine with Linux " +
      "5.12 or later and this processor; with --sandbox, a sandbox that the flags after it describe. " +
      "It runs the program that is given here, with further arguments of its own command line; or, " +
      "without one, the program that its command line names. A step that only a script can do, or " +
      "whose calls depend on the machine, is refused, with the reason. ramekin plan shows what a box " +
      `would do here. ${STREAM}`,
    operands: [{ ...RECIPE, optional: true }],
    program: true,
    place: "recipe",
    flags: [
      {
        name: "output",
        letter: "o",
        value: "FILE",
        completes: "file",
        summary: "the file to write; - is the standard output",
      },
      {
        name: "arch",
        value: "NAME",
        completes: ["x86_64", "aarch64"],
        summary: "the processor: x86_64 or aarch64, or else the one of this machine",
      },
      {
        name: "for",
        value: "WHO",
        completes: ["root", "user"],
        summary: "who runs it: root, for what only root may do, or any user, which is usual",
      },
      { ...JSON_FLAG, summary: "write the path and the size of the file, as JSON" },
      SET,
      { name: "sandbox", summary: "build a sandbox, without a recipe, by the flags below" },
      ...SANDBOX_FLAGS,
      DENIAL_FLAGS.env,
      ...[DENIAL_FLAGS.read, DENIAL_FLAGS.write, DENIAL_FLAGS.net].map(hidden),
    ],
  },
  {
    name: "enter",
    summary: "run a program in a running container",
    more: "The container is given by its pid, or by the name of the program that its script has " +
      "started, as ramekin ps shows them; its script has to be yours. A name in parentheses is " +
      "what the program calls itself, and does not count. All namespaces are joined, and its root, working " +
      "directory and cgroup. The program runs as the container's program does: its user, groups, " +
      "capabilities and umask. It gets its environment too where the container has a user and a " +
      "mount namespace of its own. Where the container's program is under a filter of system " +
      "calls, this one is under the filter of ramekin sandbox --allow-read; rules of Landlock " +
      `cannot be seen from outside, and do not apply to it. ${PROGRAM}` +
      `\n\n${STATUS}`,
    operands: [{ name: "PID|NAME", completes: "container" }],
    program: true,
    runs: true,
    place: "container",
    flags: [
      { name: "root", summary: "run it as root of the container's user namespace, or else as you" },
      { name: "any", summary: "enter a container of another user's script, or any process" },
      STATUS_FD,
    ],
  },
  {
    name: "cp",
    summary: "copy files into a running container, or out of it",
    more: "A path in a container is written NAME:PATH, with a pid or a name of ramekin ps. A " +
      "directory is copied with all that is in it, into one that exists under its own name, else " +
      "under the new one. The container needs no program for it. What is copied in belongs to the " +
      "user of its program, and no link in it leads to what that user may not reach. Devices, " +
      "named pipes and sockets are refused, and set-user-ID bits are left out. A path of this " +
      "machine with a colon begins with / or ./ .",
    operands: [
      { name: "FROM", completes: "file" },
      { name: "TO", completes: "file" },
    ],
    flags: [
      { name: "root", summary: "copy as root of the container, to whom the copies belong then" },
      {
        name: "max-bytes",
        value: "SIZE",
        check: bytesOf,
        summary: "copy no more than this in all: 100m, 2g",
      },
      { name: "any", summary: "copy from a container of another user's script" },
      { ...JSON_FLAG, summary: "write how many files and bytes were copied, as JSON" },
    ],
  },
  {
    name: "stop",
    summary: "ask a running container to end, and wait until it has",
    more: "Its first process gets SIGTERM, or another signal, and SIGKILL after the grace, or at " +
      "once if the signal would not reach it: PID 1 of a pid namespace without a handler gets none. " +
      "A detached one is not started again.",
    operands: [{ name: "PID|NAME", completes: "container" }],
    instead: { t: "it is --grace=TIME", time: "it is --grace=TIME" },
    flags: [
      { name: "signal", value: "NAME", check: signalOf, summary: "the signal: TERM, INT, 15" },
      {
        name: "grace",
        value: "TIME",
        check: millisecondsOf,
        summary: "how long it may go on then, else 5s: 500ms, 2m",
      },
      { name: "any", summary: "stop a container of another user's script" },
      {
        ...JSON_FLAG,
        summary: "write what was stopped, as JSON; of a detached one, how it has ended",
      },
    ],
  },
  {
    name: "logs",
    summary: "show what a detached container has written",
    more:
      "Both outputs of its program, by whole lines, as they were written; at a terminal, control " +
      "characters are escaped. Kept is as much as --log-size of ramekin run says.",
    operands: [DETACHED],
    flags: [
      { name: "follow", letter: "f", summary: "go on until the container has ended" },
      { name: "tail", value: "NUMBER", check: countOf, summary: "only so many lines of the end" },
    ],
  },
  {
    name: "wait",
    summary: "wait until a detached container has ended",
    more: "The exit status is that of its program, as of ramekin run; 125 if its supervisor was " +
      "killed, so that nobody knows it.",
    operands: [DETACHED],
    runs: true,
    flags: [{ ...JSON_FLAG, summary: "write how it has ended, as JSON" }],
  },
  {
    name: "rm",
    summary: "remove the log and the status of a detached container that has ended",
    more:
      "With -f, the container is ended first, and what a killed supervisor has left is removed.",
    operands: [DETACHED],
    flags: [{ name: "force", letter: "f", summary: "end it (SIGKILL), if it runs" }, JSON_FLAG],
  },
  {
    name: "stats",
    summary: "show what running containers use of memory, processor and disks",
    more: "Shown are those with a control group of their own, which the step limits gives. At a " +
      "terminal the table is renewed every second until Ctrl-C, and CPU is a share of one " +
      "processor; else it is written once, and CPU is the time in all.",
    operands: [{ name: "PID|NAME", completes: "container", optional: true }],
    flags: [
      { name: "once", summary: "write the table once at a terminal too" },
      { name: "any", summary: "show one of another user's script" },
      JSON_FLAG,
    ],
  },
  {
    name: "plan",
    summary: "show what a recipe would do, without doing it",
    more: "Each step, and what it needs of this machine with the flags of ramekin run that grant " +
      `it; or those of a box that ramekin build has written. ${STREAM}`,
    operands: [RECIPE],
    place: "recipe",
    flags: [
      SET,
      {
        name: "graph",
        value: "FILE.svg",
        completes: "file",
        summary: "draw what is shared with this machine and what is mounted from where; - for " +
          "the standard output",
      },
      { name: "calls", summary: "show every system call, by its step" },
      { ...JSON_FLAG, summary: "write steps, calls and needs as JSON" },
    ],
  },
  {
    name: "pull",
    summary: "get an image from a registry, a layout or an archive",
    more: "The image is downloaded into the store, checked and unpacked. It is named as " +
      "debian:12, registry.example:5000/team/tool@sha256:..., oci:DIRECTORY:TAG, " +
      "oci-archive:FILE, docker-archive:FILE or dir:DIRECTORY. The store is ramekin/images in " +
      "XDG_DATA_HOME (~/.local/share), /var/lib/ramekin/images for root, or RAMEKIN_IMAGES.",
    operands: [IMAGE],
    flags: [
      { name: "name", value: "NAME", summary: "the name in the store, for an image from files" },
      ...PULL_FLAGS,
      VERIFY_KEY,
      ...REGISTRY_FLAGS,
      ...REPORT_FLAGS,
    ],
  },
  {
    name: "images",
    summary: "list the images in the store",
    operands: [],
    flags: [
      {
        name: "verify",
        summary:
          "read all that is stored, and remove what is damaged, so that a pull gets it again",
      },
      { name: "prune", summary: "remove what no image and no container uses" },
      JSON_FLAG,
    ],
  },
  {
    name: "rmi",
    summary: "remove an image from the store",
    more: "What another image has too stays, and what a container uses.",
    operands: [IMAGE],
    flags: [JSON_FLAG],
  },
  {
    name: "inspect",
    summary: "show what is said of an image, and how its program is started",
    operands: [IMAGE],
    instead: { f: "--json writes all of it", format: "--json writes all of it" },
    flags: [PULL_FLAGS[0]!, JSON_FLAG],
  },
  {
    name: "commit",
    summary: "make an image of what a run with --keep has changed",
    more:
      "The new image has one layer more: what is in the directory. The words after -- are its " +
      "command. With SOURCE_DATE_EPOCH, the same changes make the same image.",
    operands: [
      IMAGE,
      { name: "DIRECTORY", completes: "file" },
      { name: "NAME", completes: "image" },
    ],
    program: true,
    flags: [
      ...PROGRAM_FLAGS,
      { name: "message", letter: "m", value: "TEXT", summary: "what its history says of it" },
      {
        name: "max-size",
        value: "SIZE",
        check: bytesOf,
        summary: "the most bytes of the files, with holes in them; 32g without it",
      },
      PULL_FLAGS[0]!,
      JSON_FLAG,
    ],
  },
  {
    name: "push",
    summary: "send an image of the store to a registry",
    more: "What the registry has is not sent again. The second operand is where to, if it is not " +
      "the image's own name.",
    operands: [IMAGE, { name: "TO", completes: "image", optional: true }],
    flags: [PULL_FLAGS[0]!, ...REGISTRY_FLAGS, ...REPORT_FLAGS],
  },
  {
    name: "save",
    summary: "write an image of the store as an archive, which docker and podman load",
    operands: [IMAGE],
    flags: [
      {
        name: "output",
        letter: "o",
        value: "FILE",
        completes: "file",
        summary: "the file to write, or else the standard output",
      },
      PULL_FLAGS[0]!,
      { ...JSON_FLAG, summary: "write the image and the size of the file, as JSON" },
    ],
  },
  {
    name: "load",
    summary: "get the images of an archive of docker's, podman's or skopeo's",
    more: "With - as the file, it is the standard input: ramekin save debian:12 | ssh there " +
      "ramekin load -.",
    operands: [{ name: "FILE", completes: "file" }],
    instead: {
      i: "the file comes without a flag: ramekin load FILE",
      input: "the file comes without a flag: ramekin load FILE",
    },
    flags: [
      { name: "name", value: "NAME", summary: "the name in the store, of the only image" },
      ...PULL_FLAGS,
      ...REPORT_FLAGS,
    ],
  },
  {
    name: "ps",
    summary: "list the running containers of all scripts of this user",
    more:
      "The namespaces are those that the container does not share with its script. Of a detached " +
      "one, the script is its supervisor, and without a process it has its state in place of a time.",
    operands: [],
    flags: [
      { name: "all", letter: "a", summary: "list detached containers that have ended, too" },
      JSON_FLAG,
    ],
  },
  {
    name: "ls",
    summary: "list namespaces, as lsns(8) does",
    operands: [],
    flags: [
      { name: "tree", summary: "show which namespaces lie in which, and belong to which" },
      JSON_FLAG,
    ],
  },
  {
    name: "check",
    summary: "show what this machine can do, and the fix for what it cannot",
    more:
      "Containers are made of each kind to try it, and nothing is left of them. The exit status " +
      "is 0 where ramekin sandbox works.",
    operands: [],
    flags: [JSON_FLAG],
  },
  {
    name: "oci",
    summary: "install the OCI runtime, by which podman, containerd and others run Ramekin",
    more:
      "ramekin oci install DIR writes the command DIR/ramekin-oci, in a directory that is made " +
      "where there is none, with the runtime and a " +
      "cache beside it, and prints what each engine has to be told to use it. The command has " +
      "absolute paths of Deno and of DIR, as engines call it with next to no environment. It takes " +
      "the verbs and flags of runc and crun: create, start, state, kill, delete, exec, run, pause, " +
      "resume, update, ps, list, features, spec.",
    operands: [{ name: "install", completes: ["install"] }, { name: "DIR", completes: "file" }],
    flags: [{ ...JSON_FLAG, summary: "write the paths of what was written, as JSON" }],
  },
  {
    name: "from-bwrap",
    summary: "write a recipe from a command line of bubblewrap",
    more:
      `The recipe is for an ordinary user, and has no capabilities but those of --cap-add; it begins in ` +
      `/, unless --chdir says otherwise. ${LEFT_OUT}`,
    operands: [COMMAND_LINE],
    program: true,
    flags: [AS_SCRIPT, RECIPE_JSON],
  },
  {
    name: "from-unshare",
    summary: "write a recipe from a command line of unshare(1)",
    more: LEFT_OUT,
    operands: [COMMAND_LINE],
    program: true,
    flags: [AS_SCRIPT, RECIPE_JSON],
  },
  {
    name: "from-nsjail",
    summary: "write a recipe from a configuration of nsjail",
    more: `The file is one that nsjail --config takes, and - the standard input. ${LEFT_OUT}`,
    operands: [{ name: "FILE", completes: "file" }],
    flags: [AS_SCRIPT, RECIPE_JSON],
  },
  {
    name: "export",
    summary: "write a recipe for who runs containers: an OCI bundle, or a service of systemd",
    more: "ramekin export oci box.yaml -o bundle -- PROGRAM\n" +
      "writes bundle/config.json, and bundle/rootfs where the root is no directory of this machine, " +
      "for crun, runc and other runtimes: crun run -b bundle NAME.\n\n" +
      "ramekin export systemd box.yaml -o /etc/systemd/system -- PROGRAM\n" +
      "writes box.service, and box, an executable that the unit runs, in which all of the recipe is " +
      "but the limits; those are directives of the unit.\n\n" +
      `What a format cannot say is refused, each step with its number and the reason. ${STREAM}`,
    operands: [{ name: "FORMAT", completes: ["oci", "systemd"] }, RECIPE],
    program: true,
    needsProgram: true,
    place: "recipe",
    flags: [
      {
        name: "output",
        letter: "o",
        value: "DIRECTORY",
        completes: "file",
        summary: "where the files are written to; a new or an empty one for oci",
      },
      {
        name: "for",
        value: "WHO",
        completes: ["root", "user"],
        summary: "who runs it: root, or for systemd any user, and for oci UID:GID, else you",
      },
      { name: "terminal", summary: "oci: give the program a terminal" },
      {
        name: "restart",
        value: "WHEN",
        completes: ["no", "on-failure", "always"],
        summary: "systemd: when it is started again, as Restart= has it",
      },
      { name: "user", value: "NAME", summary: "systemd: the user who runs it, as User= has it" },
      SET,
      { ...JSON_FLAG, summary: "write the names of the files as JSON" },
    ],
  },
  {
    name: "import",
    summary: "write the recipe of a config.json of an OCI bundle, in YAML",
    more:
      "The program is in a comment at its head, with the command that runs it. Fields that no " +
      "step says, such as hooks, are refused unless --leave-out names them. With - as the file, it is " +
      "the standard input, and the bundle this directory.",
    operands: [{ name: "FILE", completes: "file" }],
    flags: [
      {
        name: "output",
        letter: "o",
        value: "FILE",
        completes: "file",
        summary: "the file to write, or else the standard output",
      },
      LEAVE_OUT,
      {
        ...JSON_FLAG,
        summary: "write the steps, the program and whether it has a terminal as JSON",
      },
    ],
  },
  {
    name: "schema",
    summary: "write the JSON Schema of recipes, by which editors complete them",
    more: "# yaml-language-server: $schema=recipe.schema.json\n" +
      "at the head of a recipe names it to an editor, once the schema is in that file.",
    operands: [],
    flags: [],
  },
  {
    name: "man",
    summary: "write a manual page, of ramekin or of a subcommand",
    more: "ramekin man run | man -l -\n" +
      "shows one. To have them where man(1) looks:\n" +
      "ramekin man > ~/.local/share/man/man1/ramekin.1\n" +
      "ramekin man run > ~/.local/share/man/man1/ramekin-run.1",
    operands: [{ name: "SUBCOMMAND", completes: "subcommand", optional: true }],
    flags: [],
  },
  {
    name: "completions",
    summary: "write the completions for a shell",
    more: "bash: source <(ramekin completions bash)\n" +
      "zsh: source <(ramekin completions zsh)\n" +
      "fish: ramekin completions fish | source",
    operands: [{ name: "SHELL", completes: ["bash", "fish", "zsh"] }],
    flags: [],
  },
] as const satisfies readonly Subcommand[];

/** The name of a subcommand. */
export type SubcommandName = typeof TABLE[number]["name"];

/** A subcommand that there is. */
export interface KnownSubcommand extends Subcommand {
  readonly name: SubcommandName;
}

/** The subcommands, in the order of the help. */
export const SUBCOMMANDS: readonly KnownSubcommand[] = TABLE;
