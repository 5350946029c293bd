/**
 * The positions of the values of a YAML text.
 *
 * @module
 */

import { type Event, EVENT_ID, getScalarValue } from "./js_yaml.ts";

/** A line and column of a text, counted from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

type Events = IteratorObject<Event, undefined>;

/** The offset of a value in a text, and the places of the values in it. */
interface Place {
  readonly start: number;
  readonly items: ReadonlyMap<string | number, Place>;
}

/** The positions of all values of a text. */
export class Positions {
  readonly #source: string;
  readonly #root: Place | undefined;

  /** Reads the positions from the parser's events of a text's first document. */
  constructor(source: string, events: readonly Event[]) {
    this.#source = source;
    // The first event opens the document.
    this.#root = nextPlace(events.values().drop(1), source);
  }

  /** Returns the position of the value at this path, or of the innermost value around it. */
  at(path: readonly (string | number)[]): Position {
    let place = this.#root;
    for (const key of path) place = place?.items.get(key) ?? place;
    return positionOf(this.#source, place?.start ?? 0);
  }
}

/** Returns the position of an offset in a text. */
function positionOf(source: string, offset: number): Position {
  const before = source.slice(0, offset);
  return { line: before.split("\n").length, column: offset - before.lastIndexOf("\n") };
}

/** Returns the place of the next value, `undefined` at the end of a collection. */
function nextPlace(events: Events, source: string): Place | undefined {
  const event = events.next().value;
  return event && placeOf(event, events, source);
}

/** Returns the place of the value that starts with an event. */
function placeOf(event: Event, rest: Events, source: string): Place | undefined {
  switch (event.type) {
    case EVENT_ID.SCALAR:
      return { start: event.valueStart, items: new Map() };
    case EVENT_ID.ALIAS:
      return { start: event.anchorStart, items: new Map() };
    case EVENT_ID.SEQUENCE:
      return { start: event.start, items: itemsOf(rest, source) };
    case EVENT_ID.MAPPING:
      return { start: event.start, items: fieldsOf(rest, source) };
    default:
      return undefined;
  }
}

function itemsOf(events: Events, source: string): Map<number, Place> {
  const items = new Map<number, Place>();
  for (let index = 0;; index++) {
    const item = nextPlace(events, source);
    if (item === undefined) return items;
    items.set(index, item);
  }
}

function fieldsOf(events: Events, source: string): Map<string, Place> {
  const fields = new Map<string, Place>();
  for (;;) {
    const event = events.next().value;
    const key = event && placeOf(event, events, source);
    if (key === undefined) return fields;
    const value = nextPlace(events, source);
    // A collection as a key names no field, and an empty value has no position.
    if (event?.type !== EVENT_ID.SCALAR) continue;
    fields.set(getScalarValue(source, event), value && value.start >= 0 ? value : key);
  }
}
