/**
 * The cache of library paths that ldconfig(8) writes for the dynamic loader of glibc.
 *
 * @module
 */

/** The path of the cache. */
export const LOADER_CACHE = "/etc/ld.so.cache";

const MAGIC = "glibc-ld.so.cache1.1";
const HEADER_SIZE = 48;
const ENTRY_SIZE = 24;

/**
 * Returns the paths of each library name. A name can have several, for other architectures.
 * Variants that need newer processors (hwcaps) are left out, because the plain library runs on all
 * of them. The result is empty for bytes that are not a cache.
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
    const needsHwcaps = view.getBigUint64(entry + 16, true) !== 0n;
    if (needsHwcaps) continue;
    const name = textAt(view.getUint32(entry + 4, true));
    const path = textAt(view.getUint32(entry + 8, true));
    const known = paths.get(name);
    if (known === undefined) paths.set(name, [path]);
    else known.push(path);
  }
  return paths;
}
