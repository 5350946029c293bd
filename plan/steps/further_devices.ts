/**
 * Which devices of the host a /dev has beside the harmless ones.
 *
 * @module
 */

import { normalize } from "../../recipe/path.ts";
import type { DevicesStep } from "../../recipe/steps/devices.ts";
import type { PlanBuilder } from "../builder.ts";
import { HostPath } from "../host_path.ts";

/** Returns their paths on the host, by their names in /dev. */
export function furtherDevices(
  step: DevicesStep,
  plan: PlanBuilder,
): readonly (readonly [name: string, source: string])[] {
  const { extra = [], gpus } = step;
  const paths = [
    ...extra.flatMap((device) =>
      typeof device === "string"
        ? devicesAt(normalize(device), plan).map((path) => [path, path] as const)
        : [renamed(normalize(device[0]), normalize(device[1]), plan)]
    ),
    ...(gpus === undefined ? [] : graphicsDevices(gpus, plan)).map((path) => [path, path] as const),
  ];
  requireShared(paths.map(([name]) => name), plan);
  return paths.map(([name, source]) => [name.slice("/dev/".length), source]);
}

/** Refuses a processor of NVIDIA without the devices that its programs need. */
function requireShared(names: readonly string[], plan: PlanBuilder): void {
  const processor = names.find((name) => /^\/dev\/nvidia[0-9]+$/.test(name));
  const missing = NVIDIA_SHARED.find((name) => !names.includes(name));
  if (processor === undefined || missing === undefined) return;
  plan.refuse(
    `${processor} needs ${missing} beside it, as ${MISSING_NVIDIA}; name that too, or take all of ` +
      `them: { gpus: [${processor.slice("/dev/nvidia".length)}] }`,
  );
}

/** One device under another name. */
function renamed(source: string, name: string, plan: PlanBuilder): readonly [string, string] {
  if (typeOf(source, plan) === "directory") {
    plan.refuse(`${source} is a directory, and only a device can have another name`);
  }
  devicesAt(source, plan);
  return [name, source];
}

/** Returns the path of a device, or those of the devices in a directory. */
function devicesAt(path: string, plan: PlanBuilder): readonly string[] {
  const type = typeOf(path, plan);
  // Of another machine nothing is known.
  if (type === "device" || type === "unknown") return [path];
  if (type === undefined) {
    plan.refuse(`${path} does not exist; its driver may not be loaded (lsmod, modprobe)`);
  }
  if (type !== "directory") plan.refuse(`${path} is a ${type}, and no device`);
  const inside = plan.facts.namesIn(path, "*").map((name) => `${path}/${name}`)
    .filter((inner) => typeOf(inner, plan) === "device");
  if (inside.length === 0) plan.refuse(`the directory ${path} has no devices in it`);
  return inside;
}

function typeOf(path: string, plan: PlanBuilder): HostPath["resolved"]["type"] {
  const source = plan.source(path);
  if (source instanceof HostPath) return source.resolved.type;
  return plan.refuse(`${path} is to be one of the host, whose files are out of reach at this step`);
}

/**
 * Returns the devices of graphics processors. Those of NVIDIA need the control device in any case, and
 * CUDA a third, without which it fails with a number alone (cuInit: 999).
 */
function graphicsDevices(gpus: "all" | readonly number[], plan: PlanBuilder): readonly string[] {
  if (!plan.host.isHere) {
    plan.refuse(
      "which graphics processors there are is known only where the box runs; name their devices",
    );
  }
  const named = (pattern: RegExp, directory = "/dev") =>
    plan.facts.namesIn(directory, "*").filter((name) => pattern.test(name))
      .map((name) => `${directory}/${name}`);
  const nvidia = named(/^nvidia[0-9]+$/);
  const rendering = gpus === "all" && plan.facts.resolve("/dev/dri").type === "directory"
    ? named(/^renderD[0-9]+$/, "/dev/dri")
    : [];
  const chosen = gpus === "all" ? nvidia : gpus.map((number) => `/dev/nvidia${number}`);
  const missing = chosen.find((path) => !nvidia.includes(path));
  if (missing !== undefined) {
    const others = nvidia.length === 0 ? "none of NVIDIA" : nvidia.join(", ");
    plan.refuse(`${missing} does not exist; this machine has ${others}`);
  }
  if (chosen.length + rendering.length === 0) {
    plan.refuse(
      "this machine has no graphics processor: no /dev/nvidia0 and no /dev/dri/renderD128",
    );
  }
  return [...rendering, ...(chosen.length === 0 ? [] : [...NVIDIA_SHARED, ...chosen])]
    .map((path) => {
      if (plan.facts.resolve(path).type !== undefined) return path;
      return plan.refuse(
        `${path} does not exist, and ${MISSING_NVIDIA}; nvidia-modprobe -u -c 0 makes it`,
      );
    });
}

/** What all processors of NVIDIA share. */
const NVIDIA_SHARED = ["/dev/nvidiactl", "/dev/nvidia-uvm"];
const MISSING_NVIDIA = "CUDA fails without it (cuInit: 999 or 100)";
