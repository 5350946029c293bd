/** glob(): names of files, compared with what bash finds. */

import { assertEquals } from "@std/assert";
import { glob } from "../../shell/mod.ts";
import { inDirectory, test } from "../support.ts";

const TREE = [
  "a.ts",
  "b.ts",
  "c.txt",
  ".hidden.ts",
  "-x.ts",
  "d/e.ts",
  "d/f/g.ts",
  ".git/h.ts",
  "[z].ts",
];

const PATTERNS = [
  ...["*.ts", "?.ts", "[ab].ts", "[!a].ts", "[^a].ts", "*", ".*.ts", "d/*", "*/*.ts", "**/*.ts"],
  ...[
    "**",
    "d/**/*.ts",
    "a.ts",
    "nonesuch",
    "nonesuch/*",
    "d/../*.txt",
    "*.ts/x",
    "\\*",
    "[[]z].ts",
    "(a)",
  ],
];

test(
  "patterns match what they match in bash",
  inDirectory((directory) => {
    for (const path of TREE) {
      Deno.mkdirSync(`${directory}/${path.replace(/[^/]*$/, "")}`, { recursive: true });
      Deno.writeTextFileSync(`${directory}/${path}`, "");
    }
    for (const pattern of PATTERNS) {
      const script = `shopt -s nullglob globstar; export LC_ALL=C; printf '%s\\n' ${
        pattern.replaceAll("\\", "\\\\").replaceAll("(", "\\(").replaceAll(")", "\\)")
      }`;
      const { stdout } = new Deno.Command("bash", { args: ["-c", script], cwd: directory })
        .outputSync();
      const found = new TextDecoder().decode(stdout).split("\n")
        .filter((line) => line !== "" && existsIn(directory, line));
      const wanted = found.map((path) => path.replace(/^-/, "./-")).map((path) =>
        path.replace(/\/$/, "")
      );
      assertEquals(new Set(glob(pattern, { cwd: directory })), new Set(wanted), pattern);
      assertEquals(
        glob(`${directory}/${pattern}`).length,
        new Set(wanted).size,
        `${pattern} in ${directory}`,
      );
    }
    assertEquals(glob("*.ts", { cwd: directory, dot: true }).includes(".hidden.ts"), true);
    assertEquals(glob("**/h.ts", { cwd: directory, dot: true }), [".git/h.ts"]);
    assertEquals(glob("/proc/self/statu?"), ["/proc/self/status"]);
  }),
);

function existsIn(directory: string, name: string): boolean {
  try {
    Deno.lstatSync(`${directory}/${name}`);
    return true;
  } catch {
    return false;
  }
}
