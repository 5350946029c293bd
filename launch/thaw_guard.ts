/**
 * A process that thaws a paused container at the end of the script. Nothing else would: processes
 * that version 1 has frozen do not even die of SIGKILL.
 *
 * @module
 */

import { at_fdcwd, close, O_CLOEXEC, O_WRONLY, openat } from "../ffi/calls/files.ts";
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
import { syscall } from "../ffi/syscalls.ts";
import { HELPER_ENDS, HelperProcess } from "./helper_process.ts";
import { scriptPidfd } from "./runtime_fds.ts";

/**
 * Starts it.
 *
 * @throws {SyscallError} `EAGAIN` at the limit of processes
 */
export function thawGuard({ file, thawing }: FreezerFile): HelperProcess {
  const fd = syscall(openat(at_fdcwd, file, O_WRONLY | O_CLOEXEC));
  try {
    const [again, ended] = [new Label("again"), new Label("the script has ended")];
    // It is told of the end of the thread that has made it, with which a Worker's containers end.
    return new HelperProcess([scriptPidfd(), fd], [
      { call: setsid(), onFailure: HELPER_ENDS },
      { call: prctl(PR_SET_PDEATHSIG, SIGNALS.SIGTERM), onFailure: HELPER_ENDS },
      {
        call: ppoll([{ fd: 0, events: POLLIN }], 0),
        onFailure: HELPER_ENDS,
        onSuccess: ended,
      },
      again,
      { call: rt_sigtimedwait(SIGNALS.SIGTERM), accept: ["EINTR"], onAccepted: again },
      ended,
      { call: writeTextTo(1, thawing), onFailure: HELPER_ENDS },
    ]);
  } finally {
    syscall(close(fd));
  }
}
