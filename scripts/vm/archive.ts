/**
 * An archive in the "newc" format of cpio, which the kernel unpacks as its first root; see
 * Documentation/driver-api/early-userspace/buffer-format.rst. Everything in it belongs to root,
 * whichever user writes it.
 *
 * @module
 */

const S_IFDIR = 0o040000, S_IFCHR = 0o020000, S_IFREG = 0o100000, S_IFLNK = 0o120000;

const encoder = new TextEncoder();

/**
 * An archive that is written. Names in it are paths without a slash in front; directories that are
 * missing on the way are made.
 */
export class Archive implements Disposable {
  readonly #file: Deno.FsFile;
  readonly #directories = new Set<string>();
  #number = 0;

  /** Begins an archive, behind another one where the file has one already. */
  constructor(path: string) {
    this.#file = Deno.openSync(path, { append: true, create: true });
  }

  directory(name: string, mode = 0o755): void {
    this.#directories.add(name);
    this.#entry(name, S_IFDIR | mode);
  }

  file(name: string, content: string | Uint8Array<ArrayBuffer>, mode = 0o644): void {
    const bytes = typeof content === "string" ? encoder.encode(content) : content;
    this.#entry(name, S_IFREG | mode, bytes);
  }

  link(name: string, target: string): void {
    this.#entry(name, S_IFLNK | 0o777, encoder.encode(target));
  }

  characterDevice(name: string, major: number, minor: number, mode = 0o600): void {
    this.#entry(name, S_IFCHR | mode, undefined, [major, minor]);
  }

  /** Adds a directory of the host's with all that is in it and `wanted`, and its modes. */
  tree(name: string, path: string, wanted: (path: string) => boolean = () => true): void {
    this.directory(name, Deno.lstatSync(path).mode! & 0o7777);
    for (const entry of Deno.readDirSync(path)) {
      const from = `${path}/${entry.name}`, to = `${name}/${entry.name}`;
      if (!wanted(from)) continue;
      if (entry.isDirectory) this.tree(to, from, wanted);
      else if (entry.isSymlink) this.link(to, Deno.readLinkSync(from));
      else if (entry.isFile) {
        this.file(to, Deno.readFileSync(from), Deno.lstatSync(from).mode! & 0o7777);
      }
    }
  }

  /** Ends the archive. */
  [Symbol.dispose](): void {
    this.#entry("TRAILER!!!", 0);
    this.#file.close();
  }

  #entry(name: string, mode: number, content = new Uint8Array(), device = [0, 0]): void {
    const parent = name.replace(/\/?[^/]*$/, "");
    if (parent !== "" && !this.#directories.has(parent)) this.directory(parent);
    const path = encoder.encode(`${name}\0`);
    const fields = [
      ++this.#number, // inode
      mode,
      0, // user
      0, // group
      mode & S_IFDIR ? 2 : 1, // links
      0, // time of modification
      content.length,
      0, // device of the archive: major
      0, // minor
      ...device,
      path.length,
      0, // checksum, which this format has none of
    ];
    const header = "070701" + fields.map((field) => field.toString(16).padStart(8, "0")).join("");
    this.#write(encoder.encode(header), path);
    this.#write(content);
  }

  /** Writes, and fills up to a multiple of four. */
  #write(...parts: readonly Uint8Array[]): void {
    let length = 0;
    for (const part of parts) {
      for (let done = 0; done < part.length;) done += this.#file.writeSync(part.subarray(done));
      length += part.length;
    }
    const gap = -length & 3;
    if (gap > 0) this.#file.writeSync(new Uint8Array(gap));
  }
}
