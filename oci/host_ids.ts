/**
 * The ids here of the container's users and groups.
 *
 * @module
 */

import type { ConfigIdMapping, ConfigLinux } from "./spec.ts";

/** The user here whom the container's user namespace maps an id to, if it does. */
export function hostUser(id: number, linux: ConfigLinux): number | undefined {
  return mapped(id, linux, linux.uidMappings);
}

/** The group here that the container's user namespace maps an id to, if it does. */
export function hostGroup(id: number, linux: ConfigLinux): number | undefined {
  return mapped(id, linux, linux.gidMappings);
}

function mapped(
  id: number,
  { namespaces = [] }: ConfigLinux,
  mappings: readonly ConfigIdMapping[] | null | undefined,
): number | undefined {
  if (!namespaces.some(({ type }) => type === "user")) return id;
  const map = mappings?.find(({ containerID, size }) =>
    id >= containerID && id < containerID + size
  );
  return map && map.hostID + id - map.containerID;
}
