/**
 * Subcommands that are about this machine and ramekin itself.
 *
 * @module
 */

import type { Subcommand } from "../usage.ts";
import { JSON_FLAG } from "./shared.ts";

/** Those that are about this machine and ramekin itself. */
export const MACHINE = [
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
    name: "ls",
    summary: "list namespaces, as lsns(8) does",
    operands: [],
    flags: [
      { name: "tree", summary: "show which namespaces lie in which, and belong to which" },
      JSON_FLAG,
    ],
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
