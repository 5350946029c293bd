/**
 * What happens, for whoever wants to know of it.
 *
 * @module
 */

/** How many events are kept for those who come late. */
const KEPT = 1000;

/** Events in their order, for any number of readers, each of whom gets all of them. */
export class EventLog<Event> implements AsyncIterable<Event> {
  readonly #events: Event[] = [];
  /** How many earlier ones were dropped. */
  #dropped = 0;
  #isClosed = false;
  #next = Promise.withResolvers<void>();

  /** Adds one. */
  add(event: Event): void {
    this.#events.push(event);
    if (this.#events.length > KEPT) {
      this.#events.shift();
      this.#dropped++;
    }
    this.#wake();
  }

  /** Ends the iterations of all readers once they have read what there is. */
  close(): void {
    this.#isClosed = true;
    this.#wake();
  }

  #wake(): void {
    this.#next.resolve();
    this.#next = Promise.withResolvers<void>();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Event> {
    for (let at = 0;; at++) {
      at = Math.max(at, this.#dropped);
      while (at - this.#dropped >= this.#events.length) {
        if (this.#isClosed) return;
        await this.#next.promise;
        at = Math.max(at, this.#dropped);
      }
      yield this.#events[at - this.#dropped]!;
    }
  }
}
