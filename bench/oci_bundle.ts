/**
 * The smallest OCI bundle in which /bin/true runs: what crun and runc need to do the same work.
 *
 * @module
 */

/** The namespaces by the names that the OCI runtime specification has for them. */
export const OCI_NAMESPACES: Readonly<Record<string, string>> = {
  user: "user",
  mount: "mount",
  pid: "pid",
  uts: "uts",
  ipc: "ipc",
  net: "network",
  cgroup: "cgroup",
};

/** Makes a bundle in a directory: a root with the program and its libraries, and /proc to be mounted. */
export function makeBundle(directory: string, kinds: readonly string[], program: string): void {
  const root = `${directory}/rootfs`;
  for (const name of ["dev", "proc"]) Deno.mkdirSync(`${root}/${name}`, { recursive: true });
  for (const path of [program, ...librariesOf(program)]) {
    Deno.mkdirSync(root + path.slice(0, path.lastIndexOf("/")), { recursive: true });
    Deno.copyFileSync(path, root + path);
  }
  const config = {
    ociVersion: "1.0.2",
    process: { terminal: false, user: { uid: 0, gid: 0 }, args: [program], env: [], cwd: "/" },
    root: { path: "rootfs" },
    hostname: "box",
    mounts: [{
      destination: "/proc",
      type: "proc",
      source: "proc",
      options: ["nosuid", "nodev", "noexec"],
    }],
    linux: {
      namespaces: kinds.map((kind) => ({ type: OCI_NAMESPACES[kind] })),
      uidMappings: [{ containerID: 0, hostID: Deno.uid(), size: 1 }],
      gidMappings: [{ containerID: 0, hostID: Deno.gid(), size: 1 }],
    },
  };
  Deno.writeTextFileSync(`${directory}/config.json`, JSON.stringify(config));
}

function librariesOf(program: string): readonly string[] {
  const { stdout } = new Deno.Command("ldd", { args: [program] }).outputSync();
  return new TextDecoder().decode(stdout).match(/\/\S+/g) ?? [];
}
