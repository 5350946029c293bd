/**
 * Containers that run on by themselves: each with a supervisor, a process of its own that keeps what
 * lasts beside the container, and with a record of the user's, by which others find it.
 *
 * @module
 */

export { LogReader } from "./log_reader.ts";
export { DetachedRecord, type DetachedState, type End } from "./record.ts";
export { startSupervisor, type SupervisorStart } from "./start.ts";
export { type Detached, superviseDetached } from "./supervised_program.ts";
