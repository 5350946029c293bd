/**
 * Executables, told from recipes.
 *
 * @module
 */

/** The first bytes of an executable. */
const ELF = [0x7f, 0x45, 0x4c, 0x46];

/** Whether the file begins as an executable does. */
export function isExecutable(path: string): boolean {
  try {
    if (!Deno.statSync(path).isFile) return false;
    using file = Deno.openSync(path);
    const start = new Uint8Array(ELF.length);
    return file.readSync(start) === ELF.length && ELF.every((byte, at) => start[at] === byte);
  } catch {
    // What is wrong with the file, who reads it as a recipe says.
    return false;
  }
}
