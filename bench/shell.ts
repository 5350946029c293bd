/**
 * Template commands: `` $`true` `` against `Deno.Command`, and where they are installed dax on Deno
 * and execa on Node; a GiB through a pipe of three programs against sh's.
 *
 * @module
 */

import { recipe } from "../mod.ts";
import { $ } from "../shell/mod.ts";
import { alone } from "./alone.ts";
import { findProgram } from "./machine.ts";
import { onOneProcessor } from "./one_processor.ts";
import { type Report, roundsTable } from "./report.ts";
import { type Contender, interleave, median, ratios } from "./rounds.ts";

const ROUNDS = 15;
const TIMES = 100;
const GIB = 2 ** 30;

/** A directory with `node_modules`, in which dax and execa may be installed, beside other rivals. */
const RIVALS = Deno.env.get("RAMEKIN_BENCH_RIVALS");

/** Whether one of them is. */
function isInstalled(name: string): boolean {
  try {
    return Deno.statSync(`${RIVALS}/node_modules/${name}`).isDirectory;
  } catch {
    return false;
  }
}

/** Measures. */
export async function templates(): Promise<Report> {
  const node = isInstalled("execa") ? findProgram("node") : undefined;
  const short = await interleave([
    { name: "Deno.Command", measure: each(() => new Deno.Command("true").output()) },
    { name: "recipe().command()", measure: each(() => recipe().command("true").output()) },
    { name: "$`true`", measure: each(async () => void await $`true`) },
    ...await dax(),
    ...(node === undefined ? [] : [execa(node)]),
  ], ROUNDS);
  const pipes = await onOneProcessor(() =>
    interleave([
      { name: "sh", measure: once(() => sh(`head -c ${GIB} /dev/zero | cat | wc -c`)) },
      {
        name: "$",
        measure: once(() => $`head -c ${GIB} /dev/zero`.pipe`cat`.pipe`wc -c`.text()),
      },
    ], ROUNDS)
  );
  const to = (base: string) => median(ratios(short, "$`true`", base));
  const wanted = (base: string, limit: number) =>
    short.has(base)
      ? [{ what: `$\`true\` to ${base}`, is: to(base), bound: "at most" as const, limit }]
      : [];
  return {
    title: "Template commands",
    about: [
      "$ watches stderr, for the error of a failure; Deno.Command collects both outputs",
      node === undefined && !isInstalled("dax")
        ? "dax and execa are measured where RAMEKIN_BENCH_RIVALS names a directory that has them"
        : "execa runs on Node, one process for all of its commands; dax has a `true` of its own and " +
          "runs /bin/true here",
      "the three programs share one processor: on two, which of them share one decides more than who " +
      "has started them",
    ],
    tables: [
      roundsTable("A short command", short, "Deno.Command", "ms", (ms) => ms.toFixed(3), [
        ...wanted("Deno.Command", 1.05),
        ...wanted("dax", 0.6),
        ...wanted("execa", 0.5),
      ]),
      roundsTable(
        "A GiB through three programs",
        pipes,
        "sh",
        "s",
        (ms) => (ms / 1000).toFixed(3),
        [
          {
            what: "the speed of $ to sh's",
            is: 1 / median(ratios(pipes, "$", "sh")),
            bound: "at least",
            limit: 0.95,
          },
        ],
      ),
    ],
    plots: [],
  };
}

/** Runs it some times, and returns what each took in milliseconds. */
function each(act: () => Promise<unknown>): Contender["measure"] {
  return async () => {
    const measured: number[] = [];
    for (let index = 0; index < TIMES; index++) {
      const begin = performance.now();
      await act();
      measured.push(performance.now() - begin);
    }
    return measured;
  };
}

function once(act: () => Promise<string>): Contender["measure"] {
  return async () => {
    const begin = performance.now();
    const counted = (await act()).trim();
    if (counted !== String(GIB)) throw new Error(`${counted} bytes have come`);
    return [performance.now() - begin];
  };
}

async function sh(script: string): Promise<string> {
  const { stdout } = await new Deno.Command("sh", { args: ["-c", script] }).output();
  return new TextDecoder().decode(stdout);
}

async function dax(): Promise<Contender[]> {
  if (!isInstalled("dax")) return [];
  const module = new URL(`file://${RIVALS}/node_modules/dax/esm/mod.js`).href;
  const { $: rival } = await import(module);
  return [{ name: "dax", measure: each(async () => void await rival`/bin/true`) }];
}

/** The measuring goes on in Node. */
function execa(node: string): Contender {
  const script = `
    import { $ } from "execa";
    const measured = [];
    for (let index = 0; index < ${TIMES}; index++) {
      const begin = performance.now();
      await $\`true\`;
      measured.push(performance.now() - begin);
    }
    console.log(JSON.stringify(measured));`;
  return {
    name: "execa",
    measure: async () => {
      const { stdout } = await new Deno.Command(node, {
        args: ["--input-type=module", "-e", script],
        cwd: RIVALS!,
      }).output();
      return JSON.parse(new TextDecoder().decode(stdout));
    },
  };
}

if (import.meta.main) await alone(templates);
