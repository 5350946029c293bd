/**
 * Fields of the steps about the network: names of interfaces, addresses, destinations.
 *
 * @module
 */

import { parseIp, parsePrefix } from "../../ffi/netlink/ip.ts";
import { LINK_NAME_BYTES } from "../../ffi/netlink/link.ts";
import { type Field, text } from "../fields.ts";

/** The name of a network interface, as dev_valid_name() of net/core/dev.c has it. */
export function interfaceName(): Field {
  const base = text({ min: 1, max: LINK_NAME_BYTES });
  return {
    expected: `a name of at most ${LINK_NAME_BYTES} bytes`,
    optional: false,
    schema: { ...base.schema, pattern: "^[^/:%\\s]+$" },
    complaint(value) {
      const complaint = base.complaint(value);
      if (complaint !== undefined) return complaint;
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
export function ipPrefix(): Field {
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
export function ipAddress(): Field {
  return addressField(
    "an address like 10.0.0.1 or fd00::1",
    (text) =>
      parseIp(text) === undefined ? `"${text}" is no address, like 10.0.0.1 or fd00::1` : undefined,
  );
}

/** Where packets are to go: a network, or everywhere. */
export function destination(): Field {
  const prefix = ipPrefix();
  return {
    ...prefix,
    expected: `"default", or a network like 10.1.0.0/16`,
    complaint: (value) => value === "default" ? undefined : prefix.complaint(value),
  };
}

function addressField(expected: string, complaint: (text: string) => string | undefined): Field {
  const base = text({ min: 1 });
  return {
    expected,
    optional: false,
    ...(base.schema && { schema: base.schema }),
    complaint: (value) => base.complaint(value) ?? complaint(value as string),
  };
}
