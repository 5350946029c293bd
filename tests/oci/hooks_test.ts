/** Hooks: programs that engines have run at points of a container's life. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { root, test } from "../support.ts";
import { Kitchen, listed, type Mutable, noBusybox } from "./support.ts";

test("hooks get the state, where they belong", async () => {
  using kitchen = new Kitchen();
  const out = `${kitchen.directory}/out`;
  const hook = (name: string) => ({
    path: "/bin/sh",
    args: [
      "sh",
      "-c",
      `read -r s; echo "${name} $s" >> ${out}; readlink /proc/self/ns/uts >> ${out}; pwd >&2; [ -d rootfs/proc ]`,
    ],
    env: ["PATH=/usr/bin:/bin"],
  });
  kitchen.configure("cat /tmp/told", (config) => {
    config.process.env = ["PATH=/bin", "A=container's"];
    config.process.cwd = "/bin";
    config.process.rlimits = [{ type: "RLIMIT_NOFILE", soft: 99, hard: 99 }];
    config.hooks = {
      prestart: [hook("prestart")],
      createRuntime: [hook("createRuntime")],
      // An ordinary user may not look into a process that others could take Deno's memory from.
      createContainer: root ? [hook("createContainer")] : [],
      startContainer: [{ path: "/bin/sh", args: ["sh", "-c", WITHIN] }],
      poststart: [hook("poststart")],
      poststop: [hook("poststop")],
    };
    config.annotations = { a: "b" };
  });
  const { code, stdout, stderr } = await kitchen.run();
  assertEquals([code, stderr], [0, ""]);
  const [told, ...within] = stdout.trimEnd().split("\n");
  // The pid is that in the container.
  const { pid, status } = JSON.parse(told!);
  assertEquals([pid, status, within], [1, "created", ["container's 99 ramekin /bin"]]);
  const lines = Deno.readTextFileSync(out).trimEnd().split("\n");
  const said = lines.filter((_, index) => index % 2 === 0).map((line) => line.split(" {")[0]);
  const inside = root ? ["createContainer"] : [];
  assertEquals(said, ["prestart", "createRuntime", ...inside, "poststart", "poststop"]);
  const state = JSON.parse(lines[0]!.slice("prestart ".length));
  assertEquals([state.status, state.annotations], ["creating", { a: "b" }]);
  const own = Deno.readLinkSync("/proc/self/ns/uts");
  assertEquals([lines[1], lines[5] === own], [own, !root]);
  if (root) assertEquals(JSON.parse(lines[4]!.slice("createContainer ".length)).pid, 1);
}, noBusybox);

/** What a hook in the container writes down: the state, and what it finds there. */
const WITHIN = "{ cat; echo; echo $A $(ulimit -n) $(hostname) $(pwd); } > /tmp/told";

test("a hook that fails or takes too long ends the container, and its last hooks run", async () => {
  using kitchen = new Kitchen();
  const out = `${kitchen.directory}/out`;
  const log = `${kitchen.directory}/log`;
  const failing = async (hooks: Mutable["hooks"], verb: "create" | "run") => {
    kitchen.configure("exec sleep 1000", (config) => {
      const last = { path: "/bin/sh", args: ["sh", "-c", `echo last >> ${out}`] };
      config.hooks = { ...hooks, poststop: [{ path: "/bin/false" }, last] };
    });
    const answer = await kitchen.bare("--log", log, "--log-format", "json", verb, kitchen.id());
    assertEquals([answer.code, answer.stdout, listed(kitchen.state)], [1, "", []]);
    assertEquals(Deno.readTextFileSync(out), "last\n");
    // Engines want one line.
    assertEquals(`ramekin: ${JSON.parse(Deno.readTextFileSync(log)).msg}\n`, answer.stderr);
    for (const file of [out, log]) Deno.removeSync(file);
    return answer.stderr;
  };
  const shell = (script: string) => ({ path: "/bin/sh", args: ["sh", "-c", script] });
  assertStringIncludes(
    await failing({ createRuntime: [shell("echo no >&2; exit 3")] }, "create"),
    "hooks.createRuntime[0]: /bin/sh: exit status 3: no",
  );
  assertStringIncludes(
    await failing({ startContainer: [shell("true"), shell("echo no >&2; exit 3")] }, "run"),
    "hooks.startContainer[1]: /bin/sh: exit status 3: no",
  );
  assertStringIncludes(
    await failing({ startContainer: [{ path: "/nonesuch" }] }, "run"),
    "hooks.startContainer[0]: /nonesuch: no such file or directory",
  );
  assertStringIncludes(
    await failing({ poststart: [{ ...shell("exec /bin/sleep 1000"), timeout: 1 }] }, "run"),
    "hooks.poststart[0]: /bin/sh: it has run longer than 1 seconds",
  );
}, noBusybox);
