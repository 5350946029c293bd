/**
 * Schemas of the steps about the network: names of interfaces, addresses, destinations.
 *
 * @module
 */

import { LINK_NAME_BYTES } from "../ffi/calls/constants/links.ts";
import { parseIp, parsePrefix } from "../ffi/netlink/ip.ts";
import { type Schema, schema, text } from "./schema.ts";
import { quoted } from "./shown.ts";

/** The name of a network interface, as dev_valid_name() of net/core/dev.c takes it. */
export function interfaceName(): Schema {
  return text({
    expected: `a name of at most ${LINK_NAME_BYTES} bytes`,
    min: 1,
    max: LINK_NAME_BYTES,
    pattern: "^[^/:%\\s]+$",
    issue(name) {
      if (name === "." || name === "..") return `"${name}" cannot be the name of an interface`;
      // The kernel would take "eth%d" for a pattern.
      return /[/:%\s]/.test(name)
        ? `"${name}" must not have "/", ":", "%" or a space, as the name of an interface`
        : undefined;
    },
  });
}

/** An address with the length of its network's prefix. */
export function ipPrefix(): Schema {
  return text({
    expected: "an address like 10.0.0.2/24 or fd00::2/64",
    min: 1,
    issue(text) {
      if (parsePrefix(text) !== undefined) return undefined;
      if (parseIp(text) === undefined) {
        return `${quoted(text)} is not an address with a prefix length, ` +
          "like 10.0.0.2/24 or fd00::2/64";
      }
      const length = text.includes(":") ? 64 : 24;
      return `"${text}" has no prefix length; write it like ${text}/${length}`;
    },
  });
}

/** An address without a prefix. */
export function ipAddress(): Schema {
  const expected = "an address like 10.0.0.1 or fd00::1";
  return text({
    expected,
    min: 1,
    issue: (text) => parseIp(text) === undefined ? `${quoted(text)} is not ${expected}` : undefined,
  });
}

/** Where packets are to go: a network, or everywhere. */
export function destination(): Schema {
  const prefix = ipPrefix();
  return schema(
    `"default", or a network like 10.1.0.0/16`,
    (value) => value === "default" ? undefined : prefix.issue(value),
    () => prefix.jsonSchema(),
  );
}
