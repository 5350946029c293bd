/** `bind` with mapped ids, and what becomes of mounts in what the script has opened for it. */

import { assertEquals } from "@std/assert";
import { bind, mapIds, propagation, recipe, tmpfs, unshare } from "../../mod.ts";
import {
  assertFails,
  assertRefused,
  inDirectory,
  inside,
  notRoot,
  root,
  test,
} from "../support.ts";
import { scriptInside } from "../script_inside.ts";

const map = [{ inside: 0, outside: 100_000, count: 65_536 }];
const MAP = { uids: map, gids: map };

test(
  "files are shown as those of other owners, and made as theirs",
  inDirectory((path) => {
    Deno.writeTextFileSync(`${path}/file`, "");
    Deno.chmodSync(path, 0o755);
    const idMap = bind(path, "/mnt", { idMap: MAP, readOnly: false });
    if (!root) {
      const says = "which takes CAP_SYS_ADMIN";
      const box = recipe(unshare("mount", "user"), { step: "mapRoot" }, idMap);
      return assertFails(box, { step: "bind", code: "EPERM", says });
    }
    const script = "stat -c '%u %g' /mnt/file; echo > /mnt/new; stat -c '%u %g' /mnt/new";
    const own = recipe(unshare("user", "mount"), mapIds(MAP), idMap);
    assertEquals(inside(own, script), "0 0\n0 0");
    assertEquals(Deno.statSync(`${path}/new`).uid, 0);
    // Without a user namespace the ids are those outside.
    const outer = recipe(unshare("mount"), idMap);
    assertEquals(inside(outer, "stat -c '%u %g' /mnt/file"), "100000 100000");
    assertFails(recipe(unshare("mount"), bind("/proc", "/mnt", { idMap: MAP })), {
      step: "bind",
      code: "EINVAL",
      says: "the filesystem of /proc, or one below it, does not map ids",
    });
  }),
);

/** Prints what containers show of mounts outside, and what those that they make are seen of there. */
const SCRIPT = `
  const map = [{ inside: 0, outside: 100_000, count: 65_536 }];
  const { recipe, unshare, bind, mapIds, tmpfs } = ramekin;
  const textOf = (box, program, ...args) =>
    new TextDecoder().decode(box.command(program, { args }).outputSync().stdout);
  const owners = (recursive) => {
    const box = recipe(
      unshare("mount"),
      bind("/mnt", "/srv", { idMap: { uids: map, gids: map, recursive } }),
    );
    return textOf(box, "stat", "-c", "%u", "/srv", "/srv/below").trim().split("\\n");
  };
  const appears = (options, ...steps) => {
    textOf(recipe(...steps, bind("/mnt", "/srv", options), tmpfs("/srv/made")), "true");
    return textOf(recipe(), "cat", "/proc/self/mountinfo").includes(" /mnt/made ");
  };
  const own = [unshare("user", "mount"), mapIds({ uids: map, gids: map })];
  const slave = unshare("mount", { propagation: "slave" });
  console.log(JSON.stringify([
    owners(true),
    owners(false),
    appears({ early: true }, ...own),
    appears({ early: true }, slave),
    appears({ idMap: { uids: map, gids: map } }, unshare("mount")),
    appears({ shared: true }, slave),
  ]));`;

test(
  "mounts below are mapped if they are to, and what is mounted stays inside unless it is shared",
  () => {
    const outside = recipe(
      unshare("mount"),
      tmpfs("/mnt"),
      propagation("/mnt", "shared"),
      tmpfs("/mnt/below"),
    );
    const found = scriptInside(outside, SCRIPT, "mkdir /mnt/made");
    const mapped = "100000";
    assertEquals(found, [[mapped, mapped], [mapped, "0"], false, false, false, true]);
  },
  notRoot,
);

test("what is no file of the host has no other owners, and is shared with nobody", () => {
  const own = recipe(unshare("mount", "user"), { step: "mapRoot" }, tmpfs("/mnt"));
  for (const option of [{ idMap: MAP }, { shared: true }]) {
    assertRefused(() => own.with(bind("/mnt", "/srv", option)), {
      step: "bind",
      says: '"shared" and "idMap" are for files of the host',
    });
  }
  assertRefused(() => recipe(bind("/a", "/b", { idMap: { uids: map, gids: [] } })), {
    step: "bind",
    says: "gids",
  });
});
