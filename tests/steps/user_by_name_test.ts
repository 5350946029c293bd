/** `setUser({ name })`: a user by name, of the files that the container has. */

import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { buildBox } from "../../box/mod.ts";
import { exportOci } from "../../export/mod.ts";
import {
  bind,
  clearEnv,
  mapIds,
  mapRoot,
  recipe,
  RecipeError,
  root,
  sandbox,
  setUser,
  type Step,
  tmpfs,
  unshare,
  writeFile,
} from "../../mod.ts";
import { assertRefused, test } from "../support.ts";

const PASSWD = "root:x:0:0::/:\ncook:x:7:8::/:\nbaker:x:9:9::/:\n";
const GROUP = "cook:x:8:\nkitchen:x:20:baker,cook\nadm:x:4:\n";

/** Runs a test with the directory of a root. */
function inRoot(body: (directory: string) => void): () => void {
  return () => {
    const directory = Deno.realPathSync(Deno.makeTempDirSync());
    try {
      Deno.chmodSync(directory, 0o755);
      Deno.mkdirSync(`${directory}/etc`);
      Deno.writeTextFileSync(`${directory}/etc/passwd`, PASSWD);
      Deno.writeTextFileSync(`${directory}/etc/group`, GROUP);
      body(directory);
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  };
}

const HEAD = [unshare("user", "mount"), mapRoot()];

/** The calls of the last step, which is `setUser`. */
function callsOf(...steps: Step[]): readonly string[] {
  const box = recipe(...steps);
  return box.plan().entries.filter(({ stepIndex }) => stepIndex === box.steps.length - 1)
    .map(({ call }) => call);
}

test(
  "a user by name has the ids of the root that the program gets, as they are when it is planned",
  inRoot((directory) => {
    const ids = ["setresgid(8, 8, 8)", "setresuid(7, 7, 7)"];
    assertEquals(callsOf(...HEAD, root(directory), setUser({ name: "cook" })), ids);
    assertEquals(
      callsOf(...HEAD, root(directory, { discard: true }), setUser({ name: "cook:adm" })),
      ["setresgid(4, 4, 4)", "setresuid(7, 7, 7)"],
    );
    const maps = mapIds({
      uids: [{ inside: 0, outside: Deno.uid()!, count: 1 }],
      gids: [{ inside: 0, outside: Deno.gid()!, count: 1 }],
      ...(Deno.uid() === 0 && { setgroups: "allow" as const }),
    });
    const grouped = callsOf(
      unshare("user", "mount"),
      maps,
      root(directory),
      setUser({ name: "cook" }),
    );
    assertEquals(grouped, Deno.uid() === 0 ? ["setgroups(1, [20])", ...ids] : ids);
    const box = recipe(...HEAD, root(directory), setUser({ name: "cook" }));
    assertStringIncludes(box.plan().toString(), "setresuid(7, 7, 7)");
    Deno.writeTextFileSync(`${directory}/etc/passwd`, PASSWD.replace(":7:", ":17:"));
    assertStringIncludes(box.plan().toString(), "setresuid(17, 17, 17)");
  }),
);

test("a program runs as the user whose name it is given", () => {
  const box = recipe(...HEAD, setUser({ name: "root" }));
  const { stdout } = box.command("id", { args: ["-u"] }).outputSync();
  assertEquals(new TextDecoder().decode(stdout), "0\n");
});

test(
  "a name that cannot be known is refused, with what it takes instead",
  inRoot((directory) => {
    const named = setUser({ name: "cook" });
    const refused = (says: string, ...steps: Step[]) =>
      assertRefused(() => recipe(...HEAD, ...steps), {
        step: "setUser",
        at: HEAD.length + steps.length - 1,
        says,
      });
    const unknown = 'the container knows no user "soup"; it knows root, cook, baker; or a number';
    refused(unknown, root(directory), setUser({ name: "soup" }));
    refused("/etc/passwd is no file of this machine at this step", tmpfs("/etc"), named);
    const own = [
      tmpfs("/mnt"),
      writeFile("/mnt/passwd", PASSWD),
      bind("/mnt/passwd", "/etc/passwd"),
    ];
    refused("/etc/passwd is no file of this machine at this step", ...own, named);
    Deno.removeSync(`${directory}/etc/passwd`);
    Deno.symlinkSync("/etc/passwd", `${directory}/etc/passwd`);
    refused("leads over a symbolic link, which is not followed", root(directory), named);
    const box = recipe(...HEAD, named);
    assertThrows(() => buildBox(box), Error, "known only where the box runs");
    const engine = recipe(
      unshare("user", "mount", "pid"),
      mapRoot(),
      root("/srv"),
      clearEnv(),
      named,
    );
    assertThrows(() => exportOci(engine, { program: ["id"] }), RecipeError, "config.json has ids");
  }),
);

test("a name and ids are either given", () => {
  for (
    const [step, says] of [
      [{ step: "setUser" }, 'needs "uid", or "name"'],
      [{ step: "setUser", name: "cook", gid: 1 }, '"name" finds the ids, and "gid" sets one'],
    ] as const
  ) {
    assertThrows(() => recipe(step as unknown as Step), RecipeError, says);
  }
  assertThrows(() => sandbox().with(setUser({ name: "" })), RecipeError, "is empty");
});
