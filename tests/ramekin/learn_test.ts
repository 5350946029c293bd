/** `ramekin learn`: what it tells lets the program do the same again, and no secret is in it. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { sandbox } from "../../mod.ts";
import { learn, type Learnt } from "../../scripts/ramekin/learn/grants.ts";
import { Secrets } from "../../scripts/ramekin/learn/secrets.ts";
import { quoted } from "../../scripts/ramekin/completions/words.ts";
import { test } from "../support.ts";
import { ramekinWith, RUN } from "./support.ts";

/** A home directory with a project, a tool and secrets, outside of /tmp, which a sandbox has itself. */
async function inHome(body: (home: string) => Promise<void> | void): Promise<void> {
  const home = Deno.realPathSync(
    Deno.makeTempDirSync({ dir: "/var/tmp", prefix: "ramekin-learn-" }),
  );
  try {
    for (const name of [".ssh", ".config/tool", "project/out", "tool/parts", "notes"]) {
      Deno.mkdirSync(`${home}/${name}`, { recursive: true });
    }
    for (const part of "abcdef") Deno.writeTextFileSync(`${home}/tool/parts/${part}`, `${part}\n`);
    const files = {
      ".ssh/id_ed25519": "secret\n",
      ".config/tool/rc": "quiet\n",
      "notes/one": "1\n",
      "notes/log": "",
      "project/.env": "TOKEN=secret\n",
      "project/main.c": "soup\n",
      "tool/run": "#!/bin/sh\ncat $(dirname $0)/parts/* > out/all\ncat $HOME/.config/tool/rc\n",
    };
    for (const [name, text] of Object.entries(files)) {
      Deno.writeTextFileSync(`${home}/${name}`, text);
    }
    Deno.chmodSync(`${home}/tool/run`, 0o755);
    Deno.copyFileSync("/bin/sh", `${home}/tool/shell`);
    Deno.symlinkSync(`${home}/notes/one`, `${home}/project/linked`);
    await body(home);
  } finally {
    Deno.removeSync(home, { recursive: true });
  }
}

/** Runs the line that was told, as a user's shell would. */
async function runTold(stderr: string, cwd: string, env: Record<string, string>) {
  const line = stderr.match(/^ {2}ramekin sandbox .*$/m)![0];
  const script = `ramekin() { ${RUN.map(quoted).join(" ")} "$@"; }; ${line}`;
  const { code, stdout } = await new Deno.Command("sh", { args: ["-c", script], cwd, env })
    .output();
  return { line, code, stdout: new TextDecoder().decode(stdout) };
}

test("what was learnt lets the program do the same, as flags and as a recipe, without secrets", () =>
  inHome(async (home) => {
    const cwd = `${home}/project`, env = { HOME: home };
    const script = '"$HOME"/tool/run && cat main.c linked; cat "$HOME"/.ssh/id_ed25519 .env; ' +
      "getent hosts soup.example; echo done > out/last && cat out/all";
    const program = ["../tool/shell", "-c", script];
    const words = ["--allow-env=HOME", "-o", "../recipe.yaml", "--report=../report.json"];
    words.push("--", ...program);
    const { code, stdout, stderr } = await ramekinWith({ cwd, env }, "learn", ...words);
    assertEquals(code, 0, stderr);
    assertEquals(stdout, "quiet\nsoup\n1\na\nb\nc\nd\ne\nf\n");
    assertStringIncludes(stderr, `\n  ${home}/.ssh/id_ed25519 (for cat)\n`);
    assertStringIncludes(stderr, `\n  ${cwd}/.env (for cat)\n`);
    const report = JSON.parse(Deno.readTextFileSync(`${home}/report.json`));
    assertEquals([report.program, report.code, report.isWhole], [program, 0, true]);
    assert(report.flags.includes(`--allow-write=${cwd}/out`), report.flags.join());
    assert(report.withheld.some(({ what }: { what: string }) => what === `${cwd}/.env`));
    assertMatch(stderr, /\n {2}getent: reach the host soup\.example \(--allow-net=soup\.example\)/);
    Deno.removeSync(`${cwd}/out/all`);

    const told = await runTold(stderr, cwd, env);
    assertEquals([told.code, told.stdout], [0, stdout], told.line);
    for (
      const wanted of [
        "/tool/parts ",
        "/tool/run ",
        "/tool/shell ",
        "/.config/tool/rc ",
        "/notes/one ",
      ]
    ) {
      assertStringIncludes(told.line, ` --allow-read=${home}${wanted}`);
    }
    assertStringIncludes(told.line, ` --allow-write=${cwd}/out `);
    assert(!told.line.includes(".ssh --") && !/--allow-\w+=\S*(\.ssh|\.env)/.test(told.line));

    const file = `${home}/recipe.yaml`;
    const again = await ramekinWith({ cwd, env }, "run", file, "-A", "--", ...program);
    assertEquals([again.code, again.stdout], [0, stdout], again.stderr);
  }));

test("a command line that makes no sense, or no file for the recipe, runs nothing", () =>
  inHome(async (home) => {
    const none = await ramekinWith({ cwd: home }, "learn");
    assertEquals(none.code, 125);
    assertStringIncludes(none.stderr, "the program is missing");
    const words = ["-o=/nonesuch/recipe", "--", "touch", `${home}/project/made`];
    const { code, stderr } = await ramekinWith({ cwd: `${home}/project` }, "learn", ...words);
    assertEquals(code, 125);
    assertStringIncludes(stderr, "ENOENT");
    assertEquals(
      [...Deno.readDirSync(`${home}/project`)].some(({ name }) => name === "made"),
      false,
    );
  }));

test("with --discard no change stays, and what was changed is learnt", () =>
  inHome(async (home) => {
    const cwd = `${home}/project`, env = { HOME: home, XDG_CACHE_HOME: `${home}/cache` };
    const words = ["--discard", "--", "sh", "-c", "echo x > made; rm main.c; cat made"];
    const { code, stdout, stderr } = await ramekinWith({ cwd, env }, "learn", ...words);
    assertEquals([code, stdout], [0, "x\n"], stderr);
    assertStringIncludes(stderr, ` --allow-write=${cwd} `);
    const names = [...Deno.readDirSync(cwd)].map(({ name }) => name).sort();
    assertEquals(names, [".env", "linked", "main.c", "out"]);
    const none = await ramekinWith({ cwd: home, env }, "learn", "--discard", "--", "true");
    assertEquals(none.code, 125);
    assertStringIncludes(none.stderr, "--discard: it may change nothing here");
  }));

test("the recipe is written to no file that the program has put a link to in its place", () =>
  inHome(async (home) => {
    const cwd = `${home}/project`;
    Deno.writeTextFileSync(`${home}/.bashrc`, "");
    const script = "ln -sf ../.bashrc recipe.yaml; cat /etc/hosts";
    const learn = ["learn", "-o", "recipe.yaml", "--", "sh", "-c", script];
    assertEquals((await ramekinWith({ cwd }, ...learn)).code, 0);
    assertStringIncludes((await ramekinWith({ cwd }, ...learn)).stderr, "is a symbolic link");
    assertEquals(Deno.readTextFileSync(`${home}/.bashrc`), "");
  }));

/** What is learnt of a script in the home directory. */
async function learntOf(home: string, script: string): Promise<Learnt> {
  const project = `${home}/project`;
  const secrets = new Secrets([home], project);
  const box = sandbox({ read: ["/"], write: [project, `${home}/notes`], denyRead: secrets.paths });
  const container = box.command("sh", {
    args: ["-c", script],
    cwd: project,
    audit: "uses",
    stdout: "null",
  })
    .spawn();
  assertEquals((await container.status).code, 0);
  const learnt = learn(container.uses.list, {
    homes: [home],
    writable: [project, `${home}/notes`],
    secrets,
  });
  return { ...learnt, read: learnt.read.filter((path) => !path.startsWith("/etc/")) };
}

test("files are granted one by one, many in a directory as that, and nothing that is too wide", () =>
  inHome(async (home) => {
    assertEquals(await learntOf(home, "cat ../notes/one; ls .. > /dev/null; [ -e ../tool/run ]"), {
      read: [`${home}/notes/one`, `${home}/tool/run`],
      write: [],
      tmpfs: [],
      denyRead: [],
      tooWide: [home],
      aliases: [],
    });
    assertEquals(await learntOf(home, "[ -d ../tool ] && cd ../.config/tool"), {
      read: [],
      write: [],
      tmpfs: [`${home}/.config/tool`, `${home}/tool`],
      denyRead: [],
      tooWide: [],
      aliases: [],
    });
    assertEquals(await learntOf(home, "cat ../tool/parts/[a-e] > /dev/null; ls ../notes"), {
      read: [`${home}/notes`, `${home}/tool/parts`],
      write: [],
      tmpfs: [],
      denyRead: [],
      tooWide: [],
      aliases: [],
    });
  }));

test("a file that is there is granted alone to be written, and for a new one its directory", () =>
  inHome(async (home) => {
    const project = `${home}/project`;
    assertEquals(await learntOf(home, "echo x >> ../notes/log; cat linked > /dev/null"), {
      read: [`${home}/notes/one`, `${project}/linked`],
      write: [`${home}/notes/log`],
      tmpfs: [],
      denyRead: [],
      tooWide: [],
      aliases: [],
    });
    assertEquals(await learntOf(home, "mkdir new; echo x > new/y; echo y > z; rm -r new"), {
      read: [],
      write: [project],
      tmpfs: [],
      denyRead: [`${project}/.env`],
      tooWide: [],
      aliases: [],
    });
  }));

test("a link in the place of what was written to grants nothing out of where that could be", () =>
  inHome((home) => {
    const project = `${home}/project`;
    const around = {
      homes: [home],
      writable: [project],
      secrets: new Secrets([home], project),
    };
    Deno.removeSync(`${project}/out`);
    // As where more was used than an audit keeps, the link is not among it.
    const used = [{ use: "write", path: `${project}/out/one` }] as const;
    for (const target of [`${home}/notes`, ".", "missing"]) {
      Deno.symlinkSync(target, `${project}/out`);
      assertEquals(learn(used, around).write, [project], target);
      Deno.removeSync(`${project}/out`);
    }
    Deno.mkdirSync(`${project}/parts`);
    Deno.writeTextFileSync(`${project}/parts/one`, "");
    Deno.symlinkSync("parts", `${project}/out`);
    assertEquals(learn(used, around).write, [`${project}/parts/one`]);
  }));

test("a named pipe that was executed does not hold the report up, nor do many directories", () =>
  inHome((home) => {
    const project = `${home}/project`;
    const pipe = `${home}/tool/pipe`;
    new Deno.Command("mkfifo", { args: ["-m", "777", pipe] }).outputSync();
    const around = { homes: [home], writable: [project], secrets: new Secrets([home], project) };
    assertEquals(learn([{ use: "execute", path: pipe }], around).read, [pipe]);
    const parts = Array.from({ length: 1000 }, (_, at) => `${project}/${at}`);
    for (const path of parts) Deno.mkdirSync(path);
    const made = parts.map((path) => ({ use: "make", path: `${path}/new` }) as const);
    assertEquals(learn(made, around).write, [project]);
    const looked = parts.map((path) => ({ use: "look", path }) as const);
    assertEquals(learn([...looked, ...made.slice(0, 2)], around).tmpfs, parts.slice(2).sort());
  }));

test("a secret is not granted by the name of a link that leads to it, nor a home directory", () =>
  inHome(async (home) => {
    const cwd = `${home}/project`, env = { HOME: home };
    const links = { keys: "../.ssh", words: ".env", all: "..", plain: "../notes/one" };
    for (const [name, target] of Object.entries(links)) {
      Deno.symlinkSync(target, `${cwd}/${name}`);
    }
    // What the kernel would execute this by is a secret by another name.
    Deno.writeTextFileSync(`${cwd}/script`, `#!${cwd}/keys/id_ed25519\n`, { mode: 0o755 });
    for (const name of "abcde") Deno.writeTextFileSync(`${home}/${name}`, "");
    const script = "ls keys/; cat words plain; cat keys/id_ed25519; cat all/[a-e]; ./script; true";
    const learn = ["learn", "--report=../report.json", "--", "sh", "-c", script];
    const { code, stdout, stderr } = await ramekinWith({ cwd, env }, ...learn);
    assertEquals([code, stdout], [0, "1\n"], stderr);
    for (const name of ["keys", "words", "keys/id_ed25519"]) {
      assertStringIncludes(stderr, `\n  ${cwd}/${name} (`);
    }
    const { read, denied } = JSON.parse(Deno.readTextFileSync(`${home}/report.json`));
    assertEquals(
      [...read, ...denied.map(({ what }: { what: string }) => what)]
        .filter((path: string) => Object.keys(links).some((name) => path === `${cwd}/${name}`)),
      [
        `${cwd}/plain`,
      ],
    );
    const told = await runTold(stderr, cwd, env);
    assertEquals([told.code, told.stdout], [0, "1\n"], told.line);
    assert(!/keys|words|all[ ,]/.test(told.line.replace(/-- .*/, "")), told.line);
  }));
