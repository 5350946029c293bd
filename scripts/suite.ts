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
  "cdi",
  "changes",
  "export",
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
  /** The names of the tests that failed, each with what it said. */
  failures: string[];
  /** The names of the tests that were left out, which say why. */
  skipped: string[];
}

/** A tally of nothing. */
export function emptyTally(): Tally {
  return { passed: 0, failed: 0, failures: [], skipped: [] };
}

/** Adds a part of the suite to a total; tests are listed with the user who ran them. */
export function addTally(total: Tally, part: Tally, who: string): void {
  const { passed, failed, failures, skipped } = part;
  total.passed += passed;
  total.failed += failed;
  total.failures.push(...failures.map((failure) => `${who}: ${failure}`));
  total.skipped.push(...skipped.map((name) => `${who}: ${name}`));
}

/**
 * The skipped tests, those that failed, and the last line: `N passed, N failed`. Where just the end
 * of a long output is kept, it tells what failed.
 */
export function tallyText({ passed, failed, failures, skipped }: Tally): string {
  return `${list("skipped", skipped)}${list("failed", failures)}${passed} passed, ${failed} failed`;
}

function list(title: string, tests: readonly string[]): string {
  return tests.length === 0 ? "" : `${title}:\n  ${tests.join("\n  ")}\n\n`;
}

/** A test in a report, with the element that tells its outcome, and that one's text. */
const TESTCASE = /<testcase name="([^"]*)"[^>]*>\s*(?:<(\w+)[^>]*>([^<]*))?/g;

/** Counts the outcomes in a report of JUnit's form. */
export function readReport(xml: string): Tally {
  const tally = emptyTally();
  for (const [, name, outcome, message] of xml.matchAll(TESTCASE)) {
    if (outcome === "skipped") tally.skipped.push(unescape(name!));
    else if (outcome === undefined) tally.passed++;
    else {
      tally.failed++;
      tally.failures.push(`${unescape(name!)}: ${beginning(unescape(message ?? outcome))}`);
    }
  }
  return tally;
}

/** Counts the outcomes in what `deno test` writes for people, where there is no report to read. */
export function readSummary(text: string): Tally {
  const [, passed, failed] = /^(?:ok|FAILED) \| (\d+) passed.*? \| (\d+) failed/m.exec(text) ?? [];
  return {
    passed: Number(passed ?? 0),
    failed: Number(failed ?? 0),
    failures: text.matchAll(/^(.*) \.\.\. FAILED \(/gm).map(([, name]) => name!).toArray(),
    skipped: text.matchAll(/^(.*) \.\.\. ignored \(/gm).map(([, name]) => name!).toArray(),
  };
}

/** The first lines of a failure, which may show two long values. */
function beginning(text: string): string {
  return text.split("\n").slice(0, 20).join("\n");
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
