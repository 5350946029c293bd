/** `userNetwork`. */

import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { bridge, mapRoot, recipe, unshare, UnsupportedError, userNetwork } from "../../../mod.ts";
import { inDirectory, test } from "../../support.ts";
import { inNetworkOfItsOwn, noIp, noTalk, noTunnel, without, WORLD } from "./support.ts";

/** Returns why a network program cannot run here; `undefined` if it can. */
function withoutTunnel(program: string, debianPackage: string): string | undefined {
  return noTunnel ?? without(program, debianPackage);
}

for (
  const [program, debianPackage] of [["slirp4netns", "slirp4netns"], ["pasta", "passt"]] as const
) {
  test(`${program} forwards packets of a container, and ends with it`, async () => {
    const printed = await inNetworkOfItsOwn(`
      ${WORLD}
      const outside = serve(world, "world");
      hostSays("ip route add default via 10.8.0.2");
      const box = recipe(unshare("user", "mount", "net"), mapRoot(), ramekin.userNetwork("${program}"));
      const files = [...Deno.readDirSync("/proc/self/fd")].length;
      console.log(shell(box, asking("10.8.0.2", 80)));
      console.log([...Deno.readDirSync("/proc/self/fd")].length - files);
      const self = (await Deno.readTextFile("/proc/thread-self/children")).trim().split(" ");
      console.log(self.length);
      outside.kill("SIGKILL");
      await outside.status;
    `);
    assertEquals(printed, "world\n0\n1");
  }, noTalk ?? noIp ?? withoutTunnel(program, debianPackage));
}

for (
  const [program, debianPackage, files] of [
    ["slirp4netns", "slirp4netns", "etc run"],
    ["pasta", "passt", ""],
  ] as const
) {
  test(`${program} is confined, and has no variable of the script`, async () => {
    const printed = await inNetworkOfItsOwn(`
      ${WORLD}
      await using outside = serve(world, "world");
      hostSays("ip route add default via 10.8.0.2");
      Deno.env.set("RAMEKIN_SECRET", "soup");
      const box = recipe(unshare("user", "mount", "net"), mapRoot(), ramekin.userNetwork("${program}"));
      await using container = box.command("sleep", { args: ["600"], stdin: "null" }).spawn();
      const read = (pid, name) => Deno.readTextFileSync("/proc/" + pid + "/" + name);
      const [pid] = read("thread-self", "children").trim().split(" ")
        .filter((pid) => /^(slirp4netns|pasta|passt)/.test(read(pid, "comm")));
      const { until } = await import("${new URL("../../other_scripts.ts", import.meta.url)}");
      // pasta says that it is ready shortly before it confines itself.
      await until(() => /^NoNewPrivs:.1$[^]*^Seccomp:.2$/m.test(read(pid, "status")));
      console.log(...read(pid, "environ").split("\\0").map((text) => text.split("=")[0]));
      console.log(...Array.from(Deno.readDirSync("/proc/" + pid + "/root"), ({ name }) => name).sort());
    `);
    assertEquals(printed.trimEnd(), `PATH \n${files}`.trimEnd());
  }, noIp ?? withoutTunnel(program, debianPackage));
}

test(
  "slirp4netns is used where there is no pasta, and where pasta fails",
  inDirectory((bin) => {
    const path = Deno.env.get("PATH")!;
    Deno.env.set("PATH", bin);
    try {
      const box = recipe(unshare("user", "mount", "net"), mapRoot(), userNetwork());
      const issues: string[] = [];
      for (const program of ["slirp4netns", "pasta"]) {
        const script = `#!/bin/sh\necho no ${program} today >&2\nexit 1\n`;
        Deno.writeTextFileSync(`${bin}/${program}`, script, { mode: 0o755 });
        issues.unshift(`${program} could not connect the container: no ${program} today`);
        const error = assertThrows(() => box.command("/bin/true").outputSync(), UnsupportedError);
        assertEquals([error.issue, ...error.advice], issues);
      }
    } finally {
      Deno.env.set("PATH", path);
    }
  }),
);

test("without a network program, the error says which to install", () => {
  const path = Deno.env.get("PATH")!;
  Deno.env.set("PATH", "/none");
  try {
    const box = recipe(unshare("user", "mount", "net"), mapRoot(), userNetwork());
    const error = assertThrows(() => box.command("/bin/true").outputSync(), UnsupportedError);
    assertStringIncludes(error.message, "needs pasta or slirp4netns, and it is not installed");
  } finally {
    Deno.env.set("PATH", path);
  }
});

test("the error of a network program has the program's message", () => {
  const box = recipe(unshare("user", "mount", "net"), mapRoot(), userNetwork("slirp4netns"));
  // An interface with its name exists already.
  const taken = recipe(
    unshare("user", "mount", "net"),
    mapRoot(),
    bridge("tap0"),
    userNetwork("slirp4netns"),
  );
  const error = assertThrows(() => taken.command("true").outputSync(), UnsupportedError);
  assertStringIncludes(error.message, "slirp4netns could not connect the container: ");
  assertStringIncludes(box.plan().toString(), "script: slirp4netns --enable-sandbox");
}, without("slirp4netns", "slirp4netns"));
