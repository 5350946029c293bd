/**
 * The YAML parser. It tells where each value stands, which `@std/yaml` does not, needs no permission,
 * and is named in full, as an importer from a URL has no import map.
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
