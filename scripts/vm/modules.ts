/**
 * The kernel's modules that the machine is given, with what they need, and the two indexes by which
 * modprobe(8) finds them. A module's own file says what it is called and needs.
 *
 * @module
 */

import type { Archive } from "./archive.ts";

/** Modules and directories of modules that containers have a use for. */
const WANTED = [
  "drivers/block/loop",
  "drivers/block/zram",
  "drivers/net/dummy",
  "drivers/net/ipvlan",
  "drivers/net/macvlan",
  "drivers/net/tun",
  "drivers/net/veth",
  "fs/binfmt_misc",
  "fs/erofs",
  "fs/fuse",
  "fs/overlayfs",
  "fs/squashfs",
  "net/bridge",
  "net/ipv4/netfilter",
  "net/ipv6/netfilter",
  "net/netfilter",
];

/** Needed by their algorithms' names only. */
const UNNAMED = ["crypto/crc32c_generic", "crypto/lzo-rle", "crypto/zstd"];

interface Module {
  /** Where it lies below /lib/modules/RELEASE. */
  readonly path: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The names of the modules that it needs. */
  readonly needs: readonly string[];
  readonly aliases: readonly string[];
}

/** Adds modules to an archive, from the directory where a kernel is unpacked. */
export function addModules(archive: Archive, kernel: string): void {
  const modules = `${kernel}/lib/modules`;
  const [release] = [...Deno.readDirSync(modules)].map(({ name }) => name);
  const known = new Map<string, Module>();
  for (const path of modulePaths(`${modules}/${release}`, "kernel")) {
    known.set(moduleName(path), read(`${modules}/${release}`, path));
  }
  const added = new Map<string, Module>();
  const add = (name: string): void => {
    const module = known.get(name);
    if (module === undefined || added.has(name)) return;
    module.needs.forEach(add);
    added.set(name, module);
  };
  for (const [name, { path }] of known) {
    if ([...WANTED, ...UNNAMED].some((wanted) => isBelow(path, `kernel/${wanted}`))) add(name);
  }

  const directory = `usr/lib/modules/${release}`;
  for (const { path, bytes } of added.values()) archive.file(`${directory}/${path}`, bytes);
  archive.file(`${directory}/modules.dep`, dependencies(added));
  archive.file(`${directory}/modules.alias`, aliases(added));
}

function dependencies(modules: ReadonlyMap<string, Module>): string {
  let text = "";
  for (const module of modules.values()) {
    const all = new Set<Module>();
    const collect = (needed: Module): void => {
      for (const name of needed.needs) {
        const next = modules.get(name)!;
        // The last is loaded first: a module comes after all modules that need it.
        all.delete(next);
        all.add(next);
        collect(next);
      }
    };
    collect(module);
    text += `${module.path}:${[...all].map(({ path }) => ` ${path}`).join("")}\n`;
  }
  return text;
}

function aliases(modules: ReadonlyMap<string, Module>): string {
  let text = "";
  for (const [name, module] of modules) {
    for (const alias of module.aliases) text += `alias ${alias} ${name}\n`;
  }
  return text;
}

/** Reads what a module says of itself, between bytes of zero, in its section `.modinfo`. */
function read(directory: string, path: string): Module {
  const bytes = Deno.readFileSync(`${directory}/${path}`);
  const text = new TextDecoder("latin1").decode(bytes);
  const values = (key: string): string[] =>
    [...text.matchAll(new RegExp(`\0${key}=([^\0]*)`, "g"))].map((match) => match[1]!);
  const needs = (values("depends")[0] ?? "").split(",").filter((name) => name !== "");
  return { path, bytes, needs: needs.map(moduleName), aliases: values("alias") };
}

function* modulePaths(directory: string, below: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(`${directory}/${below}`)) {
    if (isDirectory) yield* modulePaths(directory, `${below}/${name}`);
    else if (name.endsWith(".ko")) yield `${below}/${name}`;
  }
}

/** A module's name is its file's, where a hyphen is as good as an underscore. */
function moduleName(path: string): string {
  return path.replace(/^.*\//, "").replace(/\.ko$/, "").replaceAll("-", "_");
}

function isBelow(path: string, wanted: string): boolean {
  return path === `${wanted}.ko` || path.startsWith(`${wanted}/`);
}
