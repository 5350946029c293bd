/** The links on the way to a path, compared with what the kernel makes of them. */

import { assertEquals } from "@std/assert";
import { followLinks } from "../../host/follow_links.ts";
import { linux } from "../../mod.ts";
import { inDirectory, test } from "../support.ts";

test(
  "each link on the way is told, and the path is the kernel's",
  inDirectory((directory) => {
    Deno.mkdirSync(`${directory}/a/b`, { recursive: true });
    Deno.writeTextFileSync(`${directory}/a/file`, "");
    const links = {
      "relative": "a/b",
      "absolute": `${directory}/a`,
      "a/b/up": "../..",
      "chain": "relative/up/absolute",
      "a/same": ".",
    };
    for (const [name, target] of Object.entries(links)) {
      Deno.symlinkSync(target, `${directory}/${name}`);
    }
    const followed = (path: string, ...names: string[]) => {
      const expected = names.map((name) => `${directory}/${name}`);
      const real = Deno.realPathSync(`${directory}/${path}`);
      assertEquals(followLinks(`${directory}/${path}`), { path: real, links: expected }, path);
    };
    followed("a//b/.");
    followed("relative", "relative");
    followed("relative/../file", "relative");
    followed("absolute/file", "absolute");
    followed("chain/b", "chain", "relative", "a/b/up", "absolute");
    followed("a/same/same/file", "a/same", "a/same");
    followed("relative/up/a/../a/b/up/absolute", "relative", "a/b/up", "a/b/up", "absolute");
  }),
);

test(
  "what does not exist ends the way, and a circle of links too",
  inDirectory((directory) => {
    Deno.symlinkSync("gone/away", `${directory}/dangling`);
    Deno.symlinkSync("circle", `${directory}/circle`);
    assertEquals(followLinks(`${directory}/dangling/file`), {
      path: `${directory}/gone/away/file`,
      links: [`${directory}/dangling`],
    });
    assertEquals(followLinks(`${directory}/circle`).path, `${directory}/circle`);
    assertEquals(followLinks("/"), { path: "/", links: [] });
  }),
);

test(
  "a link of procfs leads to an open file, whatever its text is",
  inDirectory((directory) => {
    using opened = linux.open(directory, linux.O_DIRECTORY);
    const link = `/proc/self/fd/${opened.number}`;
    assertEquals(followLinks(`${link}/file`), { path: `${directory}/file`, links: [link] });
    assertEquals(followLinks("/proc/self/status"), { path: "/proc/self/status", links: [] });
  }),
);
