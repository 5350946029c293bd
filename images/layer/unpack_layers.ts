/**
 * From the blobs of layers to one root directory, all of it checked.
 *
 * @module
 */

import { mknodat, O_CLOEXEC, O_DIRECTORY, O_PATH } from "../../ffi/calls/files.ts";
import { makedev, S_IFCHR, unlinkat } from "../../ffi/calls/files.ts";
import { SyscallError } from "../../ffi/errors.ts";
import { namesIn } from "../../ffi/files/read_dir.ts";
import { removeAll } from "../../ffi/files/remove_tree.ts";
import { open } from "../../ffi/linux/files.ts";
import { geteuid } from "../../ffi/linux/users.ts";
import { syscall } from "../../ffi/syscalls.ts";
import { hashFor } from "./blob.ts";
import type { BlobDecoder, ReadBlob } from "./decoding.ts";
import { Disk } from "./disk.ts";
import { ArchiveError, LayerError } from "./errors.ts";
import type { Owners } from "./owners.ts";
import { TarReader } from "./tar/reader.ts";
import { decoderFor } from "./thread_decoder.ts";
import { Unpacker } from "./unpack.ts";

/** The blob of a layer, as a store has it, and what is said of it. */
export interface LayerSource {
  /** Its file. */
  readonly path: string;
  /** The digest of the blob: `sha256:` or `sha512:`. */
  readonly digest: string;
  /** The size of the blob. */
  readonly size: number;
  /** Its media type, which is not relied on. */
  readonly mediaType: string;
  /** The digest of the archive that is in it, from the image's configuration. */
  readonly diffId: string;
}

/** How layers are unpacked. */
export interface UnpackOptions {
  /** Who owns the files: by default whom the layers name for root, and else the caller. */
  readonly owners?: Owners;
  /** Ends the work; nothing is left. */
  readonly signal?: AbortSignal;
  /** Is called now and then with how many bytes of the blob with this index were read. */
  readonly progress?: (layer: number, bytes: number) => void;
  /** The most bytes that all archives may have together; by default there is no bound. */
  readonly maxBytes?: number;
  /** The most files of the root, and entries of archives: 4 million by default. */
  readonly maxEntries?: number;
}

/** Something that is not as a layer says. */
export interface LeftOut {
  /** The digest of the layer. */
  readonly layer: string;
  /** The path of the file in the root. */
  readonly path: string;
  /** What was left out or changed: `character device 1:3`. */
  readonly what: string;
  /** Why. */
  readonly why: string;
}

/** What was unpacked. */
export interface UnpackSummary {
  /** How many entries the archives have. */
  readonly entries: number;
  /** How many bytes the archives have. */
  readonly bytes: number;
  /** Whether all files belong to the caller, whatever the layers say. */
  readonly ownersSquashed: boolean;
  /** What is not as the layers say: the first thousand of it. */
  readonly leftOut: readonly LeftOut[];
  /** How much that is in all. */
  readonly leftOutCount: number;
}

const MOST_ENTRIES = 4_000_000;
const MOST_NOTES = 1000;

/**
 * Unpacks layers, the lowest first, into an empty directory. The digest and size of each blob are
 * checked, and the digest of its archive.
 *
 * Where that fails, what was made is removed again.
 *
 * @throws {LayerError} naming the layer, and what is wrong with it
 * @throws {SyscallError} if a file cannot be made: `ENOSPC`
 */
export async function unpackLayers(
  layers: readonly LayerSource[],
  directory: string,
  options: UnpackOptions = {},
): Promise<UnpackSummary> {
  const owners = options.owners ?? { kind: geteuid() === 0 ? "real" : "one" };
  const there = namesIn(directory);
  if (there.length > 0) {
    throw new LayerError(`${directory} is not empty: layers are unpacked into an empty directory`, {
      code: "unsupported",
    });
  }
  using root = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
  const namespace = owners.kind === "mapped" ? owners.namespace : undefined;
  const devices = owners.kind === "real" && mayMakeDevices(root.number);
  const rules = { owners, devices, maxEntries: options.maxEntries ?? MOST_ENTRIES };
  const notes = new Notes();
  await using disk = new Disk(root.number, namespace);
  using decoder = decoderFor(layers.reduce((sum, { size }) => sum + size, 0));
  const unpacker = new Unpacker(disk, rules, (path, what, why) => notes.add(path, what, why));
  let bytes = 0;
  try {
    for (const [index, layer] of layers.entries()) {
      notes.layer = layer.digest;
      unpacker.beginLayer(index + 1);
      bytes += await unpackLayer(layer, decoder, unpacker, {
        left: (options.maxBytes ?? Infinity) - bytes,
        signal: options.signal,
        progress: (read) => options.progress?.(index, read),
      });
    }
    await unpacker.finish();
  } catch (error) {
    // What still runs makes files; what has failed is known.
    await disk.flush().catch(() => {});
    await removeAll(root.number, namespace).catch(() => {});
    throw error;
  }
  const { list, count } = notes;
  const ownersSquashed = owners.kind === "one";
  return { entries: unpacker.entries, bytes, ownersSquashed, leftOut: list, leftOutCount: count };
}

/** What goes with the unpacking of one layer. */
interface LayerWork {
  /** How many bytes its archive may have. */
  readonly left: number;
  readonly signal: AbortSignal | undefined;
  progress(read: number): void;
}

/** Unpacks one layer, and returns the size of its archive. */
async function unpackLayer(
  layer: LayerSource,
  decoder: BlobDecoder,
  unpacker: Unpacker,
  { left, signal, progress }: LayerWork,
): Promise<number> {
  const diff = hashFor(layer.diffId, "diff_id");
  using blob = decoder.decode(layer.path, layer.digest);
  const reader = new TarReader(unpacker);
  let size = 0;
  try {
    for await (const piece of blob) {
      signal?.throwIfAborted();
      diff.update(piece);
      size += piece.length;
      if (size > left) {
        throw new LayerError("the archives of the image have more than maxBytes (--max-size)", {
          code: "too-large",
          layer: layer.digest,
        });
      }
      reader.push(piece);
      await unpacker.work();
      unpacker.release(piece);
      progress(blob.position);
    }
    reader.finish();
    await unpacker.endLayer();
  } catch (error) {
    // What is no archive may be another blob than was meant, which says more.
    if (error instanceof ArchiveError) {
      checkBlob(layer, await blob.end());
      throw new LayerError(error.message, {
        code: "invalid",
        layer: layer.digest,
        cause: error,
      });
    }
    throw error;
  }
  checkBlob(layer, await blob.end());
  checkDiffId(layer, diff.digest("hex"));
  return size;
}

function checkBlob({ digest, size }: LayerSource, blob: ReadBlob): void {
  const found = `${digest.split(":")[0]}:${blob.digest}`;
  const advice = ["it was damaged or changed on its way, or where it is kept; get it again"];
  if (found !== digest) {
    const issue = `its digest is wrong: its bytes have ${found}`;
    throw new LayerError(issue, { code: "digest", layer: digest, advice });
  }
  if (blob.size !== size) {
    const issue = `its size is wrong: ${size} bytes are said, and it has ${blob.size}`;
    throw new LayerError(issue, { code: "digest", layer: digest, advice: [] });
  }
}

function checkDiffId({ digest, diffId, mediaType }: LayerSource, hex: string): void {
  const found = `${diffId.split(":")[0]}:${hex}`;
  if (found === diffId) return;
  const advice = mediaType.endsWith("zstd")
    ? ["skopeo before 1.10 drops the padding of archives that it makes zstd:chunked of"]
    : [];
  throw new LayerError(
    `its diff_id is wrong: the image's configuration says ${diffId}, and its archive has ${found}`,
    { code: "digest", layer: digest, advice },
  );
}

/** Whether this process can make devices: not in a user namespace, nor where that is not allowed. */
function mayMakeDevices(root: number): boolean {
  const name = ".ramekin-device";
  try {
    syscall(mknodat(root, name, S_IFCHR | 0o600, makedev(1, 3)));
  } catch (error) {
    if (error instanceof SyscallError) return false;
    throw error;
  }
  syscall(unlinkat(root, name, 0));
  return true;
}

/** What is not as the layers say. */
class Notes {
  /** The layer that is being unpacked. */
  layer = "";
  readonly list: LeftOut[] = [];
  count = 0;

  add(path: string, what: string, why: string): void {
    this.count++;
    if (this.list.length < MOST_NOTES) this.list.push({ layer: this.layer, path, what, why });
  }
}
