/** Where paths lead, and whether they still do, compared with what the kernel makes of them. */

import { assert, assertEquals } from "@std/assert";
import { ResolvedPathsCheck, resolvePath } from "../../host/resolve_path.ts";
import { AT_EMPTY_PATH, AT_NO_AUTOMOUNT, AT_STATX_DONT_SYNC } from "../../ffi/calls/mounts.ts";
import { recipe, seccomp } from "../../mod.ts";
import { inDirectory, root, test } from "../support.ts";

/** Makes what the tests ask for: files, directories and links of every kind. */
function furnish(directory: string) {
  Deno.mkdirSync(`${directory}/a/b`, { recursive: true });
  Deno.writeTextFileSync(`${directory}/a/file`, "");
  Deno.symlinkSync("a/b", `${directory}/link`);
  Deno.symlinkSync("gone/away", `${directory}/dangling`);
  Deno.symlinkSync("circle", `${directory}/circle`);
}

test(
  "a path whose end is missing is resolved up to there, over links too",
  inDirectory((directory) => {
    furnish(directory);
    const leads = (path: string, to: string, type: string | undefined = undefined) => {
      const asked = `${directory}/${path}`;
      const { path: found, type: kind } = resolvePath(asked);
      assertEquals([found, kind], [`${directory}/${to}`, type], path);
    };
    leads("none", "none");
    leads("none/at//./all/", "none/at/all");
    leads("a/file/", "a/file");
    leads("a/file/beneath", "a/file/beneath");
    leads("link/none/at", "a/b/none/at");
    leads("dangling/none", "gone/away/none");
    leads("link/../none", "a/none");
    leads("circle/none", "circle/none", "unknown");
    leads("link", "a/b", "directory");
  }),
);

test(
  "a path that leads elsewhere, or that has appeared, is told, and no descriptor stays open",
  inDirectory((directory) => {
    furnish(directory);
    const asked = ["a/file", "link", "none/at/all", "a/none", "a/file/beneath", "dangling"];
    const descriptors = () => [...Deno.readDirSync("/proc/self/fd")].length;
    const changes: readonly (readonly [what: string, change: () => void])[] = [
      ["a file appears", () => Deno.writeTextFileSync(`${directory}/a/none`, "")],
      ["a link appears", () => Deno.symlinkSync("a", `${directory}/none`)],
      [
        "a link's target appears",
        () => Deno.mkdirSync(`${directory}/gone/away`, { recursive: true }),
      ],
      ["a file is replaced", () => {
        Deno.renameSync(`${directory}/a/file`, `${directory}/a/old`);
        Deno.writeTextFileSync(`${directory}/a/file`, "");
      }],
      ["a link is changed", () => {
        Deno.removeSync(`${directory}/link`);
        Deno.symlinkSync("a", `${directory}/link`);
      }],
      ["the mode is changed", () => Deno.chmodSync(`${directory}/a/file`, 0o600)],
      ...(root
        ? [["the owner is changed", () => Deno.chownSync(`${directory}/a/file`, 1, 0)] as const]
        : []),
      ["a file has become a link to it", () => {
        Deno.renameSync(`${directory}/a/file`, `${directory}/a/real`);
        Deno.symlinkSync("real", `${directory}/a/file`);
      }],
      ["a file has become a directory", () => {
        Deno.removeSync(`${directory}/a/file`);
        Deno.mkdirSync(`${directory}/a/file/beneath`, { recursive: true });
      }],
      ["a directory on the way has become a link to it", () => {
        Deno.renameSync(`${directory}/a`, `${directory}/other`);
        Deno.symlinkSync("other", `${directory}/a`);
      }],
    ];
    for (const [what, change] of changes) {
      const check = new ResolvedPathsCheck(
        asked.map((path) => resolvePath(`${directory}/${path}`)),
      );
      const before = descriptors();
      assert(check.holds(), `before ${what}`);
      assert(check.holds(), `again before ${what}`);
      change();
      assert(!check.holds(), what);
      assertEquals(descriptors(), before, what);
    }
  }),
);

test("a file that cannot be looked at is an error, and no descriptor stays open", async () => {
  // The flags of that look alone, so that Deno's own calls go on.
  const flags = AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC;
  const rule = { index: 2, value: flags, op: "SCMP_CMP_EQ" } as const;
  const denied = seccomp({
    defaultAction: "SCMP_ACT_ALLOW",
    syscalls: [{ names: ["statx"], action: "SCMP_ACT_ERRNO", errnoRet: 5, args: [rule] }],
  });
  const path = new URL("../../host/resolve_path.ts", import.meta.url).href;
  const script = `import { resolvePath } from "${path}";
    const open = () => Array.from(Deno.readDirSync("/proc/self/fd")).length;
    const tried = (path) => {
      try { resolvePath(path); } catch (error) { return error.code; }
    };
    tried("/usr");
    const before = open();
    console.log(["/usr", "/etc/..", "/proc/self"].map(tried).join(" "), open() - before);`;
  const command = recipe(denied).command(Deno.execPath(), {
    args: ["eval", "--no-config", script],
    stderr: "inherit",
  });
  assertEquals((await command.output()).text(), "EIO EIO EIO 0\n");
});
