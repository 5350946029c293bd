/** Users by name, from the files of a root. */

import { assertEquals, assertThrows } from "@std/assert";
import { findUser } from "../../host.ts";
import {
  mapRoot,
  RamekinError,
  recipe,
  setEnv,
  setUser,
  SyscallError,
  unshare,
} from "../../mod.ts";
import { assertFails, inDirectory, inside, root, test } from "../support.ts";

function makeRoot(directory: string): void {
  Deno.mkdirSync(`${directory}/etc`);
  Deno.writeTextFileSync(
    `${directory}/etc/passwd`,
    ":x:0:0::/:\nroot:x:0:0::/kitchen:/bin/sh\ncook:x:7:8::/home/cook:\nbroken:x:4294967295:0::/:\n",
  );
  Deno.writeTextFileSync(
    `${directory}/etc/group`,
    "cooks:x:8:\npots:x:5:root,cook\npans:x:6:cook\n",
  );
}

test(
  "a user is found by name, with what setUser() and setEnv() take",
  inDirectory((directory) => {
    makeRoot(directory);
    const cook = { name: "cook", uid: 7, gid: 8, groups: [5, 6], home: "/home/cook" };
    assertEquals(findUser(directory, "cook"), cook);
    assertEquals(findUser(directory, "7"), cook);
    assertEquals(findUser(directory, "cook:pans"), { ...cook, gid: 6, groups: [] });
    const stranger = { name: undefined, uid: 70, gid: 0, groups: [], home: "/" };
    assertEquals(findUser(directory, "70"), stranger);
  }),
);

test(
  "a name that is not there is an error that lists those that are",
  inDirectory((directory) => {
    makeRoot(directory);
    const error = (text: string, from = directory) =>
      assertThrows(() => findUser(from, text), RamekinError).message.split("\n  ");
    assertEquals(error("waiter"), [
      `${directory} knows no user "waiter"`,
      "it knows root, cook, broken; or a number",
    ]);
    assertEquals(error("cook:waiters"), [
      `${directory} knows no group "waiters"`,
      "it knows cooks, pots, pans; or a number",
    ]);
    // A variable that is empty by mistake is not root.
    for (const text of ["", ":pots", "broken", "4294967295", "-1", "cook "]) {
      assertEquals(error(text)[0], `${directory} knows no user "${text.split(":")[0]}"`);
    }
    assertEquals(error("cook", `${directory}/etc`)[1], "it knows none by name; a number is one");
    assertEquals(
      assertThrows(() => findUser(`${directory}/gone`, "cook"), SyscallError).code,
      "ENOENT",
    );
  }),
);

test(
  "the program is that user, as far as the ids are mapped",
  inDirectory((directory) => {
    makeRoot(directory);
    const { name = "", uid, gid, home } = findUser(directory, "root");
    const own = recipe(unshare("user"), mapRoot());
    const box = own.with(setUser({ uid, gid }), setEnv({ HOME: home, USER: name }));
    assertEquals(inside(box, "id -u; id -g; echo $HOME $USER"), "0\n0\n/kitchen root");
    const cook = findUser(directory, "cook");
    assertFails(own.with(setUser({ uid: cook.uid, gid: cook.gid })), {
      step: "setUser",
      code: "EINVAL",
      says: "mapIds() maps more than one",
    });
    if (!root) return;
    const { groups } = cook;
    const other = recipe(setUser({ uid: cook.uid, gid: cook.gid, groups }));
    assertEquals(inside(other, "id -u; id -G"), "7\n8 5 6");
  }),
);
