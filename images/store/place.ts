/**
 * Where the store is.
 *
 * @module
 */

import { environment } from "../environment.ts";
import { geteuid } from "../../ffi/linux/users.ts";
import { ImageError } from "../errors.ts";

/**
 * The directory of the store, unless another is named: `RAMEKIN_IMAGES`; for root
 * /var/lib/ramekin/images; else ramekin/images in `XDG_DATA_HOME`, which is ~/.local/share.
 */
export function defaultPlace(): string {
  const variables = environment();
  const named = variables["RAMEKIN_IMAGES"];
  if (named !== undefined && named !== "") {
    if (named.startsWith("/")) return named;
    throw new ImageError(`RAMEKIN_IMAGES=${named} does not begin with /`, { code: "store" });
  }
  if (geteuid() === 0) return "/var/lib/ramekin/images";
  const { XDG_DATA_HOME: data, HOME: home } = variables;
  // The specification of the base directories says to ignore relative ones.
  if (data?.startsWith("/")) return `${data}/ramekin/images`;
  if (home?.startsWith("/")) return `${home}/.local/share/ramekin/images`;
  throw new ImageError("there is no place for images: HOME is not set", {
    code: "store",
    advice: ["set RAMEKIN_IMAGES to a directory of yours"],
  });
}
