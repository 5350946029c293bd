/**
 * The store of images: an image layout (`oci-layout`, `index.json`, `blobs`) which skopeo and umoci read,
 * and beside it the unpacked roots. Any number of processes of its owner may use it at once, and be killed
 * at any moment.
 *
 * @module
 */

import { environment } from "../environment.ts";
import { at_fdcwd } from "../../ffi/calls/files.ts";
import { geteuid } from "../../ffi/linux/users.ts";
import { readWholeText } from "../../ffi/files/read_file.ts";
import type { Descriptor } from "../descriptor.ts";
import { DOCUMENT_LIMIT } from "../descriptor.ts";
import { checkBytes, digestOf } from "../digest.ts";
import { ImageError } from "../errors.ts";
import { type AddBlobOptions, BlobFiles, type Download } from "./blobs.ts";
import { statIfThere } from "./file_lock.ts";
import { readIfThere, writeWhole } from "./files.ts";
import { changeIndex, type IndexPlace, isSamePlace, NAME, readIndex } from "./index_file.ts";
import { defaultPlace } from "./place.ts";
import { Roots } from "./roots.ts";
import { Session } from "./session.ts";

/** The directories of a store, beside `blobs`. */
interface Places {
  readonly work: string;
  readonly partial: string;
  readonly locks: string;
  readonly roots: string;
  readonly gate: string;
  readonly index: IndexPlace;
}

/** The store of images in a directory. */
export class Store {
  /** The directory, an image layout. */
  readonly directory: string;
  /** The blobs. */
  readonly blobs: BlobFiles;
  /** The unpacked roots. */
  readonly roots: Roots;
  /** Where else things are. */
  readonly places: Places;

  private constructor(directory: string) {
    const own = `${directory}/ramekin`;
    this.directory = directory;
    this.places = {
      work: `${own}/work`,
      partial: `${own}/partial`,
      locks: `${own}/locks`,
      roots: `${directory}/roots`,
      gate: `${own}/collect.lock`,
      index: { path: `${directory}/index.json`, lock: `${own}/index.lock` },
    };
    this.blobs = new BlobFiles(`${directory}/blobs`, this.places.partial);
    this.roots = new Roots(this.places.roots, this.places.locks, bootId());
  }

  /**
   * Opens the store, which is made if there is none.
   *
   * @throws {ImageError} where the directory is another user's, or has something else in it
   */
  static async open(directory: string = defaultPlace()): Promise<Store> {
    const store = new Store(directory);
    const { places } = store;
    // The first one tells others, who come now, that this is a store.
    const made = [
      places.work,
      places.partial,
      places.locks,
      places.roots,
      `${directory}/blobs/sha256`,
    ];
    try {
      await checkPlace(directory);
      // The roots have set-user-ID programs and secrets, which are not for every user.
      await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
      for (const path of made) await Deno.mkdir(path, { recursive: true, mode: 0o700 });
      if (await statIfThere(`${directory}/oci-layout`) === undefined) await store.#begin();
    } catch (error) {
      throw error instanceof Deno.errors.PermissionDenied ? noAccess(directory, error) : error;
    }
    return store;
  }

  /**
   * Opens the store to look into it, which takes no right to write; `undefined` if there is none.
   *
   * @throws {ImageError} where the directory is another user's, or has something else in it
   */
  static async openExisting(directory: string = defaultPlace()): Promise<Store | undefined> {
    await checkPlace(directory);
    const isThere = await statIfThere(`${directory}/oci-layout`) !== undefined;
    return isThere ? new Store(directory) : undefined;
  }

  async #begin(): Promise<void> {
    await using session = await this.begin();
    const layout = new TextEncoder().encode('{"imageLayoutVersion":"1.0.0"}');
    await changeIndex(this.places.index, session, (manifests) => [...manifests]);
    await writeWhole(`${this.directory}/oci-layout`, layout, session.temporary());
  }

  /** Begins to use the store. */
  begin(signal?: AbortSignal): Promise<Session> {
    return Session.begin(this.places.work, this.places.gate, signal);
  }

  /** Adds a blob, unless it is there. The session keeps it. */
  async add(
    session: Session,
    blob: Descriptor,
    download: Download,
    options: AddBlobOptions = {},
  ): Promise<boolean> {
    await session.keep([blob.digest], options.signal);
    return await this.blobs.add(blob, download, options);
  }

  /** Adds bytes as a blob, and returns the descriptor. */
  async addBytes(session: Session, mediaType: string, bytes: Uint8Array): Promise<Descriptor> {
    const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length };
    await this.add(session, descriptor, async function* () {
      yield await Promise.resolve(bytes);
    });
    return descriptor;
  }

  /**
   * Returns a manifest or a configuration, checked.
   *
   * @throws {ImageError} where it is not there, or damaged
   */
  async document(what: string, blob: Pick<Descriptor, "digest" | "size">): Promise<Uint8Array> {
    if (blob.size > DOCUMENT_LIMIT) {
      throw new ImageError(`${what} has ${blob.size} bytes, and ${DOCUMENT_LIMIT} are the most`, {
        code: "invalid",
      });
    }
    const bytes = await readIfThere(this.blobs.path(blob.digest));
    if (bytes === undefined) {
      throw new ImageError(`${what}, ${blob.digest}, is missing in ${this.directory}`, {
        code: "store",
        advice: ["pull the image again"],
      });
    }
    checkBytes(what, bytes, blob);
    return bytes;
  }

  /** The images that have names. */
  async images(): Promise<readonly Descriptor[]> {
    return await readIndex(this.places.index.path);
  }

  /** Gives an image its name; another of the same name and platform loses it. */
  async name(session: Session, image: Descriptor, signal?: AbortSignal): Promise<void> {
    await changeIndex(
      this.places.index,
      session,
      (manifests) => [...manifests.filter((other) => !isSamePlace(image, other)), image],
      signal,
    );
  }

  /** Takes names away, and returns those that there were. */
  async unname(session: Session, isMeant: (image: Descriptor) => boolean): Promise<Descriptor[]> {
    let taken: Descriptor[] = [];
    await changeIndex(this.places.index, session, (manifests) => {
      taken = manifests.filter((image) =>
        image.annotations?.[NAME] !== undefined && isMeant(image)
      );
      return taken.length === 0 ? manifests : manifests.filter((image) => !taken.includes(image));
    });
    return taken;
  }
}

/** A text that is another one at each start of the machine. */
function bootId(): string {
  return readWholeText(at_fdcwd, "/proc/sys/kernel/random/boot_id").trim();
}

/** Checks that a store may be made in a directory, or is in it. */
async function checkPlace(directory: string): Promise<void> {
  if (await statIfThere(directory) === undefined) return;
  const state = await Deno.stat(directory);
  if (!state.isDirectory) {
    throw new ImageError(`${directory} is not a directory, and images cannot be kept in it`, {
      code: "store",
    });
  }
  checkOwner(directory, state);
  const names = (await Array.fromAsync(Deno.readDir(directory))).map(({ name }) => name);
  if (names.length === 0 || names.includes("oci-layout") || names.includes("ramekin")) return;
  throw new ImageError(`${directory} has other files in it, and is no store of images`, {
    code: "store",
    advice: ["name an empty directory, or one that does not exist"],
  });
}

/**
 * Checks that nobody else can change what is in a directory: root would run another's set-user-ID programs,
 * and write through another's links.
 */
function checkOwner(directory: string, { uid, mode }: Deno.FileInfo): void {
  const own = geteuid();
  if (uid !== own) {
    throw new ImageError(
      `${directory} belongs to the user ${uid}, and images of the user ${own} are not kept in it`,
      { code: "store", advice: ["set RAMEKIN_IMAGES to a directory of yours"] },
    );
  }
  if ((mode! & 0o022) === 0) return;
  throw new ImageError(`${directory} can be written to by others, who could change the images`, {
    code: "store",
    advice: [`chmod go-w ${directory}`],
  });
}

function noAccess(directory: string, cause: Error): ImageError {
  const who = environment()["USER"] ?? "this user";
  return new ImageError(`${who} may not keep images in ${directory}`, {
    code: "store",
    cause,
    advice: ["set RAMEKIN_IMAGES to a directory of yours"],
  });
}
