/**
 * Unpacks a layer, for the bench of images: `unpack_layer.ts DIRECTORY real|mapped LAYER`. The mapped
 * owners are those of a user with subordinate ids.
 *
 * @module
 */

import { geteuid } from "../ffi/linux/users.ts";
import { openOwners, unpackLayers } from "../images/layer/mod.ts";

const [directory, owners, layer] = Deno.args as [string, string, string];
const layers = [JSON.parse(layer)];
if (owners === "mapped") {
  const ids = [
    { inside: 0, outside: geteuid(), count: 1 },
    { inside: 1, outside: 100_000, count: 65_535 },
  ];
  using mapped = await openOwners({ uids: ids, gids: ids });
  await unpackLayers(layers, directory, mapped);
} else await unpackLayers(layers, directory);
