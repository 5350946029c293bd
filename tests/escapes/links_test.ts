/**
 * Escapes by links, which a program lays where it may write: the script then follows them, when it
 * makes the next sandbox (CVE-2021-30465), or to the folder in which a program begins
 * (CVE-2024-21626).
 */

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  bind,
  linux,
  mapRoot,
  recipe,
  RecipeError,
  sandbox,
  type Step,
  SyscallError,
  unshare,
} from "../../mod.ts";
import { inFolder, inside, test } from "../recipe/support.ts";
import { follow, launchAltered } from "./launch.ts";
import { program, SECRET } from "./support.ts";

/** Takes a folder away that can only be read, and lays a link in its place. */
const lay = (link: string, place: string) =>
  `mv ${place} ${place}.old; mkdir ${place}; ln -s ${link} ${place}/kept`;

test(
  "a link in place of what may be read, in what may be written",
  inFolder((folder) => {
    Deno.mkdirSync(`${folder}/work/place/kept`, { recursive: true });
    Deno.mkdirSync(`${folder}/private`);
    Deno.writeTextFileSync(`${folder}/private/secret`, SECRET);
    const box = sandbox({ write: [`${folder}/work`], read: [`${folder}/work/place/kept`] });
    // There is a folder of this name in the sandbox too, so that the link leads somewhere.
    inside(box, lay(`${folder}`, `${folder}/work/place`));
    const look = `cat ${folder}/work/place/kept/private/secret 2> /dev/null || true`;
    assertEquals(inside(box, look), "");
    assertEquals(inside(recipe(...box.steps.map(fromTheHost)), look), SECRET);
  }),
);

/** The step that looks for what it shows among the host's files. */
function fromTheHost(step: Step): Step {
  return step.step === "bind" ? { ...step, source: step.source.replace(/^\/proc/, "") } : step;
}

test(
  "a link in place of what may be written, in what may be written",
  inFolder((folder) => {
    Deno.mkdirSync(`${folder}/work/place/kept`, { recursive: true });
    Deno.writeTextFileSync(`${folder}/secret`, SECRET);
    const box = sandbox({ write: [`${folder}/work`, `${folder}/work/place/kept`] });
    inside(box, lay(folder, `${folder}/work/place`));
    inside(box, `echo salt > ${folder}/work/place/kept/secret`);
    assertEquals(Deno.readTextFileSync(`${folder}/secret`), SECRET);
  }),
);

test(
  "what is kept from a program stays so, whichever way it moves folders",
  inFolder((folder) => {
    Deno.mkdirSync(`${folder}/work/place/kept`, { recursive: true });
    const box = sandbox({ write: [`${folder}/work`], read: [`${folder}/work/place/kept`] });
    inside(box, `cd ${folder}/work/place; ! touch kept/a; ! mv kept other; ! rm -r kept`);
    inside(box, `cd ${folder}/work; mv place other; ! touch other/kept/a`);
  }),
);

test("a folder to write, in one to read, in one to write, is refused", () => {
  const error = assertThrows(
    () => sandbox({ write: ["/a", "/a/b/c"], read: ["/a/b"] }),
    RecipeError,
  );
  assertStringIncludes(error.message, "/a/b/c lies in a folder to be read");
});

test("a race with who swaps a folder for a link, while one sandbox after the other is made", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    Deno.chmodSync(folder, 0o755);
    Deno.mkdirSync(`${folder}/work/kept`, { recursive: true });
    Deno.writeTextFileSync(`${folder}/secret`, SECRET);
    Deno.symlinkSync(folder, `${folder}/work/link`);
    const swap = program(String.raw`
      1 while call("renameat2", -100, "${folder}/work/kept", -100, "${folder}/work/link", 2) == 0;
    `);
    await using _swapping = recipe().command("perl", { args: ["-e", swap] }).spawn();
    const box = sandbox({ write: [`${folder}/work`], read: [`${folder}/work/kept`] });
    let made = 0;
    for (let attempt = 0; attempt < 50; attempt++) {
      try {
        assertEquals(inside(box, `cat ${folder}/work/*/secret 2> /dev/null || true`), "");
        made++;
      } catch (error) {
        if (!(error instanceof SyscallError)) throw error;
      }
    }
    assert(made > 0, "no sandbox could be made");
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

test(
  "a working directory that is a link to what the script has open",
  inFolder((folder) => {
    Deno.mkdirSync(`${folder}/work`);
    Deno.writeTextFileSync(`${folder}/secret`, SECRET);
    using open = linux.open(folder, linux.O_DIRECTORY);
    Deno.symlinkSync(`/proc/self/fd/${open.number}`, `${folder}/work/link`);
    const box = sandbox({ write: [`${folder}/work`] });
    const cwd = `${folder}/work/link`;
    const error = assertThrows(() => box.command("cat", { args: ["secret"], cwd }).outputSync());
    assertStringIncludes(String(error), "ELOOP");
    assertEquals(launchAltered(box, { cwd, attack: `take("secret")` }, follow), 0);
  }),
);

test(
  "the script's working directory, when a link lies over it that leads to what the script has open",
  inFolder((folder) => {
    for (const name of ["work", "work/here", "other"]) Deno.mkdirSync(`${folder}/${name}`);
    using open = linux.open(folder, linux.O_DIRECTORY);
    Deno.symlinkSync(`/proc/self/fd/${open.number}`, `${folder}/other/here`);
    const before = Deno.cwd();
    Deno.chdir(`${folder}/work/here`);
    try {
      const ground = recipe(unshare("user", "mount"), mapRoot());
      const box = ground.with(bind(`${folder}/other`, `${folder}/work`));
      assertEquals(inside(box, "pwd -P"), "/");
    } finally {
      Deno.chdir(before);
    }
  }),
);
