/**
 * Boxes against the same calls in C without a libc, and against the peers, each started by
 * posix_spawn(3) and waited for.
 *
 * @module
 */

import { buildBox } from "../box/mod.ts";
import { hostname, mapRoot, proc, type Recipe, recipe, sandbox, tmpfs, unshare } from "../mod.ts";
import { alone } from "./alone.ts";
import { bwrapOptions } from "./bwrap_sandbox.ts";
import { CLauncher } from "./c_launcher.ts";
import { findProgram } from "./machine.ts";
import { type Report, roundsTable, type Table } from "./report.ts";
import { type Contender, interleave, median, ratios, type Rounds } from "./rounds.ts";

const ROUNDS = 201;
const BOX = "a box", C = "C without libc", BWRAP = "bwrap", UNSHARE = "unshare";
/** What nobody can leave out: a clone into these namespaces, and the program. */
const ALONE = "a clone, and no more";
const PROGRAM = "/bin/true";

const FOUR = recipe(
  unshare("user", "mount", "pid", "uts"),
  mapRoot(),
  proc(),
  hostname("box"),
);
const README = recipe(
  unshare("user", "mount", "pid", "uts", "ipc", "net"),
  mapRoot(),
  tmpfs("/tmp", { size: "10m" }),
  proc(),
  hostname("a-cooler-hostname"),
);

/** The options of bwrap for the same container. */
const BWRAP_FOUR = [
  ...["--unshare-user", "--unshare-pid", "--unshare-uts", "--uid", "0", "--gid", "0"],
  ...["--dev-bind", "/", "/", "--proc", "/proc", "--hostname", "box", "--die-with-parent"],
];
const BWRAP_README = [
  ...BWRAP_FOUR.slice(0, 7),
  ...["--unshare-ipc", "--unshare-net", "--dev-bind", "/", "/", "--tmpfs", "/tmp"],
  ...["--proc", "/proc", "--hostname", "a-cooler-hostname", "--die-with-parent"],
];

const SANDBOX = bwrapOptions(sandbox().steps);

/** What is measured of one recipe. */
interface Race {
  readonly title: string;
  readonly box: Recipe;
  /** Whether the program is static and does nothing: the loader of /bin/true takes most of its time. */
  readonly isStatic?: true;
  /** The flags of the compiler for the program in C, where there is one. */
  readonly c?: readonly string[];
  readonly bwrap: readonly string[];
  readonly unshare?: readonly string[];
  /** The most that a box may take of C's time, and of bwrap's. */
  readonly wanted: { readonly c?: number; readonly bwrap: number };
}

const RACES: readonly Race[] = [
  {
    title: "Four namespaces",
    box: FOUR,
    c: ["-DFOUR"],
    bwrap: BWRAP_FOUR,
    unshare: ["--user", "--map-root-user", "--mount-proc", "--pid", "--fork", "--uts"],
    wanted: { c: 1.03, bwrap: 0.35 },
  },
  {
    title: "The recipe of the README",
    box: README,
    c: [],
    bwrap: BWRAP_README,
    wanted: { c: 1.03, bwrap: 0.35 },
  },
  {
    title: "Four namespaces, a static program",
    box: FOUR,
    isStatic: true,
    bwrap: BWRAP_FOUR,
    wanted: { bwrap: 0.35 },
  },
  {
    title: "The recipe of the README, a static program",
    box: README,
    isStatic: true,
    bwrap: BWRAP_README,
    wanted: { bwrap: 0.35 },
  },
  {
    title: "A sandbox",
    box: sandbox(),
    bwrap: SANDBOX,
    wanted: { bwrap: 0.55 },
  },
];

/** Measures. */
export async function boxes(): Promise<Report> {
  const directory = Deno.makeTempDirSync({ prefix: "ramekin-bench-" });
  // Not below /tmp, which a recipe covers.
  const elsewhere = Deno.makeTempDirSync({ dir: "/var/tmp", prefix: "ramekin-bench-" });
  try {
    const launcher = CLauncher.compile(directory);
    const tables = launcher === undefined ? [] : await tablesOf(launcher, directory, elsewhere);
    return {
      title: "Boxes",
      about: [
        `each runs ${PROGRAM}; one parent in C starts them all, in turns, with /dev/null as streams`,
        "bwrap mounts a root of its own in any case, and has no filter of system calls here",
        `a box of the README's recipe has ${sizeOf(README)} bytes, one of a sandbox ${
          sizeOf(sandbox())
        }`,
      ],
      tables,
      plots: [],
    };
  } finally {
    Deno.removeSync(directory, { recursive: true });
    Deno.removeSync(elsewhere, { recursive: true });
  }
}

function sizeOf(box: Recipe): number {
  return buildBox(box).length;
}

async function tablesOf(
  launcher: CLauncher,
  directory: string,
  elsewhere: string,
): Promise<readonly Table[]> {
  const tables: Table[] = [];
  for (const [index, race] of RACES.entries()) {
    const program = race.isStatic === true ? staticProgram(elsewhere) : PROGRAM;
    if (program === undefined) continue;
    const boxed = (name: string, box: Recipe) => {
      const path = `${directory}/${name}${index}`;
      Deno.writeFileSync(path, buildBox(box), { mode: 0o755 });
      return [path, program];
    };
    const [first] = race.box.steps;
    const peers: readonly (readonly [name: string, command: readonly string[] | undefined])[] = [
      [BOX, boxed("box", race.box)],
      [ALONE, race.bwrap === SANDBOX ? undefined : boxed("alone", recipe(first!))],
      [C, race.c && compiled(`${directory}/c${index}`, race.c)],
      [UNSHARE, race.unshare && command(UNSHARE, race.unshare, program)],
      [BWRAP, command(BWRAP, race.bwrap, program)],
    ];
    const contenders = peers.flatMap(([name, words]): Contender[] => {
      if (words === undefined) return [];
      const measure = async () => await launcher.peer(1, "null", words);
      return [{ name, measure }];
    });
    const rounds = await interleave(contenders, ROUNDS);
    const format = (nanoseconds: number) => (nanoseconds / 1e6).toFixed(2);
    tables.push(roundsTable(race.title, rounds, BOX, "ms", format, wanted(race, rounds)));
  }
  return tables;
}

function wanted({ wanted: { c, bwrap } }: Race, rounds: Rounds) {
  return ([[C, c], [BWRAP, bwrap]] as const).flatMap(([name, limit]) => {
    if (limit === undefined || !rounds.has(name)) return [];
    const is = median(ratios(rounds, BOX, name));
    return [{ what: `a box to ${name}`, is, bound: "at most" as const, limit }];
  });
}

function command(
  name: string,
  options: readonly string[],
  program: string,
): readonly string[] | undefined {
  const tool = findProgram(name);
  return tool === undefined ? undefined : [tool, ...options, program];
}

/** Returns a program of a few instructions; `undefined` where there is no compiler. */
function staticProgram(directory: string): string | undefined {
  const compiler = findProgram("cc");
  if (compiler === undefined || Deno.build.arch !== "x86_64") return undefined;
  const [source, path] = [`${directory}/static.c`, `${directory}/static`];
  Deno.writeTextFileSync(
    source,
    'void _start(void) { __asm__("mov $231, %eax; xor %edi, %edi; syscall"); }\n',
  );
  const args = ["-O2", "-nostdlib", "-static", "-o", path, source];
  const { success } = new Deno.Command(compiler, { args, stderr: "null" }).outputSync();
  return success ? path : undefined;
}

/** Compiles box.c, which is for x86_64. */
function compiled(path: string, flags: readonly string[]): readonly string[] | undefined {
  const compiler = findProgram("cc");
  if (compiler === undefined || Deno.build.arch !== "x86_64") return undefined;
  const source = new URL("box.c", import.meta.url).pathname;
  const { success, stderr } = new Deno.Command(compiler, {
    args: ["-O2", "-nostdlib", "-static", "-fno-stack-protector", ...flags, "-o", path, source],
  }).outputSync();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return [path, PROGRAM];
}

if (import.meta.main) await alone(boxes);
