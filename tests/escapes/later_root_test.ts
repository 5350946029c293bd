/** Attacks on the files around a later root while it is still a directory of the host's. */

import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  bind,
  capabilities,
  chdir,
  init,
  mapRoot,
  mkdir,
  newSession,
  overlay,
  PermissionError,
  pivotRoot,
  proc,
  type Recipe,
  recipe,
  seccomp,
  type Step,
  symlink,
  tmpfs,
  unshare,
  writeFile,
} from "../../mod.ts";
import { decode } from "../other_scripts.ts";
import { inDirectory, test } from "../support.ts";

const NAMESPACES = [unshare("user", "mount", "pid", "ipc", "uts", "net"), mapRoot()] as const;
/** Steps that leave a program nothing of what no namespace holds. */
const HELD = [newSession(), init(), unshare("user"), mapRoot(), seccomp()] as const;

/** Makes files of the host in a directory that a recipe has as its later root. */
function furnish(directory: string): void {
  Deno.mkdirSync(`${directory}/inner`);
  Deno.mkdirSync(`${directory}/upper`);
  Deno.mkdirSync(`${directory}/work`);
  Deno.writeTextFileSync(`${directory}/kept`, "salt");
  Deno.symlinkSync("inner", `${directory}/alias`);
}

/**
 * A recipe that goes over a link of its own, in a tmpfs below the later root, before it covers that
 * root: pivotRoot() itself then needs nothing of the directory.
 */
function aroundTmpfs(directory: string, ...steps: readonly Step[]): Recipe {
  return recipe(
    ...NAMESPACES,
    tmpfs("/mnt"),
    tmpfs(`${directory}/inner`),
    symlink("/", `${directory}/inner/up`),
    ...steps,
    tmpfs(directory),
    ...["usr", "bin", "lib", "lib64"].map((name) =>
      bind(`/${name}`, `${directory}/${name}`, { readOnly: true, optional: true })
    ),
    bind("/mnt", `${directory}/shown`),
    proc(`${directory}/proc`),
    pivotRoot(directory),
    ...HELD,
  );
}

/** Runs a shell script with everything granted. */
function run(box: Recipe, script = ":"): string {
  const { stdout, stderr } = box.command("sh", { args: ["-c", script], clearEnv: true })
    .outputSync();
  assertEquals(decode(stderr), "");
  return decode(stdout);
}

/** Whether the recipe is refused which is granted all but the directory. */
function assertGated(box: Recipe, directory: string, kinds: readonly string[] = ["read", "write"]) {
  const error = assertThrows(
    () =>
      box.command("sh", {
        args: ["-c", ":"],
        clearEnv: true,
        permissions: { read: ["/usr", "/bin", "/lib", "/lib64"], write: ["/proc"], run: true },
      }).outputSync(),
    PermissionError,
  );
  for (const kind of kinds) assertStringIncludes(error.message, `${kind} ${directory}`);
}

for (const way of ["inner/up", "alias/up"]) {
  test(
    `a file of the host is changed over a link of the recipe: ${way}`,
    inDirectory((directory) => {
      furnish(directory);
      const box = aroundTmpfs(
        directory,
        writeFile(`${directory}/${way}/kept`, "pepper", { host: true }),
      );
      assertGated(box, directory);
      assertEquals(Deno.readTextFileSync(`${directory}/kept`), "salt");
      if (way.startsWith("alias")) return;
      run(box);
      assertEquals(Deno.readTextFileSync(`${directory}/kept`), "pepper");
    }),
  );

  test(
    `a file of the host is shown over a link of the recipe: ${way}`,
    inDirectory((directory) => {
      furnish(directory);
      const box = aroundTmpfs(directory, bind(`${directory}/${way}`, "/mnt/all"));
      assertGated(box, directory);
      assertEquals(run(box, "cat /shown/all/kept; printf pepper > /shown/all/kept"), "salt");
      assertEquals(Deno.readTextFileSync(`${directory}/kept`), "pepper");
    }),
  );
}

test(
  "a directory of the host is made, or is a layer, over a link of the recipe",
  inDirectory((directory) => {
    furnish(directory);
    const up = `${directory}/inner/up`;
    const made = aroundTmpfs(directory, mkdir(`${up}/new`));
    const mountPoint = aroundTmpfs(directory, tmpfs(`${up}/point`));
    const layer = aroundTmpfs(
      directory,
      overlay("/mnt/all", { lower: ["/usr/lib"], upper: `${up}/upper`, work: `${up}/work` }),
    );
    for (const box of [made, mountPoint, layer]) assertGated(box, directory);
    assertEquals([...Deno.readDirSync(directory)].length, 5);
    run(made);
    assertEquals([...Deno.readDirSync(directory)].length, 6);
  }),
);

test(
  "the working directory of an init leads to no file of the host's",
  inDirectory((directory) => {
    furnish(directory);
    const system = ["usr", "bin", "lib", "lib64"].map((name) =>
      bind(`/${name}`, `/mnt/${name}`, { readOnly: true, optional: true })
    );
    const ownRoot = [tmpfs("/mnt"), ...system, proc("/mnt/proc"), pivotRoot("/mnt")];
    const boxes: readonly Recipe[] = [
      recipe(...NAMESPACES, init(), ...ownRoot),
      recipe(...NAMESPACES, ...ownRoot, init()),
      recipe(...NAMESPACES, chdir(directory), init(), ...ownRoot),
      recipe(...NAMESPACES, init(), ...ownRoot, tmpfs("/tmp/again"), capabilities({ keep: [] })),
    ];
    // Before it executes its own program the init is undumpable, and nobody is told. A program that
    // may not trace it never is.
    const places = boxes.map((box, index) =>
      run(
        box,
        `for i in $(seq ${index === 3 ? 100 : 3000}); do
          readlink /proc/1/cwd /proc/1/root && break; sleep 0.01; done`,
      )
    );
    assertEquals(places, ["/\n/\n", "/\n/\n", "/\n/\n", ""]);
  }),
);

test(
  "what is below a later root of the host's takes no more than the root does",
  inDirectory((directory) => {
    furnish(directory);
    const box = recipe(
      ...NAMESPACES,
      tmpfs(`${directory}/inner`),
      mkdir(`${directory}/inner/dir`),
      bind("/usr", `${directory}/inner/usr`, { readOnly: true }),
      pivotRoot(directory),
      ...HELD,
    );
    const files = box.needs().filter((need) => need.kind === "read" || need.kind === "write")
      .map((need) => `${need.kind} ${need.path}`);
    assertEquals(new Set(files), new Set([`read ${directory}`, `write ${directory}`, "read /usr"]));
  }),
);
