/**
 * What each kind of namespace costs: it is the kernel that makes it and takes it down, and nobody can
 * be faster.
 *
 * @module
 */

import { mapRoot, type NamespaceKind, recipe, unshare } from "../mod.ts";
import { alone } from "./alone.ts";
import { type Bar, bars } from "./plots.ts";
import type { Report } from "./report.ts";
import { interleave, median } from "./rounds.ts";

const ROUNDS = 7;
const LAUNCHES = 100;
const PROGRAM = "/bin/true";
const NONE = "none", USER = "user, with its maps";
/** Made together with a user namespace, as an ordinary user has to. */
const KINDS = ["mount", "pid", "uts", "ipc", "net", "cgroup", "time"] as const;

/** Measures. */
export async function kinds(): Promise<Report> {
  const boxes: Readonly<Record<string, () => number[]>> = {
    [NONE]: () => launches(),
    [USER]: () => launches("user"),
    ...Object.fromEntries(KINDS.map((kind) => [kind, () => launches("user", kind)])),
  };
  const rounds = await interleave(
    Object.entries(boxes).map(([name, launch]) => ({
      name,
      measure: () => Promise.resolve(launch()),
    })),
    ROUNDS,
  );
  const more = (name: string) => {
    const base = rounds.get(name === USER ? NONE : USER)!;
    return median(rounds.get(name)!.map((time, round) => time - base[round]!));
  };
  const rows = [USER, ...KINDS].map((name) => ({ name, value: Math.max(0, more(name)) }));
  const title = "What a namespace adds to a launch and its end";
  return {
    title,
    about: [
      `outputSync() of ${PROGRAM}, against the same without it: none for the user namespace, the ` +
      "user namespace for the others",
      "this is the kernel's: what clone3(2) takes to make it, and exit(2) to take it down; what is " +
      "taken down later, as a network is, can be in the way of the next launch",
    ],
    tables: [{
      title: `Without any: ${(median(rounds.get(NONE)!)).toFixed(0)} µs`,
      heading: ["namespace", "µs more"],
      rows: rows.map(({ name, value }) => [name, value.toFixed(0)]),
    }],
    plots: [{
      name: "kinds",
      about: title,
      svg: bars(
        title,
        title,
        rows.map(({ name, value }): Bar => ({
          name,
          value,
          label: `${value.toFixed(0)} µs`,
          emphasis: "warm",
        })),
      ),
    }],
  };
}

/** Microseconds a launch. */
function launches(...kinds: readonly NamespaceKind[]): number[] {
  const box = kinds.length === 0 ? recipe() : recipe(unshare(...kinds), mapRoot());
  const command = box.command(PROGRAM, { stdout: "null", stderr: "null" });
  return Array.from({ length: LAUNCHES }, () => {
    const begin = performance.now();
    command.outputSync();
    return (performance.now() - begin) * 1000;
  });
}

if (import.meta.main) await alone(kinds);
