/**
 * Where the dynamic loader of glibc expects libraries, as ldconfig(8) has noted it down in
 * /etc/ld.so.cache.
 *
 * @module
 */

/** The file. */
export const LOADER_CACHE = "/etc/ld.so.cache";

const MAGIC = "glibc-ld.so.cache1.1";
const HEADER_SIZE = 48;
const ENTRY_SIZE = 24;

/**
 * The paths noted for each name; there may be several for one, for other kinds of machines. What is
 * made for newer ones of a kind is left out, as every one can do with the plain library. Bytes that
 * are no cache hold nothing.
 */
export function readLoaderCache(bytes: Uint8Array): ReadonlyMap<string, readonly string[]> {
  const paths = new Map<string, string[]>();
  const decoder = new TextDecoder();
  if (decoder.decode(bytes.subarray(0, MAGIC.length)) !== MAGIC) return paths;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const textAt = (offset: number) => {
    const end = bytes.indexOf(0, offset);
    return decoder.decode(bytes.subarray(offset, end === -1 ? bytes.length : end));
  };
  const count = bytes.length < HEADER_SIZE ? 0 : view.getUint32(MAGIC.length, true);
  for (let index = 0; index < count; index++) {
    const entry = HEADER_SIZE + index * ENTRY_SIZE;
    if (entry + ENTRY_SIZE > bytes.length) break;
    const isForNewer = view.getBigUint64(entry + 16, true) !== 0n;
    if (isForNewer) continue;
    const name = textAt(view.getUint32(entry + 4, true));
    const path = textAt(view.getUint32(entry + 8, true));
    const known = paths.get(name);
    if (known === undefined) paths.set(name, [path]);
    else known.push(path);
  }
  return paths;
}
