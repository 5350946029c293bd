/**
 * Subcommands that are about containers that run.
 *
 * @module
 */

import { signalOf } from "../signal_word.ts";
import { bytesOf, countOf, millisecondsOf } from "../units.ts";
import type { Subcommand } from "../usage.ts";
import { JSON_FLAG } from "./shared.ts";

const DETACHED = { name: "NAME", completes: "container" } as const;

/** Those that are about containers that run. */
export const CONTAINERS = [
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
] as const satisfies readonly Subcommand[];
