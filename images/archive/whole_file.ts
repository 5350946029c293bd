/**
 * A file that is whole, or not there.
 *
 * @module
 */

import { namingFile } from "../store/files.ts";

/** Writes a file, by another one beside it that then takes its name. */
export async function writeWholeFile(
  path: string,
  write: (file: Deno.FsFile) => Promise<void>,
): Promise<void> {
  const temporary = `${path}.${crypto.randomUUID().slice(0, 8)}.part`;
  try {
    {
      using file = await Deno.open(temporary, { write: true, createNew: true });
      await namingFile(path, () => write(file));
    }
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw renamed(error, temporary, path);
  }
}

/** The error, about the file that was asked for and not the one that becomes it. */
function renamed(error: unknown, temporary: string, path: string): unknown {
  if (!(error instanceof Error) || !error.message.includes(temporary)) return error;
  error.message = error.message.replaceAll(temporary, path);
  return error;
}
