/** Times as the kernel takes them. */

import { assertEquals } from "@std/assert";
import { timespecOf } from "../../ffi/timespec.ts";
import { test } from "../support.ts";

test("milliseconds are split, and the rest is never a whole second", () => {
  assertEquals(timespecOf(0), { seconds: 0, nanoseconds: 0 });
  assertEquals(timespecOf(1500), { seconds: 1, nanoseconds: 500_000_000 });
  assertEquals(timespecOf(0.25), { seconds: 0, nanoseconds: 250_000 });
  for (const milliseconds of [999.999_999_9, 86_400_999.999_999_9]) {
    const { seconds, nanoseconds } = timespecOf(milliseconds);
    assertEquals(nanoseconds < 1_000_000_000, true, `${seconds} ${nanoseconds}`);
  }
});
