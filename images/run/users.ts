/**
 * Users by name: an image's own /etc/passwd and /etc/group.
 *
 * @module
 */

import { readBeneath } from "../../ffi/linux/read_beneath.ts";
import { ImageError } from "../errors.ts";

/** A user of an image, by ids. */
export interface ImageUser {
  /** The user id. */
  readonly uid: number;
  /** The group id. */
  readonly gid: number;
  /** The supplementary groups. */
  readonly groups: readonly number[];
  /** The home directory; `/` for a user that the image does not know. */
  readonly home: string;
}

/** A line of a file of users or groups, by its fields. */
type Line = readonly string[];

/** The last id: the number after it means "no id" to the kernel. */
const LAST_ID = 0xffff_fffe;

/**
 * Finds the user of a program: `name`, `uid`, `name:group`, `uid:gid`; none is root.
 *
 * @param root the directory of the image's files
 * @throws {ImageError} for a name that the image does not know
 */
export function findUser(root: string, text: string): ImageUser {
  const [user = "", group] = text.split(/:(.*)/s);
  const passwd = linesOf(root, "etc/passwd");
  const line = findLine(passwd, user === "" ? "0" : user);
  const uid = line === undefined ? numberOf(user === "" ? "0" : user) : numberOf(line[2]);
  if (uid === undefined) throw unknown("user", user, passwd);
  const groups = linesOf(root, "etc/group");
  const home = line?.[5] || "/";
  if (group !== undefined && group !== "") {
    return { uid, gid: groupId(groups, group), groups: [], home };
  }
  const gid = numberOf(line?.[3]) ?? 0;
  const name = line?.[0];
  const further = groups.filter(([, , , members]) =>
    name !== undefined && members?.split(",").includes(name)
  ).flatMap(([, , id]) => numberOf(id) ?? []).filter((id) => id !== gid);
  return { uid, gid, groups: [...new Set(further)], home };
}

function groupId(groups: readonly Line[], group: string): number {
  const id = numberOf(findLine(groups, group)?.[2]) ?? numberOf(group);
  if (id === undefined) throw unknown("group", group, groups);
  return id;
}

/** The line of a name, or else of an id. */
function findLine(lines: readonly Line[], name: string): Line | undefined {
  return lines.find(([own]) => own === name) ??
    (/^\d+$/.test(name) ? lines.find(([, , id]) => id === name) : undefined);
}

function numberOf(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,10}$/.test(text)) return undefined;
  return Number(text) <= LAST_ID ? Number(text) : undefined;
}

function unknown(kind: "user" | "group", name: string, lines: readonly Line[]): ImageError {
  const names = lines.slice(0, 12).map(([own]) => own).join(", ");
  return new ImageError(`the image knows no ${kind} ${JSON.stringify(name)}`, {
    code: "not-found",
    advice: [
      names === "" ? `it knows none by name; a number is one` : `it knows ${names}; or a number`,
    ],
  });
}

/** The lines of a file in the root. Its links are followed within the root, and it may be anything. */
function linesOf(root: string, path: string): readonly Line[] {
  return readBeneath(root, path).split("\n").filter((line) => line !== "" && line[0] !== "#")
    .map((line) => line.split(":"));
}
