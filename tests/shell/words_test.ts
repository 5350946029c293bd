/** Words of templates: nothing that is put in is split, and nothing is a shell's. */

import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { shownWords, type TemplateValue, wordsOf } from "../../shell/words.ts";
import { test } from "../support.ts";

const words = (template: TemplateStringsArray, ...values: TemplateValue[]) =>
  wordsOf(template, values);

test("blanks and line ends separate words", () => {
  assertEquals(words`tar  -c	dir`, ["tar", "-c", "dir"]);
  assertEquals(
    words`
      tar -c
        dir \
        other
    `,
    ["tar", "-c", "dir", "other"],
  );
});

test("quotes and backslashes keep what they stand for", () => {
  assertEquals(words`a 'b  c' "d  e" f\ g`, ["a", "b  c", "d  e", "f g"]);
  assertEquals(words`'' "" a''b`, ["", "", "ab"]);
  assertEquals(words`"a'b" 'c"d' "e\"f" 'g\h'`, ["a'b", 'c"d', 'e"f', "g\\h"]);
  assertEquals(words`awk '{print $1}' "\$HOME" '|' "*" \;`, [
    "awk",
    "{print $1}",
    "$HOME",
    "|",
    "*",
    ";",
  ]);
  assertEquals(words`printf 'a\nb' "c\nd"`, ["printf", "a\\nb", "c\\nd"]);
  assertEquals(words`a '\`' '\${b}'`, ["a", "`", "${b}"]);
});

test("a value is one word, or a part of one, whatever is in it", () => {
  for (
    const value of ["a b", "", "'", '"', "$(reboot)", "; rm -rf /", "*", "-x", "\n", "\\", "~"]
  ) {
    assertEquals(words`echo ${value}`, ["echo", value]);
    assertEquals(words`echo --name=${value}/x`, ["echo", `--name=${value}/x`]);
    assertEquals(words`echo "${value}" '${value}'`, ["echo", value, value]);
  }
  assertEquals(words`${"a b"} ${1} ${-2n} ${new URL("file:///a%20b")}`, ["a b", "1", "-2", "/a b"]);
  assertEquals(words`a ${new URL("https://example.org/?a=1&b=2")}`, [
    "a",
    "https://example.org/?a=1&b=2",
  ]);
});

test("an array is a word for each of its values", () => {
  const options = ["-a", "b c", 3];
  assertEquals(words`ls ${options} ${[]} x`, ["ls", "-a", "b c", "3", "x"]);
  assertEquals(words`${["ls", "-l"]}`, ["ls", "-l"]);
});

const refused = (says: string, make: () => unknown) => {
  const { message } = assertThrows(make, TypeError);
  assertStringIncludes(message, says);
};

test("what only a shell could do is refused, with what to do instead", () => {
  refused("use .pipe()", () => words`a | b`);
  refused(".noThrow()", () => words`a || b`);
  refused("await one command", () => words`a && b`);
  refused("use .stdout()", () => words`a > b`);
  refused("one command for each", () => words`a; b`);
  refused("one command for each", () => words`a &`);
  refused("use glob()", () => words`ls *.ts`);
  refused("use glob()", () => words`ls a?`);
  refused("put the value in", () => words`echo $HOME`);
  refused("put the path in", () => words`ls ~/x`);
  refused("use .env()", () => words`A=1 b`);
  refused("use JavaScript", () => words`(a)`);
  assertEquals(words`git show HEAD~1 a=b {} + [ ! # %`, [
    "git",
    "show",
    "HEAD~1",
    "a=b",
    "{}",
    "+",
    "[",
    "!",
    "#",
    "%",
  ]);
});

test("what is no word is refused", () => {
  refused("is undefined", () => words`rm -rf ${undefined as never}/x`);
  refused("is null", () => words`a ${null as never}`);
  refused("is object", () => words`a ${{} as never}`);
  refused("is boolean", () => words`a ${[true as never]}`);
  refused("stand alone", () => words`a --x=${["b"]}`);
  refused("stand alone", () => words`a ${["b"]}c`);
  refused("stand alone", () => words`a "${["b"]}"`);
  refused("stand alone", () => words`${["a"]}${["b"]}`);
  refused("stand alone", () => words`a ${[]}${[]}`);
  refused("lone surrogate", () => words`a ${"\ud800"}`);
  refused("lone surrogate", () => words`a b${"\udcff"}c`);
  refused("lone surrogate", () => words`a ${["b", "\udcff"]}`);
  refused("not closed", () => words`a "b`);
  refused("names no program", () => words`  `);
  refused("names no program", () => words`${[]}`);
});

test("a URL is a file of this machine, or no word", () => {
  refused("names a host; a file of this machine is file:///share", () => {
    return words`ls ${new URL("file://host/share")}`;
  });
  refused("escaped slash", () => words`ls ${new URL("file:///a%2fb")}`);
  refused("escaped slash", () => words`ls ${[new URL("file:///a%2Fb")]}`);
  refused("NUL byte", () => words`ls ${new URL("file:///a%00b")}`);
  refused("not UTF-8", () => words`ls ${new URL("file:///a%ffb")}`);
  const others = [new URL("file://localhost/a"), new URL("file:///50%"), new URL("file:///%252f")];
  assertEquals(words`ls ${others}`, ["ls", "/a", "/50%", "/%2f"]);
  assertEquals(words`ls ${new URL("https://host/a%2fb")}`, ["ls", "https://host/a%2fb"]);
});

test("what is no template is refused", () => {
  for (const value of [{ raw: ["touch soup"] }, "ls", ["ls"], undefined, null, {}]) {
    refused("should be a template", () => wordsOf(value as never, []));
  }
});

test("words are shown as one would type them", () => {
  assertEquals(
    shownWords(["tar", "-c", "a b", "it's", "", "$x"]),
    "tar -c 'a b' 'it'\\''s' '' '$x'",
  );
  assertEquals(shownWords(["a", "\x1b[2J"]).includes("\x1b"), false);
});
