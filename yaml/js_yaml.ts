/**
 * The YAML parser. Unlike `@std/yaml` it reports the position of each value. It needs no
 * permission, and its specifier is complete, as an importer from a URL has no import map.
 *
 * @module
 */

export {
  constructFromEvents,
  CORE_SCHEMA,
  dump,
  type Event,
  EVENT_ID,
  getScalarValue,
  parseEvents,
  YAMLException,
} from "npm:js-yaml@5.5.0";
