/**
 * The files of a recipe: the one that the user names, and those that it includes. A recipe may come
 * from an untrusted author, and its directory may be changed by one while it is read.
 *
 * @module
 */

import { AT_FDCWD, O_CLOEXEC, O_PATH } from "../ffi/calls/files.ts";
import { type RegularFile, withRegularFile } from "../ffi/files/regular_file.ts";
import { readlinkat } from "../ffi/linux/directories.ts";
import { open, read } from "../ffi/linux/files.ts";
import { RecipeError } from "../recipe/errors.ts";
import { isWithin } from "../recipe/path.ts";
import { MAX_BYTES, type RecipeSource } from "./read.ts";

/** An open descriptor of this process, by which a shell passes a text: `/dev/fd/63` of `<(...)`. */
const DESCRIPTOR = /^(?:\/dev\/stdin|(?:\/dev|\/proc\/self)\/fd\/(\d+))$/;

/** The names of recipes. */
const RECIPE = /\.(ya?ml|json)$/i;

/** Reads the file that the user names. */
export function readRecipeFile(file: string): string {
  const descriptor = DESCRIPTOR.exec(file);
  if (descriptor !== null) return decoded(readStream(Number(descriptor[1] ?? 0)), file);
  return readFile(file, ({ path }) => {
    // A link that came with somebody's files may lead to a secret, whose words an error would tell.
    if (RECIPE.test(path) || isWithin(path, pathOf(directoryOf(file)))) return;
    throw new RecipeError(
      `${file} is a link to ${path}, and a recipe outside of the link's directory has a name that ` +
        "ends with .yaml, .yml or .json",
    );
  });
}

/**
 * Reads a file that a recipe includes.
 *
 * @param from the file of that recipe
 * @param directories the directories in which it has to be
 */
export function includeFile(
  path: string,
  from: string,
  directories: readonly string[],
): RecipeSource {
  let file = "";
  const text = readFile(path.startsWith("/") ? path : `${directoryOf(from)}/${path}`, (found) => {
    file = found.path;
    if (directories.some((directory) => isWithin(file, pathOf(directory)))) return;
    throw new RecipeError(
      "it is outside of the recipe's directory; { includeFrom: [...] } of loadRecipe() allows another",
    );
  });
  return { file, text };
}

/** Returns the directory of a file, as it is named. */
export function directoryOf(file: string): string {
  const end = file.lastIndexOf("/");
  return end < 0 ? "." : file.slice(0, end) || "/";
}

/** Reads a regular file, of which the very file that is read was checked. */
function readFile(path: string, check: (file: RegularFile) => void): string {
  // Deno's permission to read, and its errors.
  Deno.statSync(path);
  const bytes = withRegularFile(path, (file) => {
    check(file);
    if (file.size > MAX_BYTES) throw tooLong(path);
    return file.readAll();
  });
  if (bytes === undefined) throw new RecipeError(`${path} is not a regular file`);
  return decoded(bytes, path);
}

function readStream(fd: number): Uint8Array {
  const bytes = new Uint8Array(MAX_BYTES + 1);
  let size = 0;
  for (;;) {
    const count = read(fd, bytes.subarray(size));
    if (count === 0) return bytes.subarray(0, size);
    size += count;
    if (size > MAX_BYTES) throw tooLong(`descriptor ${fd}`);
  }
}

function tooLong(file: string): RecipeError {
  return new RecipeError(`${file} is too long: a recipe has at most ${MAX_BYTES} bytes`);
}

/** Returns the path of a directory without symbolic links. */
function pathOf(directory: string): string {
  using opened = open(directory, O_PATH | O_CLOEXEC);
  return readlinkat(AT_FDCWD, `/proc/self/fd/${opened.number}`);
}

function decoded(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new RecipeError(`${file} is not UTF-8`);
  }
}
