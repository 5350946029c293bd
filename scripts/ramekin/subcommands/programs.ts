/**
 * Subcommands that run a program.
 *
 * @module
 */

import { AUDIT } from "../audit.ts";
import { DEGRADE, QUIET } from "../degrade.ts";
import { DETACH_FLAGS } from "../detach_flags.ts";
import { IMAGE_RUN_FLAGS } from "../image_flags.ts";
import { ALLOW_ALL, DENIAL_FLAGS, NEST, PERMISSION_FLAGS } from "../permission_flags.ts";
import { STATUS_FD } from "../status_fd.ts";
import type { Subcommand } from "../usage.ts";
import { VERBOSE } from "../verbose.ts";
import { LEARN_FLAGS, LEARNS_READS, SANDBOX_FLAGS } from "./sandbox_flags.ts";
import { JSON_FLAG, RECIPE, SET, STREAM } from "./shared.ts";

const PROGRAM = "The program is your shell (SHELL, else sh) if none is given.";

const STATUS =
  "The exit status is the program's: 128 plus the signal's number if a signal has ended it; " +
  "127 if the program does not exist, 126 if it cannot be started, 125 if ramekin fails, 124 if " +
  "its time was over.";

const RUNS_ON =
  "With -d, the program runs on by itself, with an empty standard input, and the name " +
  "of its container is written once it runs. A process beside it, its supervisor, keeps its log and " +
  "its status until ramekin rm NAME; it ends when the program does.";

/** Those that run a program. */
export const PROGRAMS = [
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
] as const satisfies readonly Subcommand[];
