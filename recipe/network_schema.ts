/**
 * Schemas of the steps about the network: names of interfaces, addresses, destinations.
 *
 * @module
 */

import { parseIp, parsePrefix } from "../ffi/netlink/ip.ts";
import { LINK_NAME_BYTES } from "../ffi/netlink/link.ts";
import { type Schema, text } from "./schema.ts";

/** The name of a network interface, as dev_valid_name() of net/core/dev.c has it. */
export function interfaceName(): Schema {
  const base = text({ min: 1, max: LINK_NAME_BYTES });
  return {
    expected: `a name of at most ${LINK_NAME_BYTES} bytes`,
    optional: false,
    schema: { ...base.schema, pattern: "^[^/:%\\s]+$" },
    issue(value) {
      const issue = base.issue(value);
      if (issue !== undefined) return issue;
      const name = value as string;
      if (name === "." || name === "..") return `"${name}" is no name of an interface`;
      // The kernel takes "eth%d" for a pattern.
      return /[/:%\s]/.test(name)
        ? `"${name}" must have no "/", ":", "%" or space, as it is the name of an interface`
        : undefined;
    },
  };
}

/** An address with the length of its network's prefix. */
export function ipPrefix(): Schema {
  return addressField("an address like 10.0.0.2/24 or fd00::2/64", (text) => {
    if (parsePrefix(text) !== undefined) return undefined;
    return parseIp(text) === undefined
      ? `"${text}" is no address with a prefix, like 10.0.0.2/24 or fd00::2/64`
      : `"${text}" lacks the length of its network's prefix, like ${text}${
        text.includes(":") ? "/64" : "/24"
      }`;
  });
}

/** An address without a prefix. */
export function ipAddress(): Schema {
  return addressField(
    "an address like 10.0.0.1 or fd00::1",
    (text) =>
      parseIp(text) === undefined ? `"${text}" is no address, like 10.0.0.1 or fd00::1` : undefined,
  );
}

/** Where packets are to go: a network, or everywhere. */
export function destination(): Schema {
  const prefix = ipPrefix();
  return {
    ...prefix,
    expected: `"default", or a network like 10.1.0.0/16`,
    issue: (value) => value === "default" ? undefined : prefix.issue(value),
  };
}

function addressField(expected: string, issue: (text: string) => string | undefined): Schema {
  const base = text({ min: 1 });
  return {
    expected,
    optional: false,
    ...(base.schema && { schema: base.schema }),
    issue: (value) => base.issue(value) ?? issue(value as string),
  };
}
