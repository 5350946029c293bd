/**
 * Unpacks a layer, for the bench of layers: `unpack_layer.ts DIRECTORY LAYER`.
 *
 * @module
 */

import { unpackLayers } from "../images/layer/mod.ts";

const [directory, layer] = Deno.args as [string, string];
await unpackLayers([JSON.parse(layer)], directory);
