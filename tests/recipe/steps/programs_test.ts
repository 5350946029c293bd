import { assertEquals, assertStringIncludes } from "@std/assert";
import {
  bind,
  mapRoot,
  mkdir,
  pivotRoot,
  programs,
  recipe,
  symlink,
  tmpfs,
  unshare,
} from "../../../mod.ts";
import { programHost } from "../../../recipe/programs/program_host.ts";
import { missing } from "../../ffi/support.ts";
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

testOn(["mount"], "programs can be said more than once, and on a root with links", (ground) => {
  const box = ground.with(
    tmpfs("/mnt"),
    mkdir("/mnt/usr/bin"),
    symlink("usr/bin", "/mnt/bin"),
    programs("/bin/sh", "/bin/ls"),
    programs("/bin/cat", "/usr/bin/ls"),
    programs("/bin/sh", "/bin/pwd", { copy: true }),
    pivotRoot("/mnt"),
  );
  assertEquals(inside(box, "ls /usr/bin; cd /bin; pwd"), "cat\nls\npwd\nsh\n/bin");
});

testOn(["mount"], "programs keeps what is bound in the place of a library", (ground) => {
  const box = ground.with(
    tmpfs("/mnt"),
    bind("/etc/passwd", "/mnt/bin/ls"),
    programs("/bin/sh", "/bin/cat", "/bin/ls"),
    pivotRoot("/mnt"),
  );
  assertEquals(inside(box, "cat /bin/ls"), inside(ground, "cat /etc/passwd"));
});

testOn(["mount"], "programs follows no link out of its root", (ground) =>
  inFolder((folder) => {
    const box = ground.with(
      tmpfs("/mnt"),
      mkdir(`/mnt${folder}`),
      symlink(`../../..${folder}`, "/mnt/bin"),
      programs("/bin/sh", { copy: true }),
      pivotRoot("/mnt"),
    );
    assertEquals(inside(box, `echo ${folder}/*`), `${folder}/sh`);
    assertEquals([...Deno.readDirSync(folder)], []);
  })());

test("in the new root the loader finds every library of the programs of this host", () => {
  const names = [...Deno.readDirSync("/usr/bin")].map(({ name }) => `/usr/bin/${name}`).sort();
  const host = programHost();
  const dynamic = names.filter((name) => Deno.statSync(name).isFile && host.elf(name)?.interpreter);
  const some = dynamic.filter((_, index) => index % 10 === 0);
  const box = recipe(
    unshare("user", "mount"),
    mapRoot(),
    tmpfs("/mnt"),
    programs("/bin/sh", ...some),
    pivotRoot("/mnt"),
  );
  const loader = host.elf("/bin/sh")!.interpreter;
  const script = `for program in "$@"; do ${loader} --list $program > /list || echo $program; done`;
  const { code, stdout, stderr } = box.command("/bin/sh", { args: ["-c", script, "sh", ...some] })
    .outputSync();
  assertEquals(new TextDecoder().decode(stderr), "");
  assertEquals(new TextDecoder().decode(stdout), "");
  assertEquals(code, 0);
});

test("a program in a folder of its own finds its libraries beside it, also by a link", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    Deno.chmodSync(folder, 0o755);
    const script = `
      mkdir -p a/bin a/lib bin
      echo 'int answer(void) { return 42; }' > library.c
      echo 'int answer(void); int main(void) { return answer(); }' > program.c
      gcc -shared -fPIC -o a/lib/libanswer.so library.c
      gcc -o a/bin/program program.c -La/lib -lanswer '-Wl,-rpath,$ORIGIN/../lib'
      ln -s ../a/bin/program bin/linked`;
    const { success } = await new Deno.Command("sh", { args: ["-ec", script], cwd: folder })
      .output();
    assertEquals(success, true);
    for (const path of [`${folder}/a/bin/program`, `${folder}/bin/linked`]) {
      for (const copy of [false, true]) {
        const box = recipe(
          unshare("user", "mount"),
          mapRoot(),
          tmpfs("/mnt"),
          programs(path, { copy }),
          // From here the loader learns where the program lies.
          bind("/proc", "/mnt/proc"),
          pivotRoot("/mnt"),
        );
        assertEquals(box.command(path).outputSync().code, 42);
      }
    }
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}, missing("gcc"));

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
