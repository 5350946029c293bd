/**
 * Programs of the host that serve a container.
 *
 * @module
 */

import { type ExecSpec, execSpec, type Stdio } from "../exec.ts";

/**
 * Returns a tool to run. Its environment is PATH alone: the script's variables may hold secrets, and
 * a tool may be what reads the packets of an untrusted program.
 */
export function hostTool(
  program: string,
  args: readonly string[],
  stdio: readonly Stdio[],
): ExecSpec {
  const spec = execSpec(program, { args, stdio });
  const changes = new Map([["PATH", spec.searchPath]]);
  return { ...spec, environment: { inherited: [], changes } };
}
