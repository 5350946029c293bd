/** `sandbox({ nest: true })`: containers in a sandbox, and what stays out of reach for them. */

import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { landlockVersion } from "../../host.ts";
import { type Recipe, sandbox, UnsupportedError } from "../../mod.ts";
import { decode } from "../other_scripts.ts";
import { program } from "../escapes/support.ts";
import { ramekin } from "../ramekin/support.ts";
import { inDirectory, inside, notOrdinary, notRoot, test } from "../support.ts";

const PROJECT = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");

test("root has no id that the program could map", () => {
  const { message } = assertThrows(() => sandbox({ nest: true }), UnsupportedError);
  assertStringIncludes(message, "run it as another user");
}, notRoot);

test(
  "a sandbox runs in a sandbox",
  inDirectory((directory) => {
    Deno.writeTextFileSync(
      `${directory}/script.ts`,
      `import { sandbox } from "${PROJECT}/mod.ts";
      const script = "hostname; id -u; cat ${directory}/script.ts || echo hidden; unshare -U true";
      const box = sandbox({ weakerProc: true, hostname: "inner" });
      const { code, stdout } = box.command("sh", { args: ["-c", script], stderr: "null" })
        .outputSync();
      console.log(code, new TextDecoder().decode(stdout).split("\\n").join(" "));`,
    );
    for (const net of ["none", "host"] as const) {
      const box = sandbox({ nest: true, net, read: [Deno.execPath(), PROJECT, directory] });
      const { stdout, stderr } = box.command(Deno.execPath(), {
        args: ["run", "--no-check", "--no-config", "--allow-ffi", `${directory}/script.ts`],
        env: { DENO_DIR: "/tmp/deno", NO_COLOR: "1" },
      }).outputSync();
      assertEquals(decode(stdout), `1 inner ${Deno.uid()} hidden \n`, decode(stderr));
    }
  }),
  notOrdinary,
);

test(
  "without it, a degraded sandbox runs in a sandbox",
  inDirectory((directory) => {
    Deno.writeTextFileSync(
      `${directory}/script.ts`,
      `import { sandbox } from "${PROJECT}/mod.ts";
      const box = sandbox({ degrade: true });
      const script = "cat ${directory}/script.ts || echo hidden; echo > /tmp/file || echo held";
      const { stdout } = box.command("sh", { args: ["-c", script], stderr: "null" }).outputSync();
      console.log(box.degraded.refused, new TextDecoder().decode(stdout).split("\\n").join(" "));`,
    );
    const box = sandbox({ setuidFiles: true, read: [Deno.execPath(), PROJECT, directory] });
    const { stdout, stderr } = box.command(Deno.execPath(), {
      args: ["run", "--no-check", "--no-config", "--allow-ffi", `${directory}/script.ts`],
      env: { DENO_DIR: "/tmp/deno", NO_COLOR: "1" },
    }).outputSync();
    assertEquals(decode(stdout), "clone fails with EPERM hidden held \n", decode(stderr));
  }),
  landlockVersion() >= 3 ? undefined : "needs the Landlock of Linux 6.2",
);

test("the command has it", async () => {
  const { code, stderr } = await ramekin("sandbox", "--nest", "--", "unshare", "-Ur", "true");
  assertEquals([code, stderr], [0, ""]);
}, notOrdinary);

/** Whether bubblewrap makes a container outside. */
function hasBubblewrap(): boolean {
  try {
    return new Deno.Command("bwrap", { args: [...BWRAP, "true"], stderr: "null" }).outputSync()
      .success;
  } catch {
    return false;
  }
}

const BWRAP = ["--unshare-all", "--ro-bind", "/", "/", "--tmpfs", "/tmp"];

test("bubblewrap makes a container in one", () => {
  assertEquals(inside(sandbox({ nest: true }), `bwrap ${BWRAP.join(" ")} echo soup`), "soup");
}, notOrdinary ?? (hasBubblewrap() ? undefined : "needs bubblewrap"));

/** What all capabilities of a user namespace of its own do not let the program do; all but the first. */
const ATTEMPTS = [
  "mount -t tmpfs none /tmp",
  "umount -n /proc/kcore",
  "umount -l /usr",
  "mount -o remount,bind,rw /usr",
  "mount -o remount,rw /",
  "mount -o remount,bind,rw $DIRECTORY/.git/hooks",
  "touch $DIRECTORY/.git/hooks/pre-commit",
  "cat $DIRECTORY/denied | grep soup",
  "umount -n $DIRECTORY/denied && grep soup $DIRECTORY/denied",
  "mount --bind $DIRECTORY /tmp && grep soup /tmp/denied",
  "mount -t proc none /tmp",
  "mount -t sysfs none /tmp",
  "mount --bind /proc /tmp",
  "echo 500 > /proc/sys/user/max_user_namespaces",
  "kill -0 $OUTSIDE",
];

test(
  "nothing that the sandbox holds is let go",
  inDirectory((directory) => {
    Deno.mkdirSync(`${directory}/.git/hooks`, { recursive: true });
    Deno.writeTextFileSync(`${directory}/.git/HEAD`, "ref: refs/heads/main\n");
    Deno.writeTextFileSync(`${directory}/.git/config`, "");
    Deno.writeTextFileSync(`${directory}/denied`, "soup");
    const box = sandbox({ nest: true, read: [directory], denyRead: [`${directory}/denied`] });
    const held = (box: Recipe) =>
      inside(
        box,
        `export DIRECTORY=${directory} OUTSIDE=${Deno.pid}
        ${
          ATTEMPTS.map((attempt) =>
            `(unshare -Urmpf sh -c '${attempt}') >/dev/null 2>&1 && echo '${attempt}'`
          ).join("\n")
        }
        grep CapPrm /proc/self/status`,
      );
    assertEquals(held(box), `${ATTEMPTS[0]}\nCapPrm:\t0000000000000000`);
  }),
  notOrdinary,
);

/** Processes that each make a user namespace and stay, until all have tried. */
const MANY = program(String.raw`
  pipe(my $in, my $out);
  my @children = map {
    my $pid = fork // die "fork: $!\n";
    if ($pid == 0) {
      syswrite($out, syscall(number("unshare"), 0x10000000) == 0 ? "y" : "n");
      sleep 600;
    }
    $pid
  } 1 .. 80;
  my $answers = "";
  sysread($in, $answers, 80, length $answers) while length $answers < 80;
  print $answers =~ tr/y//;
  kill("KILL", @children);
`);

test("its user namespaces have a number", () => {
  const { stdout, stderr } = sandbox({ nest: true }).command("perl", { args: ["-e", MANY] })
    .outputSync();
  // The program itself is in one that the sandbox has made.
  assertEquals(decode(stdout), "64", decode(stderr));
}, notOrdinary);
