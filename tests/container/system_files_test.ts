/** What a sandbox shows of the system: links into /etc, and the stores of NixOS and Guix System. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import {
  bind,
  mapCurrentUser,
  mkdir,
  proc,
  type Recipe,
  recipe,
  sandbox,
  symlink,
  tmpfs,
  unshare,
  writeFile,
} from "../../mod.ts";
import { scriptInside } from "../script_inside.ts";
import { assertRefused, inDirectory, inside, test } from "../support.ts";

/** Links of /usr into /etc that are not shown, and why. */
const NOT_SHOWN: readonly (readonly [RegExp, string])[] = [
  [/^\/etc\/ssl\/private(\/|$)/, "private keys"],
  [/^\/etc\/environment$/, "may hold tokens; systemd reads it for the sessions of users"],
  [/^\/etc\/X11\//, "for X servers, and sessions"],
  [/^\/etc\/maven(\/settings\.xml|\/toolchains\.xml)?$/, "passwords of servers"],
  [/^\/etc\/R\/(Renviron|Rprofile)\.site$/, "may hold tokens"],
  [/^\/etc\/vim\//, "vim has defaults"],
];

test("the links of /usr into /etc lead somewhere in a sandbox", () => {
  const script = String.raw`
    find /usr/bin /usr/sbin /usr/lib /usr/share -maxdepth 6 -xdev -type l -lname '*etc/*' \
      -printf '%p\t%l\n' 2> /dev/null | while IFS="$(printf '\t')" read -r path text; do
        [ -e "$path" ] && continue
        case $text in /*) echo "$text";; *) realpath -m "$(dirname "$path")/$text";; esac
      done | sort -u`;
  const isThere = (path: string) => {
    try {
      return Deno.statSync(path) !== undefined;
    } catch {
      return false;
    }
  };
  // What dangles on the host too is no matter.
  const dangling = inside(sandbox(), script).split("\n")
    .filter((path) => path.startsWith("/etc/") && isThere(path))
    .filter((path) => !NOT_SHOWN.some(([pattern]) => pattern.test(path)));
  assertEquals(dangling, []);
});

const PROGRAMS: Readonly<Record<string, readonly [script: string, says: string]>> = {
  java: ["java -XshowSettings:locale -version 2>&1", "locale"],
  keytool: ["keytool -help 2>&1", "Key and Certificate Management Tool"],
  man: ["man -w man && man man 2>&1 | head -1", "MAN(1)"],
  mvn: ["mvn -v", "Maven"],
  openssl: [
    "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=a -keyout /tmp/k 2> /dev/null",
    "BEGIN CERTIFICATE",
  ],
  "fc-list": ["fc-list 2>&1; echo listed", "listed"],
};

for (const [program, [script, says]] of Object.entries(PROGRAMS)) {
  const there = new Deno.Command("sh", { args: ["-c", `command -v ${program}`], stdout: "null" })
    .outputSync().success;
  test(`${program} has what it is configured by`, () => {
    const output = inside(sandbox(), script);
    assertStringIncludes(output, says);
    assertEquals(/cannot load default config|can't open|can't find/i.test(output), false, output);
  }, there ? undefined : "is not installed here");
}

/** A machine in which these files lie beside those of the host. */
function machine(...steps: Parameters<typeof recipe>): Recipe {
  const system = ["usr", "bin", "sbin", "lib", "lib64", "tmp", "var"];
  // Where Deno and the checkout lie, wherever that is.
  const script = [Deno.execPath(), import.meta.dirname!].map((path) => path.split("/")[1]!);
  return recipe(
    unshare("user", "mount", "pid"),
    mapCurrentUser(),
    tmpfs("/mnt", { mode: 0o755 }),
    bind("/", "/mnt", { entries: [...new Set([...system, ...script])] }),
    bind("/dev", "/mnt/dev"),
    mkdir("/mnt/etc"),
    writeFile("/mnt/etc/passwd", `user:x:${Deno.uid()}:${Deno.gid()}::/:/bin/sh\n`),
    ...steps,
    proc("/mnt/proc"),
    mkdir("/mnt/sys"),
    { step: "pivotRoot", path: "/mnt" },
  );
}

/** Runs a shell script in a sandbox that a script on that machine makes. */
function sandboxOn(box: Recipe, script: string, options = {}): unknown {
  return scriptInside(
    box,
    `const { code, stdout, stderr } = ramekin.sandbox(${JSON.stringify(options)})
      .command("sh", { args: ["-uc", ${JSON.stringify(script)}] }).outputSync();
    const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    console.log(JSON.stringify([code, text.trimEnd().split("\\n")]));`,
  );
}

const HELLO = "#!/bin/sh\necho hello from $0\n";

test("the store of NixOS and its current system are shown, also with all files", () => {
  const nixos = machine(
    mkdir("/mnt/nix/store/abc-hello/bin"),
    mkdir("/mnt/nix/store/abc-system"),
    mkdir("/mnt/nix/store/abc-etc/etc"),
    writeFile("/mnt/nix/store/abc-etc/etc/nsswitch.conf", "hosts: files\n"),
    writeFile("/mnt/nix/store/abc-hello/bin/hello", HELLO, { mode: 0o755 }),
    symlink("/nix/store/abc-hello", "/mnt/nix/store/abc-system/sw"),
    mkdir("/mnt/nix/var/secret"),
    mkdir("/mnt/run"),
    symlink("/nix/store/abc-system", "/mnt/run/current-system"),
    symlink("/nix/store/abc-etc/etc", "/mnt/etc/static"),
    symlink("/etc/static/nsswitch.conf", "/mnt/etc/nsswitch.conf"),
  );
  const script = "hello; ls /nix; cat /etc/nsswitch.conf; touch /nix/store/x 2> /dev/null; true";
  const said = ["hello from /run/current-system/sw/bin/hello", "store", "hosts: files"];
  assertEquals(sandboxOn(nixos, script), [0, said]);
  assertEquals(sandboxOn(nixos, "hello", { read: ["/"] }), [0, said.slice(0, 1)]);
});

test("the store of Guix System is shown", () => {
  const guix = machine(
    mkdir("/mnt/gnu/store/abc-profile/bin"),
    mkdir("/mnt/gnu/store/abc-system"),
    writeFile("/mnt/gnu/store/abc-profile/bin/hello", HELLO, { mode: 0o755 }),
    symlink("/gnu/store/abc-profile", "/mnt/gnu/store/abc-system/profile"),
    mkdir("/mnt/run"),
    symlink("/gnu/store/abc-system", "/mnt/run/current-system"),
  );
  assertEquals(sandboxOn(guix, "hello"), [0, ["hello from /run/current-system/profile/bin/hello"]]);
});

test("of /etc is shown what is listed and public, and nothing with passwords", () => {
  const debian = machine(
    ...[
      "java-99-openjdk/management",
      "java-99-openjdk/security",
      "R",
      "maven",
      "python3.99",
      "fonts",
      "ssl/private",
    ]
      .map((path) => mkdir(`/mnt/etc/${path}`)),
    ...[
      "java-99-openjdk/jvm.cfg",
      "java-99-openjdk/management/jmxremote.password",
      "R/Renviron",
      "R/Renviron.site",
      "maven/m2.conf",
      "maven/settings.xml",
      "python3.99/sitecustomize.py",
      "python3.99/secret",
      "npmrc",
    ].map((path) => writeFile(`/mnt/etc/${path}`, "soup\n")),
    writeFile("/mnt/etc/manpath.config", "soup\n", { mode: 0o600 }),
  );
  const script =
    "cd /etc; grep -rl soup . | sort; stat -c %a java-99-openjdk/management/*.password";
  const shown = ["./R/Renviron", "./java-99-openjdk/jvm.cfg", "./maven/m2.conf"];
  const hook = "./python3.99/sitecustomize.py";
  assertEquals(sandboxOn(debian, script), [0, [...shown, hook, "444"]]);
});

test(
  "entries of a directory are those that there are, and come and go with them",
  inDirectory((directory) => {
    for (const name of ["a1", "a2", "b", "c.secret"]) {
      Deno.writeTextFileSync(`${directory}/${name}`, name);
      Deno.chmodSync(`${directory}/${name}`, name === "c.secret" ? 0o640 : 0o644);
    }
    Deno.mkdirSync(`${directory}/sub`);
    Deno.writeTextFileSync(`${directory}/sub/x`, "x");
    Deno.symlinkSync("sub/x", `${directory}/link`);
    const box = recipe(
      unshare("user", "mount"),
      mapCurrentUser(),
      tmpfs("/mnt"),
      bind(directory, "/mnt", {
        entries: ["a*", "c.secret", "link", "missing", "sub"],
        hide: ["a2", "b"],
        readOnly: true,
      }),
    );
    const list = box.command("sh", {
      args: ["-c", "cd /mnt; for f in *; do echo $f $(cat $f 2> /dev/null); done; readlink link"],
    });
    const lines = () => new TextDecoder().decode(list.outputSync().stdout).trim().split("\n");
    const shown = ["a1 a1", "a2", "link x", "sub", "sub/x"];
    assertEquals(lines(), shown);
    Deno.writeTextFileSync(`${directory}/a3`, "a3");
    assertEquals(lines(), shown.toSpliced(2, 0, "a3 a3"));
    Deno.removeSync(`${directory}/a3`);
    Deno.removeSync(`${directory}/sub/x`);
    Deno.removeSync(`${directory}/a2`);
    assertEquals(lines(), ["a1 a1", "sub"]);
  }),
);

test("what is denied is denied among the system's files, too", () => {
  const denied = sandbox({ denyRead: ["/etc/passwd", "/bin/true"] });
  const script =
    "cat /etc/passwd; for f in /bin/true /usr/bin/true; do test -s $f || echo $f; done";
  assertEquals(inside(denied, script).split("\n"), ["/bin/true", "/usr/bin/true"]);
});

test("entries that are none are refused", () => {
  const refused = (options: Parameters<typeof bind>[2], says: string) =>
    assertRefused(
      () =>
        recipe(
          unshare("user", "mount"),
          mapCurrentUser(),
          tmpfs("/mnt"),
          bind("/usr", "/mnt", options),
        ),
      { step: "bind", says },
    );
  refused({ entries: [] }, "one");
  for (const entry of ["/bin", "a/../b", "a//b"]) refused({ entries: [entry] }, "name");
  refused({ hide: ["bin"] }, "maskPaths()");
  assertRefused(
    () =>
      recipe(
        unshare("user", "mount"),
        mapCurrentUser(),
        tmpfs("/mnt"),
        bind("/mnt", "/mnt/a", { entries: ["a"] }),
      ),
    { says: '"entries" are those of a directory of the host' },
  );
});
