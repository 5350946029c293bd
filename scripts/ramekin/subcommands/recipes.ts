/**
 * Subcommands that read or write recipes.
 *
 * @module
 */

import { LEAVE_OUT } from "../leave_out.ts";
import { DENIAL_FLAGS } from "../permission_flags.ts";
import { countOf, millisecondsOf } from "../units.ts";
import type { Flag, Subcommand } from "../usage.ts";
import { SANDBOX_FLAGS } from "./sandbox_flags.ts";
import { JSON_FLAG, RECIPE, SET, STREAM } from "./shared.ts";

/** The command line of another tool, as one word. */
const COMMAND_LINE = { name: "COMMAND", optional: true, completes: [] } as const;

const AS_SCRIPT: Flag = { name: "ts", summary: "write a script in place of YAML" };

const RECIPE_JSON: Flag = {
  ...JSON_FLAG,
  summary: "write the steps, the program and what is left out as JSON",
};

const LEFT_OUT = "What no recipe says is told, on the standard error and in the recipe; the exit " +
  "status is 1 then.";

/** A flag that is known to be refused, with the reason. */
function hidden(flag: Flag): Flag {
  return { ...flag, hidden: true };
}

/** Those that read or write recipes. */
export const RECIPES = [
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
      DENIAL_FLAGS.read,
      DENIAL_FLAGS.write,
      DENIAL_FLAGS.env,
      hidden(DENIAL_FLAGS.net),
    ],
  },
  {
    name: "export",
    summary: "write a recipe for who runs containers: an OCI bundle, a pod, a service",
    more: "ramekin export oci box.yaml -o bundle -- PROGRAM\n" +
      "writes bundle/config.json, and bundle/rootfs where the root is no directory of this machine, " +
      "for crun, runc and other runtimes: crun run -b bundle NAME.\n\n" +
      "ramekin export systemd box.yaml -o /etc/systemd/system -- PROGRAM\n" +
      "writes box.service, and box, an executable that the unit runs, in which all of the recipe is " +
      "but the limits; those are directives of the unit.\n\n" +
      "ramekin export kubernetes box.yaml --image=IMAGE -o - -- PROGRAM | kubectl apply -f -\n" +
      "writes a Pod, or a Job or a Deployment by --kind, whose root is that of the image, and a " +
      "NetworkPolicy. With -o DIRECTORY it writes box.pod.yaml, and for a filter of the recipe's own " +
      "box.seccomp.json, which goes to /var/lib/kubelet/seccomp/ramekin/NAME.json on each node.\n\n" +
      "ramekin export podman box.yaml -o /etc/containers/systemd -- PROGRAM\n" +
      "writes box.container, from which podman makes a service of systemd (quadlet), and for seccomp() " +
      "box.seccomp.json, which it reads there. Without --image, the root is the directory that the " +
      "recipe has as root.\n\n" +
      `What a format cannot say is refused, each step with its number and the reason. ${STREAM}`,
    operands: [{ name: "FORMAT", completes: ["kubernetes", "oci", "podman", "systemd"] }, RECIPE],
    program: true,
    needsProgram: true,
    place: "recipe",
    flags: [
      {
        name: "output",
        letter: "o",
        value: "DIRECTORY",
        completes: "file",
        summary:
          "where the files are written to; a new or an empty one for oci; - for the standard output",
      },
      {
        name: "for",
        value: "WHO",
        completes: ["root", "user"],
        summary:
          "who runs it: root, or for systemd any user, and for oci and podman UID:GID, else you",
      },
      { name: "terminal", summary: "oci: give the program a terminal" },
      {
        name: "restart",
        value: "WHEN",
        completes: ["no", "on-failure", "always"],
        summary: "when it is started again, as Restart= of systemd has it",
      },
      {
        name: "image",
        value: "IMAGE",
        summary: "kubernetes, podman: the image whose files the root has",
      },
      {
        name: "kind",
        value: "KIND",
        completes: ["pod", "job", "deployment"],
        summary: "kubernetes: what is made of it: pod, job or deployment",
      },
      { name: "name", value: "NAME", summary: "kubernetes: the name, or else that of the recipe" },
      { name: "namespace", value: "NAME", summary: "kubernetes: the namespace of the objects" },
      {
        name: "replicas",
        value: "NUMBER",
        check: countOf,
        summary: "kubernetes: the number of pods of a deployment",
      },
      {
        name: "runtime-class",
        value: "NAME",
        summary: "kubernetes: the RuntimeClass whose runtime makes the container",
      },
      {
        name: "grace",
        value: "TIME",
        check: millisecondsOf,
        summary: "kubernetes: how long it may go on after SIGTERM, else 30s: 5s, 2m",
      },
      {
        name: "oneshot",
        summary: "podman: starting the service means to wait for the end of the program",
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
    name: "schema",
    summary: "write the JSON Schema of recipes, by which editors complete them",
    more: "# yaml-language-server: $schema=recipe.schema.json\n" +
      "at the head of a recipe names it to an editor, once the schema is in that file.",
    operands: [],
    flags: [],
  },
] as const satisfies readonly Subcommand[];
