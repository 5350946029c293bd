/**
 * The memory that one launch of a new command allocates in the script's heap: what has to be
 * collected later.
 *
 * @module
 */

import { alone } from "./alone.ts";
import { type Build, NOW, THEN, withBuilds } from "./builds.ts";
import { print, type Report } from "./report.ts";

const LAUNCHES = 20;
const PROGRAM = "/bin/true";
const NULL = { stdin: "null", stdout: "null", stderr: "null" } as const;
/** No collection comes between two looks: there is room, in MiB, for all that is allocated. */
const FLAGS = "--expose-gc,--min-semi-space-size=256,--max-semi-space-size=256";

/** What is launched, and which figure is wanted of it, to the build before. */
interface Way {
  readonly name: string;
  readonly limit?: number;
  /** Returns what launches it for the so manyth time. */
  readonly prepare: (module: Build["module"]) => (index: number) => void;
}

const WAYS: readonly Way[] = [
  {
    name: "a new command each, of one recipe with seven namespaces",
    limit: 0.3,
    prepare({ hostname, mapRoot, proc, recipe, unshare }) {
      const box = recipe(
        unshare("user", "mount", "pid", "uts", "ipc", "net", "cgroup"),
        mapRoot(),
        proc(),
        hostname("box"),
      );
      return (index) => box.command(PROGRAM, { ...NULL, args: [String(index)] }).outputSync();
    },
  },
  {
    name: "sandbox() anew each",
    prepare: ({ sandbox }) => () => sandbox().command(PROGRAM, NULL).outputSync(),
  },
  {
    name: "another sandbox each",
    prepare: ({ sandbox }) => (index) =>
      sandbox({ env: [`N${index}`] }).command(PROGRAM, NULL).outputSync(),
  },
];

/** Measures. */
export function heap(): Promise<Report> {
  return withBuilds(({ builds, notes }) => {
    const bytes = new Map(builds.map((build) => [build.name, measureApart(build)]));
    const ratio = (way: number) => bytes.get(NOW)![way]! / bytes.get(THEN)![way]!;
    return Promise.resolve({
      title: "The memory that a launch allocates",
      about: [
        `what the heap has grown by after ${LAUNCHES} launches by outputSync(), without a collection ` +
        "between, for each launch; in a process of its own, behind as many that are not counted",
        ...notes,
      ],
      tables: [{
        title: "The heap",
        heading: ["", ...builds.map(({ name }) => `${name}, KiB a launch`)],
        rows: WAYS.map(({ name }, way) => [
          name,
          ...builds.map((build) => (bytes.get(build.name)![way]! / 1024).toFixed(1)),
        ]),
        wanted: bytes.has(THEN)
          ? WAYS.flatMap(({ name, limit }, way) =>
            limit === undefined
              ? []
              : [{ what: `${name}, to ${THEN}`, is: ratio(way), bound: "at most", limit }]
          )
          : [],
      }],
      plots: [],
    });
  });
}

/** Measures all ways in a new process, whose heap nobody else uses. */
function measureApart({ path }: Build): readonly number[] {
  const { success, stdout } = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", `--v8-flags=${FLAGS}`, import.meta.url, path],
    stderr: "inherit",
  }).outputSync();
  if (!success) throw new Error(`the heap of ${path} could not be measured`);
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** Bytes a launch. */
function measure(launch: (index: number) => void): number {
  for (let i = 0; i < LAUNCHES; i++) launch(i);
  (globalThis as unknown as { gc(): void }).gc();
  const before = Deno.memoryUsage().heapUsed;
  for (let i = LAUNCHES; i < 2 * LAUNCHES; i++) launch(i);
  return (Deno.memoryUsage().heapUsed - before) / LAUNCHES;
}

if (import.meta.main) {
  const [path] = Deno.args;
  if (path === undefined) await alone(heap);
  else {
    const module: Build["module"] = await import(`file://${path}`);
    print(JSON.stringify(WAYS.map(({ prepare }) => measure(prepare(module)))));
  }
}
