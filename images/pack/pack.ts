/**
 * Packs a recipe: the image of the root that its steps make.
 *
 * @module
 */

import { Refusals } from "../../export/refusals.ts";
import { geteuid } from "../../ffi/linux/users.ts";
import { checkedSteps } from "../../recipe/check.ts";
import { DEFAULT_PATH } from "../../recipe/default_path.ts";
import type { Step } from "../../recipe/steps.ts";
import { type JsonObject, parseDocument } from "../descriptor.ts";
import { ImageError } from "../errors.ts";
import { Image, MOST_BYTES } from "../image.ts";
import { writeLayerFile, type WrittenBlob } from "../layer/mod.ts";
import { addImage, type NewConfig, sourceDate } from "../new_image.ts";
import { parsePlatform, thisPlatform } from "../platform.ts";
import { collect } from "../store/collect.ts";
import type { Session } from "../store/session.ts";
import { Store } from "../store/store.ts";
import { type BaseAttributes, baseAttributes } from "./base.ts";
import { CopyRule } from "./copy_rule.ts";
import { ImageDraft, type NotPacked } from "./draft.ts";
import { packOutput } from "./output.ts";
import { packRoot } from "./root.ts";
import { readStep } from "./steps.ts";
import type { PackedDirectory, PackedTree } from "./tree.ts";
import { type NotCopied, TreeArchive } from "./write_tree.ts";

export type { NotCopied, NotPacked };

/** Options of {@linkcode packImage}. */
export interface PackOptions {
  /** The image whose files are the root that the steps change; without one, the recipe makes its own. */
  readonly from?: Image | undefined;
  /**
   * Which files of this machine are copied, of those that the steps bind: all, or those in these
   * directories. A copy belongs to root, unless it is the root as a whole and root packs it.
   *
   * @default {false}
   */
  readonly copy?: boolean | readonly string[] | undefined;
  /** How the program is started; what is given wins over what the steps say. */
  readonly config?: NewConfig | undefined;
  /** The platform of an image without a base: `linux/arm64`; that of this machine without it. */
  readonly platform?: string | undefined;
  /**
   * The time of the image and of all files in its layer, in seconds since 1970.
   *
   * @default {SOURCE_DATE_EPOCH, or else the time of the base, or else 0}
   */
  readonly epoch?: number | undefined;
  /**
   * The most bytes of the files in its layer.
   *
   * @default {34_359_738_368}
   */
  readonly maxBytes?: number | undefined;
  /** The directory of the store, for an image without a base. */
  readonly store?: string | undefined;
  /** Ends it. */
  readonly signal?: AbortSignal | undefined;
}

/** An image that was made of a recipe. */
export interface PackedImage {
  /** Its name in the store, or the file that it was written to. */
  readonly name: string;
  /** The digest of its manifest: the same for the same recipe, base, copies and time. */
  readonly digest: string;
  /** The bytes of its layers, those of the base included. */
  readonly size: number;
  /** The steps that are no part of it, in their order. */
  readonly notPacked: readonly NotPacked[];
  /** What was left out of directories that were copied. */
  readonly notCopied: readonly NotCopied[];
}

/**
 * Makes the image of a recipe's root: directories, files, links and devices that its steps make, over the
 * files of a base, with the environment, the user and the working directory that they set. It runs
 * nothing, and takes no rights. What is about a run, such as namespaces, limits and what is mounted, is no
 * part of an image: these steps are told.
 *
 * The same recipe and base make the same image, byte by byte, whoever packs them, and when.
 *
 * @param output the name in the store, or `oci:DIRECTORY:TAG`, `oci-archive:FILE:NAME`,
 * `docker-archive:FILE:NAME`
 * @throws {RecipeError} where the recipe has no root, or a step cannot be followed in the image's files
 * @throws {ImageError} where the output is none that an image is written to
 *
 * @example
 * ```ts
 * import { chdir, mkdir, recipe, setEnv, writeFile } from "@ramekin/ramekin";
 * import { image, packImage } from "@ramekin/ramekin/images";
 *
 * const build = async () => {
 *   await using debian = await image("debian:12");
 *   const kitchen = recipe(
 *     mkdir("/srv/kitchen"),
 *     writeFile("/srv/kitchen/menu", "soup\n"),
 *     setEnv({ DISH: "soup" }),
 *     chdir("/srv/kitchen"),
 *   );
 *   const config = { cmd: ["cat", "menu"] };
 *   return (await packImage(kitchen, "kitchen:1", { from: debian, config })).digest;
 * };
 * ```
 */
export async function packImage(
  recipe: { readonly steps: readonly Step[] },
  output: string,
  options: PackOptions = {},
): Promise<PackedImage> {
  const { from, signal, config = {} } = options;
  const target = packOutput(output);
  const time = options.epoch ?? sourceDate() ?? createdOf(from) ?? 0;
  if (!Number.isSafeInteger(time) || time < 0) {
    throw new ImageError(`${time} is no time in seconds since 1970`, { code: "invalid" });
  }
  const draft = draftOf(checkedSteps(recipe.steps), await from?.directory(), options);
  const store = await Store.open(from?.store ?? options.store);
  const session = await store.begin(signal);
  await using disposal = new AsyncDisposableStack();
  disposal.use(session);
  const { layer, notCopied } = await writeTree(draft.tree, session, time, options);
  const platform = from?.platform ??
    (options.platform === undefined ? thisPlatform() : parsePlatform(options.platform));
  const { env, user, cwd } = draft;
  const descriptor = await addImage(store, session, {
    layer,
    before: from === undefined
      ? { ...platform, config: {}, rootfs: { type: "layers", diff_ids: [] } } satisfies JsonObject
      : parseDocument("the configuration", await from.configBytes()),
    manifest: from?.manifest,
    config: {
      ...(user !== undefined && { user }),
      ...(cwd !== undefined && { workingDir: cwd }),
      ...config,
      // containerd sets none beside variables of an image.
      env: { ...(from === undefined && { PATH: DEFAULT_PATH }), ...env, ...config.env },
    },
    time: new Date(time * 1000),
    createdBy: "ramekin pack",
    signal,
  }, { name: target.name, platform });
  if (target.write === undefined) await store.name(session, descriptor, signal);
  const image = await Image.open(store, session, descriptor);
  const { digest, size } = image;
  if (target.write !== undefined) {
    await target.write(image, signal);
    // The store has it no longer than this takes.
    await disposal.disposeAsync();
    await collect(store, signal);
  }
  return {
    name: target.write === undefined ? image.name : output,
    digest,
    size,
    notPacked: draft.notPacked,
    notCopied,
  };
}

/** Reads the steps. */
function draftOf(
  steps: readonly Step[],
  base: string | undefined,
  { copy = false }: PackOptions,
): ImageDraft {
  const refusals = new Refusals();
  const rule = new CopyRule(copy);
  const keepsOwners = geteuid() === 0;
  const root = packRoot({ steps, base, copy: rule, keepsOwners, refusals });
  refusals.throwAny();
  const draft = new ImageDraft(root, rule, refusals);
  for (const [at, step] of steps.entries()) draft.read(step, at, () => readStep(step, draft));
  refusals.throwAny();
  return draft;
}

/** Writes the layer of a tree, unless that has nothing new. */
async function writeTree(
  { root }: PackedTree,
  session: Session,
  time: number,
  { from, maxBytes = MOST_BYTES, signal }: PackOptions,
): Promise<{
  readonly layer: (WrittenBlob & { readonly path: string }) | undefined;
  readonly notCopied: readonly NotCopied[];
}> {
  if (!root.isChanged) return { layer: undefined, notCopied: [] };
  const base = from === undefined
    ? new Map<string, BaseAttributes>()
    : await baseAttributes(from, new Set(keptPaths(root)), signal);
  using archive = new TreeArchive(root, { time, base, maxBytes });
  const path = session.temporary();
  const blob = await writeLayerFile(path, archive.parts(), signal);
  return { layer: { ...blob, path }, notCopied: archive.notCopied };
}

/** The paths of files of the base that are in the layer with what is new in or of them. */
function* keptPaths(directory: PackedDirectory, path = ""): Generator<string> {
  if (!directory.isChanged) return;
  // The root of the base is in the layer only with other permissions.
  if (directory.source?.kind === "base" && (path !== "" || directory.mode !== undefined)) {
    yield path;
  }
  for (const [name, child] of directory.children) {
    const inside = path === "" ? name : `${path}/${name}`;
    if (child.kind === "directory") yield* keptPaths(child, inside);
    else if (child.kind === "file" && child.mode === undefined) yield inside;
    else if (child.kind === "file" && child.owner === undefined) yield inside;
  }
}

/** When an image was made; tools that do not say it write the year 1. */
function createdOf(image: Image | undefined): number | undefined {
  const time = Date.parse(image?.config.created ?? "");
  return Number.isNaN(time) ? undefined : Math.max(0, Math.floor(time / 1000));
}
