/** Boxes at a terminal: what a shell's job control does with them. */

import { assertEquals } from "@std/assert";
import { mapRoot, recipe, sandbox, unshare } from "../../mod.ts";
import { TestTerminal } from "../ramekin/support.ts";
import { test } from "../support.ts";
import { BoxFile } from "./support.ts";

test("a shell stops a box, lets it go on, and interrupts it", async () => {
  using box = new BoxFile(recipe(unshare("user"), mapRoot()));
  await using terminal = new TestTerminal(["bash", "--norc", "--noprofile", "--noediting", "-i"]);
  await terminal.type(`PS1='ready '\n`);
  await terminal.shows(/(^|[$#] )ready /m);
  await terminal.type(`${box.path} sh -c 'echo begins; sleep 30; echo over'\n`);
  await terminal.shows(/begins$/m);
  await terminal.type("\x1a");
  await terminal.shows("Stopped");
  await terminal.type("fg; echo status-$?\n");
  // The shell repeats the command that it lets go on.
  await terminal.shows(/fg; echo.*\n.*box sh -c/);
  await terminal.type("\x03");
  await terminal.shows("status-130");
  await terminal.type("exit 7\n");
  assertEquals(await terminal.code(), 7);
});

test("a program with a session of its own is interrupted too", async () => {
  using box = new BoxFile(sandbox());
  await using terminal = new TestTerminal(["bash", "--norc", "--noprofile", "--noediting", "-i"]);
  await terminal.type(`${box.path} sh -c 'echo begins; exec sleep 30'; echo status-$?\n`);
  await terminal.shows(/begins$/m);
  await terminal.type("\x03");
  await terminal.shows("status-130");
  await terminal.type("exit 7\n");
  assertEquals(await terminal.code(), 7);
});
