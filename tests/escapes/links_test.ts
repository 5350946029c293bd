/**
 * Escapes by links that a program makes where it may write. The script follows them when it makes
 * the next sandbox (CVE-2021-30465), or on the way to the working directory of a program
 * (CVE-2024-21626).
 */

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  bind,
  joinCgroup,
  linux,
  mapRoot,
  type Recipe,
  recipe,
  RecipeError,
  sandbox,
  type Step,
  SyscallError,
  unshare,
} from "../../mod.ts";
import { closeInheritedFds, openInheritedFds } from "../../launch/inherited_fds.ts";
import { planRecipe } from "../../plan/plan_recipe.ts";
import { scriptInside } from "../script_inside.ts";
import { failing, inDirectory, inside, notRoot, test, testOn } from "../support.ts";
import { follow, launchAltered } from "./launch.ts";
import { lacking, program, SECRET } from "./support.ts";

/** Replaces a read-only directory by a link. */
const lay = (link: string, place: string) =>
  `mv ${place} ${place}.old; mkdir ${place}; ln -s ${link} ${place}/kept`;

test(
  "a link in place of what may be read, in what may be written",
  inDirectory((directory) => {
    Deno.mkdirSync(`${directory}/work/place/kept`, { recursive: true });
    Deno.mkdirSync(`${directory}/private`);
    Deno.writeTextFileSync(`${directory}/private/secret`, SECRET);
    const box = sandbox({ write: [`${directory}/work`], read: [`${directory}/work/place/kept`] });
    // The sandbox has a directory of this name too, so the link is not dangling there.
    const earlier = sandbox({ write: [`${directory}/work`] });
    inside(earlier, lay(`${directory}`, `${directory}/work/place`));
    const look = `cat ${directory}/work/place/kept/private/secret 2> /dev/null || true`;
    assertEquals(inside(box, look), "");
    const followed = lacking(box, "untrusted").steps.map(fromTheHost);
    assertEquals(inside(recipe(...followed), look), SECRET);
  }),
);

/** The step that looks its source up among the host's files. */
function fromTheHost(step: Step): Step {
  return step.step === "bind" ? { ...step, source: step.source.replace(/^\/proc/, "") } : step;
}

test(
  "a link in place of what may be written, in what may be written",
  inDirectory((directory) => {
    Deno.mkdirSync(`${directory}/work/place/kept`, { recursive: true });
    Deno.writeTextFileSync(`${directory}/secret`, SECRET);
    const box = sandbox({ write: [`${directory}/work`, `${directory}/work/place/kept`] });
    inside(box, lay(directory, `${directory}/work/place`));
    inside(box, `echo salt > ${directory}/work/place/kept/secret`);
    assertEquals(Deno.readTextFileSync(`${directory}/secret`), SECRET);
  }),
);

/** The link is refused by its name, and followed without the protection. */
function assertUntrusted(box: Recipe, link: string, attack: string, taken: () => string): void {
  const error = assertThrows(() => inside(box, attack), RecipeError);
  assertStringIncludes(error.message, `the symbolic link ${link} is followed`);
  inside(lacking(box, "untrusted"), attack);
  assertEquals(taken(), SECRET);
}

/** Makes a directory of a project, another name for it, and a secret beside it. */
function layOut(directory: string): { project: string; alias: string; secret: string } {
  const secret = `${directory}/private/secret`;
  Deno.mkdirSync(`${directory}/real/project/place/kept`, { recursive: true });
  Deno.mkdirSync(`${directory}/private`);
  Deno.writeTextFileSync(secret, SECRET);
  Deno.symlinkSync("real", `${directory}/home`);
  return { project: `${directory}/real/project`, alias: `${directory}/home/project`, secret };
}

test(
  "a link in place of what may be read, which is reached over a link of the host's",
  inDirectory((directory) => {
    const { project, alias, secret } = layOut(directory);
    const box = sandbox({ write: [project], read: [`${alias}/place/kept`] });
    inside(box, `test -d ${alias}/place/kept; ${lay(`${directory}/private`, `${project}/place`)}`);
    const copy = `cat ${alias}/place/kept/secret > ${project}/copy`;
    assertUntrusted(box, `${project}/place/kept`, copy, () => {
      assertEquals(Deno.readTextFileSync(secret), SECRET);
      return Deno.readTextFileSync(`${project}/copy`);
    });
  }),
);

test(
  "a link in place of what may be written, which is reached over a link of the host's",
  inDirectory((directory) => {
    const { project, alias, secret } = layOut(directory);
    Deno.writeTextFileSync(secret, "");
    const write = [project, `${alias}/place/kept`];
    const script = lay(`${directory}/private`, `${project}/place`);
    // What is protected in the inner one stays in its place by the path of the outer one, too.
    assertStringIncludes(failing(sandbox({ write }), script), "busy");
    const box = sandbox({ write, protect: false });
    inside(box, script);
    const change = `printf '${SECRET}' > ${alias}/place/kept/secret`;
    assertUntrusted(box, `${project}/place/kept`, change, () => Deno.readTextFileSync(secret));
  }),
);

for (
  const [name, target] of [
    ["to nothing yet", "../../nothing"],
    ["to another link, on the host", "../../home"],
    ["upwards", ".."],
    ["within what may be written", "place"],
  ] as const
) {
  test(
    `a link ${name} in what may be written is not followed by another name`,
    inDirectory((directory) => {
      const { project, alias } = layOut(directory);
      Deno.symlinkSync(target, `${project}/link`);
      const box = sandbox({ write: [project], read: [`${alias}/link`] });
      assertThrows(() => inside(box, "true"), RecipeError, `${project}/link is followed`);
    }),
  );
}

test(
  "links of the host's that lead into what may be written are followed, those there are not",
  inDirectory((directory) => {
    const { project, alias } = layOut(directory);
    Deno.writeTextFileSync(`${project}/place/kept/file`, "soup");
    const box = sandbox({ write: [project], read: [`${alias}/place/kept`, `${alias}/place`] });
    assertEquals(inside(box, `cat ${alias}/place/kept/file`), "soup");
    // The name of a directory that may be written does not matter either.
    const other = sandbox({ write: [alias], read: [`${project}/place/kept`] });
    assertEquals(inside(other, `cat ${project}/place/kept/file`), "soup");
    inside(other, lay("/", `${alias}/place`));
    assertThrows(() => inside(other, "true"), RecipeError, `${project}/place/kept is followed`);
  }),
);

test(
  "an optional source is left out if a link in what may be written is on the way",
  inDirectory((directory) => {
    const { project, alias } = layOut(directory);
    Deno.symlinkSync("/etc", `${project}/link`);
    const box = recipe(
      unshare("user", "mount"),
      mapRoot(),
      bind(project, project, { untrusted: true }),
      bind(`${alias}/link`, "/mnt", { optional: true }),
    );
    inside(box, "! test -e /mnt/passwd");
    // The system's files, where the sandbox may change them.
    const covered = sandbox({ write: ["/etc"] });
    assertEquals(
      inside(covered, "test -e /etc/passwd; cat /etc/localtime > /dev/null; id -u"),
      `${Deno.uid()}`,
    );
    assertEquals(inside(sandbox({ write: ["/usr"] }), "id -u"), `${Deno.uid()}`);
  }),
);

test(
  "a directory that may be written is not reached over a link in itself",
  inDirectory((directory) => {
    const { project } = layOut(directory);
    Deno.symlinkSync("..", `${project}/place/up`);
    const box = sandbox({ write: [`${project}/place/up`] });
    assertThrows(() => inside(box, "true"), RecipeError, `${project}/place/up is followed`);
  }),
);

testOn(
  ["mount"],
  "a link in place of what may be read, which is reached over another mount",
  (mounts) =>
    inDirectory((directory) => {
      for (const name of ["b", "part", "from"]) Deno.mkdirSync(`${directory}/${name}`);
      Deno.writeTextFileSync(`${directory}/secret`, SECRET);
      Deno.mkdirSync(`${directory}/a/place`, { recursive: true });
      const box = mounts.with(
        bind(`${directory}/a`, `${directory}/b`),
        bind(`${directory}/a/place`, `${directory}/part`),
      );
      const inWritten = mounts.with(bind(`${directory}/from`, `${directory}/a/place`));
      for (
        const [machine, path, kept] of [
          [box, `${directory}/b/place/kept`, `${directory}/a/place/kept`],
          [box, `${directory}/part/kept`, `${directory}/a/place/kept`],
          [inWritten, `${directory}/from/kept`, `${directory}/from/kept`],
        ] as const
      ) {
        Deno.mkdirSync(kept, { recursive: true });
        const result = scriptInside(machine, nested(directory, path));
        Deno.removeSync(kept);
        assertEquals(result, { first: "laid", second: `${path} is followed`, without: SECRET });
      }
    })(),
);

/** The script of an attack with another mount, in a mount namespace that has it. */
const nested = (directory: string, path: string) => `
  const { recipe, sandbox } = ramekin;
  const inside = (box, script) => {
    try {
      const { stdout } = box.command("sh", { args: ["-c", script] }).outputSync();
      return new TextDecoder().decode(stdout).trim();
    } catch ({ message }) {
      return /[^ ]+ is followed/.exec(message)?.[0] ?? message;
    }
  };
  const box = sandbox({ write: ["${directory}/a"], read: ["${path}"] });
  const look = "cat ${path}/secret";
  console.log(JSON.stringify({
    first: inside(box, "cd ${directory}/a; rm -r place/kept; ln -sn ${directory} place/kept; echo laid"),
    second: inside(box, look),
    without: inside(recipe(...box.steps.map((step) => ({ ...step, untrusted: undefined }))), look),
  }));
`;

test(
  "what is kept from a program stays so, whichever way it moves directories",
  inDirectory((directory) => {
    Deno.mkdirSync(`${directory}/work/place/kept`, { recursive: true });
    const box = sandbox({ write: [`${directory}/work`], read: [`${directory}/work/place/kept`] });
    inside(box, `cd ${directory}/work/place; ! touch kept/a; ! mv kept other; ! rm -r kept`);
    inside(box, `cd ${directory}/work; ! mv place other; ! rm -r place; ! touch place/kept/a`);
  }),
);

test("a directory to write, in one to read, in one to write, is refused", () => {
  const error = assertThrows(
    () => sandbox({ write: ["/a", "/a/b/c"], read: ["/a/b"] }),
    RecipeError,
  );
  assertStringIncludes(error.message, "/a/b/c is in a directory to be read");
});

for (const [name, way] of [["by its path", "work"], ["by another one", "alias"]] as const) {
  test(
    `a race with who swaps a directory, named ${name}, for a link, while sandboxes are made`,
    async () => {
      const directory = Deno.makeTempDirSync();
      try {
        Deno.chmodSync(directory, 0o755);
        Deno.mkdirSync(`${directory}/work/kept`, { recursive: true });
        Deno.writeTextFileSync(`${directory}/secret`, SECRET);
        Deno.symlinkSync(directory, `${directory}/work/link`);
        Deno.symlinkSync("work", `${directory}/alias`);
        const swap = program(String.raw`
          1 while call("renameat2", -100, "${directory}/work/kept", -100, "${directory}/work/link", 2) == 0;
        `);
        await using _swapping = recipe().command("perl", { args: ["-e", swap] }).spawn();
        const box = sandbox({ write: [`${directory}/work`], read: [`${directory}/${way}/kept`] });
        const look =
          `cat ${directory}/work/*/secret ${directory}/alias/*/secret 2> /dev/null || true`;
        let made = 0;
        // Most attempts lose the race, and are errors.
        for (let attempt = 0; attempt < 50 || made === 0 && attempt < 1000; attempt++) {
          try {
            assertEquals(inside(box, look), "");
            made++;
          } catch (error) {
            if (!(error instanceof SyscallError || error instanceof RecipeError)) throw error;
          }
        }
        assert(made > 0, "no sandbox could be made");
      } finally {
        Deno.removeSync(directory, { recursive: true });
      }
    },
  );
}

test(
  "a working directory that is a link to what the script has open",
  inDirectory((directory) => {
    Deno.mkdirSync(`${directory}/work`);
    Deno.writeTextFileSync(`${directory}/secret`, SECRET);
    using open = linux.open(directory, linux.O_DIRECTORY);
    Deno.symlinkSync(`/proc/self/fd/${open.number}`, `${directory}/work/link`);
    const box = sandbox({ write: [`${directory}/work`] });
    const cwd = `${directory}/work/link`;
    const error = assertThrows(() => box.command("cat", { args: ["secret"], cwd }).outputSync());
    assertStringIncludes(String(error), "ELOOP");
    assertEquals(launchAltered(box, { cwd, attack: `take("secret")` }, follow), 0);
  }),
);

test(
  "the script's working directory, when a link lies over it that leads to what the script has open",
  inDirectory((directory) => {
    for (const name of ["work", "work/here", "other"]) Deno.mkdirSync(`${directory}/${name}`);
    using open = linux.open(directory, linux.O_DIRECTORY);
    Deno.symlinkSync(`/proc/self/fd/${open.number}`, `${directory}/other/here`);
    const before = Deno.cwd();
    Deno.chdir(`${directory}/work/here`);
    try {
      const mounts = recipe(unshare("user", "mount"), mapRoot());
      const box = mounts.with(bind(`${directory}/other`, `${directory}/work`));
      assertEquals(inside(box, "pwd -P"), "/");
    } finally {
      Deno.chdir(before);
    }
  }),
);

test(
  "a link in place of what says who is in a control group, in what may be written",
  inDirectory((directory) => {
    const group = `${directory}/work/group`;
    Deno.mkdirSync(group, { recursive: true });
    Deno.writeTextFileSync(`${directory}/secret`, SECRET);
    Deno.symlinkSync(`${directory}/secret`, `${group}/cgroup.procs`);
    const box = recipe(joinCgroup(group), ...sandbox().steps);
    const read = box.needs().flatMap((need) => need.kind === "read" ? [need.path] : []);
    const permissions = { read, write: [`${directory}/work`], env: true };
    const run = () => box.command("true", { permissions }).outputSync();
    // "0" was written to the file, which is not granted.
    const error = assertThrows(run, SyscallError, "is no control group");
    assertEquals([error.code, Deno.readTextFileSync(`${directory}/secret`)], ["ELOOP", SECRET]);
    Deno.removeSync(`${group}/cgroup.procs`);
    new Deno.Command("mkfifo", { args: [`${group}/cgroup.procs`] }).outputSync();
    assertEquals(assertThrows(run, SyscallError).code, "ENXIO");
  }),
);

test(
  "a link that has come since the plan, on the way to what the script opens for a container",
  inDirectory((directory) => {
    Deno.mkdirSync(`${directory}/place/kept`, { recursive: true });
    Deno.mkdirSync(`${directory}/private/kept`, { recursive: true });
    Deno.writeTextFileSync(`${directory}/private/kept/secret`, SECRET);
    const shown = bind(`${directory}/place/kept`, "/mnt", { early: true });
    const plan = planRecipe([unshare("user", "mount"), mapRoot(), shown]);
    const open = () => closeInheritedFds(openInheritedFds(plan, () => -1));
    open();
    Deno.renameSync(`${directory}/place`, `${directory}/old`);
    Deno.symlinkSync("private", `${directory}/place`);
    assertEquals(assertThrows(open, SyscallError).code, "ELOOP");
  }),
  notRoot,
);
