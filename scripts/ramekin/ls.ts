/**
 * `ramekin ls`: lists the namespaces that this process can see.
 *
 * @module
 */

import { listNamespaces, type NamespaceEntry } from "../../host.ts";
import type { Arguments } from "./arguments.ts";
import { paintFor, print, printJson, table } from "./output.ts";

const HEADS = ["NS", "TYPE", "NPROCS", "PID", "UID", "COMMAND"];

/** Lists them. */
export function run(given: Arguments): number {
  const entries = listNamespaces();
  if (given.has("json")) {
    printJson(entries);
    return 0;
  }
  const rows = given.has("tree")
    ? treeOf(entries).map(({ entry, indent }) => rowOf(entry, indent))
    : entries.map((entry) => rowOf(entry, ""));
  print(table(HEADS, rows, paintFor(Deno.stdout)));
  return 0;
}

function rowOf(entry: NamespaceEntry, indent: string): string[] {
  const { id, type, processes, first, mounts } = entry;
  return [
    indent + id,
    type,
    String(processes),
    first === undefined ? "-" : String(first.pid),
    String(first?.uid ?? entry.madeBy ?? "-"),
    first?.command ?? mounts.join(" "),
  ];
}

/** A namespace in the tree, with the lines that are drawn before it. */
export interface TreeRow {
  readonly entry: NamespaceEntry;
  readonly indent: string;
}

/**
 * The namespaces as a tree: a user or pid namespace lies in its parent, every other one belongs to
 * a user namespace. A pid namespace is listed below its parent, if it has one, as in `lsns --tree`.
 */
export function treeOf(entries: readonly NamespaceEntry[]): TreeRow[] {
  const known = new Set(entries.map(({ id }) => id));
  const above = ({ type, parent, owner }: NamespaceEntry) => {
    const id = type === "user" ? parent : type === "pid" ? parent ?? owner : owner;
    return id !== undefined && known.has(id) ? id : undefined;
  };
  const rows: TreeRow[] = [];
  const add = (entry: NamespaceEntry, before: string, last: boolean, root: boolean) => {
    rows.push({ entry, indent: root ? "" : before + (last ? "└─" : "├─") });
    const below = entries.filter((other) => above(other) === entry.id);
    const deeper = root ? "" : before + (last ? "  " : "│ ");
    below.forEach((other, index) => add(other, deeper, index === below.length - 1, false));
  };
  const roots = entries.filter((entry) => above(entry) === undefined);
  roots.forEach((entry) => add(entry, "", true, true));
  return rows;
}
