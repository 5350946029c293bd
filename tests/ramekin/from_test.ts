/** Recipes from command lines of other tools: the same program sees the same in both. */

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { clearEnv, type Recipe, recipe, setEnv } from "../../mod.ts";
import { fromBwrap } from "../../scripts/ramekin/from/bwrap.ts";
import { BWRAP_FLAGS } from "../../scripts/ramekin/from/bwrap_flags.ts";
import { fromNsjail } from "../../scripts/ramekin/from/nsjail.ts";
import type { Translation } from "../../scripts/ramekin/from/translation.ts";
import { readMessage } from "../../scripts/ramekin/from/text_proto.ts";
import { fromUnshare } from "../../scripts/ramekin/from/unshare.ts";
import { UNSHARE_FLAGS } from "../../scripts/ramekin/from/unshare_flags.ts";
import { scriptOf, yamlOf } from "../../scripts/ramekin/from/write.ts";
import { UsageError } from "../../scripts/ramekin/usage.ts";
import { parseRecipe } from "../../yaml/mod.ts";
import { decode } from "../other_scripts.ts";
import { inDirectory, test } from "../support.ts";
import { ramekin, withFiles } from "./support.ts";

/** Why the tests with another tool are skipped. */
function missing(tool: string, ...args: string[]): string | undefined {
  try {
    const { success } = new Deno.Command(tool, { args: [...args, "true"] }).outputSync();
    return success ? undefined : `${tool} makes no container here`;
  } catch {
    return `no ${tool} here`;
  }
}

const noBwrap = missing("bwrap", "--ro-bind", "/", "/");
const noUnshare = missing("unshare", "-r");

/** What a program prints, with its errors. */
function outputOf(command: { outputSync(): Deno.CommandOutput }): string {
  const { code, stdout, stderr } = command.outputSync();
  return `${decode(stdout)}${decode(stderr)}[${code}]`;
}

/** Compares what a program prints under the tool, and in the recipe of the same words. */
function compare(
  tool: string,
  words: readonly string[],
  program: readonly string[],
  translate: (words: readonly string[]) => Translation,
): string {
  const made = translate([...words, ...program]);
  assertEquals(made.program, program);
  assertEquals(made.lost, []);
  const env = { PATH: "/usr/bin:/bin", LANG: "C", SOUP: "leek" };
  const options = { clearEnv: true, env, cwd: "/" };
  const other = outputOf(new Deno.Command(tool, { args: [...words, ...program], ...options }));
  const [name, ...args] = made.program as [string, ...string[]];
  const box = recipe(...made.steps);
  const here = recipe(clearEnv(), setEnv(env), box);
  assertEquals(outputOf(here.command(name, { args })), other, words.join(" "));
  // The recipe that is written is the one that is compared.
  const written: Recipe = parseRecipe(yamlOf(made));
  assertEquals(written.steps, box.steps);
  return other;
}

const USR = [
  ...["--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink", "usr/lib", "/lib"],
  ...["--symlink", "usr/lib64", "/lib64"],
];
const ALL = ["--ro-bind", "/", "/"];
/** What a program may do with its mounts, by their paths. */
const MOUNTS =
  "grep -v ' /dev\\| /proc/' /proc/self/mountinfo | cut -d' ' -f5,6 | grep -o '^/[^ ]* r[ow]' | sort";
/** Its pid, behind an init or as the first. */
const PIDS = "echo $$";

/** Command lines, each with a script for sh -c, and a part of what it prints. */
const BWRAP: readonly (readonly [readonly string[], string, string])[] = [
  [[...USR, "--proc", "/proc", "--dev", "/dev", "--unshare-pid"], `echo /*; ${PIDS}`, "/proc"],
  [
    [...USR, "--proc", "/proc", "--dir", "/a/b", "--tmpfs", "/c"],
    `${MOUNTS}; stat -c %a /a/b /c`,
    "755",
  ],
  [
    [...USR, "--perms", "1777", "--tmpfs", "/tmp", "--perms", "0700", "--dir", "/x"],
    "stat -c %a /tmp /x",
    "1777",
  ],
  [
    [...ALL, "--tmpfs", "/tmp", "--tmpfs", "/home"],
    "ls /tmp /home; touch /usr/x; touch /tmp/x",
    "Read-only",
  ],
  [[...ALL, "--unshare-all", "--proc", "/proc"], `${PIDS}; tail -n +3 /proc/net/dev | wc -l`, "1"],
  [[...ALL, "--unshare-all", "--share-net"], "readlink /proc/self/ns/net", "net:"],
  [[...ALL, "--unshare-uts", "--hostname", "kitchen"], "hostname", "kitchen"],
  [
    [...ALL, "--clearenv", "--setenv", "A", "b c", "--setenv", "B", "d", "--unsetenv", "B"],
    "echo $A.$B.$SOUP",
    "b c..",
  ],
  [[...ALL, "--setenv", "SOUP", "onion", "--chdir", "/usr"], "echo $SOUP; pwd", "onion\n/usr"],
  [[...ALL, "--unshare-user", "--uid", "7", "--gid", "8"], "id -u; id -g", "7\n8"],
  [[...ALL, "--unshare-user", "--uid", "0", "--gid", "0"], "id -u; id -g", "0\n0"],
  [
    [...USR, "--bind-try", "/nonesuch", "/x", "--ro-bind-try", "/etc/passwd", "/etc/passwd"],
    "ls / /etc",
    "passwd",
  ],
  [[...USR, "--dev-bind", "/dev", "/dev"], "echo soup > /dev/null && echo yes", "yes"],
  [
    [...USR, "--tmpfs", "/a", "--remount-ro", "/a", "--remount-ro", "/"],
    "touch /a/x; touch /x",
    "Read-only",
  ],
  [
    [...USR, "--proc", "/proc", "--new-session"],
    "grep -c . /proc/self/status; grep NoNewPrivs /proc/self/status",
    "NoNewPrivs:\t1",
  ],
  [[...USR, "--proc", "/proc", "--unshare-pid", "--as-pid-1"], "echo $$", "1\n"],
  [
    [...USR, "--proc", "/proc", "--unshare-user", "--unshare-pid", "--disable-userns"],
    "unshare -U true; echo $?",
    "1\n",
  ],
  [["--ro-bind", "/usr", "/x", "--tmpfs", "/", ...USR], "echo /*", "/bin /lib /lib64 /usr"],
];

test("command lines of bwrap make the same container here", () => {
  for (const [flags, script, part] of BWRAP) {
    const seen = compare("bwrap", flags, ["sh", "-c", script], fromBwrap);
    assertStringIncludes(seen, part, flags.join(" "));
  }
}, noBwrap);

test(
  "files that bwrap shows and makes are those of the recipe",
  inDirectory((directory) => {
    Deno.mkdirSync(`${directory}/in`);
    Deno.chmodSync(`${directory}/in`, 0o777);
    const flags = [...USR, "--bind", `${directory}/in`, "/in", "--dir", "/in/made"];
    compare(
      "bwrap",
      flags,
      ["sh", "-c", "echo soup >> /in/file; ls /in; cat /in/file | tail -n 1"],
      fromBwrap,
    );
    assertEquals(Deno.readTextFileSync(`${directory}/in/file`), "soup\nsoup\n");
    // bwrap 0.8 has no overlays.
    const made = fromBwrap([...USR, "--overlay-src", "/usr", "--tmp-overlay", "/o", "sh"]);
    const script = "test -d /o/bin && touch /o/x && echo yes";
    const { stdout } = recipe(...made.steps).command("sh", { args: ["-c", script] }).outputSync();
    assertEquals(decode(stdout), "yes\n");
  }),
  noBwrap,
);

const UNSHARE: readonly (readonly [readonly string[], string, string])[] = [
  [["-r"], "id -u; id -g", "0\n0"],
  [["--map-root-user", "--mount-proc", "-pf"], PIDS, "1\n"],
  [["-rmpf", "--mount-proc=/proc"], "mountpoint /proc; echo $$", "1\n"],
  [["-c", "-un", "--kill-child"], "id -u; tail -n +3 /proc/net/dev | wc -l", "1\n"],
  [
    ["-rT", "--boottime", "100000000"],
    "test $(cut -d. -f1 /proc/uptime) -gt 100000000; echo $?",
    "0\n",
  ],
  [["-r", "-w", "/usr"], "pwd", "/usr"],
  [["-r", "--wd=/usr", "-R", "/"], "pwd", "/usr"],
  [["-rS0"], "id -u", "0\n"],
  [["--map-user=5", "--map-group=6"], "id -u; id -g", "5\n6"],
  [["-Uc", "--keep-caps"], "grep CapEff /proc/self/status | tr -d 0", "CapEff"],
  [
    ["-rC", "--propagation", "slave", "-m"],
    "grep -c master /proc/self/mountinfo > /dev/null; echo ok",
    "ok",
  ],
];

test("command lines of unshare make the same container here", () => {
  for (const [flags, script, part] of UNSHARE) {
    const seen = compare("unshare", flags, ["sh", "-c", script], fromUnshare);
    assertStringIncludes(seen, part, flags.join(" "));
  }
}, noUnshare);

test("a configuration of nsjail is a recipe", () => {
  const made = fromNsjail(`
    # As those of its examples.
    name: "kitchen" description: "soup " "and bread"
    mode: ONCE hostname: "kitchen" cwd: "/tmp" time_limit: 100
    envar: "A=b c" envar: "SOUP"
    rlimit_as_type: INF rlimit_nofile: 64 rlimit_fsize: 2
    mount { src: "/usr" dst: "/usr" is_bind: true }
    mount { src: "usr/bin" dst: "/bin" is_symlink: true }
    mount { src: "usr/lib" dst: "/lib" is_symlink: true }
    mount { src: "usr/lib64" dst: "/lib64" is_symlink: true }
    mount { dst: "/tmp" fstype: "tmpfs" rw: true options: "size=5m" }
    mount < dst: "/closed" fstype: "tmpfs" >
    mount { src_content: "leek\\n\\x41\\101" dst: "/etc/menu" }
    mount { src: "/nonesuch", dst: "/none"; is_bind: true mandatory: false }
    mount_proc: true
    seccomp_string: "ALLOW { read }" unknown_one: 7
    exec_bin { path: "/bin/sh" arg: "-c" arg: "pwd" }
  `);
  assertEquals(made.program, ["/bin/sh", "-c", "pwd"]);
  assertEquals(made.lost, [
    "seccomp_string: ALLOW { read }: a policy of kafel; seccomp() takes rules as JSON",
    "unknown_one: 7: it is no field that is known here",
  ]);
  const script =
    "pwd; hostname; echo $A$SOUP.$HOME; ulimit -n; cat /etc/menu; echo; touch /tmp/x; " +
    "for f in /x /closed/x /usr/x /proc/sys/x; do { echo > $f; } 2> /dev/null || echo no $f; done; echo $$";
  const { stdout } = recipe(...made.steps).command("sh", {
    args: ["-c", script],
    env: { SOUP: "leek" },
  }).outputSync();
  assertEquals(
    decode(stdout),
    "/tmp\nkitchen\nb cleek.\n64\nleek\nAA\nno /x\nno /closed/x\nno /usr/x\nno /proc/sys/x\n1\n",
  );
  for (const wrong of ["mount {", 'name: "x', "name:", "} ", "mount: { dst }"]) {
    assertThrows(() => fromNsjail(wrong), UsageError);
  }
});

test("every flag of the tools is known here", () => {
  for (
    const [tool, known, form] of [
      ["bwrap", BWRAP_FLAGS, /^ +(--[a-z0-9-]+)/gm],
      ["unshare", UNSHARE_FLAGS, /^ +(?:-\w, )?(--[a-z-]+)/gm],
    ] as const
  ) {
    const { stdout, stderr } = new Deno.Command(tool, { args: ["--help"] }).outputSync();
    const flags = [...(decode(stdout) + decode(stderr)).matchAll(form)].map(([, name]) => name!);
    assert(flags.length > 20, tool);
    assertEquals(flags.filter((name) => known[name] === undefined), []);
  }
}, noBwrap ?? noUnshare);

test("what no recipe says is named, and wrong words are refused", () => {
  const lost = (made: Translation) => made.lost.map((text) => text.split(":")[0]);
  assertEquals(
    lost(fromBwrap([
      ...["--seccomp", "9", "--sync-fd", "8", "--unsetenv", "A", "--lock-file", "/x"],
      ...["--chmod", "0700", "/x", "--cap-add", "CAP_SOUP", "--tmp-overlay", "/x", "sh"],
    ])),
    [
      ...["--seccomp 9", "--sync-fd 8", "--unsetenv A", "--lock-file /x", "--chmod 0700 /x"],
      ...["--cap-add CAP_SOUP", "--tmp-overlay /x"],
    ],
  );
  assertEquals(
    lost(fromUnshare(["-rp", "--map-auto", "--net=/run/net", "--propagation", "shared", "sh"])),
    ["--map-auto", "--net /run/net", "--propagation shared", "--pid without --fork"],
  );
  assertThrows(() => fromBwrap(["--nonesuch"]), UsageError, "bwrap has no flag --nonesuch");
  assertThrows(() => fromBwrap(["--bind", "/a"]), UsageError, "without its value");
  assertThrows(() => fromUnshare(["-rz"]), UsageError, "unshare has no flag -z");
  assertThrows(() => fromUnshare(["--wd"]), UsageError, "without its value");
});

test(
  "the command writes a recipe that runs, as YAML and as a script",
  () =>
    withFiles({}, async (directory) => {
      const line = "bwrap --ro-bind / / --unshare-uts --hostname kitchen --info-fd 3 uname -n";
      for (const words of [[line], ["--", ...line.split(" ")]]) {
        const { code, stdout, stderr } = await ramekin("from-bwrap", ...words);
        assertEquals(code, 1);
        assertStringIncludes(stderr, "ramekin: left out: --info-fd 3: --status-fd");
        assertStringIncludes(stdout, "# left out: --info-fd 3:");
        assertStringIncludes(stdout, "steps:\n  - step: unshare\n    kinds:");
        assertStringIncludes(stdout, "-- uname -n");
      }
      const { code, stdout } = await ramekin(
        "from-unshare",
        "--ts",
        "unshare -ru sh -c 'echo \"$0\"' a",
      );
      assertEquals(code, 0);
      const program = stdout.replace(
        "@ramekin/ramekin",
        new URL("../../mod.ts", import.meta.url).href,
      );
      Deno.writeTextFileSync(`${directory}/box.ts`, program);
      const ran = new Deno.Command(Deno.execPath(), {
        args: ["run", "--no-check", "--quiet", "--allow-ffi", `${directory}/box.ts`],
      }).outputSync();
      assertEquals(decode(ran.stdout), "a\n", decode(ran.stderr));
      Deno.writeTextFileSync(`${directory}/nsjail.cfg`, 'hostname: "kitchen"');
      assertEquals((await ramekin("from-nsjail", `${directory}/nsjail.cfg`)).code, 0);
      Deno.writeTextFileSync(`${directory}/wrong.cfg`, "hostname {");
      const { stderr } = await ramekin("from-nsjail", `${directory}/wrong.cfg`);
      assertStringIncludes(stderr, `${directory}/wrong.cfg: hostname is not closed`);
      for (const words of [[], ["bwrap", "--", "bwrap"], ["sh -c x"], ["bwrap $HOME"]]) {
        assertEquals((await ramekin("from-bwrap", ...words)).code, 2, words.join(" "));
      }
      assertEquals(
        (await ramekin("from-unshare", "unshare -r ps | cat")).stderr.split("\n")[0],
        "ramekin: the command line is read without a shell: | is a shell's; your shell reads the " +
          "words behind --: -- unshare ...",
      );
    })(),
);

test("a script has the calls of its steps", () => {
  const text = scriptOf(
    fromBwrap(["--ro-bind", "/", "/", "--perms", "0700", "--tmpfs", "/a'b", "sh"]),
  );
  assertStringIncludes(
    text,
    'bind("/", "/mnt", { readOnly: true, restrict: [ "nosuid", "nodev" ] }),',
  );
  assertStringIncludes(text, `tmpfs("/mnt/a'b", { mode: 0o700 }),`);
});

test("a configuration of nsjail that is large or deep is read in a moment, or refused", () => {
  const many = readMessage("a: 1 ".repeat(200_000)).get("a");
  assertEquals(many?.length, 200_000);
  const list = readMessage(`a: [${"1,".repeat(400_000)}]`).get("a");
  assertEquals(list?.length, 400_000);
  assertThrows(() => readMessage(" ".repeat(2 ** 20 + 1)), UsageError, "longer than 1048576");
  for (const bracket of ["a {", "a <", "["]) {
    const deep = `a ${bracket.repeat(100_000)}`;
    assertThrows(() => readMessage(deep.replace(/^a a/, "a")), UsageError, "64 brackets are open");
  }
});
