/**
 * Whether clone3(2) is available, with all features that are used.
 *
 * @module
 */

import { clone3Probe } from "./calls/clone3.ts";
import { perEngine } from "./engine/per_engine.ts";
import { assemble } from "./engine/program.ts";
import { ERRNO } from "./errno.ts";

/** Whether the kernel is Linux 5.7 or later, and no filter hides the call. */
export const hasClone3: () => boolean = perEngine((loaded) => {
  const outcome = loaded.run(assemble([{ call: clone3Probe() }], loaded.architecture));
  return outcome.failed?.errno === ERRNO.EINVAL;
});
