/**
 * Files that are whole or not there, whenever their writer ends.
 *
 * @module
 */

/**
 * Writes a file by a temporary one, which is on the disk before it takes the name.
 *
 * @param temporary a path of the same filesystem that nobody else writes
 */
export async function writeWhole(
  path: string,
  bytes: Uint8Array,
  temporary: string,
): Promise<void> {
  {
    using file = await Deno.open(temporary, {
      write: true,
      create: true,
      truncate: true,
      mode: 0o644,
    });
    await namingFile(path, () => writeAll(file, bytes));
    await file.sync();
  }
  await Deno.rename(temporary, path);
  await syncDirectory(path.slice(0, path.lastIndexOf("/")));
}

/** Writes all of the bytes. */
export async function writeAll(
  file: Pick<Deno.FsFile, "write">,
  bytes: Uint8Array,
): Promise<void> {
  let rest = bytes;
  while (rest.length > 0) rest = rest.subarray(await file.write(rest));
}

/** The errors of a file that is open and takes no more. See write(2). */
const FULL: ReadonlySet<unknown> = new Set(["ENOSPC", "EDQUOT", "EFBIG", "EIO"]);

/** Has the error of a full disk name the file, as Deno's errors do of a file that cannot be opened. */
export async function namingFile<T>(path: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    const isFull = error instanceof Error && "code" in error && FULL.has(error.code);
    if (isFull && !error.message.includes(path)) error.message += `: write '${path}'`;
    throw error;
  }
}

/** Has the names in a directory written to the disk. */
export async function syncDirectory(path: string): Promise<void> {
  using directory = await Deno.open(path);
  await directory.sync();
}

/** Returns the bytes of a file; `undefined` if there is none. */
export async function readIfThere(path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** The names in a directory; none if there is no directory. */
export async function namesIn(path: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(path))).map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
