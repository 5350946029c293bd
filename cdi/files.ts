/**
 * The files that describe devices.
 *
 * @module
 */

import {
  AT_FDCWD,
  O_CLOEXEC,
  O_NOFOLLOW,
  O_PATH,
  S_IFDIR,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
} from "../ffi/calls/files.ts";
import { AT_EMPTY_PATH } from "../ffi/calls/mounts.ts";
import { SyscallError } from "../ffi/errors.ts";
import { namesIn } from "../ffi/files/read_dir.ts";
import { statx } from "../ffi/linux/directories.ts";
import { open, read } from "../ffi/linux/files.ts";
import { geteuid } from "../ffi/linux/users.ts";
import { ifThere } from "../ffi/missing.ts";
import { RecipeError } from "../recipe/errors.ts";
import { quoted } from "../recipe/shown.ts";
import { constructFromEvents, parseEvents, YAMLException } from "../yaml/js_yaml.ts";
import { Field } from "./fields.ts";

/** A device, in the file that describes it. */
export interface DescribedDevice {
  readonly file: string;
  /** What is changed for the device. */
  readonly edits: Field;
  /** What is changed for any device of the file. */
  readonly sharedEdits: Field;
}

/** The devices of a file by their names `vendor.com/class=name`. */
type Described = ReadonlyMap<string, DescribedDevice>;

/** The most bytes of a file, of values in it, and of files in a directory. */
const [MAX_BYTES, MAX_EVENTS, MAX_FILES] = [1024 * 1024, 100_000, 1000];

/** The versions of the specification; 1.1.0 has added nothing that could be had here. */
const VERSIONS = ["0.3.0", "0.4.0", "0.5.0", "0.6.0", "0.7.0", "0.8.0", "1.0.0", "1.1.0"];

/** The names of the vendor and its class, and of a device. */
const KIND =
  /^(?=.{1,253}\/)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*\/[a-z0-9]([\w.-]{0,61}[a-z0-9])?$/i;
const NAME = /^[a-z0-9]([\w.:-]*[a-z0-9])?$/i;

/** Whether this is the name of such a device. */
export function isCdiName(text: string): boolean {
  const at = text.indexOf("=");
  return at > 0 && KIND.test(text.slice(0, at)) && NAME.test(text.slice(at + 1));
}

/** The files of some directories, of which a later one wins. */
export class DescribedDevices {
  readonly #directories: readonly (readonly Described[])[];
  readonly #places: readonly string[];
  /** What is wrong with files that were left out. */
  readonly #errors: RecipeError[] = [];

  constructor(directories: readonly string[]) {
    this.#places = directories;
    this.#directories = directories.map((directory) => this.#readAll(directory));
  }

  /** Returns the device of this name. */
  find(name: string): DescribedDevice {
    for (const files of this.#directories.toReversed()) {
      const [found, other] = files.flatMap((file) => file.get(name) ?? []);
      if (other !== undefined) {
        throw new RecipeError(`${name} is in two files: ${found!.file} and ${other.file}`);
      }
      if (found !== undefined) return found;
    }
    const known = this.#directories.flat().flatMap((file) => [...file.keys()]);
    const [error] = this.#errors;
    throw new RecipeError(
      `${name} is described by no file of ${this.#places.join(" and ")}, which have ` +
        (known.length === 0 ? "no device" : [...new Set(known)].sort().slice(0, 20).join(", ")) +
        (error === undefined ? "" : `; one was left out: ${error.issue}`),
    );
  }

  #readAll(directory: string): readonly Described[] {
    return filesOf(directory).flatMap((path) => {
      try {
        return [devicesOf(path)];
      } catch (error) {
        if (!(error instanceof RecipeError)) throw error;
        this.#errors.push(error);
        return [];
      }
    });
  }
}

/** Returns the paths of the files in a directory, in the order of their names. */
function filesOf(directory: string): readonly string[] {
  const status = ifThere(() => statx(AT_FDCWD, directory));
  if (status === undefined) return [];
  checkOwner(status, directory, S_IFDIR);
  const names = namesIn(directory).filter((name) => /\.(json|yaml)$/.test(name)).sort();
  if (names.length > MAX_FILES) {
    throw new RecipeError(`${directory} has more than ${MAX_FILES} files that describe devices`);
  }
  return names.map((name) => `${directory}/${name}`);
}

/** Throws where others than root and the caller can change what is there. */
function checkOwner(
  { mode, uid }: { mode: number; uid: number },
  path: string,
  type: number,
): void {
  if ((mode & S_IFMT) === S_IFLNK) {
    throw new RecipeError(`${path}: is a link, and none is followed`);
  }
  if ((mode & S_IFMT) !== type) {
    throw new RecipeError(`${path}: is no ${type === S_IFDIR ? "directory" : "regular file"}`);
  }
  if (uid !== 0 && uid !== geteuid()) {
    throw new RecipeError(`${path}: belongs to user ${uid}, who is neither root nor the caller`);
  }
  if ((mode & 0o022) !== 0) {
    throw new RecipeError(`${path}: others than its owner can change it; chmod go-w ${path}`);
  }
}

/** Reads a file: what is checked is what is read. */
function textOf(path: string): string {
  try {
    using found = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    const status = statx(found, "", AT_EMPTY_PATH);
    checkOwner(status, path, S_IFREG);
    if (status.size > MAX_BYTES) throw new RecipeError(`${path}: has more than ${MAX_BYTES} bytes`);
    using file = open(`/proc/self/fd/${found.number}`);
    const bytes = new Uint8Array(MAX_BYTES);
    let size = 0;
    for (let count = -1; count !== 0 && size < MAX_BYTES; size += count) {
      count = read(file, bytes.subarray(size));
    }
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, size));
  } catch (error) {
    if (error instanceof TypeError) throw new RecipeError(`${path}: is not UTF-8`);
    if (!(error instanceof SyscallError)) throw error;
    throw new RecipeError(`${path}: cannot be read: ${error.code}`, { cause: error });
  }
}

/** Returns the one value of a text. */
function valueOf(path: string, text: string): unknown {
  try {
    const events = parseEvents(text, {});
    if (events.length > MAX_EVENTS) throw new RecipeError(`${path}: has too many values`);
    const documents = constructFromEvents(events, { source: text });
    if (documents.length !== 1) throw new RecipeError(`${path}: is not one document`);
    return documents[0];
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const line = error.mark === null || error.mark === undefined
      ? ""
      : ` line ${error.mark.line + 1}:`;
    throw new RecipeError(`${path}:${line} invalid YAML or JSON: ${error.reason}`);
  }
}

function devicesOf(path: string): Described {
  const root = new Field(valueOf(path, textOf(path)), path);
  const spec = root.fields("cdiVersion", "kind", "annotations", "devices", "containerEdits");
  const version = spec.cdiVersion.text();
  if (!VERSIONS.includes(version)) {
    spec.cdiVersion.refuse(
      `the version ${quoted(version)} is not known; those are ${VERSIONS.join(", ")}`,
    );
  }
  const kind = spec.kind.text();
  if (!KIND.test(kind)) spec.kind.refuse(`${quoted(kind)} is not of the form vendor.com/class`);
  const described = new Map<string, DescribedDevice>();
  for (const item of spec.devices.items()) {
    const device = item.fields("name", "annotations", "containerEdits");
    const name = device.name.text();
    if (!NAME.test(name)) device.name.refuse(`${quoted(name)} is no name of a device`);
    if (described.has(`${kind}=${name}`)) device.name.refuse(`${quoted(name)} is there twice`);
    described.set(`${kind}=${name}`, {
      file: path,
      edits: device.containerEdits,
      sharedEdits: spec.containerEdits,
    });
  }
  if (described.size === 0) spec.devices.refuse("has no device");
  return described;
}
