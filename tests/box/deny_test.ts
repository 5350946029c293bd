/** Boxes that deny files of what they show. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { bind, denyFiles, mapRoot, type Recipe, recipe, sandbox, unshare } from "../../mod.ts";
import { test } from "../support.ts";
import { failedRecords } from "./failed_records.ts";
import { BoxFile } from "./support.ts";

/** Gives a test a directory with files in it. */
function inKitchen(body: (directory: string) => void | Promise<void>): () => Promise<void> {
  return async () => {
    const directory = Deno.makeTempDirSync();
    try {
      Deno.chmodSync(directory, 0o755);
      Deno.mkdirSync(`${directory}/in/kept`, { recursive: true });
      for (const name of ["secret", "kept", "in/secret", "in/kept/file"]) {
        Deno.writeTextFileSync(`${directory}/${name}`, "salt\n");
      }
      await body(directory);
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  };
}

function denying(directory: string): Recipe {
  const at = (...names: string[]) => names.map((name) => `${directory}/${name}`);
  return recipe(
    unshare("user", "mount", "pid"),
    mapRoot(),
    bind(directory, directory),
    denyFiles({
      read: at("secret", "in/secret", "gone/secret"),
      write: at("kept", "in/kept", "missing"),
    }),
  );
}

test(
  "what is denied cannot be read or written, and cannot be moved away or made",
  inKitchen(async (directory) => {
    const at = (...names: string[]) => names.map((name) => `${directory}/${name}`);
    const boxed = sandbox({
      write: [directory],
      protect: false,
      denyRead: [...at("secret", "in/secret", "gone/secret"), "/etc/passwd", "/etc/nonesuch"],
      denyWrite: [...at("kept", "in/kept", "missing"), "/usr/lib/nonesuch"],
    });
    for (const container of [denying(directory), boxed]) {
      using box = new BoxFile(container);
      const script = `cd ${directory}; cat secret in/secret
        for file in kept in/kept/file in/kept/new missing missing/x gone/secret in/new; do
          (echo changed >>$file) 2>/dev/null && echo "changed $file"
        done
        for name in secret kept in missing gone; do
          mv $name moved 2>/dev/null && echo "moved $name"; rm -rf $name 2>/dev/null
        done`;
      const { code, stdout, stderr } = await box.run(["sh", "-c", script]);
      assertEquals([code !== 125, stdout, stderr], [true, "changed in/new\n", ""]);
      assertEquals(Deno.readTextFileSync(`${directory}/secret`), "salt\n");
      assertEquals(Deno.readTextFileSync(`${directory}/in/kept/file`), "salt\n");
      const names = Array.from(Deno.readDirSync(directory), ({ name }) => name);
      assertEquals(names.sort(), ["in", "kept", "secret"]);
    }
    using box = new BoxFile(boxed);
    assertEquals(await box.inside("cat /etc/passwd"), "");
  }),
);

test(
  "what is read-only is covered without a file in place of what is missing",
  inKitchen(async (directory) => {
    const denyRead = ["secret", "in/secret", "gone/secret"].map((name) => `${directory}/${name}`);
    using box = new BoxFile(sandbox({ read: [directory], denyRead }));
    const shown = await box.inside(`cd ${directory}; cat secret in/secret kept; ls`);
    assertEquals(shown, "salt\nin\nkept\nsecret");
  }),
);

test(
  "a path over a link, and a file with two names, are not denied in part",
  inKitchen(async (directory) => {
    using box = new BoxFile(denying(directory));
    Deno.renameSync(`${directory}/kept`, `${directory}/real`);
    Deno.symlinkSync("real", `${directory}/kept`);
    const linked = await box.run(["true"]);
    assertEquals(linked.code, 125);
    assertStringIncludes(linked.stderr, "failed: ELOOP\n  the path is denied by its name alone");
    Deno.removeSync(`${directory}/kept`);
    Deno.linkSync(`${directory}/real`, `${directory}/kept`);
    const shared = await box.run(["true"]);
    assertEquals(shared.code, 125);
    assertStringIncludes(shared.stderr, "<kept>.nlink failed: EINVAL\n  it has another name");
  }),
);

test(
  "each call that denies is made to fail, and told",
  inKitchen((directory) => {
    const container = recipe(
      unshare("user", "mount", "pid"),
      mapRoot(),
      bind(directory, directory),
      denyFiles({ read: [`${directory}/gone/secret`], write: [`${directory}/in/kept`] }),
    );
    for (const { code, stderr, expected } of failedRecords(container, "step 4 (denyFiles)")) {
      if (code === 0) continue;
      assertEquals(code, 125);
      assertStringIncludes(stderr, expected);
    }
  }),
);
