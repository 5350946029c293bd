/**
 * A process that thaws a paused container at the end of the script. Nothing else would: processes
 * that version 1 has frozen do not even die of SIGKILL.
 *
 * @module
 */

import { Output } from "../ffi/call.ts";
import { at_fdcwd, close, O_CLOEXEC, O_WRONLY, openat, read } from "../ffi/calls/files.ts";
import {
  POLLIN,
  ppoll,
  PR_SET_PDEATHSIG,
  prctl,
  rt_sigtimedwait,
  setsid,
  SIGNALS,
} from "../ffi/calls/processes.ts";
import { writeTextTo } from "../ffi/calls/write_text.ts";
import type { FreezerFile } from "../ffi/cgroups/group.ts";
import { Label } from "../ffi/engine/program.ts";
import { syscall, syscalls } from "../ffi/syscalls.ts";
import { HELPER_ENDS, HelperProcess } from "./helper_process.ts";
import { openPipe } from "./pipe.ts";
import { scriptPidfd } from "./runtime_fds.ts";

/**
 * Starts it, and waits until nothing can end the script's thread without its being told.
 *
 * @throws {SyscallError} `EAGAIN` at the limit of processes, `EMFILE` at that of open files
 */
export function thawGuard({ file, thawing }: FreezerFile): HelperProcess {
  const open = [syscall(openat(at_fdcwd, file, O_WRONLY | O_CLOEXEC))];
  try {
    const { reader, writer } = openPipe();
    open.push(reader, writer);
    const guard = startGuard(open[0]!, thawing);
    // The guard has closed it when it is ready.
    syscall(close(open.pop()!));
    waitForEnd(reader);
    return guard;
  } finally {
    for (const fd of open) syscall(close(fd));
  }
}

function startGuard(file: number, thawing: string): HelperProcess {
  const [again, ended] = [new Label("again"), new Label("the script has ended")];
  return new HelperProcess([scriptPidfd(), file], [
    { call: ppoll([{ fd: 0, events: POLLIN }], 0), onFailure: HELPER_ENDS, onSuccess: ended },
    again,
    { call: rt_sigtimedwait(SIGNALS.SIGTERM), accept: ["EINTR"], onAccepted: again },
    ended,
    { call: writeTextTo(1, thawing), onFailure: HELPER_ENDS },
  ], [
    { call: setsid(), onFailure: HELPER_ENDS },
    // It is told of the end of the thread that has made it, with which a Worker's containers end;
    // but not of an end that came before this.
    { call: prctl(PR_SET_PDEATHSIG, SIGNALS.SIGTERM), onFailure: HELPER_ENDS },
  ]);
}

/** Blocks until no writer of a pipe is left. */
function waitForEnd(reader: number): void {
  const again = new Label("again");
  const call = read(reader, new Output(1, "&byte"), 1);
  syscalls([again, { call, accept: ["EINTR"], onAccepted: again }]);
}
