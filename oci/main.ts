/**
 * The runtime's command line, from its words to the exit status.
 *
 * @module
 */

import { VERSION } from "../recipe/version.ts";
import { type FlagTable, type Given, isSet, readFlags } from "./command_line.ts";
import { OciError, wordsFor } from "./errors.ts";
import { GLOBAL_FLAGS, reportFailure, type Runtime, runtimeOf, writeAll } from "./runtime.ts";
import { OCI_VERSION } from "./state.ts";
import * as createVerb from "./verbs/create.ts";
import * as deleteVerb from "./verbs/delete.ts";
import * as execVerb from "./verbs/exec.ts";
import * as featuresVerb from "./verbs/features.ts";
import * as killVerb from "./verbs/kill.ts";
import * as listVerb from "./verbs/list.ts";
import * as pauseVerb from "./verbs/pause.ts";
import * as plannerVerb from "./verbs/planner.ts";
import * as psVerb from "./verbs/ps.ts";
import * as resumeVerb from "./verbs/resume.ts";
import * as runVerb from "./verbs/run.ts";
import * as specVerb from "./verbs/spec.ts";
import * as startVerb from "./verbs/start.ts";
import * as stateVerb from "./verbs/state.ts";
import * as updateVerb from "./verbs/update.ts";

/** A verb: its flags, and what it does. */
interface Verb {
  readonly flags: FlagTable;
  /** Returns the exit status. */
  run(runtime: Runtime, given: Given): number | Promise<number>;
}

const VERBS: Readonly<Record<string, Verb>> = {
  create: createVerb,
  delete: deleteVerb,
  exec: execVerb,
  features: featuresVerb,
  kill: killVerb,
  list: listVerb,
  pause: pauseVerb,
  planner: plannerVerb,
  ps: psVerb,
  resume: resumeVerb,
  run: runVerb,
  spec: specVerb,
  start: startVerb,
  state: stateVerb,
  update: updateVerb,
};

/** The verbs of other runtimes that this one does not have. */
const REFUSED: Readonly<Record<string, string>> = {
  checkpoint: "checkpoints of running containers are not supported",
  events: "events are not supported; the files of the control group tell what is used",
  restore: "checkpoints of running containers are not supported",
};

/** The features by crun's names; of systemd it is sd_notify(3), not the manager of control groups. */
const VERSION_TEXT = `ramekin version ${VERSION}
spec: ${OCI_VERSION}
+SYSTEMD +SECCOMP +CAP
`;

/** Runs the command line, and returns the exit status; it never throws. */
export async function main(words: readonly string[]): Promise<number> {
  let runtime: Pick<Runtime, "log" | "logFormat"> = { log: undefined, logFormat: "text" };
  try {
    const given = readFlags(words, GLOBAL_FLAGS);
    const [name, ...rest] = given.words;
    if (isSet(given, "version")) return say(VERSION_TEXT);
    if (name === undefined || isSet(given, "help")) return say(helpText());
    const settings = runtimeOf(given);
    runtime = settings;
    const refused = Object.hasOwn(REFUSED, name) ? REFUSED[name] : undefined;
    if (refused !== undefined) throw new OciError(refused);
    const verb = Object.hasOwn(VERBS, name) ? VERBS[name]! : unknown(name);
    if (rest.includes("--help")) return say(helpText());
    return await verb.run(settings, readFlags(rest, verb.flags));
  } catch (error) {
    reportFailure(runtime, wordsFor(error));
    return error instanceof OciError ? error.status : 1;
  }
}

function unknown(name: string): never {
  throw new OciError(`unknown command ${JSON.stringify(name)}`);
}

function helpText(): string {
  return `usage: ramekin-oci [--root DIR] [--log FILE] [--log-format json|text] VERB ...
verbs: ${Object.keys(VERBS).join(" ")}
`;
}

function say(text: string): number {
  writeAll(Deno.stdout, text);
  return 0;
}
