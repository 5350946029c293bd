/**
 * The roots of the store: the layers of an image, unpacked over each other. A root is known by the chain
 * of its layers, so that images with the same layers share it. It is unpacked elsewhere, and gets its name
 * once it is whole.
 *
 * A root is valid until the machine starts anew, as its files are not written to the disk one by one:
 * after a crash some could be empty. It is then unpacked again from its layers, which are checked.
 *
 * @module
 */

import { encodedOf } from "../digest.ts";
import { FileLock, statIfThere } from "./file_lock.ts";
import { readIfThere } from "./files.ts";
import { moveInto, type Session } from "./session.ts";

/** What is recorded of a root. */
export interface RootRecord {
  /** The start of the machine in which it was unpacked. */
  readonly boot: string;
  /** What was told of the unpacking. */
  readonly summary: unknown;
}

/** Unpacks into a directory, which is empty, and returns what there is to tell. */
export type Unpack = (directory: string) => Promise<unknown>;

/** The name of a root. */
export function rootName(chainId: string, owners: string): string {
  return `${encodedOf(chainId)}-${owners}`;
}

/** The roots of a store. */
export class Roots {
  readonly #directory: string;
  readonly #locks: string;
  readonly #boot: string;

  /** @param boot what tells one start of the machine from the next */
  constructor(directory: string, locks: string, boot: string) {
    this.#directory = directory;
    this.#locks = locks;
    this.#boot = boot;
  }

  /** The path of a root's files. */
  path(name: string): string {
    return `${this.#directory}/${name}/root`;
  }

  /** The path of an empty file that containers of the root show, so that they are known to use it. */
  marker(name: string): string {
    return `${this.#directory}/${name}/in-use`;
  }

  /** What is recorded of a root, if it is there and valid. */
  async record(name: string): Promise<RootRecord | undefined> {
    const bytes = await readIfThere(`${this.#directory}/${name}/record.json`);
    if (bytes === undefined) return undefined;
    const record = JSON.parse(new TextDecoder().decode(bytes)) as RootRecord;
    return record.boot === this.#boot ? record : undefined;
  }

  /** Returns the record of a root, which is unpacked unless it is there. */
  async have(
    name: string,
    session: Session,
    unpack: Unpack,
    signal?: AbortSignal,
  ): Promise<RootRecord> {
    const there = await this.record(name);
    if (there !== undefined) return there;
    using _lock = await FileLock.acquirePassing(`${this.#locks}/${name}`, { remove: true, signal });
    const meanwhile = await this.record(name);
    if (meanwhile !== undefined) return meanwhile;
    const path = `${this.#directory}/${name}`;
    if (await statIfThere(path) !== undefined) await moveInto(path, session);
    return await this.#make(path, session, unpack);
  }

  async #make(path: string, session: Session, unpack: Unpack): Promise<RootRecord> {
    const directory = session.temporary();
    await Deno.mkdir(`${directory}/root`, { recursive: true, mode: 0o755 });
    const summary = await unpack(`${directory}/root`);
    const record: RootRecord = { boot: this.#boot, summary };
    await Deno.writeTextFile(`${directory}/in-use`, "");
    await Deno.writeTextFile(`${directory}/record.json`, JSON.stringify(record));
    await Deno.rename(directory, path);
    return record;
  }
}
