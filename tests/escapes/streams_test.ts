/** Escapes by the standard streams that a sandbox inherits. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { recipe } from "../../mod.ts";
import { claim } from "../leftovers.ts";
import { decode } from "../other_scripts.ts";
import { inDirectory, test } from "../support.ts";
import { program, SECRET } from "./support.ts";

const SCRIPT = new URL("streams_script.ts", import.meta.url).pathname;
const RUN = [Deno.execPath(), "run", "-A", "--no-check", "--quiet", SCRIPT];

/** An attack on a stream that is redirected. */
interface StreamAttack {
  readonly attack: string;
  /** The redirection, of a shell in the directory. */
  readonly by: string;
  readonly says: RegExp;
}

const OPEN = String.raw`use Fcntl;
  sub again { sysopen(my $file, "/proc/self/fd/$_[0]", $_[1]) or die "open: $!\n"; $file }`;

const ATTACKS: Readonly<Record<string, StreamAttack>> = {
  "a file to be read is changed": {
    attack: `${OPEN} truncate(again(0, O_WRONLY), 0) or die "truncate: $!\\n"`,
    by: "< input",
    says: /truncate: Invalid argument|open: Permission denied/,
  },
  "a file to be read gets another mode": {
    attack: String
      .raw`chmod(0777, *STDIN) or die "chmod: $!\n"; (stat "/proc/self/fd/0")[2] == 0100777
      or die "another file\n"`,
    by: "< input",
    says: /another file|chmod/,
  },
  "a log to be appended to is read": {
    attack: String.raw`${OPEN}
      sysread(again(1, O_RDONLY | O_NONBLOCK), my $log, 100) or die "read: $!\n"`,
    by: ">> input",
    says: /read: Resource temporarily unavailable/,
  },
  "a log to be appended to is emptied": {
    attack: String.raw`truncate(*STDOUT, 0) or die "truncate: $!\n"`,
    by: ">> input",
    says: /truncate: Invalid argument/,
  },
  "a directory leads to the one around it": {
    attack: String.raw`chdir("/proc/self/fd/0") or die "chdir: $!\n"; take("../secret")`,
    by: "< sub",
    says: /stdin is a directory/,
  },
};

for (const [name, { attack, by, says }] of Object.entries(ATTACKS)) {
  test(
    `an inherited stream: ${name}`,
    inDirectory((directory) => {
      const prepare = () => {
        Deno.writeTextFileSync(`${directory}/secret`, SECRET);
        Deno.writeTextFileSync(`${directory}/input`, SECRET);
        Deno.chmodSync(`${directory}/input`, 0o644);
      };
      Deno.mkdirSync(`${directory}/sub`);
      const run = (how: string) => {
        prepare();
        return new Deno.Command("sh", {
          args: ["-c", `exec "$@" ${by}`, "sh", ...RUN, how, program(attack)],
          cwd: directory,
          env: { NO_COLOR: "1" },
        }).outputSync();
      };
      const handed = run("handed");
      assertEquals(handed.code, 0, `the attack does not work: ${decode(handed.stderr)}`);
      const whole = run("whole");
      assert(whole.code !== 0, "the attack works");
      assertMatch(decode(whole.stderr), says);
      assertEquals(Deno.readTextFileSync(`${directory}/input`), SECRET);
      assertEquals(Deno.statSync(`${directory}/input`).mode! & 0o777, 0o644);
    }),
  );
}

test(
  "an inherited stream: a terminal that is to be written to is read",
  async () => {
    // It makes a line of input for itself: what it could read is what the user types.
    const attack = String.raw`
      open(my $terminal, "+<&=", 2) or die "open: $!\n";
      my $line = <$terminal>;
      defined $line or die "nothing is read\n";`;
    for (const [how, works] of [["handed", true], ["whole", false]] as const) {
      await using container = recipe().command("sh", {
        args: [
          "-c",
          `"$@" < /dev/null > /dev/null; echo "code $?."`,
          "sh",
          ...RUN,
          how,
          program(attack),
        ],
        terminal: true,
        stdin: "piped",
        stdout: "piped",
      }).spawn();
      claim(container.pid);
      const writer = container.stdin.getWriter();
      await writer.write(new TextEncoder().encode("my password\n"));
      const shown = await container.stdout.text();
      writer.releaseLock();
      assertEquals(/code 0\./.test(shown), works, `${how}: ${shown}`);
      if (!works) assertMatch(shown, /nothing is read|open: /);
    }
  },
);
