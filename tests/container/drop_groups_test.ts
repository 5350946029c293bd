/** `mapCurrentUser({ dropGroups: true })`: an ordinary user's groups, which count on the host's files. */

import { assertEquals, assertThrows } from "@std/assert";
import { buildBox } from "../../box/mod.ts";
import {
  mapCurrentUser,
  overlay,
  recipe,
  RecipeError,
  sandbox,
  setUser,
  unshare,
  writeFile,
} from "../../mod.ts";
import { scriptInside } from "../script_inside.ts";
import { inside, notRoot, test } from "../support.ts";

/** A group that nobody else on the machine is in. */
const GROUP = 424242;
/** A user who owns the secret, so that the group is the only way to it. */
const OWNER = 434343;

const drops = mapCurrentUser({ dropGroups: true });

/**
 * Runs a script of an ordinary user with a further group, and with a secret that is open to that
 * group alone. The script has a JSON value of `run()`s: whether the secret is read, and which groups
 * the program has.
 */
function ofUser(subgid: string, script: string): unknown {
  const directory = Deno.makeTempDirSync();
  const secret = `${directory}/secret`;
  try {
    Deno.chmodSync(directory, 0o755);
    Deno.writeTextFileSync(secret, "soup");
    Deno.chownSync(secret, OWNER, GROUP);
    Deno.chmodSync(secret, 0o640);
    const box = recipe(
      unshare("mount"),
      overlay("/etc", { lower: ["/etc"], discard: true }),
      writeFile("/etc/subgid", subgid),
      setUser({ uid: 65534, gid: 65534, groups: [GROUP] }),
    );
    return scriptInside(
      box,
      `
      const { mapCurrentUser, recipe, sandbox, unshare } = ramekin;
      const directory = ${JSON.stringify(directory)};
      const args = ["-c", \`cat \${directory}/secret 2>/dev/null; grep ^Groups: /proc/self/status\`];
      const text = ({ stdout }) => new TextDecoder().decode(stdout).replaceAll(/[\\t\\n ]/g, "");
      const run = (box) => text(box.command("sh", { args }).outputSync());
      const issueOf = (make) => { try { return run(make()); } catch (error) { return error.message; } };
      const read = [directory];
      console.log(JSON.stringify(${script}));`,
    );
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

const noTool = notRoot ?? missingTool();

function missingTool(): string | undefined {
  try {
    new Deno.Command("newgidmap").outputSync();
    return undefined;
  } catch {
    return "install Debian's uidmap";
  }
}

/** What a program with the group reads and has; it has no number in the user namespace. */
const KEPT = "soupGroups:65534";

const GRANTED = "65534:300000:10\n";

test("groups of an ordinary user lead to files, unless they are dropped", () => {
  const seen = ofUser(
    GRANTED,
    `[
      run(sandbox({ read })),
      run(sandbox({ read, dropGroups: true })),
      run(recipe(unshare("user"), mapCurrentUser({ dropGroups: true }))),
    ]`,
  );
  assertEquals(seen, [KEPT, "Groups:", "Groups:"]);
}, noTool);

test("a program that enters has no groups either, as the program or as root", () => {
  const seen = ofUser(
    GRANTED,
    `await (async () => {
      const seen = [];
      for (const dropGroups of [false, true]) {
        await using container = sandbox({ read, dropGroups })
          .command("sleep", { args: ["9"] }).spawn();
        for (const user of ["program", "root"]) {
          seen.push(text(await container.enter("sh", { args, user }).output()));
        }
        seen.push((await container.fs.stat(directory)).isDirectory);
        try {
          seen.push(await container.fs.readTextFile(directory + "/secret"));
        } catch ({ name }) {
          seen.push(name);
        }
      }
      return seen;
    })()`,
  );
  assertEquals(seen, [KEPT, KEPT, true, "soup", "Groups:", "Groups:", true, "PermissionDenied"]);
}, noTool);

test("without a group of /etc/subgid it is an error that says what to do", () => {
  const [issue, own] = ofUser(
    "",
    `[
      issueOf(() => sandbox({ read, dropGroups: true })),
      run(recipe(unshare("user"), mapCurrentUser())),
    ]`,
  ) as string[];
  assertEquals(own, KEPT);
  assertEquals(issue!.includes("usermod --add-subgids"), true, issue);
}, noTool);

test("who has no groups, and root, needs nothing for it", () => {
  const box = recipe(unshare("user"), drops);
  const maps = "cat /proc/self/gid_map | tr -s ' '; grep ^Groups: /proc/self/status | tr -d '\\t '";
  assertEquals(inside(box, maps), ` ${Deno.gid()} ${Deno.gid()} 1\nGroups:`);
  assertEquals(inside(sandbox({ dropGroups: true }), "echo soup"), "soup");
});

test("a box drops them for root, and is refused for users", () => {
  const steps = recipe(unshare("user"), drops);
  buildBox(steps, { architecture: "x86_64", for: "root" });
  const build = () => buildBox(steps, { architecture: "x86_64", for: "user" });
  assertThrows(build, RecipeError, "/etc/subgid");
});
