/**
 * Escapes by what is run outside later: a program changes hooks and the configuration of a
 * repository that it may write to, and waits for its user to call git there.
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  readonlyPaths,
  recipe,
  RecipeError,
  sandbox,
  type SandboxOptions,
  setEnv,
} from "../../mod.ts";
import { inDirectory, test } from "../support.ts";
import { program } from "./support.ts";

/** What git is told by the environment, inside and outside. */
const GIT = {
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_AUTHOR_NAME: "a",
  GIT_AUTHOR_EMAIL: "a@example.org",
  GIT_COMMITTER_NAME: "a",
  GIT_COMMITTER_EMAIL: "a@example.org",
};

const sh = (script: string, cwd: string) => {
  const options = { args: ["-ec", script], cwd, env: GIT };
  const { success, stderr } = new Deno.Command("sh", options).outputSync();
  return { success, stderr: new TextDecoder().decode(stderr) };
};

const noGit = sh("command -v git", "/").success ? undefined : "git is not installed here";

/** An attack on a repository: a shell script that is run in it. */
interface Attack {
  /** What the user has done before. */
  readonly before?: string;
  /** What a program has done in a sandbox before. */
  readonly first?: string;
  /** The attack; `$evil` is a program that proves that it was run. */
  readonly script: string;
  /** What the user does afterwards. */
  readonly after?: string;
  /** The directories that may be written to, in the one that is around the repository. */
  readonly write?: readonly string[];
  /** Where the script of the sandbox runs, in the same directory. */
  readonly start?: string;
}

/** A hook of the user's in a directory of the project. */
const OWN_HOOKS = `mkdir -p tools/hooks; cp /bin/true tools/hooks/pre-commit; git add -f tools;
  git commit -qm hooks;`;
const LATIN = "d=$(printf 'caf\\351')";
const IN_MODULE = "-c protocol.file.allow=always submodule --quiet add";

const ATTACKS: Readonly<Record<string, Attack>> = {
  "a hook": { script: "cp $evil .git/hooks/pre-commit" },
  "a hook in place of another": {
    before: "cp /bin/true .git/hooks/pre-commit",
    script: "rm .git/hooks/pre-commit; cp $evil .git/hooks/pre-commit",
  },
  "the directory of hooks in place of another": {
    script: "mv .git/hooks .git/old; mkdir .git/hooks; cp $evil .git/hooks/pre-commit",
  },
  "hooks where there are none": {
    before: "rm -r .git/hooks",
    script: "mkdir .git/hooks; cp $evil .git/hooks/pre-commit",
  },
  "the configuration": { script: "git config core.fsmonitor $evil" },
  "the repository, moved away and made anew": {
    script:
      "mv .git old; mkdir -p .git/hooks; cp -r old/HEAD old/objects old/refs old/config .git;" +
      "cp $evil .git/hooks/pre-commit",
  },
  "the repository, exchanged for another": {
    script: "cp -r .git other; cp $evil other/hooks/pre-commit; perl -e '" +
      program(`call("renameat2", -100, "other", -100, ".git", 2)`).replaceAll("'", `'"'"'`) + "'",
  },
  "a common directory of the repository": {
    script: "cp -r .git other; git config -f other/config core.fsmonitor $evil;" +
      "echo ../other > .git/commondir",
  },
  "a repository below": {
    before: "git init -q a/b; git -C a/b commit -qm one --allow-empty",
    script: "cp $evil a/b/.git/hooks/pre-commit",
    after: "git -C a/b commit -qm x --allow-empty",
  },
  "a directory above a repository below": {
    before: "git init -q a/b",
    script: "cp -r a other; mv a old; mv other a; cp $evil a/b/.git/hooks/pre-commit",
    after: "git -C a/b commit -qm x --allow-empty",
  },
  "a worktree, led to another repository": {
    before: "git worktree add -q tree",
    script: "cp -r .git other; git config -f other/config core.fsmonitor $evil;" +
      'echo "gitdir: ../other" > tree/.git',
    after: "git -C tree status",
  },
  "the repository of a worktree": {
    before: "git worktree add -q tree",
    script: "cp -r .git other; git config -f other/config core.fsmonitor $evil;" +
      "echo ../../../other > .git/worktrees/tree/commondir",
    after: "git -C tree status",
  },
  "a bare repository": {
    before: "git init -q --bare deep/store",
    script: "git -C deep/store config core.fsmonitor $evil; cp $evil deep/store/hooks/pre-receive",
    after: "git push -q deep/store HEAD:refs/heads/x",
  },
  "what a hook is a link to": {
    before: "mkdir tools; cp /bin/true tools/check; ln -s ../../tools/check .git/hooks/pre-commit",
    script: "rm tools/check; cp $evil tools/check",
  },
  "the directory of what a hook is a link to": {
    before: "mkdir tools; cp /bin/true tools/check; ln -s ../../tools/check .git/hooks/pre-commit",
    script: "mv tools old; mkdir tools; cp $evil tools/check",
  },
  "hooks in the directory that the configuration names": {
    before: "mkdir checks; git config core.hooksPath checks",
    script: "cp $evil checks/pre-commit",
  },
  "hooks in a directory that the configuration names, which is missing": {
    before: "git config core.hooksPath tools/checks",
    script: "mkdir -p tools/checks; cp $evil tools/checks/pre-commit",
  },
  "a configuration that would be included": {
    before: "git config include.path ../tools/shared",
    script: "mkdir -p tools; git config -f tools/shared core.fsmonitor $evil",
  },
  "a repository by a link": {
    before: "mkdir -p a/b/c/d/e; mv .git a/b/c/d/e/store; ln -s a/b/c/d/e/store .git",
    script: "cp $evil a/b/c/d/e/store/hooks/pre-commit",
  },
  "the link to a repository": {
    before: "mkdir stores; mv .git stores/one; ln -s stores/one .git",
    script: "cp -r stores/one other; cp $evil other/hooks/pre-commit; ln -sfn other .git",
  },
  "hooks for which the configuration of a linked worktree alone lies elsewhere": {
    before: `${OWN_HOOKS} git config core.hooksPath tools/hooks; git worktree add -q ../tree`,
    write: ["tree"],
    script: "cp $evil tools/hooks/pre-commit",
    after: "cd ../tree; git commit -qm x --allow-empty",
  },
  "hooks of one of two worktrees": {
    before: `${OWN_HOOKS} git config core.hooksPath tools/hooks; git worktree add -q ../tree`,
    write: ["."],
    script: "cp $evil tree/tools/hooks/pre-commit",
    after: "cd ../tree; git commit -qm x --allow-empty",
  },
  "hooks that the configuration of a worktree names": {
    before: `${OWN_HOOKS} git config extensions.worktreeConfig true;
      git config --worktree core.hooksPath tools/hooks`,
    script: "cp $evil tools/hooks/pre-commit",
  },
  "hooks of a submodule in the directory that its configuration names": {
    before: `${OWN_HOOKS} git init -q ../lib; cd ../lib; ${OWN_HOOKS} cd ../work;
      git ${IN_MODULE} "$PWD/../lib" lib; git -C lib config core.hooksPath tools/hooks`,
    script: "cp $evil lib/tools/hooks/pre-commit",
    after: "git -C lib commit -qm x --allow-empty",
  },
  "hooks of a bare repository in the directory that its configuration names": {
    before: "git init -q --bare deep/store; git -C deep/store config core.hooksPath checks",
    script: "mkdir deep/store/checks; cp $evil deep/store/checks/pre-receive",
    after: "git push -q deep/store HEAD:refs/heads/x",
  },
  "a directory that a program has made to look like a repository": {
    first: "touch HEAD; mkdir refs",
    script: "cp $evil .git/hooks/pre-commit",
  },
  "a directory of submodules that a program has made to look like a repository": {
    before: `git init -q ../lib; git -C ../lib commit -qm one --allow-empty;
      git ${IN_MODULE} "$PWD/../lib" a/b/c/d/lib`,
    first: "touch .git/modules/HEAD; mkdir .git/modules/refs",
    script: "cp $evil .git/modules/a/b/c/d/lib/hooks/pre-commit",
    after: "git -C a/b/c/d/lib commit -qm x --allow-empty",
  },
  "a worktree below others, led to another repository": {
    before: "git worktree add -q a/b/c/d/e/tree",
    script: "cp -r .git other; git config -f other/config core.fsmonitor $evil;" +
      'echo "gitdir: ../../../../../../other" > a/b/c/d/e/tree/.git',
    after: "git -C a/b/c/d/e/tree status",
  },
  "a repository behind many directories that a program has made": {
    before: "mkdir sub",
    start: "work/sub",
    first: "mkdir -p sub/.git/modules; cd sub/.git/modules; seq 600 | xargs mkdir",
    script: "cp $evil .git/hooks/pre-commit",
  },
  "a bare repository, of which most is moved away meanwhile": {
    before: "git init -q --bare deep/store",
    first: "cd deep/store; mkdir ../away; for f in *; do mv $f ../away; done",
    script: "mv deep/away/* deep/store; cp $evil deep/store/hooks/pre-receive",
    after: "git push -q deep/store HEAD:refs/heads/x",
  },
  "a repository below a name that is not UTF-8": {
    before: `${LATIN}; git init -q "$d"`,
    script: `${LATIN}; cp $evil "$d/.git/hooks/pre-commit"`,
    after: `${LATIN}; cd "$d"; git commit -qm x --allow-empty`,
  },
  "a repository by a link in a directory whose name is not UTF-8": {
    before: `${LATIN}; mkdir "$d"; mv .git "$d/store"; ln -s "$d/store" .git`,
    script: `${LATIN}; cp $evil "$d/store/hooks/pre-commit"`,
  },
  "what is a link in a directory of hooks": {
    before: `mkdir -p tools .husky/_; cp /bin/true tools/check; git config core.hooksPath .husky/_;
      ln -s ../../tools/check .husky/_/pre-commit`,
    script: "cp $evil tools/check",
  },
  "a configuration that is included": {
    before: "touch shared; git config include.path ../shared",
    script: "git config -f shared core.fsmonitor $evil",
  },
};

const COMMIT = "git status > /dev/null; git commit -qm x --allow-empty";

/** Runs an attack in a new repository; returns whether its program has run outside. */
function isHit(directory: string, attack: Attack, options: SandboxOptions): boolean {
  const { before = "true", first, script, after = COMMIT, write = ["work"], start = "." } = attack;
  const work = `${directory}/work`;
  const prepared = sh(
    `mkdir work; cd work; git init -q .; git commit -qm one --allow-empty; ${before}`,
    directory,
  );
  assert(prepared.success, prepared.stderr);
  const granted = write.map((path) => path === "." ? directory : `${directory}/${path}`);
  const evil = `${granted[0]}/evil`;
  Deno.writeTextFileSync(evil, `#!/bin/sh\ntouch ${directory}/hit\n`);
  Deno.chmodSync(evil, 0o755);
  const outside = Deno.cwd();
  Deno.chdir(`${directory}/${start}`);
  try {
    for (const attempt of first === undefined ? [script] : [first, script]) {
      const box = sandbox({ write: granted, ...options }).with(setEnv({ ...GIT, evil }));
      box.command("sh", { args: ["-c", attempt], cwd: granted[0]! }).outputSync();
    }
  } finally {
    Deno.chdir(outside);
  }
  sh(after, work);
  try {
    return Deno.statSync(`${directory}/hit`).isFile;
  } catch {
    return false;
  }
}

for (const [name, attack] of Object.entries(ATTACKS)) {
  test(
    `running outside later: ${name}`,
    () => {
      inDirectory((directory) => {
        assert(isHit(directory, attack, { protect: false }), "the attack does not work");
      })();
      inDirectory((directory) => assert(!isHit(directory, attack, {}), "it has run outside"))();
    },
    noGit,
  );
}

test(
  "running outside later: a hook that was to be read, by moving the repository",
  inDirectory((directory) => {
    const attack = ATTACKS["the repository, moved away and made anew"]!;
    const hooks = `${directory}/work/.git/hooks`;
    assert(!isHit(directory, attack, { protect: false, read: [hooks] }), "it has run outside");
  }),
  noGit,
);

/** Files that have such a name, or are on the way to one, and what is made where one is missing. */
const NAMES = [
  ".bashrc",
  ".claude/commands/x",
  ".claude/settings.json",
  ".envrc",
  ".gitconfig",
  ".gitmodules",
  ".husky/pre-commit",
  ".idea/x",
  ".mcp.json",
  ".npmrc",
  ".profile",
  ".ssh/authorized_keys",
  ".vscode/tasks.json",
  ".zshrc",
];

test(
  "changing the files that shells and editors trust",
  inDirectory((directory) => {
    const write = (root: string) => {
      for (const name of NAMES) {
        Deno.mkdirSync(`${root}/${name}`.replace(/\/[^/]*$/, ""), { recursive: true });
        Deno.writeTextFileSync(`${root}/${name}`, "good\n");
      }
    };
    const attack = (root: string) =>
      `cd ${root} && for f in ${NAMES.join(" ")}; do for d in . below; do
         echo evil > $d/$f; rm -rf $d/$f; mv $d/$f old; echo evil > new; mv -f new $d/$f
       done; done 2> /dev/null`;
    const contents = (root: string) =>
      NAMES.flatMap((name) =>
        [root, `${root}/below`].map((at) => Deno.readTextFileSync(`${at}/${name}`))
      );
    for (const root of [`${directory}/off`, `${directory}/on`]) {
      write(root);
      write(`${root}/below`);
      const box = sandbox({ write: [root], protect: root.endsWith("on") });
      box.command("sh", { args: ["-c", attack(root)] }).outputSync();
    }
    assertEquals(new Set(contents(`${directory}/off`)), new Set(["evil\n"]));
    assertEquals(new Set(contents(`${directory}/on`)), new Set(["good\n"]));
  }),
);

test(
  "making the files that editors trust, where there are none",
  inDirectory((directory) => {
    const made = NAMES.filter((name) => !/bashrc|profile|zshrc|gitconfig|npmrc|ssh/.test(name));
    const attack = `cd ${directory}; for f in ${made.join(" ")}; do
      mkdir -p $(dirname $f) && echo evil > $f; done 2> /dev/null; touch file`;
    const names = () => [...Deno.readDirSync(directory)].map(({ name }) => name);
    sandbox({ write: [directory] }).command("sh", { args: ["-c", attack] }).outputSync();
    assertEquals(names(), ["file"]);
    const off = sandbox({ write: [directory], protect: false });
    off.command("sh", { args: ["-c", attack] }).outputSync();
    assert(names().includes(".mcp.json"), "the attack does not work");
  }),
);

test(
  "making the files that a shell reads, in the home directory",
  inDirectory((directory) => {
    const home = Deno.env.get("HOME");
    Deno.env.set("HOME", directory);
    try {
      const box = sandbox({ write: [directory] });
      const attack = `cd ${directory}; for f in .zshenv .bash_login .profile; do echo > $f; done`;
      box.command("sh", { args: ["-c", attack] }).outputSync();
      assertEquals([...Deno.readDirSync(directory)], []);
    } finally {
      if (home === undefined) Deno.env.delete("HOME");
      else Deno.env.set("HOME", home);
    }
  }),
);

/** Sets up files, lets a program try to change them, and returns those that are changed. */
function changed(
  directory: string,
  { before, write, files, protect }: {
    readonly before: string;
    readonly write: string;
    readonly files: readonly string[];
    readonly protect: boolean;
  },
): readonly string[] {
  const prepared = sh(before, directory);
  assert(prepared.success, prepared.stderr);
  const attack = files.map((file) =>
    `mkdir -p $(dirname ${file}); echo evil > ${file} || { rm -f ${file}; echo evil > ${file}; }`
  );
  const home = Deno.env.get("HOME");
  Deno.env.set("HOME", `${directory}/home`);
  try {
    const box = sandbox({ write: [`${directory}/${write}`], protect });
    box.command("sh", { args: ["-c", `cd ${directory}; ${attack.join("; ")}`] }).outputSync();
  } finally {
    if (home === undefined) Deno.env.delete("HOME");
    else Deno.env.set("HOME", home);
  }
  return files.filter((file) => sh(`grep -q evil ${file}`, directory).success);
}

const LINKED_HOME = `mkdir -p home/dotfiles/config/git home/dotfiles/config/fish home/shells;
  touch home/dotfiles/config/git/config home/shells/rc;
  ln -s dotfiles/config home/.config; ln -s shells/rc home/.zshrc`;

/** Files that can be changed without the protection. */
const CHANGES: Readonly<
  Record<string, { readonly before: string; readonly write: string; readonly files: string[] }>
> = {
  "by a link on the way to a name, in the home directory": {
    before: LINKED_HOME,
    write: "home",
    files: [".config/git/config", ".config/fish/config.fish", ".config/autostart/x.desktop"]
      .map((name) => `home/${name}`),
  },
  "by a link of the home directory into what is granted": {
    before: LINKED_HOME,
    write: "home/dotfiles",
    files: ["git/config", "fish/config.fish", "autostart/x.desktop"]
      .map((name) => `home/dotfiles/config/${name}`),
  },
  "by a link on the way to a name, in a project": {
    before: "mkdir -p work/tools/claude/commands; echo {} > work/tools/claude/settings.json;" +
      "ln -s tools/claude work/.claude",
    write: "work",
    files: ["settings.json", "settings.local.json", "hooks/x", "commands/x.md"]
      .map((name) => `work/.claude/${name}`),
  },
  "where what is granted is the beginning of a name, in the home directory": {
    before: "mkdir -p home/.config/other",
    write: "home/.config",
    files: ["autostart/x.desktop", "systemd/user/x.service", "git/config", "fish/config.fish"]
      .map((name) => `home/.config/${name}`),
  },
  "where what is granted is the beginning of a name, in a project": {
    before: "mkdir -p work/.claude; touch work/.claude/settings.json",
    write: "work/.claude",
    files: ["settings.json", "settings.local.json", "hooks/x", "skills/x"]
      .map((name) => `work/.claude/${name}`),
  },
  "by a link to what is granted, which is the beginning of a name": {
    before: "mkdir -p work/tools/claude; ln -s tools/claude work/.claude",
    write: "work/.claude",
    files: ["settings.json", "hooks/x"].map((name) => `work/.claude/${name}`),
  },
  "by links deep in a protected directory": {
    before: "mkdir -p work/real/commands work/.husky/_ work/.claude/commands/a;" +
      "touch work/real/hook work/real/commands/x.md;" +
      "ln -s ../../real/hook work/.husky/_/pre-commit;" +
      "ln -s ../../../real/commands work/.claude/commands/a/more",
    write: "work",
    files: ["work/real/hook", "work/real/commands/x.md", "work/real/commands/new.md"],
  },
  "by further names of a home directory": {
    before: "mkdir -p home/.local/share home/.cargo",
    write: "home",
    files: [
      ".local/share/systemd/user/x.service",
      ".local/share/dbus-1/services/x.service",
      ".local/lib/python3.11/site-packages/usercustomize.py",
      ".local/bin/ls",
      "bin/ls",
      ".inputrc",
      ".xsessionrc",
      ".xinitrc",
      ".xprofile",
      ".cargo/config.toml",
      ".gradle/init.d/x.gradle",
      ".zshrc.zwc",
      ".zshenv.zwc",
      ".cache/ramekin/boxes/x",
    ].map((name) => `home/${name}`),
  },
  "by programs that are run by their names, and what Deno has compiled": {
    before: "mkdir -p home/.cargo/bin home/go/bin home/.deno home/.nvm home/.local/share/ramekin;" +
      "touch home/.cargo/env home/.cargo/bin/x",
    write: "home",
    files: [
      ".cache/deno/v8_code_cache_v2",
      ".cargo/bin/cargo",
      ".cargo/env",
      ".deno/bin/tool",
      ".local/share/ramekin/images/x",
      ".nvm/nvm.sh",
      "go/bin/tool",
    ].map((name) => `home/${name}`),
  },
  "by further names of a project": {
    before: "mkdir -p work/.cargo",
    write: "work",
    files: [
      ".devcontainer.json",
      ".zed/tasks.json",
      ".gemini/settings.json",
      ".codex/config.toml",
      ".cargo/config.toml",
      ".yarnrc.yml",
      ".dir-locals.el",
    ].map((name) => `work/${name}`),
  },
};

for (const [name, { before, write, files }] of Object.entries(CHANGES)) {
  test(`changing what is run outside later: ${name}`, () => {
    inDirectory((directory) => {
      assertEquals(changed(directory, { before, write, files, protect: false }), files);
    })();
    inDirectory((directory) => {
      assertEquals(changed(directory, { before, write, files, protect: true }), []);
    })();
  });
}

test(
  "a program of a project can be made in a directory that is only one of programs at home",
  inDirectory((directory) => {
    const change = { before: "mkdir -p work/bin", write: "work", files: ["work/bin/tool"] };
    assertEquals(changed(directory, { ...change, protect: true }), ["work/bin/tool"]);
  }),
);

test(
  "where no programs are yet, they can be made",
  inDirectory((directory) => {
    const files = ["home/go/pkg/mod/x", "home/go/bin/x", "home/.nvm/nvm.sh"];
    assertEquals(
      changed(directory, { before: "mkdir home", write: "home", files, protect: true }),
      files,
    );
  }),
);

test(
  "a rebase can go on, and its list of commands be protected, where there is one",
  inDirectory((directory) => {
    const names = [".git/rebase-merge"];
    const box = sandbox({ write: [directory], protect: names });
    const write = (path: string) =>
      box.command("sh", { args: ["-c", `echo "exec evil" > ${path}`] }).outputSync().code;
    assert(sh("git init -q .", directory).success);
    assertEquals(write(`${directory}/x`), 0);
    assert(sh("test ! -e .git/rebase-merge; git status", directory).success);
    Deno.mkdirSync(`${directory}/.git/rebase-merge`);
    assert(write(`${directory}/.git/rebase-merge/git-rebase-todo`) !== 0);
    assertEquals(
      sandbox({ write: [directory] }).command("touch", {
        args: [`${directory}/.git/rebase-merge/done`],
      }).outputSync().code,
      0,
    );
  }),
  noGit,
);

test(
  "the boxes that ramekin executes outside cannot be given to a program",
  inDirectory((directory) => {
    const boxes = `${directory}/.cache/ramekin/boxes`;
    Deno.mkdirSync(boxes, { recursive: true });
    Deno.symlinkSync(`${directory}/.cache`, `${directory}/other`);
    const home = Deno.env.get("HOME");
    Deno.env.set("HOME", directory);
    try {
      for (
        const write of [
          [boxes],
          [`${directory}/.cache/ramekin`],
          [`${directory}/other/ramekin`],
          [directory, boxes],
        ]
      ) {
        assertThrows(() => sandbox({ write }).plan(), RecipeError, "ramekin executes outside");
      }
      sandbox({ write: [boxes], protect: false }).plan();
      sandbox({ write: [directory] }).plan();
    } finally {
      if (home === undefined) Deno.env.delete("HOME");
      else Deno.env.set("HOME", home);
    }
  }),
);

test(
  "a hook with another name is refused, wherever in the directory it is",
  inDirectory((directory) => {
    const before = "mkdir -p tools .husky/a/b; echo > tools/hook; ln tools/hook .husky/a/b/hook";
    assert(sh(before, directory).success);
    const box = (protect: boolean) =>
      sandbox({ write: [directory], protect }).command("sh", {
        args: ["-c", `echo evil > ${directory}/tools/hook`],
      });
    assertThrows(() => box(true).outputSync(), RecipeError, ".husky/a/b/hook has another name");
    box(false).outputSync();
    assertEquals(Deno.readTextFileSync(`${directory}/.husky/a/b/hook`), "evil\n");
  }),
);

test(
  "moving away the directories above what is read-only or hidden",
  inDirectory((directory) => {
    Deno.mkdirSync(`${directory}/a/b/c`, { recursive: true });
    Deno.writeTextFileSync(`${directory}/a/b/c/file`, "good\n");
    const path = `${directory}/a/b/c/file`;
    const attack = `cd ${directory}; mv a x || mv a/b x || mv a/b/c x
      mkdir -p a/b/c; echo evil > a/b/c/file`;
    const { steps } = sandbox({ write: [directory], protect: false });
    const index = steps.findIndex(({ step }) => step === "pivotRoot") + 1;
    const box = recipe(...steps.toSpliced(index, 0, readonlyPaths(path)));
    box.command("sh", { args: ["-c", attack] }).outputSync();
    assertEquals(Deno.readTextFileSync(path), "good\n");
    recipe(...steps).command("sh", { args: ["-c", attack] }).outputSync();
    assertEquals(Deno.readTextFileSync(path), "evil\n");
  }),
);

test(
  "git works, and says what it may not change",
  inDirectory((directory) => {
    const work = `${directory}/work`;
    assert(sh("git init -q work; git -C work commit -qm one --allow-empty", directory).success);
    const box = sandbox({ write: [work] }).with(setEnv(GIT));
    const git = (script: string) => {
      const { success, stdout, stderr } = box.command("sh", { args: ["-ec", script], cwd: work })
        .outputSync();
      return { success, text: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
    };
    const { success, text } = git(`
      echo text > file; git status --porcelain; git add -A; git commit -qm two
      git checkout -qb other; echo more >> file; git stash -q; git stash pop -q; git commit -qam three
      git checkout -q -; git merge -q other; git tag x; git gc -q; git fsck; git log --oneline
    `);
    assert(success, text);
    assertEquals(text.split("\n").filter((line) => line.startsWith("??")), ["?? file"]);
    const refused = git("git config a.b c");
    assertEquals(refused.success, false);
    assert(refused.text.includes("could not write config file"), refused.text);
    assertEquals(sh("git fsck && git log --oneline | grep three", work).success, true);
  }),
  noGit,
);
