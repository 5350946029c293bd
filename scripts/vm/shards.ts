/**
 * The suite in parts, each of which a machine runs from its start to its end: together they would
 * take more memory than it has, and what fails in one would end them all.
 *
 * @module
 */

import { EXAMPLES, TESTS } from "../suite.ts";

const PROJECT = new URL("../../", import.meta.url);

/** A part of the suite. */
export interface Shard {
  readonly name: string;
  /** The arguments of `deno test`. */
  readonly args: readonly string[];
}

/** At most so many files of tests in a part. */
const FILES = 12;

/** Every test file, by their directories, and the examples of the documentation. */
export function shards(): Shard[] {
  return [
    ...Map.groupBy(testFiles("tests/"), (path) => path.split("/").slice(0, -1).join("/")).entries()
      .flatMap(([directory, files]) =>
        Array.from({ length: Math.ceil(files.length / FILES) }, (_, part) => {
          const some = files.slice(part * FILES, (part + 1) * FILES);
          const name = files.length > FILES ? `${directory}, part ${part + 1}` : directory;
          return { name, args: [...TESTS, ...some] };
        })
      ),
    { name: "the examples of the documentation", args: EXAMPLES },
  ];
}

/** The paths of the test files in a directory and those below it. */
export function testFiles(directory: string): string[] {
  return [...Deno.readDirSync(new URL(directory, PROJECT))].sort((a, b) => a.name < b.name ? -1 : 1)
    .flatMap(({ name, isDirectory }) =>
      isDirectory
        ? testFiles(`${directory}${name}/`)
        : name.endsWith("_test.ts")
        ? [directory + name]
        : []
    );
}
