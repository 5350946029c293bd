/** The ids that a user may map, as passwd(5), subuid(5) and subgid(5) have them. */

import { assertEquals } from "@std/assert";
import { subordinateGroup, subordinateRanges, userName } from "../../host/subordinate_ids.ts";
import { test } from "../support.ts";

const PASSWD = "root:x:0:0::/root:/bin/sh\ncook:x:1000:1000::/home/cook:/bin/sh\n";
const RANGES = "other:1:1\ncook:100000:65536\n1001:200000:10\ncook:7:3\nnone:5:0\nodd:x:9\n";

test("a user has the name of passwd(5), or none", () => {
  assertEquals([1000, 0, 7].map((uid) => userName(PASSWD, uid)), ["cook", "root", undefined]);
});

test("ranges are given by name or by number", () => {
  assertEquals(subordinateRanges(RANGES, "cook", 1000), [
    { first: 100000, count: 65536 },
    { first: 7, count: 3 },
  ]);
  assertEquals(subordinateRanges(RANGES, undefined, 1001), [{ first: 200000, count: 10 }]);
  for (const name of ["none", "odd", "nobody"]) {
    assertEquals(subordinateRanges(RANGES, name, 1002), []);
  }
});

test("a user's subordinate group is the first one", () => {
  const files: Record<string, string> = { "/etc/passwd": PASSWD, "/etc/subgid": RANGES };
  assertEquals([1000, 1001, 0].map((uid) => subordinateGroup((path) => files[path]!, uid)), [
    100000,
    200000,
    undefined,
  ]);
});
