/** Words of docker, bwrap, unshare and Deno on the command line. */

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { readArguments } from "../../scripts/ramekin/arguments.ts";
import { PEER_FLAGS, PEER_SUBCOMMANDS } from "../../scripts/ramekin/peer_words.ts";
import { SUBCOMMANDS } from "../../scripts/ramekin/subcommands.ts";
import { unknownSubcommand } from "../../scripts/ramekin/unknown_words.ts";
import { UsageError } from "../../scripts/ramekin/usage.ts";
import * as steps from "../../mod.ts";
import { test } from "../support.ts";
import { ramekin } from "./support.ts";

/** Returns what is said of a flag of a subcommand. */
function flagOf(subcommand: string, ...words: string[]): string {
  const known = SUBCOMMANDS.find(({ name }) => name === subcommand)!;
  return assertThrows(() => readArguments(words, known), UsageError).message;
}

test("a flag of another tool leads to what there is in its place", () => {
  const told: readonly (readonly [readonly [string, ...string[]], string])[] = [
    [["sandbox", "--read=/usr"], "did you mean --allow-read?"],
    [["sandbox", "--net"], "did you mean --allow-net?"],
    [["run", "box.yaml", "--write=."], "did you mean --allow-write?"],
    [["sandbox", "--allow-run"], "the program may start what it sees"],
    [["sandbox", "--ro-bind", "/usr", "/usr"], "--allow-read=PATH shows"],
    [["sandbox", "--dev-bind=/srv"], "--allow-write=PATH shows"],
    [["sandbox", "--unshare-net"], "no network without --allow-net"],
    [["sandbox", "-v", "/a:/b"], "--allow-read=PATH shows"],
    [["sandbox", "-v/a:/b"], "--allow-read=PATH shows"],
    [["sandbox", "-e", "A=b"], "--setenv=NAME=VALUE"],
    [["sandbox", "--env=A=b"], "--setenv=NAME=VALUE"],
    [["run", "--image=debian", "-p", "80:80"], "this machine's with --allow-net"],
    [["run", "--image", "debian", "--network=host"], "no network without --allow-net"],
    [["run", "box.yaml", "--network=host"], "the step unshare"],
    [["load", "-i", "debian.tar"], "ramekin load FILE"],
    [["load", "--input=debian.tar"], "ramekin load FILE"],
    [["inspect", "--format={{.Id}}", "debian"], "--json"],
    [["sandbox", "--rm", "-it"], "leaves nothing"],
    [["run", "-it", "box.yaml"], "started at a terminal"],
    [["run", "box.yaml", "--ro-bind", "/usr"], "the step bind, with readOnly"],
    [["build", "box.yaml", "--ro-bind"], "the step bind, with readOnly"],
    [["build", "--sandbox", "--ro-bind"], "--allow-read=PATH shows"],
    [["enter", "-it", "4711"], "started at a terminal"],
    [["run", "--graph=a.svg", "box.yaml"], "it is one of ramekin plan"],
    [["sandbox", "--allow-wrte=."], "did you mean --allow-write?"],
    [["sandbox", "--nonesuch"], "a program and its own flags come after --"],
  ];
  for (const [[subcommand, ...words], advice] of told) {
    assertStringIncludes(flagOf(subcommand, ...words), advice);
  }
});

test("a subcommand of another tool leads to what there is in its place", async () => {
  const { code, stderr } = await ramekin("exec", "-it", "db", "sh");
  assertEquals(
    [code, stderr],
    [
      2,
      'ramekin: there is no subcommand "exec"; ramekin enter runs a program in a running ' +
      "container\n  see ramekin help\n",
    ],
  );
  const said = (name: string) => unknownSubcommand(name).message;
  assertEquals(SUBCOMMANDS.filter(({ name }) => PEER_SUBCOMMANDS.has(name)), []);
  assertStringIncludes(said("box.yaml"), "ramekin run box.yaml");
  assertStringIncludes(said("snadbox"), "did you mean sandbox?");
  assertStringIncludes(said("frobnicate"), "they are run, sandbox,");
});

test("what is in the place of other tools' words is there", () => {
  const flags = SUBCOMMANDS.flatMap(({ flags }) => flags.map(({ name }) => name));
  const known = [...flags, "version", "grep"];
  const texts = PEER_FLAGS.flatMap(({ sandbox = "", image = "", always = "" }) => [
    sandbox,
    image,
    always,
  ]);
  const instead = SUBCOMMANDS.flatMap(({ instead = {} }) => Object.values(instead));
  for (const text of [...texts, ...instead, ...PEER_SUBCOMMANDS.values()]) {
    for (const [, flag] of text.matchAll(/--([a-z][\w-]*)/g)) assert(known.includes(flag!), text);
    for (const [, name] of text.matchAll(/ramekin (?!RECIPE)([a-z]+)/g)) {
      assert(SUBCOMMANDS.some((subcommand) => subcommand.name === name), text);
    }
    for (const [page] of text.matchAll(/docs\/\w+\.md/g)) {
      assert(Deno.statSync(new URL(`../../${page}`, import.meta.url)).isFile, text);
    }
  }
  for (const text of PEER_FLAGS.flatMap(({ recipe = "", sandbox = "" }) => [recipe, sandbox])) {
    const words = [...text.matchAll(/\bsteps? (\w+)|\b([a-z]+[A-Z]\w*)/g)];
    for (const [, first, camel] of words) {
      const name = first ?? camel!;
      assert(Object.hasOwn(steps, name) || name === "readOnly", text);
    }
  }
});

test("no flag of another tool stands in two lines", () => {
  const names = PEER_FLAGS.flatMap(({ names }) => names);
  assertEquals(names.filter((name, at) => names.indexOf(name) !== at), []);
});
