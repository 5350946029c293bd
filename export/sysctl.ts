/**
 * Names of settings of the kernel, as engines take them.
 *
 * @module
 */

import { pathOf } from "../recipe/steps/sysctl.ts";

/** The name of a setting with dots, in whose parts a dot is written as a slash (sysctl(8)). */
export function dotted(name: string): string {
  const swapped: Readonly<Record<string, string>> = { ".": "/", "/": "." };
  return pathOf(name).replace(/[./]/g, (separator) => swapped[separator]!);
}
