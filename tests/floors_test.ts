/** The floors: which directories import which, from the bottom to the top. */

import { assert, assertEquals } from "@std/assert";
import { test } from "./support.ts";

const PROJECT = new URL("..", import.meta.url).pathname;

/** A file imports from its own floor, or from one below. */
const FLOORS: Readonly<Record<string, number>> = {
  std: 0,
  ffi: 0,
  recipe: 1,
  host: 2,
  plan: 3,
  launch: 4,
  audit: 5,
  box: 5,
  permissions: 5,
  proxy: 5,
  container: 6,
  cdi: 7,
  changes: 7,
  export: 7,
  images: 7,
  oci: 7,
  yaml: 7,
  shell: 7,
  services: 7,
  detached: 7,
  "mod.ts": 7,
  scripts: 8,
};

/** An import of one file in another. */
interface Edge {
  readonly from: string;
  readonly to: string;
  /** Whether it imports only types. */
  readonly typesOnly: boolean;
}

const IMPORT =
  /^(?:import|export)\s+(?:(type)\s+)?(?:([\w\s*{},]+?)\s+from\s+)?"(\.[^"]+)"|\bimport\(\s*"(\.[^"]+)"\s*\)/gm;

function importsOf(file: string): Edge[] {
  const text = Deno.readTextFileSync(PROJECT + file).replaceAll(/^ *(?:\*|\/\/).*$/gm, "");
  return [...text.matchAll(IMPORT)].map(([, type, names, path, dynamic]) => ({
    from: file,
    to: new URL(path ?? dynamic!, `file:///${file}`).pathname.slice(1),
    typesOnly: type !== undefined ||
      /^\{(\s*type\s+\w+(\s+as\s+\w+)?\s*,?)+\s*\}$/.test(names ?? ""),
  }));
}

function* filesIn(path: string): Generator<string> {
  if (path.endsWith(".ts")) return yield path;
  for (const { name, isDirectory } of Deno.readDirSync(PROJECT + path)) {
    if (isDirectory || name.endsWith(".ts")) yield* filesIn(`${path}/${name}`);
  }
}

const edges = Object.keys(FLOORS).flatMap((room) => [...filesIn(room)]).flatMap(importsOf);

const roomOf = (file: string) => file.split("/")[0]!;
/** The scripts of the project may import its tests, which have no floor. */
const floorOf = (file: string) => FLOORS[roomOf(file)] ?? FLOORS["scripts"]!;
const shown = ({ from, to }: Edge) => `${from} -> ${to}`;

test("a file imports from its own floor, or from one below", () => {
  assert(edges.length > 500, "the imports are not found");
  const upward = edges.filter(({ from, to }) => floorOf(to) > floorOf(from));
  assertEquals(upward.map(shown), []);
});

test("directories have no circular imports", () => {
  const between = edges.map(apart).filter((pair) => !pair.every((path) => path.endsWith(".ts")));
  assertEquals(circlesIn(between), []);
});

/** Returns the two directories or files at which the paths of an import differ. */
function apart({ from, to }: Edge): readonly [string, string] {
  const [here, there] = [from.split("/"), to.split("/")];
  const depth = here.findIndex((part, index) => part !== there[index]) + 1;
  return [here.slice(0, depth).join("/"), there.slice(0, depth).join("/")];
}

test("files have no circular imports, except of types", () => {
  const loaded = edges.filter(({ typesOnly }) => !typesOnly);
  assertEquals(circlesIn(loaded.map(({ from, to }) => [from, to])), []);
});

test("a recipe is made without the engine", () => {
  const reached = new Map<string, string>();
  const follow = (file: string, way: string) => {
    if (reached.has(file)) return;
    reached.set(file, way);
    for (const { from, to, typesOnly } of edges) {
      if (from === file && !typesOnly) follow(to, `${way} -> ${to}`);
    }
  };
  for (const file of filesIn("recipe")) follow(file, file);
  const ways = [...reached].filter(([file]) => roomOf(file) !== "recipe" && !isData(file));
  assertEquals(ways.map(([, way]) => way), []);
});

/** The files of ffi/ with numbers, names and classes of errors, which make no call. */
function isData(file: string): boolean {
  return file.startsWith("ffi/calls/constants/") || [
    "ffi/control_characters.ts",
    "ffi/errno.ts",
    "ffi/errors.ts",
    "ffi/netlink/ip.ts",
    "ffi/seccomp/all_syscalls.ts",
    "ffi/seccomp/compat_syscalls.ts",
    "ffi/seccomp/returns.ts",
    "ffi/text_position.ts",
  ].includes(file);
}

/** Returns circles of the graph: at least one for each node that is on any. */
function circlesIn(pairs: readonly (readonly [string, string])[]): readonly string[] {
  const next = Map.groupBy(pairs, ([from]) => from);
  const circles = new Set<string>();
  const done = new Set<string>();
  const search = (node: string, way: readonly string[]) => {
    if (way.includes(node)) circles.add([...way.slice(way.indexOf(node)), node].join(" -> "));
    if (done.has(node)) return;
    done.add(node);
    for (const [, to] of next.get(node) ?? []) search(to, [...way, node]);
  };
  for (const node of next.keys()) search(node, []);
  return [...circles];
}
