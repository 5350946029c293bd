/**
 * Lowers the step `joinCgroup`.
 *
 * @module
 */

import { at_fdcwd, O_CLOEXEC, O_WRONLY, openat } from "../../ffi/calls/files.ts";
import { writeTextTo } from "../../ffi/calls/write_text.ts";
import type { JoinCgroupStep } from "../../recipe/steps/join_cgroup.ts";
import type { PlanBuilder } from "../builder.ts";
import { CGROUP_DENIED } from "../fixes.ts";

/** Lowers `joinCgroup`. The files are opened by the script, whose rights count for what is written. */
export function lowerJoinCgroup({ directories }: JoinCgroupStep, plan: PlanBuilder): void {
  for (const directory of directories) {
    const file = `${directory}/cgroup.procs`;
    plan.access.recordWrite(directory);
    const fixes = { EACCES: CGROUP_DENIED, ENOENT: `${directory} is no control group` };
    const opened = openat(at_fdcwd, file, O_WRONLY | O_CLOEXEC);
    const fd = plan.inheritFd(opened, `<${file}>`, { fixes });
    // "0": the process that writes it (cgroups(7)).
    plan.call(writeTextTo(fd, "0"), { fixes });
  }
}
