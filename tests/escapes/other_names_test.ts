/**
 * Escapes by mounts of the host that show what is protected, denied or untrusted at another path of
 * what a program is given.
 */

import { assertEquals } from "@std/assert";
import { mapRoot, proc, recipe, unshare } from "../../mod.ts";
import { scriptInside } from "../script_inside.ts";
import { inDirectory, test } from "../support.ts";

/** An attack by another name. The paths are from a directory with `work`, `other` and `home`. */
interface Attack {
  /** What the user has made and mounted. */
  readonly before: string;
  /** What may be written to. */
  readonly write?: readonly string[];
  /** What is written by the program. */
  readonly script: string;
  /** The file that is trusted outside. */
  readonly trusted: string;
}

const HOOK = "work/.git/hooks/pre-commit";
const evil = (path: string) =>
  `chmod 755 $(dirname ${path}) 2> /dev/null; mkdir -p $(dirname ${path});
  echo evil > ${path}`;

const ATTACKS: Readonly<Record<string, Attack>> = {
  "the directory of hooks": {
    before: "mkdir work/a; mount --bind work/.git/hooks work/a",
    script: evil("work/a/pre-commit"),
    trusted: HOOK,
  },
  "a file in a protected directory": {
    before: `echo good > ${HOOK}; touch work/a; mount --bind ${HOOK} work/a`,
    script: "echo evil > work/a",
    trusted: HOOK,
  },
  "a directory in a protected one": {
    before: "mkdir -p work/.vscode/sub work/a; mount --bind work/.vscode/sub work/a",
    script: evil("work/a/tasks.json"),
    trusted: "work/.vscode/sub/tasks.json",
  },
  "a directory around a protected one, deeper than names are looked for": {
    before: "mkdir -p work/a/b/c/d; mount --bind work work/a/b/c/d",
    script: evil("work/a/b/c/d/.git/hooks/pre-commit"),
    trusted: HOOK,
  },
  "a name that is missing": {
    before: "mkdir -p work/a/b/c/d; mount --bind work work/a/b/c/d",
    script: evil("work/a/b/c/d/.husky/pre-commit"),
    trusted: "work/.husky/pre-commit",
  },
  "hooks, in another directory that is granted": {
    before: "mkdir other/a; mount --bind work/.git/hooks other/a",
    write: ["work", "other"],
    script: evil("other/a/pre-commit"),
    trusted: HOOK,
  },
  "hooks, where only the other directory is granted": {
    before: "mkdir other/a; mount --bind work/.git/hooks other/a",
    write: ["other"],
    script: evil("other/a/pre-commit"),
    trusted: HOOK,
  },
  "the beginning of a name": {
    before: "mkdir work/.claude other/a; mount --bind work/.claude other/a",
    write: ["other"],
    script: evil("other/a/commands/x"),
    trusted: "work/.claude/commands/x",
  },
  "the home directory": {
    before: "mkdir other/a; mount --bind home other/a",
    write: ["other"],
    script: evil("other/a/.zshenv"),
    trusted: "home/.zshenv",
  },
  "what is granted by its other name": {
    before: "mount --bind home other",
    write: ["other"],
    script: evil("other/.zshenv"),
    trusted: "home/.zshenv",
  },
  "what is mounted over a hook": {
    before: `touch ${HOOK}; echo good > work/check; mount --bind work/check ${HOOK}`,
    script: "echo evil > work/check",
    trusted: HOOK,
  },
  "hooks elsewhere that a configuration names": {
    before: `mkdir hooks work/a; mount --bind hooks work/a;
      printf '[core]\\nhooksPath = ../hooks\\n' >> work/.git/config`,
    script: evil("work/a/pre-commit"),
    trusted: "hooks/pre-commit",
  },
  "hooks, at a path that is not UTF-8": {
    before: `a="work/caf$(printf '\\351')"; mkdir "$a"; mount --bind work/.git/hooks "$a"`,
    script: `a="work/caf$(printf '\\351')"; echo evil > "$a/pre-commit"`,
    trusted: HOOK,
  },
};

/** A machine on which anything can be mounted. */
const MACHINE = recipe(unshare("user", "mount", "pid"), mapRoot(), proc());

/** A repository, as git makes one. */
const REPOSITORY = `mkdir -p work/.git/hooks work/.git/objects work/.git/refs other home
  echo 'ref: refs/heads/main' > work/.git/HEAD; touch work/.git/config`;

test(
  "running outside later: by another name that a mount of the host gives",
  inDirectory((directory) => {
    Deno.chmodSync(directory, 0o755);
    const cases = Object.entries(ATTACKS).flatMap(([name, attack], index) =>
      [false, true].map((protect) => ({ name, ...attack, protect, at: `${index}-${protect}` }))
    );
    const before = cases.map(({ at, before }) =>
      `mkdir ${directory}/${at}; cd ${directory}/${at}; ${REPOSITORY}; ${before}`
    );
    const script = `
      const results = {};
      for (const { name, write = ["work"], script, trusted, protect, at } of ${
      JSON.stringify(cases)
    }) {
        const directory = "${directory}/" + at;
        Deno.env.set("HOME", directory + "/home");
        const box = ramekin.sandbox({ write: write.map((path) => directory + "/" + path), protect });
        let result;
        try {
          const { stderr } = box.command("sh", { args: ["-c", "cd " + directory + ";" + script] }).outputSync();
          result = new TextDecoder().decode(stderr);
        } catch (error) {
          result = String(error);
        }
        try {
          if (Deno.readTextFileSync(directory + "/" + trusted) === "evil\\n") result = "hit";
        } catch { /* it is not there */ }
        (results[name] ??= []).push(result === "hit" || result.includes("Error") ? result : "held");
      }
      console.log(JSON.stringify(results));`;
    const flags = ["--allow-env", "--allow-read"];
    const results = scriptInside(MACHINE, script, [...before, "cd /"].join("\n"), flags);
    assertEquals(results, mapOf(Object.keys(ATTACKS), ["hit", "held"]));
  }),
);

function mapOf<T>(names: readonly string[], value: T): Record<string, T> {
  return Object.fromEntries(names.map((name) => [name, value]));
}

test(
  "what permissions deny is denied by another name, too",
  inDirectory((directory) => {
    Deno.chmodSync(directory, 0o755);
    for (const name of ["a/secret", "b", "c"]) {
      Deno.mkdirSync(`${directory}/${name}`, { recursive: true });
    }
    const script = `
      const { bind, mapRoot, recipe, tmpfs, unshare } = ramekin;
      const start = (source) => {
        const box = recipe(unshare("user", "mount"), mapRoot(), tmpfs("/mnt"),
          bind("${directory}/" + source, "/mnt/x", { readOnly: true }));
        const all = { read: true, write: true, net: true, env: true, run: true, sys: true };
        const permissions = { ...all, denyRead: ["${directory}/a/secret"] };
        try {
          ramekin.recipe(...box.steps, ramekin.pivotRoot("/mnt")).command("/no", { permissions })
            .outputSync();
        } catch (error) {
          return error.name;
        }
      };
      console.log(JSON.stringify(["a", "b", "b/secret", "c"].map(start)));`;
    const mount = `mount --bind ${directory}/a ${directory}/b`;
    const refused = "PermissionError";
    assertEquals(scriptInside(MACHINE, script, mount), [refused, refused, refused, "NotFound"]);
  }),
);
