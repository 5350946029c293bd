/**
 * Lowers the step `landlock`.
 *
 * @module
 */

import { normalize } from "../../recipe/path.ts";
import { type Fd, ResultOf } from "../../ffi/call.ts";
import { O_CLOEXEC, O_PATH, pipe2, PipeEnds, read } from "../../ffi/calls/files.ts";
import {
  addNetPort,
  addPathBeneath,
  landlock_create_ruleset,
  landlock_restrict_self,
  pathBeneathOutput,
  writePathBeneath,
} from "../../ffi/calls/landlock.ts";
import { UnsupportedError } from "../../ffi/errors.ts";
import { Label } from "../../ffi/engine/program.ts";
import type { PlanBuilder } from "../builder.ts";
import {
  deniableFileRights,
  FILE_RIGHTS,
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
  const version = plan.host.landlockVersion();
  if (step.degrade !== true) refuseOlder(step, version);
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
  if (files + ports + scopes === 0) return;
  const created = plan.call(landlock_create_ruleset({ files, ports, scopes }));
  const ruleset = new ResultOf(created, "ruleset");
  if (files !== 0) allowFiles(step, files, ruleset, plan);
  if (ports !== 0) allowPorts(step, ruleset, plan);
  plan.setNoNewPrivileges();
  plan.beforeExec(landlock_restrict_self(ruleset), {
    E2BIG: "Landlock allows 16 nested rulesets, and 16 are active",
  });
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
  const rights = new Map<string, number>();
  for (const word of FILE_WORDS) {
    for (const path of step[word] ?? []) {
      const place = normalize(path);
      rights.set(place, (rights.get(place) ?? 0) | (FILE_RIGHTS[word] & deniable));
    }
  }
  const pipe = new PipeEnds();
  plan.call(pipe2(pipe.output, O_CLOEXEC));
  for (const [path, allowed] of rights) {
    const place = plan.path(path).open(O_PATH, {
      fixes: {
        ENOENT: `${path}, the path of a rule, does not exist in the container${unexpanded(path)}`,
      },
    });
    // The kernel returns EINVAL for rights of directories on a file, and the type of the path is
    // not known before.
    const isFile = new Label("it is a file");
    const done = new Label("it is a directory");
    plan.call(writePathBeneath(pipe.writer, allowed, place));
    const rule = pathBeneathOutput(allowed);
    plan.call(read(pipe.reader, rule, rule.size));
    plan.call(addPathBeneath(ruleset, rule), {
      accept: ["EINVAL"],
      onAccepted: isFile,
      onZero: done,
    });
    plan.place(isFile);
    const ofFile = allowed & RIGHTS_OF_FILE;
    plan.call(writePathBeneath(pipe.writer, ofFile, place));
    const fileRule = pathBeneathOutput(ofFile);
    plan.call(read(pipe.reader, fileRule, fileRule.size));
    plan.call(addPathBeneath(ruleset, fileRule));
    plan.place(done);
    plan.release(place);
  }
  plan.release(pipe.reader);
  plan.release(pipe.writer);
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
