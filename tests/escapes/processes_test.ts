/** Escapes by the host's processes: reading and changing their memory, sending signals. */

import { assertEquals } from "@std/assert";
import { type Recipe, recipe, sandbox, seccomp } from "../../mod.ts";
import { notRoot, root, test } from "../support.ts";
import {
  assertEscapes,
  assertNeedsAll,
  assertStopped,
  program,
  type Protection,
  unknownHere,
} from "./support.ts";

/** A process of the host, and the address of a value that it prints at its end. */
interface Victim {
  readonly pid: number;
  readonly address: string;
  /** Ends the process, and returns the value. */
  remembered(): Promise<string>;
}

async function victim(): Promise<Victim> {
  const script = String.raw`
    my $soup = "soup";
    print "$$ ", unpack("Q", pack("P", $soup)), "\n";
    <STDIN>;
    print $soup;
  `;
  const child = new Deno.Command("perl", {
    args: ["-e", program(script)],
    env: { RAMEKIN_SECRET: "1" },
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  const decoder = new TextDecoder();
  const [pid, address] = decoder.decode((await reader.read()).value).trim().split(" ");
  return {
    pid: Number(pid),
    address: address!,
    async remembered() {
      await child.stdin.close();
      const { value } = await reader.read();
      await reader.cancel();
      await child.status;
      return decoder.decode(value);
    },
  };
}

/** An attack on a process of the host. */
interface ProcessAttack {
  readonly attack: (victim: Victim, directory: string) => string;
  readonly says: RegExp;
  /** The value after a successful attack. */
  readonly remembers?: string;
  /** The protections that the sandbox must lack. */
  readonly lacking?: readonly Protection[] | Recipe;
  readonly skip?: string | undefined;
}

/**
 * The protections against a process of the same user, which may do this in the same user namespace
 * and with no fewer capabilities. An unprivileged user has no other namespace without a user
 * namespace.
 */
const UNSEPARATED = root
  ? ["the pid namespace", "the user namespaces", "capabilities"] as const
  : recipe(seccomp());

function escape(name: string, escape: ProcessAttack): void {
  test(name, async () => {
    const { lacking = UNSEPARATED, remembers = "soup" } = escape;
    const directory = Deno.makeTempDirSync();
    Deno.chmodSync(directory, 0o755);
    Deno.writeTextFileSync(`${directory}/secret`, "soup");
    try {
      for (const box of ["lacking", "whole"] as const) {
        const process = await victim();
        try {
          const attack = escape.attack(process, directory);
          if (box === "whole") assertStopped(sandbox(), attack, escape.says);
          else if ("steps" in lacking) assertEscapes(lacking, attack);
          else assertNeedsAll(sandbox(), lacking, attack);
        } finally {
          assertEquals(await process.remembered(), box === "whole" ? "soup" : remembers);
        }
      }
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  }, escape.skip);
}

const UNKNOWN = /No such process/;
const MISSING = /No such file or directory/;

escape("ptrace of a process", {
  attack: ({ pid }) => `call("ptrace", 0x4206, ${pid}, 0, 0)`,
  says: UNKNOWN,
});

escape("process_vm_writev into a process", {
  attack: ({ pid, address }) =>
    String.raw`
      my $salt = "salt";
      my ($from, $to) = (pack("PQ", $salt, 4), pack("QQ", ${address}, 4));
      call("process_vm_writev", ${pid}, $from, 1, $to, 1, 0);
    `,
  says: UNKNOWN,
  remembers: "salt",
});

escape("writing to a process's memory by /proc/PID/mem", {
  attack: ({ pid, address }) =>
    String.raw`
      open(my $memory, "+<", "/proc/${pid}/mem") or die "mem: $!\n";
      sysseek($memory, ${address}, 0) or die "seek: $!\n";
      syswrite($memory, "salt") == 4 or die "write: $!\n";
    `,
  says: MISSING,
  remembers: "salt",
});

escape("a signal", {
  attack: ({ pid }) => `call("kill", ${pid}, 0)`,
  says: UNKNOWN,
  lacking: ["the pid namespace"],
});

escape("a process's root, by /proc/PID/root", {
  attack: ({ pid }, directory) => `take("/proc/${pid}/root${directory}/secret")`,
  says: MISSING,
});

escape("the root of the host's first process", {
  attack: (_, directory) => `take("/proc/1/root${directory}/secret")`,
  says: /Permission denied|No such file or directory/,
  skip: notRoot ?? unknownHere(`take("/proc/1/root/etc/passwd")`),
});

escape("a process's working directory, by /proc/PID/cwd", {
  attack: ({ pid }) => String.raw`opendir(my $directory, "/proc/${pid}/cwd/") or die "cwd: $!\n"`,
  says: MISSING,
});

escape("a process's files, by /proc/PID/fd", {
  attack: ({ pid }) => String.raw`open(my $file, "<", "/proc/${pid}/fd/0") or die "fd: $!\n"`,
  says: MISSING,
});

escape("a process's environment", {
  attack: ({ pid }) => `take("/proc/${pid}/environ") =~ /RAMEKIN_SECRET/ or die "none\n"`,
  says: MISSING,
});

test("a program that enters a sandbox later is held to the same", async () => {
  Deno.env.set("RAMEKIN_SECRET", "soup");
  try {
    await using running = sandbox().command("sleep", { args: ["60"] }).spawn();
    const look =
      "grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status | cut -f2; env | cut -d= -f1";
    const { stdout } = await running.enter("sh", { args: ["-c", look] }).output();
    const lines = new TextDecoder().decode(stdout).trim().split("\n");
    assertEquals(lines.slice(0, 7), [..."0".repeat(5)].map(() => "0".repeat(16)).concat("1", "2"));
    assertEquals(lines.slice(7).filter((name) => name.startsWith("RAMEKIN")), []);
    for (const script of ["unshare -U true", "umount /proc/keys", "mount -t tmpfs none /proc"]) {
      const { success } = await running.enter("sh", { args: ["-c", script] }).output();
      assertEquals(success, false, script);
    }
  } finally {
    Deno.env.delete("RAMEKIN_SECRET");
  }
});
