/** What the documentation of such libraries shows first, done here: twenty small jobs. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { $, CommandError, glob } from "../../shell/mod.ts";
import { test } from "../support.ts";

/** A job, by what it does; it gets an empty directory, and returns what is to be compared. */
type Job = (directory: string) => Promise<unknown>;

const JOBS: readonly (readonly [string, unknown, Job])[] = [
  ["a text", "soup", () => $`echo soup`.text()],
  ["a value in JSON", { a: 1 }, () => $`echo ${JSON.stringify({ a: 1 })}`.json()],
  ["lines as they come", ["1", "2", "3"], () => Array.fromAsync($`seq 3`.lines())],
  ["an exit code", 1, () => $`test -e /nonesuch`.code()],
  ["a failure that is expected", [false, 3], async () => {
    const { success, code } = await $`sh -c ${"exit 3"}`.noThrow();
    return [success, code];
  }],
  ["names with blanks and quotes", ["it's a name.txt"], async (directory) => {
    await $`touch ${`${directory}/it's a name.txt`}`;
    return await Array.fromAsync($`ls ${directory}`.lines());
  }],
  ["a list of flags", "b\na", () => $`sort ${["-r", "-u"]}`.stdin("a\nb\na\n").text()],
  ["a variable", "stew", () => $`printenv DISH`.env("DISH", "stew").text()],
  ["another directory", "/usr", () => $`pwd`.cwd("/usr").text()],
  ["a text as input", "SOUP", () => $`tr a-z A-Z`.stdin("soup").text()],
  ["a pipe", "3", () => $`printf ${"a\nb\nc\n"}`.pipe`wc -l`.text()],
  ["a pipe whose first part fails", 2, async () => {
    const pipe = $`ls /nonesuch`.quiet().pipe`cat`;
    return (await assertRejects(() => pipe.text(), CommandError)).code;
  }],
  ["output to a file, and more to it", "one\ntwo\n", async (directory) => {
    await $`echo one`.stdout(`${directory}/out`);
    await $`echo two`.stdout(`${directory}/out`, { append: true });
    return await Deno.readTextFile(`${directory}/out`);
  }],
  ["both outputs in one", "1\n2\n3", () => $`sh -c "echo 1; echo 2 >&2; echo 3"`.all().text()],
  ["a timeout", true, async () => (await $`sleep 60`.timeout(20).noThrow()).timedOut],
  ["a stop from outside", "AbortError", async () => {
    const stop = new AbortController();
    const running = $`sleep 60`.signal(stop.signal).code();
    stop.abort();
    return await running.catch((error) => error.name);
  }],
  ["attempts with a delay", 3, async (directory) => {
    const script = `echo >> ${directory}/tries; test $(wc -l < ${directory}/tries) = 3`;
    await $`sh -c ${script}`.retry(5, { delay: 1 });
    return Number(await $`wc -l`.stdin({ path: `${directory}/tries` }).text());
  }],
  [
    "several at once",
    ["1", "2", "3"],
    () => Promise.all([1, 2, 3].map((number) => $`echo ${number}`.text())),
  ],
  ["an error that tells why", ["cat: /nonesuch: No such file or directory", 1], async () => {
    const error = await assertRejects(() => $`cat /nonesuch`.quiet().text(), CommandError);
    return [error.stderr, error.code];
  }],
  ["a body of HTTP as input", "13", () => $`wc -c`.stdin(new Response("stew and soup")).text()],
  ["files by a pattern", ["a.txt", "b.txt"], async (directory) => {
    await $`touch a.txt b.txt c.md`.cwd(directory);
    return await Array.fromAsync($`ls ${glob("*.txt", { cwd: directory })}`.cwd(directory).lines());
  }],
  ["the first lines of an endless program", ["y", "y"], async () => {
    const lines: string[] = [];
    for await (const line of $`yes`.lines()) if (lines.push(line) === 2) break;
    return lines;
  }],
];

test("there are twenty of them", () => assert(JOBS.length >= 20));

for (const [name, result, job] of JOBS) {
  test(name, async () => {
    const directory = await Deno.makeTempDir();
    try {
      assertEquals(await job(directory), result);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  });
}
