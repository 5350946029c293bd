/**
 * `deno task test:oci`: runs the tests of crun, and tours through the engines that are installed, with
 * Ramekin as the runtime and with crun, in a laboratory of namespaces; and writes the figures to
 * `tests/oci/RESULTS.md`. It takes a few minutes, Debian, root, and the network for crun's source.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- a program, whose output is the console's

import { commandFiles } from "../../oci/install.ts";
import { VERSION } from "../../recipe/version.ts";
import { formatted, markdownTable } from "../docs/format.ts";
import { fetchCrunSuite, runCrunSuite, type SuiteOutcome } from "./crun_suite.ts";
import { pathOf, succeed, versionOf } from "./run.ts";
import { type Tour, TOURS, walk } from "./tours.ts";

const PROJECT = new URL("../..", import.meta.url).pathname;
const RESULTS = `${PROJECT}tests/oci/RESULTS.md`;

/** Why tests of crun fail with Ramekin, as far as it is on purpose. */
const REASONS: Readonly<Record<string, string>> = {
  "exec: exec_add_no_new_privileges":
    "`exec` without `--process` has the `noNewPrivileges` of the container, as with runc",
  "seccomp: 1 that did not end":
    "without `SCMP_ACT_NOTIFY` nothing is sent to `listenerPath`, as the specification says",
  "start: start": "it reads a file of crun's own record",
};

/** A row of the results. */
type Row = readonly [what: string, ramekin: string, crun: string, versions: string];

async function main(): Promise<void> {
  if (Deno.uid() !== 0) throw new Error("this takes root: namespaces, control groups and engines");
  const directory = await Deno.makeTempDir({ prefix: "ramekin-oci-suites-" });
  try {
    await Deno.chmod(directory, 0o755);
    const runtimes = { ramekin: await install(directory), crun: await pathOf("crun") };
    const rows: Row[] = [];
    const notes: string[] = [];
    await suite(directory, runtimes, rows, notes);
    if (await pathOf("/bin/busybox") === undefined) {
      skip("the engines", "/bin/busybox is missing (busybox-static)", notes);
    } else {
      const root = await makeRoot(directory);
      for (const tour of TOURS) await compare(tour, runtimes, { root, directory }, rows, notes);
    }
    await Deno.writeTextFile(RESULTS, await formatted(page(rows, notes)));
    console.log(`written: ${RESULTS}`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

interface Runtimes {
  readonly ramekin: string;
  readonly crun: string | undefined;
}

/** Writes the command as `ramekin oci install` does, for the runtime of this checkout. */
async function install(directory: string): Promise<string> {
  const command = `${directory}/ramekin-oci`;
  const cache = Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME") ?? "/root"}/.cache/deno`;
  const module = `${PROJECT}scripts/oci.ts`;
  for (const { path, bytes } of commandFiles(command, { deno: Deno.execPath(), module, cache })) {
    await Deno.writeFile(path, bytes, { mode: 0o755 });
  }
  return command;
}

async function suite(
  directory: string,
  { ramekin, crun }: Runtimes,
  rows: Row[],
  notes: string[],
): Promise<void> {
  let source;
  try {
    source = await fetchCrunSuite(directory);
  } catch (error) {
    return skip("crun's tests", (error as Error).message, notes);
  }
  const [own, other] = [
    await runCrunSuite(source, ramekin, "with-ramekin"),
    crun === undefined ? undefined : await runCrunSuite(source, crun, "with-crun"),
  ];
  const title = `crun's tests ${source.version}`;
  const version = crun === undefined ? "not installed" : await versionOf(crun);
  rows.push([title, figure(own), other ? figure(other) : "-", `crun ${version}`]);
  console.log(`${title}: ${figure(own)}, with crun ${other ? figure(other) : "not tried"}`);
  for (const name of own.failed) {
    const why = other?.failed.includes(name) ? "fails with crun here, too" : REASONS[name];
    notes.push(`Fails with Ramekin: \`${name}\`${why === undefined ? "" : `: ${why}`}.`);
  }
  for (const name of other?.failed ?? []) {
    if (!own.failed.includes(name)) {
      notes.push(`Fails with crun, and not with Ramekin: \`${name}\`.`);
    }
  }
}

function figure({ passed, skipped, failed }: SuiteOutcome): string {
  return `${passed} of ${passed + failed.length}, ${skipped} skipped`;
}

/** Takes a tour with both runtimes. */
async function compare(
  tour: Tour,
  { ramekin, crun }: Runtimes,
  { root, directory }: { readonly root: string; readonly directory: string },
  rows: Row[],
  notes: string[],
): Promise<void> {
  const { engine, needs, steps } = tour;
  for (const name of needs) {
    if (await pathOf(name) === undefined) return skip(engine, `${name} is not installed`, notes);
  }
  if (crun === undefined) return skip(engine, "crun is not installed, to compare with", notes);
  const other = await walk(tour, crun, root, directory);
  const own = await walk(tour, ramekin, root, directory);
  const differs = steps.filter((_, index) => own[index] !== other[index]);
  const version = await versionOf(needs[0]!, needs[0] === "docker" ? "-v" : undefined);
  const same = `${steps.length - differs.length} of ${steps.length} steps as with crun`;
  rows.push([engine, same, `${other.length} of ${steps.length} steps`, `${needs[0]} ${version}`]);
  console.log(`${engine}: ${same}`);
  for (const step of differs) {
    const index = steps.indexOf(step);
    notes.push(`Differs with ${engine}: \`${step.replaceAll("`", "'")}\`.`);
    console.log(`--- ${step}\nwith crun: ${other[index]}\nwith Ramekin: ${own[index]}`);
  }
}

function skip(what: string, why: string, notes: string[]): void {
  console.log(`${what}: skipped: ${why}`);
  notes.push(`Skipped: ${what}: ${why.split("\n")[0]}.`);
}

/** A directory with busybox, by all of its names. */
async function makeRoot(directory: string): Promise<string> {
  const root = `${directory}/root`;
  for (const name of ["bin", "dev", "etc", "home", "proc", "root", "run", "sys", "tmp", "var"]) {
    await Deno.mkdir(`${root}/${name}`, { recursive: true });
  }
  await Deno.chmod(`${root}/tmp`, 0o1777);
  await Deno.copyFile("/bin/busybox", `${root}/bin/busybox`);
  for (const name of (await succeed("/bin/busybox", ["--list"])).split("\n")) {
    if (name !== "" && name !== "busybox") await Deno.symlink("busybox", `${root}/bin/${name}`);
  }
  await Deno.writeTextFile(
    `${root}/etc/passwd`,
    "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/home:/bin/sh\n",
  );
  await Deno.writeTextFile(`${root}/etc/group`, "root:x:0:\nuser:x:1000:\n");
  return root;
}

function page(rows: readonly Row[], notes: readonly string[]): string {
  return `# The OCI runtime, held to the tests of another and to engines

Written by \`deno task test:oci\`, with Ramekin ${VERSION} on Linux ${Deno.osRelease()}. A tour is some
containers by an engine, once with crun and once with Ramekin; a step is as with crun if it prints
the same and ends with the same status, but for ids and the texts of errors.

${markdownTable(["what", "Ramekin", "crun", "versions"], rows.map((row) => [...row]))}

${notes.map((note) => `- ${note}`).join("\n")}
`;
}

if (import.meta.main) await main();
