/**
 * Users by name: an image's own /etc/passwd and /etc/group.
 *
 * @module
 */

import { lookUpUser, type UserEntry } from "../../host/accounts.ts";
import { ImageError } from "../errors.ts";

/**
 * Finds the user of a program: `name`, `uid`, `name:group`, `uid:gid`; none is root.
 *
 * @param root the directory of the image's files
 * @throws {ImageError} for a name that the image does not know
 */
export function findUser(root: string, text: string): UserEntry {
  const user = /^(:|$)/.test(text) ? `0${text}` : text;
  return lookUpUser(
    root,
    user,
    ({ issue, advice }) => new ImageError(`the image ${issue}`, { code: "not-found", advice }),
  );
}
