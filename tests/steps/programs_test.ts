import { assertEquals, assertStringIncludes, fail } from "@std/assert";
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
} from "../../mod.ts";
import { programHost } from "../../host/elf/elf_reader.ts";
import { missing } from "../ffi/support.ts";
import { assertRefused, failing, inDirectory, inside, test, testOn } from "../support.ts";

testOn(["mount"], "programs runs them in a root with nothing else", (mounts) => {
  for (const copy of [false, true]) {
    const box = mounts.with(
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
  (mounts) => {
    const box = (copy: boolean) =>
      mounts.with(tmpfs("/mnt"), programs("/bin/sh", "/bin/ls", { copy }), pivotRoot("/mnt"));
    assertStringIncludes(failing(box(false), "echo > /bin/ls"), "Read-only file system");
    assertEquals(inside(box(true), "echo echo other > /bin/ls; ls"), "other");
    assertEquals(inside(mounts, "test -s /bin/ls && echo whole"), "whole");
  },
);

testOn(["mount"], "programs goes into any directory that is the recipe's", (mounts) => {
  const box = mounts.with(
    tmpfs("/mnt"),
    mkdir("/mnt/a"),
    programs("/bin/true", { root: "/mnt/a/b/" }),
  );
  assertEquals(inside(box, "/mnt/a/b/bin/true && ls /mnt/a/b/bin"), "true");
});

testOn(["mount"], "programs can be repeated, and used on a root with links", (mounts) => {
  const box = mounts.with(
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

testOn(["mount"], "programs keeps what is bound in the place of a library", (mounts) => {
  const box = mounts.with(
    tmpfs("/mnt"),
    bind("/etc/passwd", "/mnt/bin/ls"),
    programs("/bin/sh", "/bin/cat", "/bin/ls"),
    pivotRoot("/mnt"),
  );
  assertEquals(inside(box, "cat /bin/ls"), inside(mounts, "cat /etc/passwd"));
});

testOn(
  ["mount"],
  "programs follows no link out of its root",
  (mounts) =>
    inDirectory((directory) => {
      const box = mounts.with(
        tmpfs("/mnt"),
        mkdir(`/mnt${directory}`),
        symlink(`../../..${directory}`, "/mnt/bin"),
        programs("/bin/sh", { copy: true }),
        pivotRoot("/mnt"),
      );
      assertEquals(inside(box, `echo ${directory}/*`), `${directory}/sh`);
      assertEquals([...Deno.readDirSync(directory)], []);
    })(),
);

/** Whether it leads to a file: a link of /usr/bin may dangle. */
function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

test("in the new root the loader finds every library of the programs of this host", () => {
  const names = [...Deno.readDirSync("/usr/bin")].map(({ name }) => `/usr/bin/${name}`).sort();
  const host = programHost(() => {}, fail);
  const dynamic = names.filter((name) => isFile(name) && host.elf(name)?.interpreter);
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

test(
  "a program finds libraries beside it by $ORIGIN, also through a link",
  async () => {
    const directory = Deno.makeTempDirSync();
    try {
      Deno.chmodSync(directory, 0o755);
      const script = `
      mkdir -p a/bin a/lib bin
      echo 'int answer(void) { return 42; }' > library.c
      echo 'int answer(void); int main(void) { return answer(); }' > program.c
      gcc -shared -fPIC -o a/lib/libanswer.so library.c
      gcc -o a/bin/program program.c -La/lib -lanswer '-Wl,-rpath,$ORIGIN/../lib'
      ln -s ../a/bin/program bin/linked`;
      const { success } = await new Deno.Command("sh", { args: ["-ec", script], cwd: directory })
        .output();
      assertEquals(success, true);
      for (const path of [`${directory}/a/bin/program`, `${directory}/bin/linked`]) {
        for (const copy of [false, true]) {
          const box = recipe(
            unshare("user", "mount"),
            mapRoot(),
            tmpfs("/mnt"),
            programs(path, { copy }),
            // The loader reads the program's path here.
            bind("/proc", "/mnt/proc"),
            pivotRoot("/mnt"),
          );
          assertEquals(box.command(path).outputSync().code, 42);
        }
      }
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  },
  missing("gcc"),
);

testOn(
  ["mount"],
  "programs brings the interpreter of a script",
  (mounts) =>
    inDirectory((directory) => {
      Deno.writeTextFileSync(`${directory}/hello`, "#!/bin/sh\necho hello\n", { mode: 0o755 });
      const box = mounts.with(tmpfs("/mnt"), programs(`${directory}/hello`), pivotRoot("/mnt"));
      const { stdout } = box.command(`${directory}/hello`).outputSync();
      assertEquals(new TextDecoder().decode(stdout), "hello\n");
    })(),
);

testOn(["mount"], "programs copies to a filesystem that is too small, and says so", (mounts) => {
  const box = mounts.with(
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

testOn(["mount"], "programs is refused where it cannot be done", (mounts) => {
  const jail = (step: ReturnType<typeof programs>) => () =>
    mounts.with(tmpfs("/mnt"), step, pivotRoot("/mnt"));
  assertRefused(jail(programs("/bin/no-such")), {
    step: "programs",
    says: "/bin/no-such does not exist",
  });
  assertRefused(jail(programs("/etc/passwd")), { says: "/etc/passwd is neither a program" });
  assertRefused(jail(programs("/bin")), { says: "/bin does not exist, or is not a regular file" });
  assertRefused(jail(programs("bash")), { says: "has to begin with /" });
  assertRefused(jail(programs()), { says: "needs at least one" });
  assertRefused(() => mounts.with(programs("/bin/sh")), { says: '{ root: "/new/root" }' });
  assertRefused(() => mounts.with(programs("/bin/sh"), pivotRoot("/mnt")), {
    says: "/mnt is on the host",
  });
});

test("programs is refused without a mount namespace", () => {
  assertRefused(() => recipe(programs("/bin/sh", { root: "/mnt" })), {
    says: 'unshare("mount")',
  });
});
