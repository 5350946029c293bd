/**
 * The parts of the machine: packages of Debian and Deno from npm, each by its ordinary client. Apt
 * uses the host's sources and keys, and leaves the host's state as it is.
 *
 * @module
 */

import type { Machine } from "./machine.ts";
import { HostError, run, runForBytes } from "./run.ts";

/** The programs that the suite needs in the machine: a small Debian. */
const PACKAGES = [
  "bash",
  "bsdutils",
  "busybox-static",
  "coreutils",
  "dash",
  "diffutils",
  "findutils",
  "grep",
  "hostname",
  "iproute2",
  "libc-bin",
  "libgcc-s1",
  "mawk",
  "mount",
  "ncurses-base",
  "ncurses-bin",
  "perl-base",
  "procps",
  "sed",
  "tar",
  "tmux",
  "uidmap",
  "usr-is-merged",
  "util-linux",
];

/** Fetches Debian's packages and unpacks them below `root`; the kernel's below `kernel`. */
export async function unpackDebian(
  machine: Machine,
  directory: string,
  root: string,
  kernel: string,
): Promise<void> {
  const apt = new Apt(machine.debian, directory);
  await apt.update();
  // Debian's directories of programs and libraries are links, which no package contains.
  for (const name of ["bin", "lib", "lib64", "sbin"]) {
    Deno.mkdirSync(`${root}/usr/${name}`, { recursive: true });
    Deno.symlinkSync(`usr/${name}`, `${root}/${name}`);
  }
  for (const path of await apt.withDependencies(PACKAGES)) await unpack(path, root);
  Deno.mkdirSync(kernel, { recursive: true });
  await unpack(await apt.kernel(machine.kernels), kernel);
  await run("find", [kernel, "-name", "*.ko.xz", "-exec", "xz", "--decompress", "{}", "+"]);
}

/** Fetches Deno in the version that runs this script, and returns the path of the program. */
export async function fetchDeno(machine: Machine, directory: string): Promise<string> {
  const version = Deno.version.deno;
  await run("npm", ["pack", "--silent", `${machine.deno}@${version}`], { cwd: directory });
  const archive = machine.deno.replace("@", "").replace("/", "-");
  await run("tar", ["-xzf", `${archive}-${version}.tgz`], { cwd: directory });
  return `${directory}/package/deno`;
}

/** apt for one architecture, with a state and a cache of its own. */
class Apt {
  readonly #debian: string;
  readonly #directory: string;
  readonly #env: Record<string, string>;

  constructor(debian: string, directory: string) {
    this.#debian = debian;
    this.#directory = directory;
    this.#env = { APT_CONFIG: `${directory}/apt.conf`, LC_ALL: "C" };
    for (const name of ["lists/partial", "archives/partial"]) {
      Deno.mkdirSync(`${directory}/${name}`, { recursive: true });
    }
    // This apt takes no package for installed.
    Deno.writeTextFileSync(`${directory}/status`, "");
    Deno.writeTextFileSync(
      `${directory}/apt.conf`,
      `
        APT::Architecture "${debian}";
        APT::Architectures { "${debian}"; };
        APT::Install-Recommends "false";
        APT::Sandbox::User "";
        Dir::State "${directory}";
        Dir::State::status "${directory}/status";
        Dir::Cache "${directory}";
        Debug::NoLocking "true";
      `,
    );
  }

  async update(): Promise<void> {
    await this.#get("update");
  }

  /** Fetches packages and their dependencies, and returns their files. */
  async withDependencies(packages: readonly string[]): Promise<string[]> {
    await this.#get("install", "--download-only", "--yes", ...packages);
    return filesIn(`${this.#directory}/archives`, ".deb");
  }

  /** Fetches the first of these kernels that apt knows, and returns its file. */
  async kernel(names: readonly string[]): Promise<string> {
    for (const name of names) {
      // The package of a version is what the one without a version depends on.
      const depends = await run("apt-cache", ["--quiet", "depends", name], { env: this.#env })
        .catch((error: unknown) => {
          if (error instanceof HostError) return "";
          throw error;
        });
      const versioned = /Depends: (linux-image-\S+)/.exec(depends)?.[1];
      if (versioned === undefined) continue;
      const directory = `${this.#directory}/kernel`;
      Deno.mkdirSync(directory);
      await run("apt-get", ["--quiet", "download", versioned], { env: this.#env, cwd: directory });
      return filesIn(directory, ".deb")[0]!;
    }
    throw new HostError(
      `apt knows no ${names.join(", no ")}: on a host that is not Debian, use a Debian container`,
    );
  }

  async #get(...args: readonly string[]): Promise<void> {
    await run("apt-get", ["--quiet", ...args], { env: this.#env });
  }
}

function filesIn(directory: string, end: string): string[] {
  return [...Deno.readDirSync(directory)].map(({ name }) => name).filter((name) =>
    name.endsWith(end)
  )
    .sort().map((name) => `${directory}/${name}`);
}

async function unpack(path: string, into: string): Promise<void> {
  const archive = `${path}.tar`;
  Deno.writeFileSync(archive, await runForBytes("dpkg-deb", ["--fsys-tarfile", path]));
  await run("tar", ["-xf", archive, "--keep-directory-symlink", "--no-same-owner", "-p"], {
    cwd: into,
  });
  Deno.removeSync(archive);
}
