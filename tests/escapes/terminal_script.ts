/**
 * A script that passes its terminal to one sandbox after the other, and prints a line of JSON on
 * how each attack has ended there.
 */

// deno-lint-ignore-file no-console -- the test reads the output

import { sandbox } from "../../mod.ts";
import { lacking, program, type Protection } from "./support.ts";
import { TERMINAL_ATTACKS } from "./terminal_attacks.ts";

for (const { attack, needs, harmless } of TERMINAL_ATTACKS) {
  const without = (protections: readonly Protection[]) =>
    run(lacking(sandbox(), ...protections), attack);
  const whole = run(sandbox(), attack);
  if (harmless === true) {
    console.log(JSON.stringify({ whole, each: [], lacking: whole }));
    continue;
  }
  const others = (one: Protection) => needs.filter((other) => other !== one);
  const each = needs.length > 1 ? needs.map((one) => without(others(one))) : [];
  console.log(JSON.stringify({ whole, each, lacking: without(needs) }));
}

function run(box: ReturnType<typeof sandbox>, attack: string): { code: number; says: string } {
  const command = box.command("perl", { args: ["-e", program(attack)], stdin: "inherit" });
  const { code, stderr } = command.outputSync();
  return { code, says: new TextDecoder().decode(stderr).trim() };
}
