/** `ramekin run`: recipe files, their permissions, and the exit status. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { PermissionError } from "../../mod.ts";
import { answerOf, questionFor, widened } from "../../scripts/ramekin/prompt.ts";
import { plain } from "../../scripts/ramekin/output.ts";
import { SIGNALS } from "../../ffi/calls/constants/signals.ts";
import { root, test } from "../support.ts";
import { until } from "../other_scripts.ts";
import { ramekin, ramekinWith, RUN, TestTerminal, withFiles } from "./support.ts";

const MOD = new URL("../../mod.ts", import.meta.url).href;

/** A recipe that shows only read-only programs of this machine. */
const CLOSED = `
variables: { name: box, extra: /usr/share }
steps:
  - { step: unshare, kinds: [user, mount, pid, uts, ipc, net] }
  - step: mapRoot
  - { step: tmpfs, target: /tmp }
  - { step: bind, source: /usr, target: /tmp/usr, readOnly: true }
  - { step: symlink, target: usr/bin, path: /tmp/bin }
  - { step: symlink, target: usr/lib, path: /tmp/lib }
  - { step: symlink, target: usr/lib64, path: /tmp/lib64 }
  - { step: pivotRoot, path: /tmp }
  - { step: hostname, name: "\${name}" }
  - step: init
  - { step: unshare, kinds: [user] }
  - { step: capabilities, keep: [] }
  - step: seccomp
`;

const FILES = {
  "closed.yaml": CLOSED,
  "open.yaml": `steps:
  - { step: unshare, kinds: [user, mount, pid, uts, ipc, net] }
  - step: mapRoot
  - { step: hostname, name: open }
`,
  "box.json": `{ "steps": [
    { "step": "unshare", "kinds": ["user", "uts"] },
    { "step": "mapRoot" },
    { "step": "hostname", "name": "json" }
  ] }`,
  "box.ts": `import { hostname, mapRoot, recipe, unshare } from "${MOD}";
    export default recipe(unshare("user", "uts"), mapRoot(), hostname("module"));`,
  "named #1.ts": `import { hostname, mapRoot, recipe, unshare } from "${MOD}";
    export const box = recipe(unshare("user", "uts"), mapRoot(), hostname("named"));`,
  "none.ts": "export const soup = 1;",
  "wrong.yaml": "steps:\n  - step: hostname\n    nam: x\n    name: y\n",
  "early.yaml": "steps:\n  - step: mapRoot\n  - step: hostname\n    name: x\n",
  "box.txt": "",
  "wait.yaml": `steps:
  - { step: unshare, kinds: [user, pid] }
  - step: mapRoot
  - step: init
`,
};

const inKitchen = (body: (directory: string) => Promise<void>) => withFiles(FILES, body);

test(
  "what a flag denies is not granted to a recipe, with -A and to a module too",
  inKitchen(async (cwd) => {
    const refused = async (file: string, says: string, ...flags: readonly string[]) => {
      const words = ["run", file, ...flags, "--", "true"];
      const { code, stderr } = await ramekinWith({ cwd }, ...words);
      assertEquals(code, 125, stderr);
      assertStringIncludes(stderr, says);
    };
    await refused("closed.yaml", "--deny-read=/usr/share", "-R=/usr", "--deny-read=/usr/share");
    await refused("closed.yaml", "--deny-read=/usr", "-A", "--deny-read=/usr");
    await refused("box.ts", "--deny-write=/etc", "--deny-write=/etc");
    await refused("closed.yaml", "read /usr", "--allow-read", "--deny-read");
    await refused("closed.yaml", "which --allow-read=/x --allow-write=/x", "--allow-net=unix:/x");
    const run = async (file: string, ...flags: readonly string[]) => {
      const script = "echo ${SOUP:-none} ${SALT:-none}";
      const words = ["run", file, ...flags, "--", "sh", "-c", script];
      const { stdout } = await ramekinWith({ cwd, env: { SOUP: "leek", SALT: "sea" } }, ...words);
      return stdout;
    };
    assertEquals(await run("closed.yaml", "-A", "--deny-env=SO*"), "none sea\n");
    assertEquals(await run("box.ts", "--deny-env=SALT"), "leek none\n");
    assertEquals(await run("closed.yaml", "-R=/usr", "-E", "--deny-env=SALT"), "leek none\n");
  }),
);

test(
  "a recipe in YAML gets what the flags grant, and no variables",
  inKitchen(async (cwd) => {
    const env = { SOUP: "leek" };
    const words = ["run", "closed.yaml", "--allow-read=/usr", "--", "sh", "-c"];
    const { code, stdout, stderr } = await ramekinWith(
      { cwd, env },
      ...words,
      "uname -n; ls /; echo \${SOUP:-none}; exit 9",
    );
    assertEquals([code, stderr], [9, ""]);
    assertEquals(stdout, "box\nbin\nlib\nlib64\nusr\nnone\n");
    words.splice(2, 0, "--allow-env=SOUP", "--set", "name=pot");
    assertEquals(
      (await ramekinWith({ cwd, env }, ...words, "uname -n; echo $SOUP")).stdout,
      "pot\nleek\n",
    );
  }),
);

test(
  "without a terminal, a missing permission is an error that names the flag",
  inKitchen(async (cwd) => {
    const { code, stdout, stderr } = await ramekinWith({ cwd }, "run", "closed.yaml", "--", "ls");
    assertEquals([code, stdout], [125, ""]);
    assertMatch(
      stderr,
      /^ramekin: closed\.yaml:\d+:\d+: step 4 \(bind\): not granted: read \/usr\n {2}--allow-read=\/usr/,
    );
    assert(!stderr.includes(" at "), stderr);
    const open = await ramekinWith({ cwd }, "run", "open.yaml", "--allow-read", "--", "ls");
    assertEquals(open.code, 125);
    assertStringIncludes(open.stderr, "write /");
  }),
);

test(
  "-A grants everything, and a module is trusted",
  inKitchen(async (cwd) => {
    for (
      const [file, name] of [
        ["open.yaml", "open"],
        ["box.json", "json"],
        ["box.ts", "module"],
        ["named #1.ts", "named"],
      ] as const
    ) {
      const flags = file.endsWith(".ts") ? [] : ["-A"];
      const { stdout, stderr } = await ramekinWith(
        { cwd },
        "run",
        file,
        ...flags,
        "--",
        "uname",
        "-n",
      );
      assertEquals([stdout, stderr], [`${name}\n`, ""]);
    }
    const held = await ramekinWith({ cwd }, "run", "box.ts", "--allow-read", "--", "true");
    assertEquals(held.code, 125);
    assertStringIncludes(held.stderr, "not granted");
  }),
);

test(
  "the exit status is the program's, or says why there was none",
  inKitchen(async (cwd) => {
    const codes = async (...words: string[]) =>
      (await ramekinWith({ cwd }, "run", "box.json", "-A", "--", ...words)).code;
    assertEquals(await codes("true"), 0);
    assertEquals(await codes("sh", "-c", "exit 3"), 3);
    assertEquals(await codes("sh", "-c", "kill -TERM $$"), 128 + 15);
    assertEquals(await codes("no-such-program"), 127);
    assertEquals(await codes("/etc/passwd"), 126);
    const wrong = await ramekinWith({ cwd }, "run", "-A", "early.yaml", "--", "true");
    assertEquals(wrong.code, 125);
  }),
);

test(
  "an error of a recipe has the line, also if it is found at planning",
  inKitchen(async (cwd) => {
    const issue = async (file: string) =>
      (await ramekinWith({ cwd }, "run", "-A", file, "--", "true")).stderr;
    assertEquals(
      await issue("wrong.yaml"),
      `ramekin: wrong.yaml:3:10: step 1 (hostname), "nam": is unknown; did you mean "name"?\n`,
    );
    assertMatch(await issue("early.yaml"), /^ramekin: early\.yaml:2:5: step 1 \(mapRoot\): /);
    assertMatch(
      await issue("missing.yaml"),
      /missing\.yaml cannot be read: there is no such file\n$/,
    );
    assertMatch(await issue("none.ts"), /none\.ts exports no recipe: export it as default/);
    assertMatch(await issue("box.txt"), /is not a recipe: a recipe's name/);
    assertMatch(await issue("."), /is not a recipe: it is a directory, and a recipe's name/);
    assertEquals(
      await issue("./soup"),
      "ramekin: ./soup cannot be read: there is no such file\n",
    );
    assertMatch(await issue("closed"), /there is no such file; did you mean closed\.yaml\?\n$/);
    assertMatch(await issue("debian:12"), /there is no such file; .* run --image=debian:12\n$/);
    assertMatch(await issue("~/soup"), /there is no such file; a shell expands ~/);
  }),
);

test(
  "a recipe that may not be read is named as it was given",
  inKitchen(async (cwd) => {
    Deno.chmodSync(`${cwd}/open.yaml`, 0);
    for (const subcommand of ["run", "plan"]) {
      const { code, stderr } = await ramekinWith({ cwd }, subcommand, "open.yaml");
      assertEquals(
        [code, stderr],
        [
          subcommand === "run" ? 125 : 1,
          "ramekin: open.yaml cannot be read: this user may not read it\n",
        ],
      );
    }
  }),
  root ? "root may read every file" : undefined,
);

const MODULES = {
  "bare.ts": `import "@nonesuch/box";`,
  "gone.ts": `import "./nonesuch.ts";`,
  "typo.ts": "export default ][;",
  "throws.ts": `throw new Error("burnt");`,
  "env.ts": `Deno.env.get("HOME");`,
};

test(
  "an error of a module names it, in plain letters, with the way out",
  withFiles(MODULES, async (cwd) => {
    const issue = async (file: string) => {
      const { code, stderr } = await ramekinWith({ cwd }, "run", file, "--", "true");
      assertEquals(code, 125);
      assert(!stderr.includes("\\u001b") && !stderr.includes("jsr:"), stderr);
      return stderr;
    };
    const bare = await issue("bare.ts");
    assertMatch(bare, /^ramekin: bare\.ts: nothing says what "@nonesuch\/box" is, at file:/);
    assertStringIncludes(bare, "a recipe imports files and URLs");
    assertMatch(
      await issue("gone.ts"),
      /^ramekin: gone\.ts: Module not found "file:.*\n +at file:/,
    );
    assertMatch(
      await issue("typo.ts"),
      /^ramekin: typo\.ts: .*\n +\|\n1 \| export default \]\[;\n/,
    );
    assertEquals(await issue("throws.ts"), "ramekin: throws.ts: burnt\n");
    assertMatch(await issue("env.ts"), /env access to "HOME".*\n.*give deno that flag, too\n$/);
  }),
);

const KILLED = `steps:
  - step: seccomp
    profile:
      defaultAction: SCMP_ACT_ALLOW
      syscalls: [{ names: [uname], action: SCMP_ACT_KILL_PROCESS }]
`;

const APART = `steps:
  - { step: unshare, kinds: [user, pid] }
  - step: mapRoot
  - step: init
`;

test(
  "a program that a filter kills is told of, with where to find the call",
  withFiles(
    { "killed.yaml": KILLED, "behind.yaml": KILLED.replace("steps:\n", APART) },
    async (cwd) => {
      for (const file of ["killed.yaml", "behind.yaml"]) {
        const { code, stdout, stderr } = await ramekinWith(
          { cwd },
          "run",
          "-A",
          file,
          "--",
          "uname",
        );
        assertEquals([code, stdout], [159, ""]);
        assertStringIncludes(stderr, "ramekin: killed by SIGSYS: a system call that");
        assertStringIncludes(stderr, "journalctl -k --grep type=1326");
      }
    },
  ),
);

test(
  "variables are read as YAML reads them",
  inKitchen(async (cwd) => {
    const named = async (setting: string) => {
      const words = ["run", "closed.yaml", "--allow-read=/usr", "--set", setting];
      const { stdout, stderr } = await ramekinWith({ cwd }, ...words, "--", "uname", "-n");
      return stdout + stderr;
    };
    assertEquals(await named("name=pot"), "pot\n");
    assertEquals(await named(`name="12"`), "12\n");
    // The default of the recipe is a text.
    assertEquals(await named("name=12"), "12\n");
    assertStringIncludes(
      await named("nam=pot"),
      'there is no variable "nam"; did you mean "name"?',
    );
    assertStringIncludes(await named("name"), "--set NAME=VALUE");
  }),
);

/** Whether ramekin passes signals on, as it does once the program runs: the last one is SIGALRM. */
function passesOn(pid: number): boolean {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  const caught = BigInt(`0x${/^SigCgt:\s*(\w+)/m.exec(status)![1]}`);
  return (caught >> BigInt(SIGNALS.SIGALRM - 1) & 1n) === 1n;
}

test(
  "signals are forwarded",
  inKitchen(async (cwd) => {
    const signals = ["TERM", "INT", "HUP", "QUIT", "USR1", "USR2", "ALRM"] as const;
    await Promise.all(signals.map(async (name) => {
      const [program, ...args] = RUN;
      const script = `trap "echo got; exit 5" ${name}; echo ready; while :; do sleep 0.02; done`;
      const child = new Deno.Command(program!, {
        args: [...args, "run", "-A", "wait.yaml", "--", "sh", "-c", script],
        cwd,
        stdin: "null",
        stdout: "piped",
        stderr: "null",
      }).spawn();
      let text = "";
      const reading = (async () => {
        for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) text += part;
      })();
      await until(() => text.includes("ready") && passesOn(child.pid));
      child.kill(`SIG${name}`);
      assertEquals((await child.status).code, 5, name);
      await reading;
      assertEquals(text, "ready\ngot\n", name);
    }));
  }),
);

test(
  "at a terminal each permission is prompted for, and can be denied",
  inKitchen(async (cwd) => {
    {
      await using terminal = new TestTerminal([...RUN, "run", "closed.yaml", "--", "ls", "/"], {
        cwd,
      });
      await terminal.shows("closed.yaml asks for a permission");
      await terminal.shows("read /usr");
      await terminal.shows("--allow-read=/usr");
      await terminal.shows("Allow? [y/n/A]");
      await terminal.type("what\n");
      await terminal.shows(/(Allow\?[^]*){2}/);
      await terminal.type("y\n");
      assertEquals(await terminal.code(), 0);
      assertMatch(terminal.shown, /bin +lib +lib64 +usr/);
    }
    await using terminal = new TestTerminal([...RUN, "run", "closed.yaml", "--", "ls", "/"], {
      cwd,
    });
    await terminal.shows("Allow?");
    await terminal.type("n\n");
    assertEquals(await terminal.code(), 125);
    assertStringIncludes(terminal.shown, "ramekin: ");
  }),
);

test(
  "A at a prompt grants all permissions of the kind",
  inKitchen(async (cwd) => {
    await using terminal = new TestTerminal([...RUN, "run", "open.yaml", "--", "uname", "-n"], {
      cwd,
    });
    const kinds = ["read /\n", "write /\n", "the device /dev\n"];
    for (const [index, kind] of kinds.entries()) {
      await terminal.shows(kind);
      await terminal.shows(new RegExp(`(Allow\\?[^]*){${index + 1}}`));
      await terminal.type("A\n");
    }
    assertEquals(await terminal.code(), 0);
    assertMatch(terminal.shown, /\nopen\n$/);
  }),
);

test(
  "at a terminal the program gets its own, and the default is the shell",
  inKitchen(async (cwd) => {
    const words = [...RUN, "run", "closed.yaml", "--allow-read=/usr"];
    await using terminal = new TestTerminal(words, { cwd });
    await terminal.shows(/[#$] $/);
    await terminal.type("test -t 0 && test -t 1 && echo $((6 * 7)) $(uname -n)\n");
    await terminal.shows("42 box");
    await terminal.type("exit 4\n");
    assertEquals(await terminal.code(), 4);
  }),
);

test("the answers are those of Deno's prompts", () => {
  assertEquals(
    ["y\n", "n", "A\n", "a", "", "yes", "N"].map(answerOf),
    ["yes", "no", "all", undefined, undefined, "yes", "no"],
  );
});

test("permissions are extended by the need, or by all of its kind", () => {
  const read = { grant: "read", value: "/usr" };
  assertEquals(widened({}, read, "yes"), { read: ["/usr"] });
  assertEquals(widened({ read: ["/etc"] }, read, "yes"), { read: ["/etc", "/usr"] });
  assertEquals(widened({ read: ["/etc"] }, read, "all"), { read: true });
  assertEquals(widened({}, { grant: "net", value: undefined }, "yes"), { net: true });
  assertEquals(widened({}, { grant: "sys", value: undefined }, "yes"), { sys: true });
  assertEquals(widened({ net: true }, { grant: "run", value: undefined }, "yes"), {
    net: true,
    run: true,
    sys: true,
  });
});

test("a prompt contains no control characters", () => {
  const details = { advice: ["fix"] };
  const error = new PermissionError("not granted: read /\x1b[2Ja\u202eb\n  x", "read", details);
  const question = questionFor("a\rb.yaml", error, plain);
  // deno-lint-ignore no-control-regex -- the test looks for them
  assert(!/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/.test(question), question);
  assertStringIncludes(question, "a\\rb.yaml");
  assertStringIncludes(question, "b\\n  x\n┠─ fix\n");
});

test("a missing recipe is reported", async () => {
  const { code, stderr } = await ramekin("run", "--", "true");
  assertEquals(code, 125);
  assertStringIncludes(stderr, "RECIPE is missing");
});
