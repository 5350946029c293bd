/** Paths with `~` and `$HOME`, which a shell would have changed: the errors say so. */

import { assert, assertStringIncludes } from "@std/assert";
import {
  bind,
  chdir,
  chroot,
  join,
  landlock,
  mapRoot,
  maskPaths,
  mkdir,
  mount,
  overlay,
  pivotRoot,
  programs,
  type Recipe,
  recipe,
  sandbox,
  tmpfs,
  unshare,
  writeFile,
} from "../../mod.ts";
import { parseRecipe } from "../../yaml/mod.ts";
import { ramekin } from "../ramekin/support.ts";
import { test } from "../support.ts";

const SAYS = "a shell expands ~ and $HOME, a recipe does not: write the path itself";

const ground = recipe(unshare("user", "mount"), mapRoot(), tmpfs("/tmp"));

/** The steps that name a path. */
const STEPS: Readonly<Record<string, (path: string) => Recipe>> = {
  "bind, its source": (path) => ground.with(bind(path, "/mnt")),
  "bind, its target": (path) => ground.with(bind("/usr", path)),
  "a filesystem": (path) => ground.with(tmpfs(path)),
  "mount": (path) => ground.with(mount("x", path, { type: "tmpfs" })),
  "overlay, lower": (path) => ground.with(overlay("/mnt", { lower: [path], discard: true })),
  "overlay, upper": (path) =>
    ground.with(overlay("/mnt", { lower: ["/usr"], upper: path, work: "/tmp/w" })),
  "pivotRoot": (path) => ground.with(pivotRoot(path)),
  "chroot": (path) => ground.with(chroot(path)),
  "chdir": (path) => ground.with(chdir(path)),
  "join": (path) => ground.with(join(path)),
  "landlock": (path) => ground.with(landlock({ read: [path] })),
  "writeFile": (path) => ground.with(writeFile(path, "text")),
  "programs": (path) => ground.with(programs(path, { root: "/tmp" })),
};

/** Returns the error of a recipe, when it is made or run. */
function messageOf(make: () => Recipe): string {
  try {
    make().command("true").outputSync();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("the program has run");
}

for (const [name, step] of Object.entries(STEPS)) {
  test(`a path of a shell: ${name}`, () => {
    for (const path of ["~/none", "$HOME/none", "/usr/$USER/none"]) {
      // On the host a recipe makes no file.
      if (name === "writeFile" && path.startsWith("/")) continue;
      assertStringIncludes(messageOf(() => step(path)), SAYS);
    }
  });
}

test("paths of a shell: in lists of paths, and of a sandbox", () => {
  for (const path of ["~/x", "$HOME/x"]) {
    assertStringIncludes(messageOf(() => recipe(maskPaths(path))), SAYS);
    assertStringIncludes(messageOf(() => recipe(mkdir(path))), SAYS);
    assertStringIncludes(messageOf(() => sandbox({ read: [path] })), SAYS);
    assertStringIncludes(messageOf(() => sandbox({ write: [path] })), SAYS);
  }
});

test("paths of a shell: the program and its working directory", () => {
  const failed = (run: () => unknown) => {
    try {
      run();
    } catch (error) {
      return (error as Error).message;
    }
    throw new Error("the program has run");
  };
  assertStringIncludes(failed(() => recipe().command("~/bin/none").outputSync()), SAYS);
  assertStringIncludes(failed(() => recipe().command("$HOME/none").outputSync()), SAYS);
  const cwd = failed(() => recipe().command("true", { cwd: "~/none" }).outputSync());
  assertStringIncludes(cwd, "a shell expands ~ and $HOME, Ramekin does not");
  const other = failed(() => recipe().command("/none").outputSync());
  assert(!other.includes("shell"), other);
});

test("paths of a shell: in YAML, and of the command", async () => {
  for (const path of ["~/none", "$HOME/none"]) {
    const text = `steps:
      - { step: unshare, kinds: [user, mount] }
      - { step: mapRoot }
      - { step: bind, source: "${path}", target: /mnt }`;
    assertStringIncludes(messageOf(() => parseRecipe(text)), SAYS);
    const { stderr, code } = await ramekin("run", `${path}.yaml`, "--", "true");
    assertStringIncludes(stderr, SAYS);
    assert(code !== 0);
  }
  const read = async (path: string) =>
    (await ramekin("sandbox", `--allow-read=${path}`, "--", "true")).stderr;
  assertStringIncludes(await read("~/none"), "only at the start of a word: write $HOME");
  assertStringIncludes(await read("/usr,~/none"), "only at the start of a word: write $HOME");
  assertStringIncludes(await read("$HOME/none"), "only outside of single quotes");
});
