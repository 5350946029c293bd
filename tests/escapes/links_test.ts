/**
 * Escapes by links that a program makes where it may write. The script follows them when it makes
 * the next sandbox (CVE-2021-30465), or on the way to the working directory of a program
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
import { inDirectory, inside, test } from "../support.ts";
import { follow, launchAltered } from "./launch.ts";
import { program, SECRET } from "./support.ts";

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
    assertEquals(inside(recipe(...box.steps.map(fromTheHost)), look), SECRET);
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

test("a race with who swaps a directory for a link, while one sandbox after the other is made", async () => {
  const directory = Deno.makeTempDirSync();
  try {
    Deno.chmodSync(directory, 0o755);
    Deno.mkdirSync(`${directory}/work/kept`, { recursive: true });
    Deno.writeTextFileSync(`${directory}/secret`, SECRET);
    Deno.symlinkSync(directory, `${directory}/work/link`);
    const swap = program(String.raw`
      1 while call("renameat2", -100, "${directory}/work/kept", -100, "${directory}/work/link", 2) == 0;
    `);
    await using _swapping = recipe().command("perl", { args: ["-e", swap] }).spawn();
    const box = sandbox({ write: [`${directory}/work`], read: [`${directory}/work/kept`] });
    let made = 0;
    for (let attempt = 0; attempt < 50; attempt++) {
      try {
        assertEquals(inside(box, `cat ${directory}/work/*/secret 2> /dev/null || true`), "");
        made++;
      } catch (error) {
        if (!(error instanceof SyscallError)) throw error;
      }
    }
    assert(made > 0, "no sandbox could be made");
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

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
