/**
 * The suite: the arguments by which `deno test` runs its parts, and how its outcomes are counted.
 *
 * @module
 */

/**
 * Flags for the tests, which may do anything, and must leave nothing open. The examples cannot promise
 * the latter, because their first call loads the engine.
 */
export const TESTS: readonly string[] = ["-A", "--sanitize-ops", "--sanitize-resources"];

/** The examples of the documentation, with the one flag that the README asks for. */
export const EXAMPLES: readonly string[] = [
  "--allow-ffi",
  "--doc",
  "mod.ts",
  "host.ts",
  "audit",
  "ffi",
  "recipe",
  "host",
  "plan",
  "launch",
  "box",
  "permissions",
  "proxy",
  "container",
  "images",
  "services",
  "shell",
  "yaml",
  "docs",
];

/** How often each outcome has come up. */
export interface Tally {
  passed: number;
  failed: number;
  /** The names of the tests that were left out, which say why. */
  skipped: string[];
}

/** A tally of nothing. */
export function emptyTally(): Tally {
  return { passed: 0, failed: 0, skipped: [] };
}

/** Adds a part of the suite to a total; skipped tests are listed with the user who ran it. */
export function addTally(total: Tally, { passed, failed, skipped }: Tally, who: string): void {
  total.passed += passed;
  total.failed += failed;
  total.skipped.push(...skipped.map((name) => `${who}: ${name}`));
}

/** The skipped tests, and the last line: `N passed, N failed`. */
export function tallyText({ passed, failed, skipped }: Tally): string {
  const list = skipped.length === 0 ? "" : `skipped:\n  ${skipped.join("\n  ")}\n\n`;
  return `${list}${passed} passed, ${failed} failed`;
}

/** Counts the outcomes in a report of JUnit's form. */
export function readReport(xml: string): Tally {
  const tally = emptyTally();
  for (const [, name, outcome] of xml.matchAll(/<testcase name="([^"]*)"[^>]*>\s*(<\w+)?/g)) {
    if (outcome === "<skipped") tally.skipped.push(unescape(name!));
    else if (outcome === undefined) tally.passed++;
    else tally.failed++;
  }
  return tally;
}

/** Counts the outcomes in what `deno test` writes for people, where there is no report to read. */
export function readSummary(text: string): Tally {
  const [, passed, failed] = /^(?:ok|FAILED) \| (\d+) passed.*? \| (\d+) failed/m.exec(text) ?? [];
  return {
    passed: Number(passed ?? 0),
    failed: Number(failed ?? 0),
    skipped: text.matchAll(/^(.*) \.\.\. ignored \(/gm).map(([, name]) => name!).toArray(),
  };
}

const ENTITIES: Readonly<Record<string, string>> = {
  quot: '"',
  apos: "'",
  lt: "<",
  gt: ">",
  amp: "&",
};

function unescape(text: string): string {
  return text.replace(/&(\w+);/g, (entity, name) => ENTITIES[name] ?? entity);
}
