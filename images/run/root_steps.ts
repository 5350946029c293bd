/**
 * The steps that make an image's files the root of a container.
 *
 * @module
 */

import { loopbackHosts } from "../../recipe/network_files.ts";
import {
  bind,
  devices,
  mkdir,
  mqueue,
  overlay,
  pivotRoot,
  proc,
  remount,
  sysfs,
  writeFile,
} from "../../recipe/steps/builders.ts";
import type { Step } from "../../recipe/steps.ts";
import { geteuid } from "../../ffi/linux/users.ts";
import { ImageError } from "../errors.ts";
import type { Session } from "../store/session.ts";
import type { ImageProcess } from "./process.ts";
import { type ResolvedPath, resolveInImage } from "./resolve.ts";

/** What a run may do with the files of an image, which never change themselves. */
export interface RootOptions {
  /**
   * Whether the program's changes are thrown away when it ends.
   *
   * @default {true, without `persistent` and `readOnly`}
   */
  readonly discard?: boolean;
  /** The directory that keeps its changes, for the next run; it is made if there is none. */
  readonly persistent?: string;
  /** Whether nothing can be changed, but in the directories for data that the image declares. */
  readonly readOnly?: boolean;
  /** Files and directories of this machine that are shown, by their paths in the container. */
  readonly volumes?: Readonly<Record<string, Volume>>;
  /** The name of the container. */
  readonly hostname?: string;
  /**
   * The network: this machine's, or nothing but a loopback interface.
   *
   * @default {"none"}
   */
  readonly net?: "none" | "host";
}

/** A file or directory of this machine that is shown in a container. */
export interface Volume {
  /** Its path on this machine. */
  readonly source: string;
  /** Whether it cannot be changed. */
  readonly readOnly?: boolean;
}

/** How the files of the network come into a container. */
export type FilesOfNetwork =
  /** Each is mounted over the image's own. */
  | "mounted"
  /** They are written where changes are thrown away, so that runs have the same steps. */
  | "written";

/** A root of the store. */
export interface StoredRoot {
  /** The directory of its files. */
  readonly path: string;
  /** The empty file that says that it is in use. */
  readonly marker: string;
}

/** The name of a container that is given none. */
export const HOSTNAME = "image";

/** What is mounted in a container of an image, and no change of its program. */
export const MOUNTED_FILES: readonly string[] = [
  "/dev",
  "/etc/hostname",
  "/etc/hosts",
  "/etc/resolv.conf",
  "/proc",
  "/run/.containerenv",
  "/sys",
];

/**
 * What is the system's, and shown as it is to who asks for it. In all other volumes a program may leave
 * links for the next container, to have another directory shown as a volume.
 */
const SYSTEMS = /^\/+(?:$|(?:dev|proc|sys)(?:\/|$))/;

/** Where a container says that it is one, as podman's do. */
const MARKER = "/run/.containerenv";

/**
 * Returns the steps that make a root of an image's files, and enter it. They need a mount namespace, and
 * for "/sys" a network namespace, unless the network is the host's.
 *
 * @param process the program that runs in it: its working directory and its volumes have to be there
 */
export async function rootSteps(
  root: StoredRoot,
  session: Session,
  options: RootOptions,
  { cwd, volumes: declared }: Pick<ImageProcess, "cwd" | "volumes">,
  files: FilesOfNetwork = "mounted",
): Promise<readonly Step[]> {
  const { persistent, readOnly = false, net = "none", hostname = HOSTNAME, volumes = {} } = options;
  checkChanges(options);
  checkVolumes(volumes);
  for (const path of ["/dev", "/proc", "/sys"]) checkMountPoint(root, path);
  const written = files === "written" && !readOnly && persistent === undefined;
  const at = (path: string) => root.path + resolveInImage(root.path, path).path;
  return [
    await lower(root.path, persistent),
    ...(cwd === "/" ? [] : [mkdir(at(cwd))]),
    ...(readOnly
      ? writable(declared, Object.keys(volumes)).flatMap((path) => discarding(at(path)))
      : []),
    proc(at("/proc")),
    // Root of the machine would change the machine by it, whatever capabilities it has.
    net === "host"
      ? bind("/sys", at("/sys"), { readOnly: true })
      : sysfs(at("/sys"), { options: "ro" }),
    devices(at("/dev")),
    mqueue(at("/dev/mqueue")),
    ...await networkFiles(root, session, { hostname, net, written }),
    ...shown(root, root.marker, MARKER, true),
    ...Object.entries(volumes).flatMap(([target, { source, readOnly = false }]) =>
      shown(root, source, target, readOnly, !SYSTEMS.test(source))
    ),
    pivotRoot(root.path),
    // Devices that a layer has made are those of this machine, if root unpacks it.
    remount("/", readOnly ? "ro,nodev" : "nodev"),
  ];
}

async function lower(path: string, keep: string | undefined): Promise<Step> {
  if (keep === undefined) return overlay(path, { lower: [path], discard: true });
  if (!keep.startsWith("/")) {
    throw new ImageError(`the directory of the changes, ${keep}, does not begin with /`, {
      code: "invalid",
    });
  }
  const [upper, work] = [`${keep}/upper`, `${keep}/work`];
  await Deno.mkdir(work, { recursive: true, mode: 0o700 });
  checkPrivate(keep, await Deno.stat(keep));
  await makeUpper(upper, path);
  return overlay(path, { lower: [path], upper, work });
}

/** Checks that nobody else gets at the changes: a program can leave set-user-ID files in them. */
function checkPrivate(keep: string, { uid, mode }: Deno.FileInfo): void {
  if (uid === geteuid() && (mode! & 0o077) === 0) return;
  throw new ImageError(`the directory of the changes, ${keep}, is open to other users`, {
    code: "invalid",
    advice: [
      "name one that does not exist, or that is yours alone: chmod 700",
      "the program can leave set-user-ID files in it, which others could run",
    ],
  });
}

/** Makes the directory of changes, as a root has the mode and the owner of its upper directory. */
async function makeUpper(upper: string, lower: string): Promise<void> {
  const { mode, uid, gid } = await Deno.stat(lower);
  try {
    await Deno.mkdir(upper);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return;
    throw error;
  }
  // To an ordinary user's namespace the caller is root, to whom the root of an image belongs.
  if (geteuid() === 0) await Deno.chown(upper, uid, gid);
  await Deno.chmod(upper, mode! & 0o7777);
}

/** Declared directories that nothing is mounted on: they can be written to in a root that cannot. */
function writable(declared: readonly string[], volumes: readonly string[]): readonly string[] {
  return declared.filter((path) =>
    path.startsWith("/") && path !== "/" && !path.includes("\0") && !volumes.includes(path)
  );
}

/**
 * The image's files in there are seen, and changes of them thrown away. It is a mount of its own, with
 * the devices of a layer, as the root has them.
 */
function discarding(path: string): readonly Step[] {
  return [mkdir(path), overlay(path, { lower: [path], discard: true }), remount(path, "nodev")];
}

/** Shows a file or directory of this machine, at where a path of the image leads. */
function shown(
  root: StoredRoot,
  source: string,
  target: string,
  readOnly: boolean,
  untrusted = false,
): readonly Step[] {
  const place = resolveInImage(root.path, target);
  return [
    ...parentOf(root, place),
    bind(source, root.path + place.path, { readOnly, ...(untrusted && { untrusted }) }),
  ];
}

/** Makes the directory of a file that is none of the image's. */
function parentOf(root: StoredRoot, { path, hasParent }: ResolvedPath): readonly Step[] {
  const parent = path.slice(0, path.lastIndexOf("/"));
  return hasParent || parent === "" ? [] : [mkdir(root.path + parent)];
}

/** The files by which names are resolved, written in the root, or mounted over the image's own. */
async function networkFiles(
  root: StoredRoot,
  session: Session,
  { hostname, net, written }: {
    readonly hostname: string;
    readonly net: "none" | "host";
    readonly written: boolean;
  },
): Promise<readonly Step[]> {
  const resolv = net === "host" ? await textOf("/etc/resolv.conf") : "";
  const hosts = net === "host" ? await textOf("/etc/hosts") : "";
  const files = {
    "/etc/hosts": `${hosts === "" ? "" : `${hosts.trimEnd()}\n`}${loopbackHosts(hostname)}`,
    "/etc/hostname": `${hostname}\n`,
    "/etc/resolv.conf": resolv,
  };
  const steps: Step[] = [];
  for (const [target, text] of Object.entries(files)) {
    const place = resolveInImage(root.path, target);
    if (written && isFileOrMissing(root.path + place.path)) {
      steps.push(...parentOf(root, place), writeFile(root.path + place.path, text));
      continue;
    }
    const file = session.temporary();
    await Deno.writeTextFile(file, text, { mode: 0o644 });
    steps.push(...shown(root, file, target, false));
  }
  return steps;
}

/** Whether writing there makes a file: a device or a named pipe of the image would be written to. */
function isFileOrMissing(path: string): boolean {
  try {
    return Deno.lstatSync(path).isFile;
  } catch (error) {
    return error instanceof Deno.errors.NotFound;
  }
}

async function textOf(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

/** Checks that nothing of the image leads another way from where a filesystem of the kernel belongs. */
function checkMountPoint(root: StoredRoot, path: string): void {
  let state: Deno.FileInfo;
  try {
    state = Deno.lstatSync(root.path + path);
  } catch {
    return;
  }
  if (state.isDirectory) return;
  throw new ImageError(`the image has a ${path} that is not a directory, and cannot be run`, {
    code: "invalid",
  });
}

/** Checks that it is one of the three. */
function checkChanges({ discard, persistent, readOnly }: RootOptions): void {
  const asked = [discard === true, persistent !== undefined, readOnly === true];
  const isNone = discard === false && persistent === undefined && readOnly !== true;
  if (asked.filter(Boolean).length <= 1 && !isNone) return;
  throw new ImageError(
    'changes are either thrown away ("discard"), kept ("persistent"), or impossible ("readOnly")',
    { code: "invalid" },
  );
}

function checkVolumes(volumes: Readonly<Record<string, Volume>>): void {
  for (const [target, { source }] of Object.entries(volumes)) {
    if (target.startsWith("/") && target !== "/" && source.startsWith("/")) continue;
    throw new ImageError(`the volume ${source}:${target} has to have paths that begin with /`, {
      code: "invalid",
      advice: target === "/" ? ["the root itself is the image's"] : [],
    });
  }
}
