/**
 * `ramekin sandbox`: runs an untrusted program with what Deno's flags allow it, here or by itself.
 *
 * @module
 */

import type { FurtherDevice, SandboxOptions } from "../../mod.ts";
import type { Arguments } from "./arguments.ts";
import { isDetached } from "./detach_flags.ts";
import { apart } from "./run_program.ts";
import { optionsOf, placeIn, runSandbox, sandboxOf, type ShownPaths } from "./sandbox.ts";
import { verboseOf } from "./verbose.ts";

/** Runs the program. */
export async function run(given: Arguments): Promise<number> {
  const options = await withNamedDevices(optionsOf(given));
  if (!isDetached(given)) return await runSandbox(given, options);
  const recipe = apart(sandboxOf(given, options));
  verboseOf(given, recipe);
  const { superviseProgram } = await import("./supervisor.ts");
  return await superviseProgram(given, {
    recipe,
    program: given.program,
    ...placeIn(given, options),
    source: {},
  });
}

/** The options with what files say of the devices that are named as vendors do. */
export async function withNamedDevices(
  options: SandboxOptions & ShownPaths,
): Promise<SandboxOptions & ShownPaths> {
  const { devices = [] } = options;
  const isName = (device: FurtherDevice) => typeof device === "string" && /^[^/].*=/.test(device);
  const names = devices.filter(isName) as readonly string[];
  if (names.length === 0) return options;
  // Few sandboxes have one, and it takes a parser of YAML.
  const { withCdiDevices } = await import("../../cdi/mod.ts");
  const paths = devices.filter((device) => !isName(device));
  return withCdiDevices({ ...options, devices: paths }, names);
}
