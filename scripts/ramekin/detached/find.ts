/**
 * Finds a detached container by what the user calls it, or by its process.
 *
 * @module
 */

import { programOf } from "../../../container/registry.ts";
import type { linux } from "../../../mod.ts";
import { DetachedRecord } from "./record.ts";

/** The record of a container with this name, or with a process of this pid: its first or its program. */
export function detachedCalled(word: string): DetachedRecord | undefined {
  if (!/^\d+$/.test(word)) return DetachedRecord.find(word);
  const pid = Number(word);
  return DetachedRecord.all().find((record) => {
    const first = record.state?.container;
    return first !== undefined && record.isKept &&
      (first.pid === pid || programOf(first.pid) === pid);
  });
}

/** The first process of the detached container of this name, while it runs. */
export function processOfDetached(name: string): linux.ProcessIdentity | undefined {
  const record = DetachedRecord.find(name);
  return record?.isKept ? record.state?.container : undefined;
}
