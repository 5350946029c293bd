/**
 * The text of a unit of quadlet (podman-systemd.unit(5)).
 *
 * @module
 */

import type { Directive } from "../limit_directives.ts";

/** A section of a unit: its name and its lines. */
export type Section = readonly [name: string, lines: readonly Directive[]];

/** Returns a unit. */
export function unitText(sections: readonly Section[]): string {
  return sections.map(([name, lines]) =>
    [`[${name}]`, ...lines.map(([key, value]) => `${key}=${value}`), ""].join("\n")
  ).join("\n");
}

/**
 * Returns a text as one word of a line. What is in it is no specifier of systemd (%) and no variable of
 * the service ($), as all lines of a container become words of its ExecStart= (systemd.service(5)).
 */
export function word(text: string): string {
  const plain = text.replaceAll("%", "%%").replaceAll("$", "$$$$");
  if (/^[\w@%+=:,./-]+$/.test(plain)) return plain;
  const escaped = Array.from(plain, (one) => ESCAPES[one] ?? escapedControl(one)).join("");
  return `"${escaped}"`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\n": "\\n",
  "\t": "\\t",
};

function escapedControl(one: string): string {
  const code = one.charCodeAt(0);
  return code < 0x20 || code === 0x7f ? `\\x${code.toString(16).padStart(2, "0")}` : one;
}
