/**
 * The base of the machine's first root: Debian, Deno and the kernel's modules, kept for the next
 * time. The project is added by `errand.ts`.
 *
 * @module
 */

// deno-lint-ignore-file no-console -- part of a program, whose output is the console's

import { Archive } from "./archive.ts";
import type { Machine } from "./machine.ts";
import { addModules } from "./modules.ts";
import { fetchDeno, unpackDebian } from "./packages.ts";

const PROJECT = new URL("../../", import.meta.url).pathname.replace(/\/$/, "");

/** A kernel and an archive for it. */
export interface Base {
  readonly kernel: string;
  readonly archive: string;
}

/** The directory for what is fetched, among the user's caches. */
export function cacheDirectory(): string {
  const caches = Deno.env.get("XDG_CACHE_HOME") || `${Deno.env.get("HOME")}/.cache`;
  return `${caches}/ramekin/vm`;
}

/** Returns the base of a machine; makes it unless there is one that these files have made. */
export async function base(machine: Machine): Promise<Base> {
  const directory = `${cacheDirectory()}/${machine.name}`;
  const kept = { kernel: `${directory}/kernel`, archive: `${directory}/base.cpio` };
  const maker = `${directory}/maker`, makerNow = await thisMaker();
  if (exists(maker) && Deno.readTextFileSync(maker) === makerNow) return kept;
  console.log(`${machine.name}: fetching Debian and Deno, once`);
  const work = `${directory}.unfinished`;
  for (const old of [work, directory]) if (exists(old)) Deno.removeSync(old, { recursive: true });
  for (const name of ["apt", "deno", "root", "linux"]) {
    Deno.mkdirSync(`${work}/${name}`, { recursive: true });
  }
  const [deno] = await Promise.all([
    fetchDeno(machine, `${work}/deno`),
    unpackDebian(machine, `${work}/apt`, `${work}/root`, `${work}/linux`),
  ]);
  Deno.mkdirSync(directory, { recursive: true });
  const boot = `${work}/linux/boot`;
  const [image] = [...Deno.readDirSync(boot)].filter(({ name }) => name.startsWith("vmlinuz"));
  Deno.copyFileSync(`${boot}/${image!.name}`, kept.kernel);
  writeBase(`${work}/base.cpio`, `${work}/root`, deno, `${work}/linux`);
  Deno.renameSync(`${work}/base.cpio`, kept.archive);
  Deno.writeTextFileSync(maker, makerNow);
  Deno.removeSync(work, { recursive: true });
  return kept;
}

/** The version of a base: that of Deno, and a digest of the files that make it. */
async function thisMaker(): Promise<string> {
  const files = ["archive.ts", "initramfs.ts", "machine.ts", "modules.ts", "packages.ts"];
  const text = files.map((name) => Deno.readTextFileSync(`${PROJECT}/scripts/vm/${name}`)).join();
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return `${Deno.version.deno} ${new Uint8Array(digest).toHex()}\n`;
}

function writeBase(path: string, root: string, deno: string, kernel: string): void {
  using archive = new Archive(path);
  // The suite reads nothing there, and the machine would have to unpack it.
  const unread = [
    ...["doc", "info", "locale", "man"].map((name) => `${root}/usr/share/${name}`),
    ...["usr/lib/systemd", "var/lib/dpkg"].map((name) => `${root}/${name}`),
  ];
  for (const { name, isSymlink } of Deno.readDirSync(root)) {
    if (isSymlink) archive.link(name, Deno.readLinkSync(`${root}/${name}`));
    else archive.tree(name, `${root}/${name}`, (path) => !unread.includes(path));
  }
  archive.file("usr/local/bin/deno", Deno.readFileSync(deno), 0o755);
  addModules(archive, kernel);
  archive.link("usr/sbin/modprobe", "/bin/busybox");
  // Debian makes these links when it installs the packages.
  archive.link("usr/bin/awk", "mawk");
  archive.link("usr/bin/which", "which.debianutils");
  archive.directory("mnt");
  // The kernel opens it for process 1.
  archive.characterDevice("dev/console", 5, 1);
  archive.characterDevice("dev/null", 1, 3, 0o666);
  archive.file(
    "etc/passwd",
    "root:x:0:0::/root:/bin/bash\nnobody:x:65534:65534::/home/nobody:/bin/sh\n",
  );
  archive.file("etc/shadow", "root:*:::::::\nnobody:*:::::::\n", 0o600);
  archive.file("etc/hosts", "127.0.0.1 localhost\n");
  archive.file("etc/group", "root:x:0:\ntty:x:5:\nnogroup:x:65534:\n");
  for (const name of ["etc/subuid", "etc/subgid"]) archive.file(name, "nobody:100000:65536\n");
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
