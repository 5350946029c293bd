/**
 * Whether clone3(2) is there, with all that is used of it.
 *
 * @module
 */

import { clone3Probe } from "./calls/clone3.ts";
import { engine } from "./engine/engine.ts";
import { ERRNO } from "./errno.ts";
import { assemble } from "./engine/program.ts";

/** Whether the kernel is Linux 5.7 or later, and no filter hides the call. Asked once. */
export function hasClone3(): boolean {
  return engine().once("clone3", () => {
    const outcome = engine().run(assemble([{ call: clone3Probe() }], engine().architecture));
    return outcome.failed?.errno === ERRNO.EINVAL;
  });
}
