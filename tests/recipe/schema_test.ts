/** The schemas of fields. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { nearest } from "../../recipe/nearest.ts";
import * as fields from "../../recipe/schema.ts";

function issue(field: fields.Schema, value: unknown): string {
  const issue = field.issue(value);
  assert(issue !== undefined, `${String(value)} is taken`);
  return issue;
}

function takes(field: fields.Schema, ...values: unknown[]): void {
  for (const value of values) assertEquals(field.issue(value), undefined);
}

Deno.test("a text has limits in bytes, and no NUL", () => {
  const text = fields.text({ min: 1, max: 4 });
  takes(text, "a", "abcd", "ää");
  assertStringIncludes(issue(text, ""), "is empty");
  assertStringIncludes(issue(text, "ääa"), "has 5 bytes; the kernel takes at most 4");
  assertStringIncludes(issue(text, "a\0"), "NUL");
  assertStringIncludes(issue(text, 5), "should be a string, not 5");
  takes(fields.text(), "", "x".repeat(1e6));
});

Deno.test("content is any string", () => {
  takes(fields.content(), "", "\0");
  assertStringIncludes(issue(fields.content(), null), "should be a string, not null");
});

Deno.test("an absolute path begins with / and has no ..", () => {
  takes(fields.absolutePath(), "/", "/a/b", "/a..b", "/...", "/a//b/./c/");
  for (const wrong of ["a", "", "/a/..", "/../a", "../a", "/a\0", "/" + "a".repeat(4095)]) {
    issue(fields.absolutePath(), wrong);
  }
  takes(fields.path(), "a", "../a", ".");
});

Deno.test("an integer is whole and within its limits", () => {
  takes(fields.integer(), 0, Number.MAX_SAFE_INTEGER);
  takes(fields.integer(-1, 1), -1, 0, 1);
  for (const wrong of [-2, 2, 0.5, NaN, Infinity, "1", null, 1n, {}]) {
    issue(fields.integer(-1, 1), wrong);
  }
  takes(fields.id(), 0, 4294967294);
  issue(fields.id(), 4294967295);
  takes(fields.modeBits(), 0, 0o7777);
  issue(fields.modeBits(), 0o10000);
});

Deno.test("octal numbers that were written as decimal ones are refused", () => {
  takes(fields.modeBits(), 0o755, 0o644, 0o600, 0o700, 0o1777, 0o4755, 0o620);
  for (const mode of [755, 644, 600, 700, 777, 1777]) {
    assertStringIncludes(issue(fields.modeBits(), mode), `write 0o${mode}`);
  }
  assertStringIncludes(issue(fields.modeBits(), 755), 'write 0o755, or "0755"');
  const { mode } = fields.withDefaults({ mode: "0755" }, { mode: fields.modeBits() });
  assertEquals(mode, 0o755);
  for (const text of ["u+x", "0o755", "0888", "07777777", ""]) {
    issue(fields.modeBits(), fields.withDefaults({ text }, { text: fields.modeBits() })["text"]);
  }
  takes(fields.maskBits(), 0, 0o22, 0o27, 0o77, 0o777);
  for (const mask of [22, 27, 77]) {
    assertStringIncludes(issue(fields.maskBits(), mask), `write 0o${mask}`);
  }
});

Deno.test("an unknown word is refused with the nearest one", () => {
  const word = fields.oneOf(["mount", "user"]);
  takes(word, "mount");
  assertStringIncludes(issue(word, "mounts"), 'did you mean "mount"?');
  assertStringIncludes(issue(word, "MOUNT"), 'did you mean "mount"?');
  assertEquals(issue(word, "soup"), '"soup" is none of "mount", "user"');
  issue(word, ["mount"]);
});

Deno.test("the issue of a list says which value is wrong", () => {
  const list = fields.list(fields.integer(), 1);
  takes(list, [1], [1, 2]);
  assertStringIncludes(issue(list, []), "needs at least one");
  assertStringIncludes(issue(list, [1, -1]), "number 2: -1");
  assertStringIncludes(issue(list, "12"), "should be a list");
  // A list with holes is a list of undefined values.
  issue(list, new Array(2));
});

Deno.test("the issue of a dictionary says which entry is wrong", () => {
  const dictionary = fields.dictionary(fields.variableName(), fields.text());
  takes(dictionary, {}, { A: "", b: "x" });
  assertStringIncludes(issue(dictionary, { A: 5 }), '"A": should be a string');
  assertStringIncludes(issue(dictionary, { "A=": "" }), '"A=": a name must not contain');
  for (const wrong of [null, [], "a", 5, undefined]) issue(dictionary, wrong);
});

Deno.test("an object has no other fields", () => {
  const object = fields.object({ a: fields.integer(), b: fields.optional(fields.text()) });
  takes(object, { a: 1 }, { a: 1, b: "" }, { a: 1, b: undefined });
  assertStringIncludes(issue(object, {}), '"a" is missing: a whole number');
  assertStringIncludes(issue(object, { a: 1, aa: 1 }), '"aa" is unknown; did you mean "a"?');
  assertStringIncludes(issue(object, { a: 1, xyz: 1 }), "the fields are a, b");
  assertStringIncludes(issue(object, { a: 1, b: 2 }), '"b" should be a string');
  assertStringIncludes(issue(object, { ...["ab"] }), "pass an object, not a list or a string");
});

Deno.test("either of two schemas is accepted, and the issue says that neither fits", () => {
  const either = fields.either(fields.integer(), fields.oneOf(["unlimited"]));
  takes(either, 1, "unlimited");
  assertStringIncludes(issue(either, "x"), 'a whole number, 0 or more, or one of "unlimited"');
  const names = fields.either(fields.boolean(), fields.list(fields.text({ min: 1 })));
  assertEquals(issue(names, ["a", ""]), "number 2: is empty");
  assertStringIncludes(issue(names, 1), "true or false, or a list");
});

Deno.test("the nearest word differs in a third of its letters at most, or in two swapped ones", () => {
  const words = ["host", "propagation", "size"];
  assertEquals(nearest("hots", words), "host");
  assertEquals(nearest("propgation", words), "propagation");
  assertEquals(nearest("porpagatoin", words), "propagation");
  assertEquals(nearest("Size", words), "size");
  assertEquals(nearest("ghost", words), "host");
  assertEquals(nearest("abcd", words), undefined);
  assertEquals(nearest("", words), undefined);
});

Deno.test("a word is near to one that contains it, that it contains, or that it abbreviates", () => {
  assertEquals(nearest("RLIMIT_NOFILE", ["nofile", "nproc", "cpu"]), "nofile");
  assertEquals(nearest("TERM", ["SIGTERM", "SIGKILL", "SIGINT"]), "SIGTERM");
  assertEquals(nearest("network", ["mount", "net", "user"]), "net");
  assertEquals(nearest("mnt", ["mount", "net", "user"]), "mount");
  assertEquals(nearest("ALRM", ["SIGVTALRM", "SIGALRM"]), "SIGALRM");
  assertEquals(nearest("USR", ["SIGUSR1", "SIGUSR2"]), undefined);
  assertEquals(nearest("pi", ["pid", "ipc"]), "pid");
  assertEquals(nearest("xy", ["xyz-and-more"]), undefined);
});

Deno.test("values of any size are refused at once, with a short issue", () => {
  const word = fields.oneOf(["mount", "user"]);
  const long = "x".repeat(5e6);
  for (
    const said of [
      issue(word, long),
      issue(fields.absolutePath(), "a".repeat(4000)),
      issue(fields.object({ a: fields.integer() }), { [long]: 1 }),
      issue(fields.dictionary(fields.variableName(), fields.text()), { [`${long}=`]: "" }),
      fields.list(fields.integer()).issue(new Array(2 ** 32 - 1))!,
    ]
  ) assert(said.length < 300, said.slice(0, 400));
  assertEquals(nearest(long, [long + "y"]), undefined);
});

Deno.test("only own properties count", () => {
  const object = fields.object({ a: fields.integer() });
  assertStringIncludes(issue(object, Object.create({ a: 1 })), '"a" is missing');
});
