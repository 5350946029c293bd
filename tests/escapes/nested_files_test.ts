/**
 * Escapes by a mount namespace of the program's own: it leaves all mounts behind there, and with them
 * what holds files in a directory that it may change.
 */

import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { type Recipe, recipe, RecipeError, type SandboxOptions } from "../../mod.ts";
import { sandboxSteps } from "../../recipe/sandbox.ts";
import { inDirectory, notOrdinary, test } from "../support.ts";
import { assertEscapes, assertStopped } from "./support.ts";

/** Takes all mounts away, and moves a file by a descriptor of the directory that it is in. */
const moving = (directory: string, name: string) => `
  my $directory = call("openat", -100, "${directory}", 0, 0);
  eval { call("renameat2", $directory, "${name}", $directory, "moved", 0) };
  $@ =~ /busy/ or die "nothing holds it: $@";
  call("unshare", 0x10020000);
  call("mount", "none", "/tmp", "tmpfs", 0, 0);
  chdir("/tmp") or die "chdir: $!\\n";
  call("pivot_root", ".", ".");
  call("umount2", ".", 2);
  call("renameat2", $directory, "${name}", $directory, "moved", 0);
`;

/** The sandbox as it would be with `nest`, if that refused nothing. */
function unrefused(options: SandboxOptions): Recipe {
  const nested = sandboxSteps({ nest: true });
  return recipe(
    ...sandboxSteps(options).map((step) =>
      step.step === "sysctl" || step.step === "seccomp"
        ? nested.find((other) => other.step === step.step)!
        : step
    ),
  );
}

/** What holds files in a directory, the file, and the option that is refused. */
const HELD: Readonly<
  Record<string, readonly [(directory: string) => SandboxOptions, file: string, option: string]>
> = {
  "a repository": [() => ({}), ".git", "protect"],
  "a denied file": [
    (directory) => ({ protect: false, denyRead: [`${directory}/secret`] }),
    "secret",
    "denyRead",
  ],
  "a file that is not to be changed": [
    (directory) => ({ protect: false, denyWrite: [`${directory}/secret`] }),
    "secret",
    "denyWrite",
  ],
  "a directory that is only read": [
    (directory) => ({ protect: false, read: [`${directory}/.git`] }),
    ".git",
    "read",
  ],
};

for (const [what, [optionsFor, file, option]] of Object.entries(HELD)) {
  test(
    `${what} is moved away, so nest refuses to promise it`,
    inDirectory((directory) => {
      Deno.mkdirSync(`${directory}/.git/hooks`, { recursive: true });
      Deno.writeTextFileSync(`${directory}/.git/HEAD`, "ref: refs/heads/main\\n");
      Deno.writeTextFileSync(`${directory}/secret`, "soup");
      const options = { write: [directory], ...optionsFor(directory) };
      assertStopped(recipe(...sandboxSteps(options)), moving(directory, file), /^unshare: /);
      assertEscapes(unrefused(options), moving(directory, file));
      const { message } = assertThrows(
        () => sandboxSteps({ ...options, nest: true }),
        RecipeError,
      );
      assertStringIncludes(message, `sandbox, "${option}": with "nest" the program can make`);
    }),
    notOrdinary,
  );
}

test("what nest can promise is not refused", () => {
  const [write, read] = [["/srv/work"], ["/srv"]];
  const changes = { "/srv/work": "/var/held/0" };
  const promised: Readonly<Record<string, SandboxOptions>> = {
    "nothing is protected": { write, protect: false },
    "changes are held": { write, changes },
    "nothing is written": { read, denyRead: ["/srv/secret"] },
    "changes are thrown away": { overlay: ["/srv"], denyWrite: ["/srv/work"] },
    "what is written lies in what is read": { write, read, protect: false },
  };
  const refused = Object.keys(promised).filter((name) => {
    try {
      return sandboxSteps({ ...promised[name], nest: true }).length === 0;
    } catch {
      return true;
    }
  });
  assertEquals(refused, []);
});

test("a bind that can be changed is a directory to be written", () => {
  const options: SandboxOptions = { nest: true, bind: [["/srv", "/work"]] };
  const { message } = assertThrows(() => sandboxSteps(options), RecipeError);
  assertStringIncludes(message, "no file in /work stays read-only");
});
