/** What a program takes over from the script: the table of docs/inherited.md. */

import { assertEquals, assertMatch } from "@std/assert";
import { engine } from "../../ffi/engine/engine.ts";
import { syscallNumber } from "../../ffi/syscall_numbers.ts";
import { inDirectory, notRoot, test } from "../support.ts";
import { printed, started } from "./started_script.ts";

const BOXES = ["recipe()", "sandbox()"] as const;

for (const box of BOXES) {
  test(`signals that were ignored stay ignored, but for those of the runtime: ${box}`, () => {
    const masks = printed(
      `const command = sh(${box}, "grep ^Sig /proc/self/status");
       Deno.addSignalListener("SIGINT", () => {});
       print(new TextDecoder().decode(command.outputSync().stdout));
       Deno.exit()`,
      { before: "trap '' HUP INT PIPE" },
    );
    assertMatch(masks, /SigBlk:\t0{16}\n/);
    // SIGHUP is the first bit, and SIGINT the second.
    assertMatch(masks, /SigIgn:\t0{15}3\n/);
  });

  test(`a script that ignores SIGCHLD gets the codes of its programs: ${box}`, () => {
    const code = `print(sh(${box}, "exit 3").outputSync().code + "; " +
      inside(${box}, "grep SigIgn /proc/self/status"))`;
    const perl = `perl -e '$SIG{CHLD} = "IGNORE"; exec @ARGV'`;
    assertMatch(printed(code, { by: perl }), /^3; SigIgn:\t0{16}$/m);
  });

  test(`the umask of the script is the program's: ${box}`, () => {
    assertEquals(printed(`print(inside(${box}, "umask"))`, { before: "umask 037" }), "0037\n");
  });

  test(`limits, affinity, priority, personality and the like are the script's: ${box}`, () => {
    const facts = "for f in limits oom_score_adj personality coredump_filter timerslack_ns; do " +
      "cat /proc/self/$f; done; nice; ionice; chrt -p 0 | head -1 | sed 's/.* //'; " +
      "grep -E 'Cpus_allowed_list|NoNewPrivs' /proc/self/status";
    const [own, programs] = printed(
      `const facts = ${JSON.stringify(facts)};
       const { stdout } = new Deno.Command("sh", { args: ["-c", facts] }).outputSync();
       print(JSON.stringify([new TextDecoder().decode(stdout), inside(${box}, facts)]))`,
      {
        before: `ulimit -Sn 500; ulimit -Ss 4096; echo 321 > /proc/self/oom_score_adj
          echo 0x7 > /proc/self/coredump_filter`,
        by: "nice -n 7 ionice -c 3 chrt -b 0 taskset -c 0 setpriv --no-new-privs setarch -R",
      },
    ).split("\0").flatMap((text) => JSON.parse(text) as string[]);
    // A user namespace has a limit of pending signals and processes of its own: none.
    const lines = (text: string) =>
      text.split("\n").filter((line) => !/^Max (proc|pend)/.test(line));
    assertEquals(lines(programs!), lines(own!));
    for (
      const fact of [
        /^321$/m,
        /^0*40000$/m,
        /^0*7$/m,
        /^7$/m,
        /^idle$/m,
        /BATCH$/m,
        /list:\t0$/m,
        /Privs:\t1$/m,
      ]
    ) {
      assertMatch(programs!, fact);
    }
  });
}

test("a program can be traced by its own user, whatever the script has set", () => {
  // PR_GET_DUMPABLE
  const perl = `perl -e "print syscall(${syscallNumber("prctl", engine().architecture)}, 3)"`;
  assertEquals(
    printed(`ramekin.linux.prctl(ramekin.linux.PR_SET_DUMPABLE, 0);
      print(inside(recipe(), ${JSON.stringify(perl)}))`),
    "1",
  );
});

test("the session and the process group are the script's", () => {
  const ids = "cut -d' ' -f5,6 /proc/self/stat";
  const [own, programs] = printed(
    `const { stdout } = new Deno.Command("sh", { args: ["-c", "${ids}"] }).outputSync();
     print(new TextDecoder().decode(stdout) + inside(recipe(), "${ids}"))`,
  ).trim().split("\n");
  assertEquals(programs, own);
});

test(
  "files of the container have the modes that the steps say, and those of the host the umask's",
  inDirectory((directory) => {
    Deno.chmodSync(directory, 0o777);
    const code = `
      const { unshare, mapRoot, tmpfs, mkdir, writeFile, mknod } = ramekin;
      const box = recipe(unshare("user", "mount"), mapRoot(), tmpfs("/mnt"),
        mkdir("/mnt/a/b"), writeFile("/mnt/c", ""), mknod("/mnt/d", { type: "p" }),
        mkdir("${directory}/a", { host: true }), writeFile("${directory}/c", "", { host: true }),
        writeFile("/mnt/e", ""));
      print(inside(box, "stat -c %a /mnt/a /mnt/a/b /mnt/c /mnt/d /mnt/e ${directory}/a ${directory}/c; umask"))`;
    const modes = printed(code, { before: "umask 077" }).trim().split("\n");
    assertEquals(modes, ["755", "755", "644", "644", "644", "700", "600", "0077"]);
  }),
);

test("the root of a sandbox can be read by others, whatever the umask is", () => {
  const code = `print(inside(sandbox(), "stat -c %a / /etc /dev /run"))`;
  assertEquals(printed(code, { before: "umask 077" }), printed(code));
});

test(
  "in a directory that the container may not enter, it begins in the root",
  () => {
    const directory = Deno.makeTempDirSync();
    try {
      Deno.chownSync(directory, 65534, 65534);
      Deno.chmodSync(directory, 0o700);
      const boxes = [
        "sandbox()",
        `recipe(ramekin.unshare("user", "mount"), ramekin.mapRoot(), ramekin.tmpfs("/mnt"),
           ramekin.tmpfs("/srv"))`,
        `recipe(ramekin.unshare("user", "mount"), ramekin.mapRoot(), ramekin.maskPaths("/etc"))`,
      ];
      for (const box of boxes) {
        assertEquals(printed(`print(inside(${box}, "pwd"))`, { cwd: directory }), "/\n");
      }
    } finally {
      Deno.removeSync(directory);
    }
  },
  notRoot,
);

test("nohup spares the program when the terminal goes away", () => {
  const code = `print(inside(sandbox(), "kill -HUP $$; echo still here"))`;
  assertEquals(printed(code, { by: "nohup" }), "still here\n");
  assertEquals(started(code).stdout, "");
});
