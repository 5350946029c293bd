/**
 * The flags by which a sandbox is told what it shows.
 *
 * @module
 */

import { FILE_FLAGS } from "../file_flags.ts";
import { LIMIT_FLAGS } from "../limit_flags.ts";
import {
  ALLOW_ALL,
  DENIAL_FLAGS,
  DROP_GROUPS,
  NARROW_PROGRAMS,
  PERMISSION_FLAGS,
  SETUID_FILES,
  UNIX_SOCKETS,
  WEAKER_PROC,
} from "../permission_flags.ts";
import type { Flag } from "../usage.ts";

const PROTECT: Flag = {
  name: "protect",
  value: "NAMES",
  repeated: true,
  summary: "files that also stay as they are: deploy.sh, .config/tool",
};

/** The flags by which a sandbox is told what it shows. */
export const SANDBOX_FLAGS: readonly Flag[] = [
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
  DROP_GROUPS,
  {
    ...ALLOW_ALL,
    summary:
      "show it all files, the network and the environment, and lift --unix-sockets and --setuid-files",
  },
];

/** What is in the place of flags for what a program may read, as `learn` finds that out. */
export const LEARNS_READS = Object.fromEntries(
  ["allow-read", "R", "allow-all", "A"].map((flag) => [
    flag,
    "it may read all that you may while it is learnt, but for secrets; --deny-read hides more",
  ]),
);

/** The flags of a program that is learnt: all that it may read is shown. */
export const LEARN_FLAGS: readonly Flag[] = [
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
