/**
 * Lowers the step `landlock`.
 *
 * @module
 */

import { type Fd, Output, OutputField, ResultOf } from "../../ffi/call.ts";
import { O_CLOEXEC, O_PATH, pipe2, PipeEnds, read } from "../../ffi/calls/files.ts";
import {
  addNetPort,
  addPathBeneath,
  landlock_create_ruleset,
  landlock_restrict_self,
  pathBeneathOutput,
  type RulesetAttributes,
  writeDescriptor,
  writePathBeneath,
} from "../../ffi/calls/landlock.ts";
import type { Fixes } from "../../ffi/fix.ts";
import { UnsupportedError } from "../../ffi/errors.ts";
import { Label } from "../../ffi/engine/program.ts";
import type { CallOptions, PlanBuilder } from "../builder.ts";
import { type FileRule, fileRules } from "./landlock_files.ts";
import {
  deniableFileRights,
  FILES_SINCE,
  PORT_RIGHTS,
  PORTS_SINCE,
  RIGHTS_OF_FILE,
  SCOPES,
  SCOPES_SINCE,
} from "../../recipe/landlock_rights.ts";
import { FILE_WORDS, type LandlockStep, PORT_WORDS } from "../../recipe/steps/landlock.ts";
import { unexpanded } from "../../recipe/unexpanded.ts";

/** Lowers `landlock`. */
export function lowerLandlock(step: LandlockStep, plan: PlanBuilder): void {
  if (!plan.host.isHere) return lowerForAnyVersion(step, plan);
  const version = plan.host.landlockVersion();
  if (step.degrade !== true) refuseOlder(step, version);
  const denied = deniedBy(step, version);
  const { files, ports, scopes } = denied;
  if (files + ports + scopes === 0) return;
  const created = plan.call(landlock_create_ruleset(denied));
  const ruleset = new ResultOf(created, "ruleset");
  if (files !== 0) allowFiles(step, files, ruleset, plan);
  if (ports !== 0) allowPorts(step, ruleset, plan);
  plan.setNoNewPrivileges();
  plan.beforeExec(landlock_restrict_self(ruleset), RESTRICT_FIXES);
}

const RESTRICT_FIXES: Fixes = {
  E2BIG: "Landlock allows 16 nested rulesets, and 16 are active",
};

/** The errors of a kernel that does not know a ruleset: an older Landlock, or none. */
const OLDER = ["EINVAL", "E2BIG", "ENOSYS", "EOPNOTSUPP"] as const;

/** The errors where no ruleset was made, of a kernel with Landlock, and of one without. */
const NO_RULESET = ["EBADF", "ENOSYS", "EOPNOTSUPP"] as const;

/** The newest version that differs in what it can deny. */
const NEWEST = 6;

/**
 * Has the kernel, which is not known yet, try rulesets from the newest version on. The first that it
 * takes is passed on by a pipe, as a call refers to one other call only.
 */
function lowerForAnyVersion(step: LandlockStep, plan: PlanBuilder): void {
  const degrade = step.degrade === true;
  const versions = versionsFor(step, degrade ? 1 : neededBy(step));
  if (versions.length === 0) return;
  const pipe = new PipeEnds();
  const chosen = new Output(4, "&ruleset", Uint8Array.of(255, 255, 255, 255));
  const [made, none] = [new Label("the ruleset is made"), new Label("there is no Landlock")];
  plan.call(pipe2(pipe.output, O_CLOEXEC));
  versions.forEach((denied, index) => {
    const isLast = index === versions.length - 1;
    plan.skippable("this Landlock is older", (older) => {
      const onAccepted = isLast ? none : older;
      const accepted = isLast && !degrade ? {} : { accept: OLDER, onAccepted };
      const created = plan.call(landlock_create_ruleset(denied), accepted);
      const ruleset = new ResultOf(created, "ruleset");
      if (denied.files !== 0) allowFiles(step, denied.files, ruleset, plan);
      if (denied.ports !== 0) allowPorts(step, ruleset, plan);
      plan.call(writeDescriptor(pipe.writer, ruleset), { onSuccess: made });
    });
  });
  plan.place(made);
  plan.call(read(pipe.reader, chosen, chosen.size));
  plan.place(none);
  plan.release(pipe.reader);
  plan.release(pipe.writer);
  plan.setNoNewPrivileges();
  const ruleset = new OutputField(chosen, 0, "ruleset");
  plan.beforeExec(landlock_restrict_self(ruleset), RESTRICT_FIXES, degrade ? NO_RULESET : []);
}

/** Returns what each version can deny, the newest first, and no two the same. */
function versionsFor(step: LandlockStep, oldest: number): readonly RulesetAttributes[] {
  const found: RulesetAttributes[] = [];
  for (let version = NEWEST; version >= oldest; version--) {
    const denied = deniedBy(step, version);
    const { files, ports, scopes } = denied;
    const isNew = JSON.stringify(denied) !== JSON.stringify(found.at(-1));
    if (files + ports + scopes !== 0 && isNew) found.push(denied);
  }
  return found;
}

/** Returns the oldest version that can do what a step asks for. */
function neededBy(step: LandlockStep): number {
  return Math.max(
    FILE_WORDS.some((word) => step[word] !== undefined) ? FILES_SINCE : 1,
    PORT_WORDS.some((word) => step[word] !== undefined) ? PORTS_SINCE : 1,
    step.isolate !== undefined ? SCOPES_SINCE : 1,
  );
}

/** Returns what this version can deny of what a step limits. */
function deniedBy(step: LandlockStep, version: number): RulesetAttributes {
  const files = FILE_WORDS.some((word) => step[word] !== undefined)
    ? deniableFileRights(version)
    : 0;
  const ports = version < PORTS_SINCE ? 0 : PORT_WORDS.reduce(
    (sum, word) => sum + (step[word] === undefined ? 0 : PORT_RIGHTS[word]),
    0,
  );
  const scopes = version < SCOPES_SINCE ? 0 : (step.isolate ?? []).reduce(
    (sum, word) => sum | SCOPES[word],
    0,
  );
  return { files, ports, scopes };
}

function refuseOlder(step: LandlockStep, version: number): void {
  const lacking = FILE_WORDS.some((word) => step[word] !== undefined) && version < FILES_SINCE
    ? "limit files (Linux 6.2)"
    : PORT_WORDS.some((word) => step[word] !== undefined) && version < PORTS_SINCE
    ? "limit ports (Linux 6.7)"
    : step.isolate !== undefined && version < SCOPES_SINCE
    ? "isolate a program (Linux 6.12)"
    : undefined;
  if (lacking === undefined) return;
  throw new UnsupportedError(
    `landlock: this kernel cannot ${lacking}: ` +
      (version === 0
        ? "it has no Landlock, or Landlock is not among its security modules (lsm=landlock,...)"
        : `its Landlock has version ${version}`) +
      "; { degrade: true } uses what there is",
  );
}

function allowFiles(step: LandlockStep, deniable: number, ruleset: Fd, plan: PlanBuilder): void {
  const rules = fileRules(step, deniable, plan);
  const pipe = new PipeEnds();
  plan.call(pipe2(pipe.output, O_CLOEXEC));
  for (const rule of rules) {
    if (rule.isNamed) allowFile(rule, pipe, ruleset, plan, {});
    else {
      // What is gone, or another file now, is not allowed.
      plan.skippable(`${rule.path} is there`, (onAccepted) => {
        allowFile(rule, pipe, ruleset, plan, { accept: ["ENOENT", "ELOOP"], onAccepted });
      });
    }
  }
  plan.release(pipe.reader);
  plan.release(pipe.writer);
}

function allowFile(
  { path, rights }: FileRule,
  pipe: PipeEnds,
  ruleset: Fd,
  plan: PlanBuilder,
  options: CallOptions,
): void {
  const place = plan.path(path).open(O_PATH, {
    ...options,
    fixes: {
      ENOENT: `${path}, the path of a rule, does not exist ${plan.state.filesAt}${
        unexpanded(path)
      }`,
    },
  });
  // The kernel returns EINVAL for rights of directories on a file, and the type of the path is
  // not known before.
  const isFile = new Label("it is a file");
  const done = new Label("it is a directory");
  plan.call(writePathBeneath(pipe.writer, rights, place));
  const rule = pathBeneathOutput(rights);
  plan.call(read(pipe.reader, rule, rule.size));
  plan.call(addPathBeneath(ruleset, rule), {
    accept: ["EINVAL"],
    onAccepted: isFile,
    onZero: done,
  });
  plan.place(isFile);
  const ofFile = rights & RIGHTS_OF_FILE;
  plan.call(writePathBeneath(pipe.writer, ofFile, place));
  const ruleOfFile = pathBeneathOutput(ofFile);
  plan.call(read(pipe.reader, ruleOfFile, ruleOfFile.size));
  plan.call(addPathBeneath(ruleset, ruleOfFile));
  plan.place(done);
  plan.release(place);
}

function allowPorts(step: LandlockStep, ruleset: Fd, plan: PlanBuilder): void {
  const rights = new Map<number, number>();
  for (const word of PORT_WORDS) {
    for (const port of step[word] ?? []) {
      rights.set(port, (rights.get(port) ?? 0) | PORT_RIGHTS[word]);
    }
  }
  for (const [port, allowed] of rights) plan.call(addNetPort(ruleset, allowed, port));
}
