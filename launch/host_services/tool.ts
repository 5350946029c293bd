/**
 * Tools of the host's that the script runs for a container: each as a container of no steps.
 *
 * @module
 */

import { DEFAULT_PATH } from "../../recipe/default_path.ts";
import {
  environmentBlock,
  environmentStrings,
  environmentVariable,
} from "../../ffi/environment.ts";
import type { ExecSpec } from "../exec.ts";
import { resources } from "../runtime_fds.ts";

/** How such a tool is run: with the script's environment, and looked for in its PATH. */
export function hostTool(
  program: string,
  args: readonly string[],
  stdio: ExecSpec["stdio"],
): ExecSpec {
  return {
    program,
    args,
    environment: environmentBlock(environmentStrings(), new Map()),
    searchPath: environmentVariable("PATH") ?? DEFAULT_PATH,
    cwd: undefined,
    uid: undefined,
    gid: undefined,
    stdio,
    terminal: undefined,
    resources: resources(false),
  };
}
