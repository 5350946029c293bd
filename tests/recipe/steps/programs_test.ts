import { assertEquals, assertStringIncludes } from "@std/assert";
import { mkdir, pivotRoot, programs, recipe, tmpfs } from "../../../mod.ts";
import { assertRefused, failing, inFolder, inside, test, testOn } from "../support.ts";

testOn(["mount"], "programs runs them in a root with nothing else", (ground) => {
  for (const copy of [false, true]) {
    const box = ground.with(
      tmpfs("/mnt"),
      programs("/bin/sh", "/bin/ls", { copy }),
      pivotRoot("/mnt"),
    );
    assertEquals(inside(box, "ls /bin"), "ls\nsh");
    assertEquals(inside(box, "cd /; echo *"), inside(box, "ls /").replaceAll("\n", " "));
  }
});

testOn(
  ["mount"],
  "programs binds what can only be read, and copies what is the container's",
  (ground) => {
    const box = (copy: boolean) =>
      ground.with(tmpfs("/mnt"), programs("/bin/sh", "/bin/ls", { copy }), pivotRoot("/mnt"));
    assertStringIncludes(failing(box(false), "echo > /bin/ls"), "Read-only file system");
    assertEquals(inside(box(true), "echo echo other > /bin/ls; ls"), "other");
    assertEquals(inside(ground, "test -s /bin/ls && echo whole"), "whole");
  },
);

testOn(["mount"], "programs goes into any folder that is the recipe's", (ground) => {
  const box = ground.with(
    tmpfs("/mnt"),
    mkdir("/mnt/a"),
    programs("/bin/true", { root: "/mnt/a/b/" }),
  );
  assertEquals(inside(box, "/mnt/a/b/bin/true && ls /mnt/a/b/bin"), "true");
});

testOn(["mount"], "programs brings the interpreter of a script", (ground) =>
  inFolder((folder) => {
    Deno.writeTextFileSync(`${folder}/hello`, "#!/bin/sh\necho hello\n", { mode: 0o755 });
    const box = ground.with(tmpfs("/mnt"), programs(`${folder}/hello`), pivotRoot("/mnt"));
    const { stdout } = box.command(`${folder}/hello`).outputSync();
    assertEquals(new TextDecoder().decode(stdout), "hello\n");
  })());

testOn(["mount"], "programs copies to a filesystem that is too small, and says so", (ground) => {
  const box = ground.with(
    tmpfs("/mnt", { size: "64k" }),
    programs("/bin/sh", { copy: true }),
    pivotRoot("/mnt"),
  );
  let message = "";
  try {
    box.command("sh").outputSync();
  } catch (error) {
    message = (error as Error).message;
  }
  assertStringIncludes(message, "ENOSPC");
  assertStringIncludes(message, "{ size }");
});

testOn(["mount"], "programs is refused where it cannot be done", (ground) => {
  const jail = (step: ReturnType<typeof programs>) => () =>
    ground.with(tmpfs("/mnt"), step, pivotRoot("/mnt"));
  assertRefused(jail(programs("/bin/no-such")), {
    step: "programs",
    says: "/bin/no-such is not there",
  });
  assertRefused(jail(programs("/etc/passwd")), { says: "/etc/passwd is neither a program" });
  assertRefused(jail(programs("/bin")), { says: "EISDIR" });
  assertRefused(jail(programs("bash")), { says: "has to begin with /" });
  assertRefused(jail(programs()), { says: "needs at least one" });
  assertRefused(() => ground.with(programs("/bin/sh")), { says: '{ root: "/new/root" }' });
  assertRefused(() => ground.with(programs("/bin/sh"), pivotRoot("/mnt")), {
    says: "/mnt is the host's",
  });
});

test("programs is refused before there is a mount namespace", () => {
  assertRefused(() => recipe(programs("/bin/sh", { root: "/mnt" })), {
    says: 'unshare("mount")',
  });
});
