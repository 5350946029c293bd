/**
 * Whether more ids than the user's own can be mapped into a user namespace.
 *
 * @module
 */

import { subordinateRanges, userName } from "../../host/subordinate_ids.ts";
import { linux, mapIds, recipe, unshare } from "../../mod.ts";
import { type Finding, tried } from "./check_result.ts";
import { ifThere, readText } from "./files.ts";

const NAME = "more ids than one";

/** Tries to map a second id, with newuidmap(1) unless the user is root. */
export function idRanges(): Finding {
  const [euid, egid, { effective }] = [linux.geteuid(), linux.getegid(), linux.capget()];
  const mayMapIds = effective.includes("CAP_SETUID") && effective.includes("CAP_SETGID");
  const user = userName(textOf("/etc/passwd"), euid);
  const [uid, gid] = mayMapIds
    ? [euid + 1, egid + 1]
    : ["/etc/subuid", "/etc/subgid"].map((file) =>
      subordinateRanges(textOf(file), user, euid)[0]?.first
    );
  if (uid === undefined || gid === undefined) {
    return {
      name: NAME,
      works: false,
      says: `/etc/subuid and /etc/subgid give the user ${user ?? euid} none`,
      fix: `usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${user ?? "USER"}`,
    };
  }
  const range = (own: number, other: number) => [
    { inside: 0, outside: own, count: 1 },
    { inside: 1, outside: other, count: 1 },
  ];
  const ids = mapIds({ uids: range(euid, uid), gids: range(egid, gid) });
  const says = mayMapIds ? "as root" : "by newuidmap and newgidmap";
  return tried(NAME, says, recipe(unshare("user"), ids));
}

function textOf(file: string): string {
  return ifThere(() => readText(file)) ?? "";
}
