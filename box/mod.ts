/**
 * Boxes: recipes as small static executables, which make the container without Deno. Building one
 * makes no system call, so that it works on any machine, and for both processors.
 *
 * @example
 * ```ts
 * import { hostname, mapRoot, recipe, unshare } from "@ramekin/ramekin";
 * import { buildBox } from "@ramekin/ramekin/box";
 *
 * const kitchen = recipe(unshare("user", "uts"), mapRoot(), hostname("kitchen"));
 * const box = buildBox(kitchen, { program: ["uname", "-n"] });
 * console.log(box.length < 8192); // true
 * ```
 *
 * @module
 */

export { type BoxOptions, buildBox, isBoxOf } from "./build_box.ts";
export { type BoxNote, readBoxNote } from "./note.ts";
