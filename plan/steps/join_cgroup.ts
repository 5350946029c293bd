/**
 * Lowers the step `joinCgroup`.
 *
 * @module
 */

import { at_fdcwd, O_CLOEXEC, O_NONBLOCK, O_WRONLY, openat2 } from "../../ffi/calls/files.ts";
import { writeTextTo } from "../../ffi/calls/write_text.ts";
import { resolveFlag } from "../../host/resolve_path.ts";
import { climbs, normalize } from "../../recipe/path.ts";
import type { JoinCgroupStep } from "../../recipe/steps/join_cgroup.ts";
import type { PlanBuilder } from "../builder.ts";
import { CGROUP_DENIED } from "../fixes.ts";

/**
 * Lowers `joinCgroup`. The files are opened by the script, whose rights count for what is written.
 *
 * In version 1 a process has a second way. A write to cgroup.procs takes a lock that every fork of the
 * machine takes too, which lasts ten milliseconds; a thread that writes "0" to tasks does without
 * (`cgroup_procs_write_start()`, kernel/cgroup/cgroup.c), and the container has one.
 */
export function lowerJoinCgroup({ directories }: JoinCgroupStep, plan: PlanBuilder): void {
  for (const directory of directories) {
    plan.access.recordWrite(directory);
    const resolved = plan.facts.resolve(climbs(directory) ? directory : normalize(directory));
    const hasTasks = plan.facts.resolve(`${resolved.path}/tasks`).type === "file";
    const file = `${resolved.path}/${hasTasks ? "tasks" : "cgroup.procs"}`;
    const none = `${directory} is no control group`;
    const fixes = { EACCES: CGROUP_DENIED, ENOENT: none, ELOOP: none, ENXIO: none };
    // A link would lead to any file of the script's user, and a named pipe would be waited for.
    const flags = O_WRONLY | O_NONBLOCK | O_CLOEXEC;
    const opened = openat2(at_fdcwd, file, { flags, resolve: resolveFlag(resolved) });
    const fd = plan.inheritFd(opened, `<${file}>`, { fixes });
    // "0": the process that writes it (cgroups(7)).
    plan.call(writeTextTo(fd, "0"), { fixes });
  }
}
