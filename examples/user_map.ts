/**
 * Who is who in a user namespace. Without a map everybody is nobody; with one, root inside is an
 * ordinary user outside, and what it makes belongs to that user. Who maps the own group has to give
 * up setgroups(2): to drop a group could open a file that is closed to it. See user_namespaces(7).
 *
 * Prints:
 *
 *     Without a map: uid 65534, gid 65534
 *     With a map:    uid 0, gid 0
 *     The map (inside, outside, how many): 0 ... 1
 *     A file made inside belongs to uid 0 inside, and to uid ... outside.
 *     setgroups: deny
 */

import { linux, mapIds, recipe, unshare } from "../mod.ts";

// Root takes the part of user 1000; others can map nobody but themselves.
const uid = linux.geteuid() || 1000;
const gid = linux.getegid() || 1000;

const host = recipe();
const unmapped = recipe(unshare("user"));
const mapped = unmapped.with(mapIds({
  uids: [{ inside: 0, outside: uid, count: 1 }],
  gids: [{ inside: 0, outside: gid, count: 1 }],
  setgroups: "deny",
}));

const env = { FILE: `/tmp/ramekin-user-map-${Deno.pid}` };
const sh = (where: typeof host, script: string, user = {}) =>
  where.command("sh", { args: ["-c", script], env, ...user }).spawn().status;
const root = { uid: 0, gid: 0 };

await sh(unmapped, 'echo "Without a map: uid $(id -u), gid $(id -g)"');
await sh(mapped, 'echo "With a map:    uid $(id -u), gid $(id -g)"', root);
await sh(mapped, 'echo "The map (inside, outside, how many):" $(cat /proc/self/uid_map)', root);
await sh(mapped, "touch $FILE", root);
await sh(mapped, 'printf "A file made inside belongs to uid $(stat -c %u $FILE) inside, "', root);
await sh(host, 'echo "and to uid $(stat -c %u $FILE) outside."; rm $FILE');
await sh(mapped, 'echo "setgroups: $(cat /proc/self/setgroups)"', root);
