/**
 * The steps that make files: in the directory of a bundle that becomes the root, where they are no
 * part of config.json.
 *
 * @module
 */

import { DEVICES, LINKS } from "../../oci/config/devices.ts";
import { parentOf } from "../../recipe/path.ts";
import type { MkdirStep, MknodStep, SymlinkStep, WriteFileStep } from "../../recipe/steps/files.ts";
import type { BundleFile, ConfigDraft } from "./draft.ts";

/** Says `mkdir`. */
export function sayMkdir({ path, mode }: MkdirStep, draft: ConfigDraft): void {
  const inside = draft.inside(path);
  if (inside === undefined) return;
  if (draft.root?.directory !== undefined || draft.isMounted(inside)) {
    return draft.noteDirectory(inside);
  }
  if (mode === undefined && draft.fileAt(inside)?.type === "directory") return;
  add(draft, inside, { type: "directory", mode: mode ?? 0o755 });
}

/** Says `symlink`. */
export function saySymlink({ target, path }: SymlinkStep, draft: ConfigDraft): void {
  const inside = draft.inside(path);
  if (inside === undefined) return;
  if (LINKS[inside] === target) draft.usual.add(inside);
  else add(draft, inside, { type: "symlink", text: target });
}

/** Says `writeFile`. */
export function sayWriteFile(
  { path, text, mode = 0o644 }: WriteFileStep,
  draft: ConfigDraft,
): void {
  const inside = draft.inside(path);
  if (inside !== undefined) add(draft, inside, { type: "file", text, mode });
}

/** Says `mknod`. */
export function sayMknod(step: MknodStep, draft: ConfigDraft): void {
  const { path, type, major, minor, mode = 0o644, uid, gid } = step;
  const inside = draft.inside(path);
  if (inside === undefined) return;
  const usual = DEVICES.find((device) => device.path === inside);
  if (usual?.type === type && usual.major === major && usual.minor === minor) {
    draft.usual.add(inside);
    return;
  }
  draft.devices.push({
    path: inside,
    type,
    ...(major !== undefined && { major }),
    ...(minor !== undefined && { minor }),
    fileMode: mode,
    ...(uid !== undefined && { uid }),
    ...(gid !== undefined && { gid }),
  });
}

/** Adds a file to the root of the bundle. */
function add(draft: ConfigDraft, path: string, file: Omit<BundleFile, "path">): void {
  if (draft.root?.directory !== undefined) {
    return draft.refuse("config.json makes no files; put it into the directory of the root");
  }
  if (draft.isMounted(path)) {
    return draft.refuse("config.json makes no files on what is mounted; bind() one of the host");
  }
  if (path === "/") return;
  if (file.type === "file" && (file.mode! & SET_ID) !== 0) {
    return draft.refuse(
      "the file would be a set-user-ID or set-group-ID one of the machine, for all of its users; " +
        "an image can have it: ramekin pack",
    );
  }
  for (const parent of parentsOf(path)) {
    const { type } = draft.fileAt(parent) ?? {};
    // Whoever writes the bundle would follow a link, and to the files of the machine.
    if (type !== undefined && type !== "directory") {
      return draft.refuse(`${parent} is a ${type === "file" ? "file" : "link"} of this recipe`);
    }
    if (type === undefined) draft.putFile(parent, { type: "directory", mode: 0o755 });
  }
  const known = draft.fileAt(path);
  if (known !== undefined && (known.type !== file.type || file.type === "symlink")) {
    return draft.refuse(`${path} is there already`);
  }
  draft.putFile(path, file);
}

/** S_ISUID and S_ISGID. */
const SET_ID = 0o6000;

/** The directories around a path but the root, the outermost first. */
function parentsOf(path: string): readonly string[] {
  const parents: string[] = [];
  for (let at = parentOf(path); at !== "/"; at = parentOf(at)) parents.unshift(at);
  return parents;
}
