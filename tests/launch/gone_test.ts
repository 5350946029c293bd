/** Files that a plan has found by a search, and that are gone when the container is made. */

import { assert, assertEquals } from "@std/assert";
import {
  bind,
  denyFiles,
  mapCurrentUser,
  protect,
  type Recipe,
  recipe,
  sandbox,
  tmpfs,
  unshare,
} from "../../mod.ts";
import { inDirectory, test } from "../support.ts";

const sh = (script: string, cwd: string) => {
  const { success, stderr } = new Deno.Command("sh", { args: ["-ec", script], cwd }).outputSync();
  assert(success, new TextDecoder().decode(stderr));
};

const MOUNTS = recipe(unshare("user", "mount"), mapCurrentUser());

/** What is there when the plan is made, how it is changed before the launch, and who has found it. */
interface Case {
  readonly before: string;
  readonly change: string;
  readonly box: (directory: string) => Recipe;
  /** What the program does; the default is nothing. */
  readonly script?: string;
}

const granted = (directory: string) => sandbox({ write: [directory] });

const CASES: Readonly<Record<string, Case>> = {
  "a directory with a protected name": {
    before: "mkdir -p a/.vscode",
    change: "rm -r a/.vscode",
    box: granted,
  },
  "a directory around one": { before: "mkdir -p a/.vscode", change: "rm -r a", box: granted },
  "a placeholder of another sandbox": {
    before: "mkdir a; mkdir -m 555 a/.mcp.json",
    change: "rmdir a/.mcp.json",
    box: granted,
  },
  "a protected file, which has become a link": {
    before: "mkdir a; touch a/.envrc",
    change: "mv a/.envrc b; ln -s ../b a/.envrc",
    box: granted,
    script: "! echo > b",
  },
  "a repository in which names are missing": {
    before: "mkdir -p a/.git/objects a/.git/refs; touch a/.git/HEAD",
    change: "mv a b",
    box: granted,
    script: "! touch b/.git/config",
  },
  "a file in place of a missing name": {
    before: "true",
    change: "touch .envrc",
    box: (directory) => MOUNTS.with(protect(directory, directory, { names: ["~/x", ".envrc"] })),
    script: "! echo > .envrc",
  },
  "a file that is denied": {
    before: "touch secret",
    change: "rm secret",
    box: (directory) => MOUNTS.with(denyFiles({ read: [`${directory}/secret`] })),
    script: "! echo > secret/x",
  },
  "an entry of a directory": {
    before: "touch a1 a2",
    change: "rm a1",
    box: (directory) =>
      MOUNTS.with(tmpfs("/mnt"), bind(directory, "/mnt", { entries: ["a*"], readOnly: true })),
    script: "test -e /mnt/a2; ! test -e /mnt/a1",
  },
  "a hidden entry": {
    before: "mkdir a; touch a/key",
    change: "rm a/key",
    box: (directory) =>
      MOUNTS.with(tmpfs("/mnt"), bind(directory, "/mnt", { entries: ["a"], hide: ["a/key"] })),
  },
};

for (const [name, { before, change, box, script = "true" }] of Object.entries(CASES)) {
  test(
    `gone before the launch: ${name}`,
    inDirectory((directory) => {
      sh(before, directory);
      let isPlanned = false;
      let changes = 0;
      const command = box(directory).command("sh", {
        cwd: directory,
        // The arguments are read between the plan and the launch.
        get args() {
          if (isPlanned && changes++ === 0) sh(change, directory);
          return ["-ec", script];
        },
      });
      isPlanned = true;
      const { code, stderr } = command.outputSync();
      assertEquals(code, 0, new TextDecoder().decode(stderr));
      assert(changes > 1, "no other plan was made");
    }),
  );
}
