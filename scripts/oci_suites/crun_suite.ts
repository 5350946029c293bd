/**
 * The tests of crun, from Debian's source of it: they call a runtime as engines do, and take any that
 * has crun's flags. The source is fetched into a temporary directory, and nothing of it is kept.
 *
 * @module
 */

import { inLaboratory, pathOf, succeed } from "./run.ts";

/** The tests, ready to run. */
export interface CrunSuite {
  readonly directory: string;
  /** The version of the source. */
  readonly version: string;
}

/** The outcome of the tests with a runtime. */
export interface SuiteOutcome {
  readonly passed: number;
  readonly skipped: number;
  /** The names of those that failed: `file: name`. */
  readonly failed: readonly string[];
}

/** What the tests import of Python's libmount, read from mountinfo: Debian has no such package. */
const LIBMOUNT = `
class Filesystem:
    def __init__(self, line):
        mount, rest = line.split(" - ", 1)
        self.target, self.vfs_options, *tags = mount.split()[4:]
        self.fstype, self.source, self.fs_options = rest.split(" ", 2)
        kinds = {"shared": 1 << 20, "master": 1 << 19, "unbindable": 1 << 17}
        self.propagation = sum(kinds.get(tag.split(":")[0], 0) for tag in tags)
        if self.propagation in (0, 1 << 17):
            self.propagation |= 1 << 18

MNT_ITER_BACKWARD = 1

class Table:
    def __init__(self, path):
        with open(path) as lines:
            self.mounts = [Filesystem(line.strip()) for line in lines if " - " in line]

    def find_target(self, target, direction=0):
        return [mount for mount in self.mounts if mount.target == target][-1]
`;

/** Runs one file of tests after the other, each with a terminal. */
const RUN = `
cd "$1"
for file in "$2"/test_*.py; do
  name=$(basename "$file" .py)
  timeout 90 script -qec "/usr/bin/python3 $file 2> $1/$name.err" /dev/null < /dev/null |
    tr -d '\\r' > "$1/$name.tap"
done
`;

/**
 * Fetches the source and compiles the program that the tests run in their containers.
 *
 * @throws {Error} where there is no source, or no compiler
 */
export async function fetchCrunSuite(directory: string): Promise<CrunSuite> {
  for (const name of ["apt-get", "dpkg-source", "gcc", "script", "python3"]) {
    if (await pathOf(name) === undefined) throw new Error(`${name} is not installed`);
  }
  const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
  const { ID, VERSION_CODENAME } = await osRelease();
  if (ID !== "debian") throw new Error(`the source is Debian's, and this is ${ID}`);
  await Deno.mkdir(`${directory}/lists/partial`, { recursive: true });
  await Deno.writeTextFile(
    `${directory}/sources.list`,
    `deb-src [signed-by=${keyring}] http://deb.debian.org/debian ${VERSION_CODENAME} main\n`,
  );
  const flags = [
    ["Dir::Etc::sourcelist", `${directory}/sources.list`],
    ["Dir::Etc::sourceparts", "-"],
    ["Dir::State::lists", `${directory}/lists`],
    ["Dir::Cache", directory],
    ["APT::Sandbox::User", "root"],
  ].flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  await succeed("apt-get", [...flags, "update", "-qq"]);
  await succeed("apt-get", [...flags, "source", "-qq", "crun"], { cwd: directory });
  const names = Array.from(Deno.readDirSync(directory)).filter(({ isDirectory }) => isDirectory);
  const source = names.map(({ name }) => name).find((name) => name.startsWith("crun-"))!;
  const tests = `${directory}/${source}/tests`;
  await Deno.writeTextFile(
    `${tests}/config.h`,
    "#define HAVE_ERROR_H 1\n#define HAVE_SECCOMP 1\n",
  );
  await succeed("gcc", [
    "-static",
    "-w",
    `-I${tests}`,
    "-o",
    `${tests}/init`,
    `${tests}/init.c`,
    "-lseccomp",
  ]);
  await Deno.mkdir(`${directory}/python`);
  await Deno.writeTextFile(`${directory}/python/libmount.py`, LIBMOUNT);
  return { directory, version: source.slice("crun-".length) };
}

/** Runs the tests with a runtime. */
export async function runCrunSuite(
  { directory, version }: CrunSuite,
  runtime: string,
  name: string,
): Promise<SuiteOutcome> {
  const tests = `${directory}/crun-${version}/tests`;
  const output = `${directory}/${name}`;
  await Deno.mkdir(`${output}/tests`, { recursive: true });
  await Deno.symlink(`${tests}/init`, `${output}/tests/init`);
  const environment = [
    `OCI_RUNTIME=${runtime}`,
    `INIT=${tests}/init`,
    `PYTHONPATH=${directory}/python`,
    // The tests leave compiled files beside themselves otherwise.
    "PYTHONDONTWRITEBYTECODE=1",
  ];
  const words = ["env", ...environment, "bash", "-c", RUN, "bash", output, tests];
  const { code, stderr } = await inLaboratory(words, directory);
  if (code !== 0) throw new Error(`the laboratory failed with ${code}: ${stderr}`);
  return readOutcome(output);
}

/** Reads the files of the Test Anything Protocol. */
function readOutcome(directory: string): SuiteOutcome {
  let [passed, skipped] = [0, 0];
  const failed: string[] = [];
  for (const { name } of Array.from(Deno.readDirSync(directory))) {
    if (!name.endsWith(".tap")) continue;
    const file = name.slice("test_".length, -".tap".length);
    const text = Deno.readTextFileSync(`${directory}/${name}`);
    for (const [, no, test, skip] of text.matchAll(/^(not )?ok \d+ - (\S+)( #SKIP)?$/gm)) {
      if (no !== undefined) failed.push(`${file}: ${test}`);
      else if (skip !== undefined) skipped++;
      else passed++;
    }
    const planned = Number(/^1\.\.(\d+)$/m.exec(text)?.[1] ?? 0);
    const seen = text.match(/^(not )?ok /gm)?.length ?? 0;
    if (seen < planned) failed.push(`${file}: ${planned - seen} that did not end`);
  }
  return { passed, skipped, failed: failed.sort() };
}

async function osRelease(): Promise<Readonly<Record<string, string>>> {
  const text = await Deno.readTextFile("/etc/os-release");
  const entries = Array.from(
    text.matchAll(/^(\w+)="?([^"\n]*)"?$/gm),
    ([, name, value]) => [name, value],
  );
  return Object.fromEntries(entries);
}
