/** A script that runs each attack of gate_attacks.ts, and prints a line of JSON on how it has ended. */

// deno-lint-ignore-file no-console -- the test reads the output

import { PermissionError, type Permissions } from "../../mod.ts";
import { GATE_ATTACKS, type GateAttack, READ, type Stranger, stranger } from "./gate_attacks.ts";
import { program } from "./support.ts";

const ALL = { read: true, write: true, net: true, env: true, run: true, sys: true } as const;
for (const attack of GATE_ATTACKS) {
  // What the steps without a filter need beside it.
  const only = { read: READ, sys: attack.need !== "kernel" };
  console.log(JSON.stringify({
    open: run(attack, attack.steps, ALL),
    gated: run(attack, attack.steps, only),
    held: run(attack, attack.held, only),
  }));
}

function run({ attack, atTerminal }: GateAttack, steps: Stranger, permissions: Permissions) {
  const command = stranger(steps).command("/usr/bin/perl", {
    args: ["-e", program(attack)],
    stdin: atTerminal === true ? "inherit" : "null",
    permissions,
  });
  try {
    const { code, stderr } = command.outputSync();
    return { code, says: new TextDecoder().decode(stderr).trim() };
  } catch (error) {
    if (!(error instanceof PermissionError)) throw error;
    return { code: -1, says: error.message };
  }
}
