/**
 * Users by name, as the /etc/passwd and /etc/group of a root have them. See passwd(5) and group(5).
 *
 * @module
 */

import { RamekinError } from "../ffi/errors.ts";
import { readBeneath } from "../ffi/linux/read_beneath.ts";

/** A user, as a root has it. */
export interface UserEntry {
  /** The name; `undefined` for a number that the root does not know. */
  readonly name: string | undefined;
  /** The user id. */
  readonly uid: number;
  /** The group id. */
  readonly gid: number;
  /** The supplementary groups; none where a group was named. */
  readonly groups: readonly number[];
  /** The home directory; `/` for a user that the root does not know. */
  readonly home: string;
}

/** A file of users or groups in /etc. */
export type AccountFile = "passwd" | "group";

/** What is said of a name that a root does not know. */
export interface UnknownAccount {
  /** `knows no user "cook"`. */
  readonly issue: string;
  /** Which names it knows. */
  readonly advice: readonly string[];
}

/** A line of a file of users or groups, by its fields. */
type Line = readonly string[];

/** The last id: the number after it means "no id" to the kernel. */
const LAST_ID = 0xffff_fffe;

/**
 * Finds a user in the /etc/passwd and /etc/group of a directory with a system in it, for `setUser()`
 * and `setEnv()`. Nothing but these files is asked, so users of a directory service have no name; a
 * file that is missing or may not be read knows nobody. What is found is what the files of that
 * directory say, and no safer than they are: in a root of somebody else's any name may be root's.
 *
 * @param root the directory; `/` for this machine
 * @param text `name`, `uid`, `name:group`, `uid:gid`; a number need not be known, its group is 0 then
 * @throws {RamekinError} for a name that is not there; it lists those that are
 * @throws {SyscallError} `ENOENT` or `ENOTDIR` if the root is not a directory
 * @tags allow-ffi
 *
 * @example The program is run as a user of the container, with its home
 * ```ts
 * import { mapRoot, recipe, setEnv, setUser, unshare } from "@ramekin/ramekin";
 * import { findUser } from "@ramekin/ramekin/host";
 *
 * const { uid, gid, home } = findUser("/", "root");
 * const box = recipe(
 *   unshare("user"),
 *   mapRoot(),
 *   setUser({ uid, gid }),
 *   setEnv({ HOME: home, USER: "root" }),
 * );
 * const { stdout } = await box.command("sh", { args: ["-c", "echo $(id -un) $HOME"] }).output();
 * console.log(new TextDecoder().decode(stdout)); // root /root
 * ```
 */
export function findUser(root: string, text: string): UserEntry {
  return lookUpUser(
    root,
    text,
    ({ issue, advice }) => new RamekinError(`${root} ${issue}`, { advice }),
  );
}

/**
 * Finds a user as {@linkcode findUser} does.
 *
 * @param unknown makes the error for a name that is not there
 */
export function lookUpUser(
  root: string,
  text: string,
  unknown: (account: UnknownAccount) => Error,
): UserEntry {
  return userIn((file) => readBeneath(root, `etc/${file}`), text, unknown);
}

/**
 * Finds a user in texts of /etc/passwd and /etc/group.
 *
 * @param read returns the text of one of them
 * @param unknown makes the error for a name that is not there
 */
export function userIn(
  read: (file: AccountFile) => string,
  text: string,
  unknown: (account: UnknownAccount) => Error,
): UserEntry {
  const [user = "", group = ""] = text.split(/:(.*)/s);
  const users = linesOf(read("passwd"));
  const line = findLine(users, user);
  const uid = numberOf(line === undefined ? user : line[2]);
  if (uid === undefined) throw unknown(unknownAccount("user", user, users));
  const name = line?.[0];
  const home = line?.[5] || "/";
  const groups = linesOf(read("group"));
  if (group !== "") {
    const gid = numberOf(findLine(groups, group)?.[2]) ?? numberOf(group);
    if (gid === undefined) throw unknown(unknownAccount("group", group, groups));
    return { name, uid, gid, groups: [], home };
  }
  const gid = numberOf(line?.[3]) ?? 0;
  const further = groups.filter(([, , , members]) =>
    name !== undefined && members?.split(",").includes(name)
  ).flatMap(([, , id]) => numberOf(id) ?? []).filter((id) => id !== gid);
  return { name, uid, gid, groups: [...new Set(further)], home };
}

/**
 * The lines of /etc/passwd or /etc/group of a root, by their fields. Links are followed within the
 * root, and the file may be anything.
 */
export function accountLines(root: string, file: AccountFile): readonly Line[] {
  return linesOf(readBeneath(root, `etc/${file}`));
}

function linesOf(text: string): readonly Line[] {
  return text.split("\n")
    .filter((line) => line !== "" && line[0] !== "#")
    .map((line) => line.split(":"));
}

/** The line of a name, or else of an id; nobody has an empty name. */
function findLine(lines: readonly Line[], name: string): Line | undefined {
  if (name === "") return undefined;
  return lines.find(([own]) => own === name) ??
    (/^\d+$/.test(name) ? lines.find(([, , id]) => id === name) : undefined);
}

function numberOf(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,10}$/.test(text)) return undefined;
  return Number(text) <= LAST_ID ? Number(text) : undefined;
}

function unknownAccount(
  kind: "user" | "group",
  name: string,
  lines: readonly Line[],
): UnknownAccount {
  const names = lines.flatMap(([own]) => own || []).slice(0, 12).join(", ");
  return {
    issue: `knows no ${kind} ${JSON.stringify(name)}`,
    advice: [
      names === "" ? "it knows none by name; a number is one" : `it knows ${names}; or a number`,
    ],
  };
}
