/**
 * What a sandbox cannot promise where its program may make mount namespaces (`nest`).
 *
 * Within a directory that can be changed, a file is held by a mount on it. The kernel lets nobody
 * rename or remove what is a mount point in the mount namespace of who does it (is_local_mountpoint()
 * of fs/namespace.c). In a namespace of its own the program takes the whole tree of mounts away
 * (pivot_root(2), umount2(2)), and by a descriptor that it has kept of the directory nothing in it is
 * a mount point any more.
 *
 * @module
 */

import { isWithin } from "./path.ts";
import type { SandboxOptions } from "./sandbox.ts";
import type { ShownFile, ShownFiles } from "./sandbox_files.ts";
import { optionError } from "./sandbox_option.ts";

/** Refuses with `nest` what mounts hold within the directories that can be changed. */
export function refuseUnheldByNest(options: SandboxOptions, asked: ShownFiles): void {
  if (options.nest !== true) return;
  const [name, reason] = unheld(options, [...asked.values()]) ?? [];
  if (name === undefined) return;
  throw optionError(
    name,
    `with "nest" the program can make a mount namespace, in which ${reason}`,
  );
}

function unheld(
  { protect = true, changes = {}, ...options }: SandboxOptions,
  asked: readonly ShownFile[],
): readonly [name: keyof SandboxOptions, reason: string] | undefined {
  const written = asked.filter(({ access }) => access === "write");
  const [first] = written;
  if (first === undefined) return undefined;
  // Of changes that are held, those of protected names are found when they are made.
  const open = written.find(({ path }) =>
    !Object.keys(changes).some((held) => isWithin(path, held))
  );
  if (open !== undefined && protect !== false && (protect === true || protect.length > 0)) {
    return [
      "protect",
      `no file in ${open.path} stays read-only: hold its changes (hold()), or with false ` +
      "(--no-protect) let the program change what is run or trusted later, such as .git/hooks",
    ];
  }
  for (const name of ["denyRead", "denyWrite"] as const) {
    if ((options[name] ?? []).length === 0) continue;
    return [name, `a file in ${first.path} can be moved away from its path, where it is denied`];
  }
  const inner = asked.find(({ option, path, access }) =>
    access === "read" && option !== "tmpfs" && written.some((outer) => isWithin(path, outer.path))
  );
  return inner && ["read", `${inner.path} can be replaced, as "write" names what it is in`];
}
